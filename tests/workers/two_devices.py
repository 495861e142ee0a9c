"""Checks under MirroredStrategy on two logical CPUs; prints one JSON object: check -> what it found."""

import json
import sys
import tempfile
import traceback
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tiny

import kerasgan

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def local(variable) -> list[np.ndarray]:
    return [np.asarray(value) for value in STRATEGY.experimental_local_results(variable.value)]


def replicas_agree(gan) -> bool:
    return all(np.array_equal(*local(variable), equal_nan=True) for variable in tiny.state(gan))


def difference(one: list, other: list) -> float:
    return max(float(np.abs(np.subtract(*pair, dtype="float64")).max()) for pair in zip(one, other, strict=True))


def same_as_one_device() -> dict:
    """Train and evaluate one model on one device and on two, which then see the same latents."""
    with STRATEGY.scope():
        # More than 1 is accepted, and changes nothing where several devices share a batch.
        two = tiny.latents_from_images(regularizers=["r1", "historical_averaging"], steps_per_execution=2)
    one = tiny.latents_from_images(regularizers=["r1", "historical_averaging"])
    found = {}
    # Batches of 8, the last of 8, 3 (split 2 and 1) and 1 (the second device gets none).
    for name, n in (("even", 16), ("uneven", 11), ("device_without_images", 9)):
        start = two.generator.get_weights()
        histories = [gan.fit(tiny.images(n), batch_size=8, shuffle=False, verbose=0).history for gan in (one, two)]
        evaluations = [gan.evaluate(tiny.images(n), batch_size=8, verbose=0) for gan in (one, two)]
        found[name] = {
            "moved": difference(start, two.generator.get_weights()),
            "weights": difference(one.get_weights(), two.get_weights()),
            "average": difference(one.ema_generator.get_weights(), two.ema_generator.get_weights()),
            "history": difference(*(list(history.values()) for history in histories)),
            "evaluation": difference(*evaluations),
            "replicas_agree": replicas_agree(two),
        }
    return found


def latents_differ() -> dict:
    with STRATEGY.scope():
        gan = tiny.dcgan()
    draw = tf.function(lambda: gan.sample_latents(3, gan.next_seed()))
    first, second = ([each.numpy() for each in STRATEGY.run(draw).values] for _ in range(2))
    with STRATEGY.scope():
        gan.compile(augment=kerasgan.augment.ScheduledAugment("blit,geometry,color,cutout", 0.9))
    change = tf.function(lambda: gan.augment(tf.reshape(tf.range(128.0), (2, 8, 8, 1)), gan.next_seed()))
    changed = [each.numpy().tobytes() for each in STRATEGY.run(change).values]
    return {
        "augmentations": len(set(changed)),
        "latents": len({each.tobytes() for each in (*first, *second)}),
        "first_replica_as_on_one_device": np.array_equal(first[0], tiny.dcgan().sample_latents(3, 1)),
    }


def dcgan() -> dict:
    with STRATEGY.scope():
        gan = tiny.dcgan()
    arrays = gan.fit(tiny.images(17), batch_size=8, epochs=2, verbose=0)
    batches = gan.fit(tf.data.Dataset.from_tensor_slices(tiny.images(16)).batch(8), verbose=0)
    calibrated = gan.ema_generator.get_weights()
    gan.calibrate()
    evaluations = [gan.evaluate(tiny.images(9), batch_size=8, verbose=0) for _ in range(2)]
    found = {
        "finite": tiny.finite(arrays) and tiny.finite(batches) and bool(np.isfinite(evaluations).all()),
        "replicas_agree": replicas_agree(gan),
        "calibrated": all(map(np.array_equal, calibrated, gan.ema_generator.get_weights())),
        "evaluation_repeats": evaluations[0] == evaluations[1],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "gan.keras")
        gan.save(path)
        alone = keras.models.load_model(path)
        with STRATEGY.scope():
            together = keras.models.load_model(path)
    samples = gan.generate(5, seed=3)
    found["loads_on_one_device"] = bool(np.allclose(samples, alone.generate(5, seed=3), atol=1e-6))
    found["resumes_exactly"] = tiny.digest(gan) == tiny.digest(together)
    for each in (gan, together):
        each.fit(tiny.images(8), batch_size=8, shuffle=False, verbose=0)
    return found | {"same_after_resuming": tiny.digest(gan) == tiny.digest(together)}


def vae() -> dict:
    with STRATEGY.scope():
        model = kerasgan.VAE(tiny.SHAPE, latent_dim=4, base_filters=4, seed=1)
        model.compile()
    history = model.fit(np.full((9, *tiny.SHAPE), -1.0, "float32"), batch_size=8, epochs=3, verbose=0)
    return {
        "finite": tiny.finite(history) and bool(np.isfinite(model.evaluate(tiny.images(9), verbose=0)).all()),
        "falls": history.history["reconstruction_loss"][-1] < history.history["reconstruction_loss"][0],
        "replicas_agree": replicas_agree(model),
        "samples": list(model.generate(2, seed=1).shape),
    }


def labels() -> dict:
    """A conditional model of two custom networks, with Keras's own batch norm, and a replica without images."""
    with STRATEGY.scope():
        latents, label, image = keras.Input((4,)), keras.Input((), dtype="int32"), keras.Input(tiny.SHAPE)
        embed = keras.layers.Embedding(3, 4)
        x = keras.layers.BatchNormalization()(keras.layers.Dense(8)(latents + embed(label)))
        x = keras.layers.Reshape(tiny.SHAPE)(keras.layers.Dense(256, activation="tanh")(x))
        joined = keras.layers.Concatenate()([keras.layers.Flatten()(image), keras.layers.Embedding(3, 4)(label)])
        gan = kerasgan.GAN(
            keras.Model([latents, label], x), keras.Model([image, label], keras.layers.Dense(1)(joined)),
            num_classes=3, d_steps=2, seed=1,
        )  # fmt: skip
        gan.compile()
    history = gan.fit(tiny.images(9), np.arange(9) % 3, batch_size=8, verbose=0)
    return {"finite": tiny.finite(history), "replicas_agree": replicas_agree(gan)}


def batch_layers() -> dict:
    """Layers that look at several examples, on a replica without images too; the reference batch stays as it is."""
    with STRATEGY.scope():
        latents, image = keras.Input((4,)), keras.Input(tiny.SHAPE)
        x = kerasgan.layers.VirtualBatchNormalization(5)(
            keras.layers.Dense(8)(kerasgan.layers.ReferenceBatch(5)(latents))
        )
        x = kerasgan.layers.WithoutReference(5)(keras.layers.Dense(256, activation="tanh")(x))
        seen = keras.layers.Flatten()(kerasgan.layers.MinibatchStandardDeviation()(image))
        seen = kerasgan.layers.MinibatchDiscrimination(3, 2)(keras.layers.Dense(8)(seen))
        gan = kerasgan.GAN(
            keras.Model(latents, keras.layers.Reshape(tiny.SHAPE)(x)),
            keras.Model(image, keras.layers.Dense(1)(seen)),
            seed=1,
        )
        gan.compile()
    reference = np.asarray(gan.generator.layers[1].reference)
    history = gan.fit(tiny.images(9), batch_size=8, epochs=3, verbose=0)
    return {
        "finite": tiny.finite(history),
        "replicas_agree": replicas_agree(gan),
        "reference_stays": np.array_equal(reference, np.asarray(gan.generator.layers[1].reference)),
    }


def learning_rate_callback() -> dict:
    with STRATEGY.scope():
        gan = tiny.latents_from_images(d_optimizer=keras.optimizers.SGD(0.2))
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 * rate)
    gan.fit(tiny.images(8), batch_size=8, callbacks=[schedule], verbose=0)
    return {
        "d_rate": float(local(gan.d_optimizer.learning_rate)[1]),
        "g_rate": float(local(gan.g_optimizer.learning_rate)[1]),
    }


class NaNOnSecondReplica(kerasgan.regularizers.Regularizer):
    name = "nan"

    def penalty(self, batch):
        second = tf.distribute.get_replica_context().replica_id_in_sync_group == 1
        return tf.where(second, float("nan"), 0.0) * tf.reduce_mean(batch.real_logits)


def nan_on_second_replica() -> dict:
    with STRATEGY.scope():
        gan = tiny.latents_from_images(dtype="mixed_float16", regularizers=[NaNOnSecondReplica(1.0)])
    before = [network.get_weights() for network in (gan.discriminator, gan.generator)]
    gan.fit(tiny.images(8), batch_size=8, verbose=0)
    after = [network.get_weights() for network in (gan.discriminator, gan.generator)]
    moved = [not all(map(np.array_equal, *pair)) for pair in zip(before, after, strict=True)]
    return {
        "moved": dict(zip(("discriminator", "generator"), moved, strict=True)),
        "d_scale": [float(each) for each in local(gan.d_optimizer.dynamic_scale)],
        "g_scale": [float(each) for each in local(gan.g_optimizer.dynamic_scale)],
        "finite": all(np.isfinite(weight).all() for weight in gan.get_weights()),
        "replicas_agree": replicas_agree(gan),
    }


CHECKS = (
    same_as_one_device,
    latents_differ,
    dcgan,
    vae,
    labels,
    batch_layers,
    learning_rate_callback,
    nan_on_second_replica,
)

if __name__ == "__main__":
    found = {}
    for check in CHECKS:
        if len(sys.argv) > 1 and check.__name__ not in sys.argv[1:]:
            continue
        try:
            found[check.__name__] = check()
        except Exception:
            found[check.__name__] = {"error": traceback.format_exc()[-6000:]}
    print(json.dumps(found))
