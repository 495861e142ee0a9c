"""SeqGAN: sequences of words, written by a network that learns from what a discriminator rewards."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from kerasgan.core import replicas
from kerasgan.core.dealing import deal
from kerasgan.core.gan import GAN
from kerasgan.core.judged import Batch, frozen_state
from kerasgan.core.optimizers import apply_gradients
from kerasgan.core.sampling import Stepwise
from kerasgan.core.sizes import is_count
from kerasgan.kinds import Latents, Tokens
from kerasgan.networks.seqgan import (
    judge_of_vectors,
    seqgan_discriminator,
    seqgan_generator,
    writing_sampler,
    writing_step,
)
from kerasgan.optimizers import Adam
from kerasgan.support.configurable import unknown_name

PHASES = ("likelihood", "discriminator", "game")
ESTIMATORS = ("policy_gradient", "gumbel_softmax")


@keras.saving.register_keras_serializable("kerasgan")
class SeqGAN(GAN):
    """SeqGAN: an LSTM writes sequences of tokens, a convolutional network judges them whole.

    A discriminator teaches a generator of images by its slope at the image. Words have no slope: a sentence cannot be
    made a little more real by half a word. SeqGAN takes writing for a game of chance in which each word is a move, and
    the discriminator's verdict on the finished sequence is the reward. A word's reward is what the sequence is worth
    on average if it is finished from there on in different ways, `rollouts` of them; the generator is then moved
    towards words that paid (REINFORCE).

    Training goes through three phases, counted in epochs over all calls of `fit`: the generator alone, by likelihood;
    the discriminator alone; then both in turn. `g_loss` is minus the mean reward of finished sequences, and its
    gradient the estimate of the policy gradient, equations 1 to 8. A term of another phase is reported as 0; `evaluate`
    tells all. A preset goes on in the third phase.

    Whether the game improves on likelihood alone is a question to ask of every data set: train longer by likelihood
    beside it, and with `constant_reward`, which leaves the discriminator without a say. With "gumbel_softmax" for
    `estimator` the game has the generator's usual loss, and no rewards.

    Yu et al. 2017 (https://arxiv.org/abs/1609.05473), with the networks and numbers of its reference code. There a
    round trains the discriminator for 15 epochs on 10,000 sequences; here for `d_steps` batches.

    Args:
        length: tokens of a sequence.
        vocabulary: the tokens are 0 to vocabulary - 1.
        words: the word of each token, to show sequences as text; None shows numbers.
        embedding_dim: length of the vector that stands for a token in the generator.
        units: size of the state of the generator's LSTM.
        d_embedding_dim: as `embedding_dim`, in the discriminator.
        windows: widths of the discriminator's convolutions, in tokens.
        filters: how many look through each.
        rollouts: ways in which every beginning of a sequence is finished to estimate what it is worth.
        pretraining: epochs by likelihood, and epochs of the discriminator alone.
        baseline: subtract from a reward the mean of the others in the batch at the same place: less noise, no bias.
        constant_reward: this number in place of every reward; None for the discriminator's judgement.
        estimator: how the generator learns in the game. "policy_gradient", by rewards, as in SeqGAN; "gumbel_softmax":
            by the discriminator's slope after all, as if the words that were drawn were mixtures of all words: biased,
            but with no need of `rollouts` and `baseline`. Jang et al. 2016 (https://arxiv.org/abs/1611.01144), Kusner
            and Hernandez-Lobato 2016 (https://arxiv.org/abs/1611.04051).
        gumbel_temperature: of that softmax.
        dropout: share of the discriminator's features that is left out in training.
        d_steps: see `kerasgan.GAN`; in the first phase, so many updates of the generator.
        ema_decay: see `kerasgan.GAN`; the averaged generator also finishes the sequences that are judged. None: the
            live one.
        seed: fixes the initial weights and every random draw in training.
        dtype: dtype policy or its name, such as "mixed_bfloat16".

    Raises:
        ValueError: an argument is not what is described here.

    Example:
        info = kerasgan.data.tokens.info("captions.txt")
        gan = kerasgan.SeqGAN(**info.arguments, pretraining=(40, 5))
        gan.compile()
        gan.fit(kerasgan.data.tokens.load("captions.txt"), epochs=60)
        print(*gan.generate_text(10, seed=1), sep="\\n")
    """

    terms: ClassVar[tuple[str, ...]] = ("likelihood_loss", "d_loss", "g_loss")
    reads: ClassVar[str] = "tokens"

    def __init__(
        self, length=20, vocabulary=5000, words=None, *, embedding_dim=32, units=32, d_embedding_dim=64,
        windows=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20),
        filters=(100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160),
        rollouts=16, pretraining=(120, 50), baseline=False, constant_reward=None,
        estimator="policy_gradient", gumbel_temperature=1.0, dropout=0.25,
        d_steps=5, ema_decay=0.8, seed=None, name=None, dtype=None,
    ):  # fmt: skip
        _check(length, windows, filters, pretraining)
        _check_estimator(estimator, gumbel_temperature, constant_reward)
        # Says whether the words fit the vocabulary.
        makes = Tokens(length, vocabulary, words)
        d_seed = None if seed is None else seed + 1
        super().__init__(
            seqgan_generator(length, vocabulary, embedding_dim, units, dtype, seed),
            seqgan_discriminator(length, vocabulary, d_embedding_dim, windows, filters, dropout, dtype, d_seed),
            d_steps=d_steps,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            dtype=dtype,
        )
        self.length, self.vocabulary, self.words = length, vocabulary, makes.words
        self.embedding_dim, self.units, self.d_embedding_dim = embedding_dim, units, d_embedding_dim
        self.windows, self.filters, self.dropout = tuple(windows), tuple(filters), dropout
        self.rollouts, self.pretraining = rollouts, tuple(pretraining)
        self.baseline, self.constant_reward = baseline, constant_reward
        self.estimator, self.gumbel_temperature = estimator, gumbel_temperature
        # The game is played with every number that the data have, in any order: what the generator does wrong, the
        # discriminator is to see, and a word that was not drawn has no likelihood to learn by. Texts for people are of
        # words, and over when they end.
        self._writing = writing_sampler(super().sampler, makes.unwritten, makes.ending)

    @property
    def takes(self):
        """Uniform latents: one random number a token."""
        return {"latents": Latents(self.length, "unit")}

    @property
    def makes(self):
        """Sequences of tokens."""
        return Tokens(self.length, self.vocabulary, self.words)

    @property
    def sampler(self):
        """The network that writes: latents to tokens, with the averaged generator's weights."""
        return self._writing

    @property
    def networks(self):
        """The averaged generator, and the discriminator."""
        return {"generator": super().sampler, "discriminator": self.discriminator}

    def shown(self):
        """Return the network that writes."""
        return {"samples": self.sampler}

    def adopt_networks(self) -> None:
        """Let training go on in the game, from the generator that samples."""
        super().adopt_networks()
        self.clock.epochs.assign(sum(self.pretraining))

    # Writing

    def generate(self, n, seed=None, labels=None, batch_size=128, *, temperature=1.0, top_k=None, **given):
        """Return n new sequences, int32 (n, length); the same seed gives the same.

        Where the words are known, "<unknown>" is none of them, and after padding comes only padding.

        Args:
            n: how many to write.
            seed: integer for repeatable ones; None for fresh ones.
            labels: none; there are no classes.
            batch_size: how many are written at a time.
            temperature: below 1, likely words become likelier still: fewer mistakes, less variety.
            top_k: draw among so many of the likeliest words only; None: among all.
            **given: `latents`, uniform in [0, 1), (n, length).

        Raises:
            ValueError: an argument is not what is described here.
        """
        _check_sampling(temperature, top_k, self.vocabulary)
        if temperature == 1.0 and top_k is None:
            return super().generate(n, seed, labels, batch_size, **given)
        (latents,) = self.sampler_inputs(n, seed, labels, **given)
        writer, makes = _writer(super().sampler), self.makes
        chosen = {"temperature": temperature, "top_k": top_k, "never": makes.unwritten, "end": makes.ending}
        parts = [latents[start : start + batch_size] for start in range(0, n, batch_size)]
        made = [np.asarray(writer.write(part, **chosen)) for part in parts]
        return np.concatenate(made)

    def generate_text(self, n: int, seed: int | None = None, **settings) -> list[str]:
        """Return n new sequences as lines of text: of words, where the model knows them, else of numbers.

        Args:
            n: how many to write.
            seed: integer for repeatable ones; None for fresh ones.
            **settings: `temperature` and other arguments of `generate`.
        """
        return self.makes.text(self.generate(n, seed, **settings))

    def stepwise(self) -> Stepwise:
        """Return the network that tells how likely each next word is, for exports."""
        makes = self.makes
        return Stepwise(writing_step(super().sampler, makes.unwritten, makes.ending), self.vocabulary)

    def log_likelihoods_of(self, tokens, batch_size: int = 256) -> np.ndarray:
        """Return how likely the generator that samples finds sequences: float32 (n,), in nats.

        Args:
            tokens: int array (n, length).
            batch_size: how many are read at a time.
        """
        tokens = self.makes.take(tokens, len(tokens), "tokens", type(self).__name__)
        parts = [tokens[start : start + batch_size] for start in range(0, len(tokens), batch_size)]
        return np.concatenate(
            [np.asarray(tf.reduce_sum(_log_likelihoods(super(SeqGAN, self).sampler, part), axis=1)) for part in parts]
        )

    # Training

    @property
    def phase(self):
        """What is trained in the present epoch: "likelihood", "discriminator" or "game"."""
        first, second = self.pretraining
        return PHASES[(self.epochs_done >= first) + (self.epochs_done >= first + second)]

    def train_step(self, data) -> dict:
        """Take one step of the present phase."""
        if self.phase == "game":
            return super().train_step(data)
        data, share = replicas.shard(data)
        examples = self.unpack(data)
        learn = self._learn_by_likelihood if self.phase == "likelihood" else self._learn_to_judge
        for real, given in deal(examples, self.d_steps):
            terms = learn(real, given, share)
        self.finish_round(examples, share)
        return self.track(terms, share)

    def _learn_by_likelihood(self, real, given, share) -> dict:
        del given
        with tf.GradientTape() as tape:
            terms = {"likelihood_loss": self.likelihood_loss(real)}
            objective = self._objective(terms, self.g_optimizer, share)
        apply_gradients(tape, objective, self.generator, self.g_optimizer)
        return terms

    def _learn_to_judge(self, real, given, share) -> dict:
        seed = self.next_seed()
        with frozen_state():
            batch = self.synthesize(real, given, seed)
        return self.update_discriminator(batch, share)

    def likelihood_loss(self, tokens) -> tf.Tensor:
        """Return minus the mean log-likelihood of a token, given those before it, in nats."""
        return -tf.reduce_mean(_log_likelihoods(self.generator, tokens))

    def synthesize(self, real, given, seed, training=True) -> Batch:
        """Write as many sequences as there are real ones."""
        del training
        latents = self.sample_latents(tf.shape(real)[0], seed)
        return Batch(real, _writer(self.generator).write(latents), latents, given, seed)

    def generator_terms(self, batch) -> dict:
        """Return what the estimator makes of the game; in `evaluate`, the likelihood too."""
        terms = {
            "g_loss": self._relaxed_loss(batch) if self.estimator == "gumbel_softmax" else self._reward_loss(batch)
        }
        terms |= self._penalties("generator", batch, "")
        return terms if batch.training else {"likelihood_loss": self.likelihood_loss(batch.real)} | terms

    def _reward_loss(self, batch) -> tf.Tensor:
        rewards = tf.stop_gradient(self.rewards(batch.fake, batch.next_seed()))
        advantages = rewards - others_mean(rewards) if self.baseline else rewards
        policy = tf.reduce_mean(tf.reduce_sum(advantages * _log_likelihoods(self.generator, batch.fake), axis=1))
        return -tf.reduce_mean(rewards[:, -1]) - (policy - tf.stop_gradient(policy))

    def _relaxed_loss(self, batch) -> tf.Tensor:
        """Return the loss on sequences of the generator's own through which the discriminator's slope goes back."""
        shape = (self.length, tf.shape(batch.fake)[0], self.vocabulary)
        noise = tf.random.stateless_uniform(shape, batch.next_seed())
        embedding, judge = judge_of_vectors(self.discriminator)
        rows = _writer(self.generator).relax(noise, self.gumbel_temperature)
        vectors = tf.einsum("blv,vd->bld", rows, tf.cast(embedding.embeddings, rows.dtype))
        real_logits = (batch.real_logits,) if getattr(self.loss, "sees_real", False) else ()
        return self.loss.generator(judge(vectors, training=False), *real_logits)

    def rewards(self, tokens, seed) -> tf.Tensor:
        """Return what each beginning of sequences is worth, float32 (batch, length): equation 4.

        At a place stands the mean probability to be real of the sequences that begin so up to there, itself included;
        at the last place that of the sequence itself.

        Args:
            tokens: int32 (batch, length).
            seed: two integers, of the ways in which they are finished.
        """
        if self.constant_reward is not None:
            return tf.fill(tf.shape(tokens), float(self.constant_reward))
        whole = self._how_real(tokens)[:, None]
        if self.length == 1:
            return whole
        count, places = tf.shape(tokens)[0], self.length - 1
        writer = _writer(super().sampler)

        def finish(number, total):
            own = tf.random.experimental.stateless_fold_in(seed, number)
            noise = tf.random.stateless_uniform((self.length, places * count), own)
            return number + 1, total + self._how_real(writer.finish(tokens, noise))

        # One way at a time: all at once would take gigabytes.
        _, total = tf.while_loop(
            lambda number, _: number < self.rollouts,
            finish,
            (0, tf.zeros((places * count,))),
            maximum_iterations=self.rollouts,
        )
        begun = tf.transpose(tf.reshape(total / self.rollouts, (places, count)))
        return tf.concat([begun, whole], axis=1)

    def _how_real(self, tokens) -> tf.Tensor:
        return tf.sigmoid(self.discriminate(tokens, training=False))[:, 0]

    def compile_defaults(self) -> dict:
        """Return the settings of the reference code."""
        return {
            "d_optimizer": Adam(1e-4),
            "g_optimizer": Adam(1e-2, global_clipnorm=5.0),
            "loss": "non_saturating",
            "regularizers": (),
        }

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        names = (
            "length", "vocabulary", "embedding_dim", "units", "d_embedding_dim", "rollouts", "baseline",
            "constant_reward", "estimator", "gumbel_temperature", "dropout",
        )  # fmt: skip
        lists = ("windows", "filters", "pretraining")
        words = None if self.words is None else list(self.words)
        given = {name: getattr(self, name) for name in names} | {name: list(getattr(self, name)) for name in lists}
        return self.game_config() | given | {"words": words}


def others_mean(rewards: tf.Tensor) -> tf.Tensor:
    """Return, for each of several rewards along the first axis, the mean of the others; of a single one, itself."""
    others = tf.maximum(tf.cast(tf.shape(rewards)[0] - 1, rewards.dtype), 1.0)
    alone = tf.cast(tf.shape(rewards)[0] == 1, rewards.dtype)
    return (tf.reduce_sum(rewards, axis=0, keepdims=True) - rewards * (1.0 - alone)) / others


def _writer(generator: keras.Model):
    return generator.get_layer("writer")


def _log_likelihoods(generator: keras.Model, tokens) -> tf.Tensor:
    """Return the log-likelihood of each token, given those before it: float32 (batch, length)."""
    logits = generator(tokens)
    return -tf.nn.sparse_softmax_cross_entropy_with_logits(tokens, logits)


def _check(length, windows, filters, pretraining) -> None:
    """Raise a ValueError where arguments of the constructor do not go together."""
    if len(windows) != len(filters) or not windows or not all(map(is_count, (*windows, *filters))):
        raise ValueError(
            f"windows and filters must be equally many whole numbers from 1 on; received {windows!r} and {filters!r}."
        )
    if min(windows) > length:
        raise ValueError(f"One of the windows must be no longer than a sequence of {length}; received {windows!r}.")
    if len(pretraining) != 2 or not all(each == 0 or is_count(each) for each in pretraining):
        raise ValueError(f"pretraining must be two numbers of epochs, from 0 on; received {pretraining!r}.")


def _check_estimator(estimator, gumbel_temperature, constant_reward) -> None:
    if estimator not in ESTIMATORS:
        raise ValueError(unknown_name("estimator", str(estimator), ESTIMATORS))
    if not gumbel_temperature > 0:
        raise ValueError(f"gumbel_temperature must be above 0; received {gumbel_temperature!r}.")
    if estimator == "gumbel_softmax" and constant_reward is not None:
        raise ValueError("gumbel_softmax knows no rewards: leave out constant_reward, or use policy_gradient.")


def _check_sampling(temperature, top_k, vocabulary: int) -> None:
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0; received {temperature!r}. 1 samples as in training.")
    if top_k is not None and not (is_count(top_k) and top_k <= vocabulary):
        raise ValueError(f"top_k must be a whole number from 1 to {vocabulary}, or None; received {top_k!r}.")
