"""Whether the R3GAN and StyleGAN2 that PyTorch is timed with are kerasgan's: outputs, losses, penalties, gradients.

    python tests/benchmarks/modern_parity.py write r3gan FILE
    TORCH_PYTHON tests/benchmarks/modern_parity.py check r3gan FILE

`write` keeps weights, inputs and what kerasgan makes of them; `check` hands the weights over and says how far each of
PyTorch's values is from it, as a share of its length. Exit status 1 above `TOLERANCE`.
"""

import argparse
import re
import sys

import numpy as np
from modern import CLASSES, MODERN

BATCH_SIZE = 8
# Gradients of penalties are second derivatives in float32, of sums in another order.
TOLERANCE = 2e-3


def write(name: str, file: str) -> None:
    """Keep what kerasgan's model makes of a batch."""
    import keras_contenders
    import tensorflow as tf

    from kerasgan.core.judged import Batch, Update

    gan, settings = keras_contenders.ours("float32", name), MODERN[name]
    random = np.random.default_rng(0)
    for weight in gan.trainable_weights:  # Branches that start silent would hide what is in them.
        weight.assign(weight + 0.1 * random.standard_normal(weight.shape))
    kept = {"real": random.uniform(-1, 1, (BATCH_SIZE, *settings.shape))}
    given = {}
    inputs = {"latents": random.standard_normal((BATCH_SIZE, gan.latent_dim))}
    if settings.family == "r3gan":
        given["labels"] = tf.range(BATCH_SIZE) % CLASSES
    else:
        inputs["noise"] = random.standard_normal((BATCH_SIZE, gan.takes["noise"].shape[0]))
        given["noise"] = tf.constant(inputs["noise"], tf.float32)
    kept |= inputs
    latents, real = (tf.constant(each, tf.float32) for each in (inputs["latents"], kept["real"]))
    with tf.GradientTape(persistent=True) as tape:
        fake = gan.generator([latents, *given.values()], training=True)
        batch = Batch(real, fake, latents, given, tf.constant([0, 1]))
        d_loss = gan.total(gan.discriminator_terms(gan.judged(batch, Update(gan.discriminator, gan.d_optimizer))))
        terms = gan.generator_terms(gan.judged(batch, Update(gan.generator, gan.g_optimizer, frozen=True)))
        # Path lengths draw; what they are made of is compared without.
        g_loss = terms["g_loss"]
        if settings.family == "stylegan2":
            w = gan.generator.get_layer("mapping")(latents)
            styles = tf.repeat(w[:, None], gan.generator.get_layer("synthesis").inputs[0].shape[1], axis=1)
            with tf.GradientTape(watch_accessed_variables=False) as inner:
                inner.watch(styles)
                total = tf.reduce_sum(gan.generator.get_layer("synthesis")([styles, given["noise"]], training=True))
            kept["path"] = path = tf.reduce_mean(tf.square(inner.gradient(total, styles)))
            g_loss += path
    kept |= {"fake": fake, "d_loss": d_loss, "g_loss": g_loss}
    for player, loss in (("discriminator", d_loss), ("generator", g_loss)):
        weights = in_order(getattr(gan, player).trainable_weights, settings.family)
        gradients = tape.gradient(loss, [each.value for each in weights])
        for number, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
            kept[f"{player}/{number:02}/weight"] = in_torch(weight, weight)
            kept[f"{player}/{number:02}/gradient"] = in_torch(weight, gradient)
    np.savez(file, **{key: np.asarray(value, "float32") for key, value in kept.items()})


def in_order(weights: list, family: str) -> list:
    """Return weights in an order that does not hang on how deep in the network their layers are."""

    def name_and_number(weight):
        name, number = re.fullmatch(r"(\D+(?:2d)?)_?(\d*)", weight.path.split("/")[0]).groups()
        return name.rstrip("_"), int(number or 0)

    return sorted(weights, key=name_and_number) if family == "stylegan2" else weights


def in_torch(weight, value) -> np.ndarray:
    """Return the value of a weight, or its gradient, as PyTorch has it."""
    import tensorflow as tf

    value = np.asarray(tf.convert_to_tensor(value))
    if "embedding" in weight.path or "projection" in weight.path:
        return value
    return value.transpose({4: (3, 2, 0, 1), 3: (2, 0, 1), 2: (1, 0)}.get(value.ndim, range(value.ndim)))


def check(name: str, file: str) -> bool:
    """Print how far PyTorch's values are from those kept, and return whether all are near."""
    import torch
    import torch_modern

    kept, settings = np.load(file), MODERN[name]
    game = torch_modern.FAMILIES[settings.family](settings, BATCH_SIZE)
    players = {"generator": game.generator, "discriminator": game.discriminator}
    for player, network in players.items():
        for number, weight in enumerate(network.in_order()):
            weight.data = torch.tensor(kept[f"{player}/{number:02}/weight"]).reshape(weight.shape)
        assert number + 1 == sum(key.startswith(player) and key.endswith("weight") for key in kept)
        assert number + 1 == len(list(network.parameters()))
    latents, real = torch.tensor(kept["latents"]), torch.tensor(kept["real"]).permute(0, 3, 1, 2)
    found = {}
    if settings.family == "r3gan":
        fake = game.generator(latents, game.labels)
        g_loss = game.g_loss(real, fake)
    else:
        noise = torch.tensor(kept["noise"])
        fake = game.generator(latents, noise)
        styles = game.generator.styles(game.generator.mapped(latents))
        found["path"] = torch_modern.slope(game.generator.synthesized(styles, noise).sum(), styles).square().mean()
        game.number = 1
        g_loss = game.g_loss(real, fake) + found["path"]
        game.number = 0
    d_loss = game.d_loss(real, fake)
    found |= {"fake": fake.permute(0, 2, 3, 1), "d_loss": d_loss, "g_loss": g_loss}
    for player, loss in (("discriminator", d_loss), ("generator", g_loss)):
        weights = players[player].in_order()
        for number, gradient in enumerate(torch.autograd.grad(loss, weights, retain_graph=True)):
            found[f"{player}/{number:02}/gradient"] = gradient
    worst = 0.0
    for key, value in found.items():
        ours, theirs = kept[key], value.detach().numpy()
        far = np.linalg.norm(ours.reshape(theirs.shape) - theirs) / (np.linalg.norm(ours) + 1e-12)
        worst = max(worst, far)
        print(f"{key} {tuple(theirs.shape)}: {far:.1e}")
    print(f"{name}: at most {worst:.1e}")
    return worst < TOLERANCE


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("write", "check"))
    parser.add_argument("model", choices=MODERN)
    parser.add_argument("file")
    given = parser.parse_args()
    if given.command == "write":
        write(given.model, given.file)
        return 0
    return int(not check(given.model, given.file))


if __name__ == "__main__":
    sys.exit(main())
