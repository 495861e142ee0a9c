"""Constraints on weights that Keras does not have."""

import keras

from kerasgan.support.configurable import Configurable


@keras.saving.register_keras_serializable("kerasgan")
class WeightClip(Configurable, keras.constraints.Constraint):
    """Weights in [-limit, limit]: the Lipschitz constraint of the first Wasserstein GAN.

    Arjovsky et al. 2017, algorithm 1 (https://arxiv.org/abs/1701.07875).

    Args:
        limit: the largest absolute weight; more than 0.

    Raises:
        ValueError: limit is not more than 0.
    """

    def __init__(self, limit: float = 0.01):
        if not limit > 0:
            raise ValueError(f"WeightClip needs limit > 0; received {limit}.")
        self.limit = limit

    def __call__(self, weights):
        """Return the weights, clipped."""
        return keras.ops.clip(weights, -self.limit, self.limit)
