"""One worker of MultiWorkerMirroredStrategy, as TF_CONFIG says; prints one JSON object: what it found."""

import json
import tempfile

import kerasgan

# Before anything else is done with TensorFlow.
STRATEGY = kerasgan.strategy("multi_worker")

import tensorflow as tf  # noqa: E402
import tiny  # noqa: E402

if __name__ == "__main__":
    with STRATEGY.scope():
        # Initial weights without a seed: the first worker's are everybody's.
        gan = tiny.dcgan(seed=None)
    # The last batch leaves the second worker nothing.
    history = gan.fit(tiny.images(9), batch_size=8, epochs=2, verbose=0)
    draw = tf.function(lambda: gan.sample_latents(2, gan.next_seed()))
    latents = STRATEGY.experimental_local_results(STRATEGY.run(draw))[0].numpy()
    evaluation = gan.evaluate(tiny.images(9), batch_size=8, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        gan.save(f"{folder}/gan.keras")
    found = {
        "replicas": gan.num_replicas,
        "digest": tiny.digest(gan),
        "latents": latents.tolist(),
        "finite": tiny.finite(history),
        "history": {name: [float(value) for value in values] for name, values in history.history.items()},
        "evaluation": [float(value) for value in evaluation],
        "sample": float(gan.generate(2, seed=1).sum()),
    }
    print(json.dumps(found), flush=True)
