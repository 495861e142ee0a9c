"""SeqGAN's networks: an LSTM that writes, and convolutions over words that judge."""

import keras
from keras import layers

from kerasgan.layers.token_writer import TokenWriter, WritingSampler, WritingStep
from kerasgan.networks.initializers import glorot


def seqgan_generator(length, vocabulary, embedding_dim=32, units=32, dtype=None, seed=None) -> keras.Model:
    """Return a network from tokens (batch, length) to the logits of each, given those before it."""
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    writer = TokenWriter(length, vocabulary, embedding_dim, units, seed, dtype=dtype, name="writer")
    return keras.Model(tokens, writer(tokens), name="generator")


def writing_sampler(generator: keras.Model, never=(), end=None) -> keras.Model:
    """Return a network from uniform latents (batch, length) to tokens, with the weights of a generator.

    Args:
        generator: of `seqgan_generator`.
        never: tokens that are not written.
        end: the token that is followed by nothing but itself; None where there is none.
    """
    writer = generator.get_layer("writer")
    latents = keras.Input((writer.length,), name="latents")
    sampler = WritingSampler(writer, never, end, dtype=writer.dtype_policy, name="writing")
    return keras.Model(latents, sampler(latents), name="sampler")


def writing_step(generator: keras.Model, never=(), end=None) -> keras.Model:
    """Return a network that takes one token and the state before it to the logits of the next, and the new state.

    The arguments are those of `writing_sampler`.
    """
    writer = generator.get_layer("writer")
    tokens = keras.Input((), dtype="int32", name="tokens")
    state = keras.Input((2 * writer.units,), name="state")
    logits, new_state = WritingStep(writer, never, end, dtype=writer.dtype_policy, name="step")(tokens, state)
    return keras.Model([tokens, state], {"logits": logits, "state": new_state}, name="step")


def seqgan_discriminator(
    length, vocabulary, embedding_dim, windows, filters, dropout=0.25, dtype=None, seed=None
) -> keras.Model:
    """Return a network from tokens (batch, length) to logits (batch, 1), high for real sequences.

    Convolutions of several widths look for phrases anywhere in the sequence, a highway layer combines what they find.
    Kim 2014 (https://arxiv.org/abs/1408.5882), Srivastava et al. 2015 (https://arxiv.org/abs/1505.00387).
    A window longer than the sequence is left out.
    """
    numbers = glorot(seed)
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    words = layers.Embedding(vocabulary, embedding_dim, embeddings_initializer=next(numbers), dtype=dtype)(tokens)
    found = []
    for width, count in zip(windows, filters, strict=True):
        if width <= length:
            x = layers.Conv1D(count, width, activation="relu", kernel_initializer=next(numbers), dtype=dtype)(words)
            found.append(layers.GlobalMaxPooling1D(dtype=dtype)(x))
    x = found[0] if len(found) == 1 else layers.Concatenate(dtype=dtype)(found)
    x = _highway(x, numbers, dtype)
    x = layers.Dropout(dropout, seed=seed, dtype=dtype)(x)
    logits = layers.Dense(1, kernel_initializer=next(numbers), dtype="float32", name="logits")(x)
    return keras.Model(tokens, logits, name="discriminator")


def judge_of_vectors(discriminator: keras.Model) -> tuple[layers.Embedding, keras.Model]:
    """Return a discriminator in two parts: the layer that gives words their vectors, and what judges the vectors."""
    embedding = next(layer for layer in discriminator.layers if isinstance(layer, layers.Embedding))
    return embedding, keras.Model(embedding.output, discriminator.output, name="judge")


def _highway(x, numbers, dtype):
    """Return a mixture, feature by feature, of x and of a layer over it."""
    size = x.shape[-1]
    # At first most of x goes through.
    gate = layers.Dense(
        size, "sigmoid", kernel_initializer=next(numbers), bias_initializer=keras.initializers.Constant(-2.0),
        dtype=dtype, name="gate",
    )(x)  # fmt: skip
    changed = layers.Dense(size, "relu", kernel_initializer=next(numbers), dtype=dtype, name="highway")(x)
    change = layers.Subtract(dtype=dtype)([changed, x])
    return layers.Add(dtype=dtype)([x, layers.Multiply(dtype=dtype)([gate, change])])
