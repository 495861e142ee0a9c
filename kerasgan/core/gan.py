"""GAN: the `keras.Model` whose `train_step` alternates discriminator and generator updates."""

from typing import Any, ClassVar, NamedTuple

import keras
import tensorflow as tf

from kerasgan import losses, regularizers
from kerasgan.core import replicas
from kerasgan.core.base import GenerativeModel
from kerasgan.core.ema import CalibrateAverage, average_towards, calibrate_batch_norm, clone_network
from kerasgan.core.optimizers import PairedOptimizers, apply_gradients, prepare_optimizer


class Batch(NamedTuple):
    """What one update sees. Models with several generators put dicts or tuples of tensors in `real` and `fake`."""

    real: Any
    fake: Any
    latents: Any
    labels: Any


@keras.saving.register_keras_serializable("kerasgan")
class GAN(GenerativeModel):
    """A generative adversarial network made of any two networks.

    `fit` takes images, or (images, labels) for a conditional model; calling the model takes latents. A subclass
    overrides `compile_defaults` for its paper's settings, and a hook only where its algorithm differs: `synthesize`,
    `discriminator_terms`, `generator_terms`.

    Goodfellow et al. 2014, algorithm 1 (https://arxiv.org/abs/1406.2661).

    Args:
        generator: functional `keras.Model`, latents (batch, latent_dim) to images in [-1, 1]; of a conditional model
            [latents, int32 labels] to images. Several generators are grouped in one functional model.
        discriminator: `keras.Model`, images to logits (batch, 1), high for real; of a conditional model
            [images, labels] to logits.
        num_classes: number of classes of a conditional model; None for an unconditional one.
        d_steps: discriminator updates for each generator update.
        ema_decay: decay of the average over the generator's weights that `generate` uses, warmed up over the
            first steps; None keeps no average and generates with the live generator.
        seed: integer that fixes every random draw in training. The networks' initial weights are their own.

    Example:
        gan = kerasgan.GAN(generator, discriminator)
        gan.compile()
        gan.fit(images, epochs=10)
        images = gan.generate(16, seed=1)
    """

    # Loss terms that the hooks report, besides those of the regularizers.
    terms: ClassVar[tuple[str, ...]] = ("d_loss", "g_loss")

    def __init__(
        self,
        generator,
        discriminator,
        *,
        num_classes=None,
        d_steps=1,
        ema_decay=0.999,
        seed=None,
        name=None,
        dtype=None,
    ):
        if d_steps < 1:
            raise ValueError(f"d_steps must be at least 1; received {d_steps}.")
        if ema_decay is not None and not 0.0 <= ema_decay < 1.0:
            raise ValueError(f"ema_decay must be in [0, 1), or None for no average; received {ema_decay}.")
        first_input, first_output = generator.inputs[0], generator.outputs[0]
        super().__init__(
            image_shape=first_output.shape[1:],
            latent_dim=first_input.shape[-1],
            num_classes=num_classes,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.generator = generator
        self.discriminator = discriminator
        self.d_steps = d_steps
        self.ema_decay = ema_decay
        self.ema_generator = None if ema_decay is None else clone_network(generator)
        # All variables exist from here on: strategies, checkpoints and loading rely on it.
        self.built = True

    @property
    def sampler(self):
        """The averaged generator, or the live one where no average is kept."""
        return self.generator if self.ema_generator is None else self.ema_generator

    @property
    def networks(self):
        """The networks of a trained model: the generator that samples, and the discriminator."""
        return {"generator": self.sampler, "discriminator": self.discriminator}

    def shown(self) -> dict[str, keras.Model]:
        """Return what summaries show: the averaged generator, and the live one."""
        averaged = {} if self.ema_generator is None else {"samples/ema": self.sampler}
        return averaged | {"samples/live": self.generator}

    def adopt_networks(self) -> None:
        """Let training go on from the generator that samples."""
        if self.ema_generator is not None:
            self.generator.set_weights(self.ema_generator.get_weights())

    # Compiling

    def compile_defaults(self) -> dict:
        """Return the settings of the paper: d_optimizer, g_optimizer, loss, regularizers. Override it in a subclass."""
        return {
            "d_optimizer": keras.optimizers.Adam(2e-4, beta_1=0.5),
            "g_optimizer": keras.optimizers.Adam(2e-4, beta_1=0.5),
            "loss": "non_saturating",
            "regularizers": (),
        }

    def compile(
        self,
        d_optimizer=None,
        g_optimizer=None,
        loss=None,
        regularizers=None,
        *,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Configure training; what is left out comes from `compile_defaults`.

        Args:
            d_optimizer: `keras.optimizers.Optimizer`, or its name, of the discriminator.
            g_optimizer: the same of the generator; another object.
            loss: name or object of `kerasgan.losses`.
            regularizers: names or objects of `kerasgan.regularizers`.
            run_eagerly: run Python step by step, for debugging.
            steps_per_execution: batches in one call of the compiled step; always 1 where several devices share a batch.
            jit_compile: compile the step with XLA; "auto" does so where a GPU is present.

        Raises:
            ValueError: both optimizers are one object, or a loss or regularizer is unknown.
        """
        given = {
            "d_optimizer": d_optimizer,
            "g_optimizer": g_optimizer,
            "loss": loss,
            "regularizers": regularizers,
        }
        settings = self.compile_defaults() | {name: value for name, value in given.items() if value is not None}
        if settings["d_optimizer"] is settings["g_optimizer"] and not isinstance(settings["d_optimizer"], str):
            raise ValueError("d_optimizer and g_optimizer are one object; each network needs an optimizer of its own.")
        with self.distribute_strategy.scope():
            super().compile(run_eagerly=run_eagerly, steps_per_execution=steps_per_execution, jit_compile=jit_compile)
            self.d_optimizer = prepare_optimizer(settings["d_optimizer"], self.discriminator)
            self.g_optimizer = prepare_optimizer(settings["g_optimizer"], self.generator)
        self.optimizer = PairedOptimizers(self.d_optimizer, self.g_optimizer)
        self.loss = losses.get(settings["loss"])
        self.regularizers = _get_regularizers(settings["regularizers"])
        self.set_tracked_terms((*self.terms, *(regularizer.name for regularizer in self.regularizers)))

    def get_compile_config(self) -> dict | None:
        """Return the settings of `compile`, serialised; None before it was called."""
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "d_optimizer": serialize(self.d_optimizer),
            "g_optimizer": serialize(self.g_optimizer),
            "loss": serialize(self.loss),
            "regularizers": [serialize(regularizer) for regularizer in self.regularizers],
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config: dict) -> None:
        """Compile from what `get_compile_config` gave."""
        objects = ("d_optimizer", "g_optimizer", "loss", "regularizers")
        self.compile(
            **{
                name: keras.saving.deserialize_keras_object(value) if name in objects else value
                for name, value in config.items()
            }
        )

    # The game

    def train_step(self, data) -> dict:
        """Play one round: `d_steps` discriminator updates, one generator update, one step of the average."""
        data, share = replicas.shard(data)
        real, labels = self.unpack(data)
        for _ in range(self.d_steps - 1):
            seed = self.next_seed()  # Outside of the frozen state, which would undo the draw.
            with frozen_state():
                batch = self.synthesize(real, labels, seed)
            self.update_discriminator(batch, share)
        with tf.GradientTape() as tape:
            # One generator pass serves the last discriminator update and the generator's own.
            batch = self.synthesize(real, labels, self.next_seed())
            with tape.stop_recording():
                d_terms = self.update_discriminator(batch, share)
            with frozen_state():
                g_terms = self.generator_terms(batch)
            objective = self._objective(g_terms, self.g_optimizer, share)
        apply_gradients(tape, objective, self.generator, self.g_optimizer)
        for network in (self.discriminator, self.generator):
            replicas.synchronize(network, share)
        if self.ema_generator is not None:
            average_towards(self.ema_generator, self.generator, self.ema_decay, self.g_optimizer.iterations)
        return self.track(d_terms | g_terms, share)

    def update_discriminator(self, batch: Batch, share=1.0) -> dict:
        """Update the discriminator on one batch and return its terms; `share` is what `replicas.shard` gave."""
        with tf.GradientTape() as tape:
            terms = self.discriminator_terms(batch)
            objective = self._objective(terms, self.d_optimizer, share)
        apply_gradients(tape, objective, self.discriminator, self.d_optimizer)
        return terms

    def _objective(self, terms: dict, optimizer, share) -> tf.Tensor:
        # Gradients are summed over replicas, so each replica contributes its share of the mean.
        return optimizer.scale_loss(tf.add_n(list(terms.values())) * share)

    def test_step(self, data) -> dict:
        """Report every term on a batch with both networks in inference mode; nothing is changed.

        The latents depend on the seed and the batch's number only: evaluating twice gives the same numbers.
        """
        data, share = replicas.shard(data)
        real, labels = self.unpack(data)
        with frozen_state():
            batch = self.synthesize(real, labels, self.evaluation_seed(), training=False)
            terms = self.discriminator_terms(batch, training=False) | self.generator_terms(batch, training=False)
        return self.track(terms, share)

    # Hooks

    def unpack(self, data) -> tuple:
        """Split what `fit` gives into real images, checked, and labels (None for an unconditional model)."""
        parts = self.parts(data)
        return parts[self.makes.name], parts.get("labels")

    def synthesize(self, real, labels, seed, training=True) -> Batch:
        """Make as many images as there are real ones, with the same labels."""
        latents = self.sample_latents(tf.shape(real)[0], seed)
        inputs = latents if labels is None else [latents, labels]
        return Batch(real, self.generator(inputs, training=training), latents, labels)

    def discriminate(self, images, labels=None, training=True) -> tf.Tensor:
        """Return the discriminator's logits, high for real."""
        inputs = images if labels is None else [images, labels]
        return self.discriminator(inputs, training=training)

    def discriminator_terms(self, batch: Batch, training=True) -> dict:
        """Return the named terms whose sum the discriminator minimises, each a scalar."""

        def discriminate(images):
            return self.discriminate(images, batch.labels, training)

        terms = {"d_loss": self.loss.discriminator(discriminate(batch.real), discriminate(batch.fake))}
        for regularizer in self.regularizers:
            terms[regularizer.name] = regularizer(discriminate, batch.real, batch.fake)
        return terms

    def generator_terms(self, batch: Batch, training=True) -> dict:
        """Return the named terms whose sum the generator minimises, each a scalar."""
        return {"g_loss": self.loss.generator(self.discriminate(batch.fake, batch.labels, training))}

    # The averaged generator

    def calibrate(self, batches: int = 8, batch_size: int = 128) -> None:
        """Re-estimate the averaged generator's batch-norm statistics on fresh latents.

        Averaged statistics do not belong to averaged weights. `fit` calls this at the end of every epoch; call it
        yourself after a training loop of your own. The latents are fixed: equal weights give equal statistics.
        """
        if self.ema_generator is not None:
            calibrate_batch_norm(
                self.ema_generator,
                (self.sampler_inputs(batch_size, seed=number) for number in range(batches)),
            )

    def own_callbacks(self) -> list:
        """Return the callback that calibrates the averaged generator after every epoch."""
        return [CalibrateAverage()]

    # Persistence

    def get_config(self) -> dict:
        """Return the constructor arguments, networks serialised."""
        serialize = keras.saving.serialize_keras_object
        return self.game_config() | {
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "num_classes": self.num_classes,
        }

    def game_config(self) -> dict:
        """Return the arguments of the game itself, to which a subclass adds those of its networks."""
        return super().get_config() | {"d_steps": self.d_steps, "ema_decay": self.ema_decay}

    @classmethod
    def from_config(cls, config: dict) -> "GAN":
        """Return a new model from what `get_config` gave."""
        config = dict(config)
        for name in ("generator", "discriminator", "dtype"):
            if isinstance(config.get(name), dict):
                config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)


def frozen_state():
    """Run networks for their outputs only: batch statistics, dropout seeds and the like are read, not written.

    One network's update must not move the other's state.
    """
    return keras.StatelessScope()


def _get_regularizers(given) -> list:
    chosen = [regularizers.get(regularizer) for regularizer in given]
    names = [regularizer.name for regularizer in chosen]
    if len(set(names)) != len(names):
        raise ValueError(f"Regularizers need different names, since each is a metric; received {names}.")
    return chosen
