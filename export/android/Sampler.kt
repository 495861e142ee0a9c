package org.example.kerasgan

import android.content.Context
import android.graphics.Bitmap
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import java.util.Random
import kotlin.math.roundToInt

/**
 * Draws images with an unconditional kerasgan generator, a .tflite file with batch size 1 in the app's assets.
 *
 * The sizes are in the report beside the file, `<file>.json`: `inputs` and `outputs`.
 */
class Sampler(
    context: Context,
    asset: String,
    private val latentDim: Int,
    private val height: Int,
    private val width: Int,
    private val channels: Int,
) : AutoCloseable {
    private val model =
        CompiledModel.create(context.assets, asset, CompiledModel.Options(Accelerator.CPU))
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    /** Returns one image. The same seed gives the same image. */
    fun generate(seed: Long): Bitmap {
        val random = Random(seed)
        inputs[0].writeFloat(FloatArray(latentDim) { random.nextGaussian().toFloat() })
        model.run(inputs, outputs)
        return toBitmap(outputs[0].readFloat())
    }

    /** Turns values in [-1, 1], row by row with the channels innermost, into a picture. */
    private fun toBitmap(values: FloatArray): Bitmap {
        val pixels = IntArray(height * width) { index ->
            fun level(channel: Int): Int =
                ((values[index * channels + channel] + 1f) * 127.5f).roundToInt().coerceIn(0, 255)
            val red = level(0)
            val green = if (channels == 3) level(1) else red
            val blue = if (channels == 3) level(2) else red
            (0xFF shl 24) or (red shl 16) or (green shl 8) or blue
        }
        return Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
    }

    override fun close() {
        inputs.forEach { it.close() }
        outputs.forEach { it.close() }
        model.close()
    }
}
