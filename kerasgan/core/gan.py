"""GAN: the `keras.Model` whose `train_step` alternates discriminator and generator updates."""

import functools
from typing import ClassVar

import keras
import tensorflow as tf

from kerasgan.core import replicas
from kerasgan.core.dealing import deal, join_batches
from kerasgan.core.ema import (
    CalibrateAverage,
    average_towards,
    calibrate_batch_norm,
    clone_network,
    decay_of_half_life,
    warmed_up,
)
from kerasgan.core.judged import Batch, JudgedBatch, Update, frozen_state, logits_of
from kerasgan.core.optimizers import accumulated, apply_gradients
from kerasgan.core.packing import check_batch, check_pack, pack_examples
from kerasgan.core.settings import Compiled
from kerasgan.core.top_k import learn_from_best
from kerasgan.regularizers import terms_of


@keras.saving.register_keras_serializable("kerasgan")
class GAN(Compiled):
    """A generative adversarial network made of any two networks.

    `fit` takes images, or (images, labels) for a conditional model; calling the model takes latents. A subclass
    overrides `compile_defaults` for its paper's settings, and a hook only where its algorithm differs: `synthesize`,
    `discriminator_terms`, `generator_terms`, which get a `kerasgan.core.judged.JudgedBatch`.

    Goodfellow et al. 2014, algorithm 1 (https://arxiv.org/abs/1406.2661).

    Args:
        generator: functional `keras.Model`, latents (batch, latent_dim) to images in [-1, 1]; of a conditional model
            [latents, int32 labels] to images. Several generators are grouped in one functional model.
        discriminator: `keras.Model`, images to logits (batch, 1), high for real; of a conditional model
            [images, labels] to logits. One with several outputs returns a dict with `logits` among them.
        num_classes: number of classes of a conditional model; None for an unconditional one.
        d_steps: discriminator updates for each generator update. Each sees a batch of fresh real images, of the size
            that `fit` was given: a round takes d_steps batches, and an epoch has so many fewer rounds. It shows the
            discriminator every image once, and costs about (1 + d_steps) / (2 d_steps) of an epoch with one update.
        ema_decay: decay of the average over the generator's weights that `generate` uses, warmed up over the
            first steps; None keeps no average and generates with the live generator.
        pack: images that the discriminator judges together, side by side in its channels, so that it sees where they
            are too much alike: Lin et al. 2018 (https://arxiv.org/abs/1712.04086). The discriminator is built for so
            many times the channels, and sees no labels. Penalties of slopes look at each image of a pack.
        seed: integer that fixes every random draw in training. The networks' initial weights are their own.

    Example:
        gan = kerasgan.GAN(generator, discriminator)
        gan.compile()
        gan.fit(images, epochs=10)
        images = gan.generate(16, seed=1)
    """

    # Loss terms that the hooks report, besides those of the regularizers.
    terms: ClassVar[tuple[str, ...]] = ("d_loss", "g_loss")
    # What they report beside the losses: shown, not minimised.
    observations: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        generator,
        discriminator,
        *,
        num_classes=None,
        d_steps=1,
        ema_decay=0.999,
        pack=1,
        seed=None,
        name=None,
        dtype=None,
    ):
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
        self.augment, self.pack = None, pack
        check_pack(pack, discriminator, self.image_shape)
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

    # The game

    def fit(self, x=None, y=None, batch_size=None, *args, **kwargs):
        """Train as `keras.Model.fit` does, with the same arguments.

        `batch_size`, or that of a data set, is what one update sees: with `d_steps` over 1, so many batches are joined
        for a round, and the steps that Keras counts are rounds.

        Raises:
            ValueError: an example does not have the parts, shapes, dtypes or ranges that the model learns from.
        """
        check_batch(self.pack, x, batch_size)
        x, batch_size = join_batches(x, batch_size, self.d_steps)
        return super().fit(x, y, batch_size, *args, **kwargs)

    def train_step(self, data) -> dict:
        """Play one round: `d_steps` discriminator updates, one generator update, one step of the average."""
        data, share = replicas.shard(data)
        examples = self.unpack(data)
        *earlier, last = deal(examples, self.d_steps)
        for real, given in earlier:
            seed = self.next_seed()  # Outside of the frozen state, which would undo the draw.
            with frozen_state():
                batch = self.synthesize(real, given, seed)
            self.update_discriminator(batch, share)
        with tf.GradientTape() as tape:
            # One generator pass serves the last discriminator update and the generator's own.
            batch = self.synthesize(*last, self.next_seed())
            with tape.stop_recording():
                d_terms = self.update_discriminator(batch, share)
            g_terms = self.generator_terms(self.judged(batch, Update(self.generator, self.g_optimizer, frozen=True)))
            objective = self._objective(g_terms, self.g_optimizer, share)
        apply_gradients(tape, objective, self.generator, self.g_optimizer)
        self.finish_round(examples, share)
        return self.track(d_terms | g_terms, share)

    def update_discriminator(self, batch: Batch, share=1.0) -> dict:
        """Update the discriminator on one batch and return its terms; `share` is what `replicas.shard` gave."""
        with tf.GradientTape() as tape:
            judged = self.judged(batch, Update(self.discriminator, self.d_optimizer))
            terms = self.discriminator_terms(judged)
            objective = self._objective(terms, self.d_optimizer, share)
        apply_gradients(tape, objective, self.discriminator, self.d_optimizer)
        if self.augment:
            terms = terms | self.augment.adapt(judged.real_logits)
        return terms

    def _objective(self, terms: dict, optimizer, share) -> tf.Tensor:
        # Gradients are summed over replicas, so each replica contributes its share of the mean.
        return optimizer.scale_loss(self.total(terms) * share)

    def finish_round(self, examples, share) -> None:
        """Give all replicas one state, count the round's examples, and move the average."""
        for layer in self.layers:
            if layer.trainable:  # Averages follow what is trained.
                replicas.synchronize(layer, share)
        images = self.clock.tick(examples, share)
        if self.ema_generator is not None:
            average_towards(self.ema_generator, self.generator, self._ema_decay(images))

    def _ema_decay(self, images) -> tf.Tensor:
        if self.ema_half_life is None:
            # The average moves after every batch: between two updates always towards the same weights.
            return warmed_up(self.ema_decay, self.g_optimizer.iterations) ** (1.0 / accumulated(self.g_optimizer))
        half_life = self.ema_half_life
        return decay_of_half_life(half_life(self.clock.steps) if callable(half_life) else half_life, images)

    def test_step(self, data) -> dict:
        """Report every term on a batch with both networks in inference mode; nothing is changed.

        The latents depend on the seed and the batch's number only: evaluating twice gives the same numbers.
        """
        data, share = replicas.shard(data)
        real, given = self.unpack(data)
        with frozen_state():
            batch = self.synthesize(real, given, self.evaluation_seed(), training=False)
        still = {"training": False, "frozen": True}
        terms = self.discriminator_terms(self.judged(batch, Update(self.discriminator, self.d_optimizer, **still)))
        terms |= self.generator_terms(self.judged(batch, Update(self.generator, self.g_optimizer, **still)))
        return self.track(terms | (self.augment.report() if self.augment else {}), share)

    def judged(self, batch: Batch, update: Update) -> JudgedBatch:
        """Return a batch, for one update, that knows what the discriminator makes of it."""
        judges = {
            suffix: functools.partial(self._judge, network, update.training)
            for suffix, network in self.judges().items()
        }
        return JudgedBatch(batch, judges, update, self.pack)

    def _judge(self, network, training, images, given, seed):
        """Return a discriminator's outputs on images as it gets to see them in training."""
        if training and self.augment:
            images = self.augment(images, seed)
        return network(_with_given(network, pack_examples(images, self.pack), given), training=training)

    # Hooks

    def unpack(self, data) -> tuple:
        """Split what `fit` gives into what the model learns to make, checked, and name -> what is given beside it."""
        parts = self.parts(data)
        made = [name for name in parts if isinstance(self.learns[name], type(self.makes)) and name not in self.takes]
        real = tuple(parts.pop(name) for name in made)
        return (real[0] if len(real) == 1 else real), parts

    def synthesize(self, real, given, seed, training=True) -> Batch:
        """Make as many images as there are real ones, from the same given parts."""
        count = tf.shape(tf.nest.flatten(real)[0])[0]
        latents = self.sample_latents(count, seed) if "latents" in self.takes else None
        inputs = [latents if name == "latents" else given[name] for name in self.takes]
        fake = self.generator(inputs[0] if len(inputs) == 1 else inputs, training=training)
        return Batch(real, fake, latents, given, seed)

    def judges(self) -> dict[str, keras.Model]:
        """Return suffix of the terms -> discriminator, for every game that is played on a batch."""
        return {"": self.discriminator}

    def discriminate(self, images, labels=None, training=False, **given):
        """Return the discriminator's logits of images, high for real: one an image, or one a pack of them.

        Args:
            images: (batch, height, width, channels) in [-1, 1]; one part a game where several are played.
            labels: int32 (batch,), where the discriminator sees them.
            training: whether batch norm and dropout behave as in training; images are never augmented here.
            **given: what else the discriminator sees, by the names in `learns`.
        """
        given |= {} if labels is None else {"labels": labels}
        judges = self.judges().values()
        parts = [images] if len(judges) == 1 else images
        logits = tuple(
            logits_of(network(_with_given(network, pack_examples(part, self.pack), given), training=training))
            for network, part in zip(judges, parts, strict=True)
        )
        return logits[0] if len(logits) == 1 else logits

    def discriminator_terms(self, batch: JudgedBatch) -> dict:
        """Return the named terms whose sum the discriminator minimises, each a scalar."""
        terms = {}
        for suffix, game in batch.games.items():
            terms[f"d_loss{suffix}"] = self.loss.discriminator(game.real_logits, game.fake_logits)
            terms |= self._penalties("discriminator", game, suffix)
        return terms

    def generator_terms(self, batch: JudgedBatch) -> dict:
        """Return the named terms whose sum the generator minimises, each a scalar."""
        sees_real = getattr(self.loss, "sees_real", False)
        terms = {}
        for suffix, game in batch.games.items():
            real_logits = (game.real_logits,) if sees_real else ()
            terms[f"g_loss{suffix}"] = self.loss.generator(self._chosen(game.fake_logits), *real_logits)
            terms |= self._penalties("generator", game, suffix)
        return terms

    def _chosen(self, fake_logits) -> tf.Tensor:
        """Return logits from which the generator learns as `top_k` says."""
        if self.top_k is None:
            return fake_logits
        share = self.top_k(self.clock.steps) if callable(self.top_k) else self.top_k
        return learn_from_best(fake_logits, share)

    def _penalties(self, player: str, game: JudgedBatch, suffix: str) -> dict:
        chosen = terms_of(player, self.regularizers)
        return {name + suffix: each(game) for name, each in chosen.items()}

    # The averaged generator

    def calibrate(self, batches: int = 8, batch_size: int = 128) -> None:
        """Re-estimate the averaged generator's batch-norm statistics on fresh inputs.

        Averaged statistics do not belong to averaged weights. `fit` calls this at the end of every epoch; call it
        yourself after a training loop of your own. The inputs are fixed: equal weights give equal statistics. A model
        whose inputs cannot be made up is calibrated on its `examples`; without any, its averaged statistics stay.
        """
        if self.ema_generator is None:
            return
        if all(kind.drawn for kind in self.takes.values()):
            inputs = (self.sampler_inputs(batch_size, seed=number) for number in range(batches))
        elif self.examples:
            inputs = [self.sampler_inputs(len(next(iter(self.examples.values()))), seed=0)]
        else:
            return
        calibrate_batch_norm(self.sampler, inputs)

    def own_callbacks(self) -> list:
        """Return the callbacks that `fit` runs before the user's."""
        return [*super().own_callbacks(), CalibrateAverage()]

    # Persistence

    def get_config(self) -> dict:
        """Return the constructor arguments, networks serialised."""
        serialize = keras.saving.serialize_keras_object
        return self.game_config() | {
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "num_classes": self.num_classes,
            "pack": self.pack,
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


def _with_given(network: keras.Model, images, given: dict):
    """Return a discriminator's inputs: images, and as many of the given parts as it has inputs for."""
    if len(network.inputs) == 1:
        return images
    return [images, *list(given.values())[: len(network.inputs) - 1]]
