"""BoltzmannMachine: the weights and chains of a machine, and what its sampler does with them."""

import keras
import tensorflow as tf

from kerasgan.boltzmann.parameters import Parameters
from kerasgan.core import replicas

# Where a pixel is never or always white among the first images, its probability is not 0 or 1 yet.
RAREST = 0.01


@keras.saving.register_keras_serializable("kerasgan")
class BoltzmannMachine(keras.layers.Layer):
    """Biases, couplings and persistent chains; called with uniform numbers, it goes on with some of the chains.

    It computes in float32, whatever the policy: the states are drawn by comparing probabilities.

    Args:
        units: of the pixels, the middle and perhaps the top layer.
        chains: number of chains, of which the state of the middle layer is kept.
        sampling_steps: Gibbs steps from a chain's state to a sample.
        seed: of the initial couplings.
    """

    def __init__(self, units, chains=100, sampling_steps=3, seed=None, **settings):
        super().__init__(**{"dtype": "float32"} | settings)
        self.units = tuple(units)
        self.sampling_steps = sampling_steps
        self.seed = seed
        first = {"initializer": "zeros", "aggregation": "only_first_replica"}
        self.biases = [self.add_weight(shape=(size,), name=f"bias_{i}", **first) for i, size in enumerate(self.units)]
        self.couplings = [
            self.add_weight(
                shape=self.units[i : i + 2],
                initializer=_small(seed, i),
                name=f"coupling_{i}",
            )
            for i in range(len(self.units) - 1)
        ]
        self.base = self.add_weight(shape=self.units[:1], trainable=False, name="base", **first)
        self.chains = self.add_weight(shape=(chains, self.units[1]), trainable=False, name="chains", **first)
        self.built = True

    @property
    def parameters(self) -> Parameters:
        """The present biases and couplings as tensors."""
        biases, couplings = (tuple(map(tf.convert_to_tensor, each)) for each in (self.biases, self.couplings))
        return Parameters(biases, couplings)

    @property
    def noise_size(self) -> int:
        """How many uniform numbers a sample takes: one chooses the chain, the others drive its steps."""
        return 1 + self.sampling_steps * sum(self.units)

    def call(self, noise):
        """Return the pixels' logits (batch, pixels) after `sampling_steps` from chains chosen by lot.

        Args:
            noise: float32 (batch, noise_size), uniform in [0, 1).
        """
        chains, parameters = tf.convert_to_tensor(self.chains), self.parameters
        count = chains.shape[0]
        chosen = tf.minimum(tf.cast(noise[:, 0] * count, tf.int32), count - 1)
        middle = tf.gather(chains, chosen)
        sizes = self.units * self.sampling_steps
        parts = tf.split(noise[:, 1:], sizes, axis=1)
        for start in range(0, len(sizes), len(self.units)):
            pixels, inner, *top = parts[start : start + len(self.units)]
            _, middle = parameters.gibbs(middle, [pixels, *top], inner)
        return parameters.outer_logits(middle)[0]

    def begin(self, pixels, seed, first, share=1.0) -> None:
        """Set the pixels' biases to the logits of their means, and the chains to what the middle layer makes of pixels.

        Hinton 2010, section 8.1 (https://www.cs.toronto.edu/~hinton/absps/guideTR.pdf).

        Args:
            pixels: first training batch, 0 or 1, (batch, pixels).
            seed: two integers.
            first: whether to do so, a truth value in a tensor.
            share: of the batch that these pixels are.
        """
        mean = tf.clip_by_value(replicas.average(tf.reduce_mean(pixels, 0), share), RAREST, 1.0 - RAREST)
        logits = tf.math.log(mean) - tf.math.log1p(-mean)
        for variable in (self.biases[0], self.base):
            variable.assign(tf.where(first, logits, variable))
        probabilities = tf.sigmoid(self.up_logits(pixels))
        noise = tf.random.stateless_uniform(self.chains.shape, seed)
        rows = tf.range(self.chains.shape[0]) % tf.shape(pixels)[0]
        started = tf.cast(noise < tf.gather(probabilities, rows), tf.float32)
        self.chains.assign(tf.where(first, started, self.chains))

    def up_logits(self, pixels) -> tf.Tensor:
        """Return the middle layer's logits of pixels alone.

        In a deep machine the pixels count twice, in the place of the top layer: Salakhutdinov and Hinton 2009, section
        3.1 (http://proceedings.mlr.press/v5/salakhutdinov09a.html).
        """
        parameters = self.parameters
        return parameters.biases[1] + len(self.couplings) * tf.matmul(pixels, parameters.couplings[0])

    def remember(self, middle) -> None:
        """Let the newest states take the place of the oldest chains."""
        kept = tf.concat([middle, tf.convert_to_tensor(self.chains)], axis=0)[: self.chains.shape[0]]
        self.chains.assign(tf.ensure_shape(kept, self.chains.shape))

    def compute_output_shape(self, input_shape):
        """Return (batch, pixels)."""
        return (input_shape[0], self.units[0])

    def get_config(self) -> dict:
        """Return the constructor arguments."""
        own = {"units": list(self.units), "chains": self.chains.shape[0], "sampling_steps": self.sampling_steps}
        return super().get_config() | own | {"seed": self.seed}


def sampler(machine: BoltzmannMachine, image_shape: tuple) -> keras.Model:
    """Return uniform numbers (batch, noise_size) to images in [-1, 1]: the mean pixels of a chain's last state."""
    noise = keras.Input((machine.noise_size,), name="latents")
    half = keras.layers.Rescaling(0.5, dtype="float32")(machine(noise))
    images = keras.layers.Reshape(image_shape, dtype="float32")(keras.layers.Activation("tanh", dtype="float32")(half))
    return keras.Model(noise, images, name="generator")


def _small(seed: int | None, number: int) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(0.0, 0.01, None if seed is None else seed + number)
