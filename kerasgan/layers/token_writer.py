"""TokenWriter: an LSTM over tokens that tells how likely each next one is, and writes sequences."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

# Tokens that `draw` looks at together: about the root of a vocabulary.
BLOCK = 64
# What is added to the logits of tokens that are never drawn. Not the smallest number there is: temperatures divide it.
NEVER = -1e9


@keras.saving.register_keras_serializable("kerasgan")
class TokenWriter(layers.Layer):
    """An LSTM that reads a sequence so far and gives the logits of its next token.

    Called with sequences, int32 (batch, length), it returns logits (batch, length, vocabulary): those at a place are of
    the token there, given all before. `write` draws sequences of its own.

    Args:
        length: tokens of a sequence.
        vocabulary: the tokens are 0 to vocabulary - 1.
        embedding_dim: length of the vector that stands for a token.
        units: size of the LSTM's state.
        seed: of the initial weights; normal ones of standard deviation 0.1.
    """

    def __init__(self, length, vocabulary, embedding_dim=32, units=32, seed=None, **settings):
        super().__init__(**settings)
        self.length, self.vocabulary = length, vocabulary
        self.embedding_dim, self.units, self.seed = embedding_dim, units, seed
        first, second, third, last = _initializers(seed)
        policy = self.dtype_policy
        # One number more: what stands before the first token.
        self.embedding = layers.Embedding(
            vocabulary + 1, embedding_dim, embeddings_initializer=first, dtype=policy, name="embedding"
        )
        self.lstm = layers.LSTM(
            units, return_sequences=True, kernel_initializer=second, recurrent_initializer=third, seed=seed or 0,
            dtype=policy, name="lstm",
        )  # fmt: skip
        self.logits = layers.Dense(vocabulary, kernel_initializer=last, dtype="float32", name="logits")

    def build(self, input_shape):
        """Make all variables."""
        self.embedding.build((None, None))
        self.lstm.build((None, self.length, self.embedding_dim))
        self.logits.build((None, None, self.units))
        self.built = True

    def call(self, tokens):
        """Return the logits of each token, given those before it."""
        start = tf.fill((tf.shape(tokens)[0], 1), self.vocabulary)
        before = tf.concat([start, tf.cast(tokens, "int32")[:, :-1]], axis=1)
        return self.logits(self.lstm(self.embedding(before)))

    def compute_output_spec(self, tokens):
        """Return the spec of the logits."""
        return keras.KerasTensor((*tokens.shape, self.vocabulary), "float32")

    def start(self, count) -> tuple:
        """Return the tokens and the states that so many sequences begin with."""
        state = tf.zeros((count, self.units), self.lstm.compute_dtype)
        return tf.fill((count,), self.vocabulary), state, state

    def step(self, tokens, *states) -> tuple:
        """Return the logits after one more token, float32 (batch, vocabulary), and the new states."""
        output, states = self.lstm.cell(self.embedding(tokens), list(states))
        return self.logits(output), *states

    def write(self, noise, temperature=1.0, top_k=None, never=(), end=None) -> tf.Tensor:
        """Return sequences, int32 (batch, length), drawn by uniform random numbers: the same numbers, the same words.

        Args:
            noise: float32 (batch, length) in [0, 1).
            temperature: the logits are divided by it: below 1, likely tokens become likelier still.
            top_k: draw among so many of the likeliest only; None: among all.
            never: tokens that are not drawn; the others share their chances.
            end: the token that is followed by nothing but itself; None where there is none.
        """
        noise = tf.transpose(noise)
        barred = self.barred(never)

        def place(number, written, token, *states):
            logits, *states = self.step(token, *states)
            drawn = draw((logits + barred) / temperature, noise[number], top_k)
            token = drawn if end is None else tf.where(token == end, end, drawn)
            return number + 1, written.write(number, token), token, *states

        written = tf.TensorArray("int32", self.length, element_shape=(noise.shape[1],))
        _, written, *_ = tf.while_loop(
            lambda number, *_: number < self.length,
            place,
            (0, written, *self.start(tf.shape(noise)[1])),
            maximum_iterations=self.length,
        )
        return tf.transpose(written.stack())

    def relax(self, noise, temperature) -> tf.Tensor:
        """Return sequences through which a gradient flows: one-hot rows, float32 (batch, length, vocabulary).

        A word is drawn by adding Gumbel noise to the logits and taking the largest. Where the gradient goes back, it is
        taken for the softmax of the same sums: Jang et al. 2016, equation 2 and section 2.2
        (https://arxiv.org/abs/1611.01144).

        Args:
            noise: float32 (length, batch, vocabulary) in [0, 1).
            temperature: of the softmax: nearer to 0, it is nearer to what was drawn, and its gradient wilder.
        """
        # Never 0, nor 1: their logarithms have none of their own.
        gumbel = -tf.math.log(-tf.math.log(tf.clip_by_value(noise, 1e-20, 1.0 - 2**-24)))
        token, *states = self.start(tf.shape(noise)[1])
        vector, words = self.embedding(token), self.embedding.embeddings[: self.vocabulary]
        written = []
        for added in tf.unstack(gumbel, self.length):
            output, states = self.lstm.cell(vector, states)
            sums = self.logits(output) + added
            soft = tf.nn.softmax(sums / temperature)
            hard = tf.one_hot(tf.argmax(sums, axis=-1), self.vocabulary)
            written.append(soft + tf.stop_gradient(hard - soft))
            vector = tf.matmul(tf.cast(written[-1], words.dtype), words)
        return tf.stack(written, axis=1)

    def barred(self, never) -> np.ndarray:
        """Return what to add to logits so that some tokens are never drawn: float32 (vocabulary,)."""
        added = np.zeros(self.vocabulary, "float32")
        added[list(never)] = NEVER
        return added

    def finish(self, tokens, noise) -> tf.Tensor:
        """Return every beginning of sequences, written on to the end: int32 ((length - 1) * batch, length).

        First stand those of which one token is kept, in the order of the sequences, then those of two, and so on.

        Args:
            tokens: int32 (batch, length).
            noise: float32 (length, (length - 1) * batch) in [0, 1).
        """
        count = tf.shape(tokens)[0]
        _, *reading = self.step(*self.start(count))
        # At each place the beginnings that end there join those that are being written: no place is computed for one
        # that still keeps it.
        written, last, states = tokens[:0, :1], tokens[:0, 0], [state[:0] for state in reading]
        for place in range(1, self.length):
            written = tf.concat([written, tokens[:, :place]], axis=0)
            last = tf.concat([last, tokens[:, place - 1]], axis=0)
            states = [tf.concat(pair, axis=0) for pair in zip(states, reading, strict=True)]
            logits, *states = self.step(last, *states)
            # The youngest have read what the sequences themselves say, up to here.
            reading = [state[-count:] for state in states]
            last = draw(logits, noise[place, : place * count])
            written = tf.concat([written, last[:, None]], axis=1)
        return written

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        names = ("length", "vocabulary", "embedding_dim", "units", "seed")
        return super().get_config() | {name: getattr(self, name) for name in names}


class OfWriter(layers.Layer):
    """Base of layers that put a `TokenWriter` to use, with its weights.

    Args:
        writer: the `TokenWriter`.
        never: tokens that it is not to write.
        end: the token that is followed by nothing but itself; None where there is none.
    """

    def __init__(self, writer, never=(), end=None, **settings):
        super().__init__(**settings)
        # Random numbers of 8 bits would never choose a rare word.
        self.autocast = False
        self.writer, self.never, self.end = writer, tuple(never), end
        if not writer.built:
            writer.build(None)

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        writer = keras.saving.serialize_keras_object(self.writer)
        return super().get_config() | {"writer": writer, "never": list(self.never), "end": self.end}

    @classmethod
    def from_config(cls, config: dict) -> "OfWriter":
        """Return a new layer from what `get_config` gave."""
        return cls(**config | {"writer": keras.saving.deserialize_keras_object(config["writer"])})


@keras.saving.register_keras_serializable("kerasgan")
class WritingSampler(OfWriter):
    """Uniform latents (batch, length) to the sequences that a `TokenWriter` draws by them."""

    def call(self, latents):
        """Return int32 sequences."""
        return self.writer.write(latents, never=self.never, end=self.end)

    def compute_output_spec(self, latents):
        """Return the spec of the sequences."""
        return keras.KerasTensor(latents.shape, "int32")


@keras.saving.register_keras_serializable("kerasgan")
class WritingStep(OfWriter):
    """Tokens (batch,) and the state before them (batch, 2 * units) to the logits of the next ones and the new state.

    The state is what the LSTM puts out, and its memory, side by side; before the first token all of it is 0, and the
    token is the writer's `vocabulary`.
    """

    def call(self, tokens, state):
        """Return logits (batch, vocabulary) and the state."""
        logits, *states = self.writer.step(tokens, *tf.split(state, 2, axis=1))
        logits += self.writer.barred(self.never)
        if self.end is not None:
            others = [number for number in range(self.writer.vocabulary) if number != self.end]
            logits = tf.where(tokens[:, None] == self.end, self.writer.barred(others), logits)
        return logits, tf.concat(states, axis=1)

    def compute_output_spec(self, tokens, state):
        """Return the specs of both."""
        return keras.KerasTensor((tokens.shape[0], self.writer.vocabulary), "float32"), keras.KerasTensor(state.shape)


def draw(logits: tf.Tensor, noise: tf.Tensor, top_k: int | None = None) -> tf.Tensor:
    """Return one token for each row of logits (batch, vocabulary): the one whose stretch of [0, 1) holds the noise.

    Stretches are as long as tokens are likely, and lie side by side in the order of the tokens.
    """
    if top_k is not None:
        least = tf.math.top_k(logits, top_k).values[:, -1:]
        logits = tf.where(logits < least, logits.dtype.min, logits)
    size = logits.shape[-1]
    weights = tf.exp(logits - tf.reduce_max(logits, axis=-1, keepdims=True))
    # Sums along thousands of tokens are slow: first those of blocks, then along one block.
    weights = tf.pad(weights, ((0, 0), (0, -size % BLOCK)))
    weights = tf.reshape(weights, (-1, weights.shape[-1] // BLOCK, BLOCK))
    blocks = tf.reduce_sum(weights, axis=-1)
    ends = tf.cumsum(blocks, axis=-1)
    target = noise[:, None] * ends[:, -1:]
    block = _passed(ends, target)
    begin = tf.gather(ends - blocks, block, batch_dims=1)[:, None]
    inside = tf.cumsum(tf.gather(weights, block, batch_dims=1), axis=-1)
    return tf.minimum(block * BLOCK + _passed(begin + inside, target), size - 1)


def _passed(ends: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """Return the first stretch of each row that ends beyond the target; the last one where rounding leaves none."""
    return tf.minimum(tf.reduce_sum(tf.cast(ends <= target, "int32"), axis=-1), ends.shape[-1] - 1)


def _initializers(seed: int | None) -> list:
    """Return one for each of the writer's matrices."""
    seeds = [None] * 4 if seed is None else range(seed * 1000, seed * 1000 + 4)
    return [keras.initializers.RandomNormal(stddev=0.1, seed=each) for each in seeds]
