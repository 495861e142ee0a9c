"""SingleOptimizer: a model without an opponent, trained by one optimizer."""

import keras
import tensorflow as tf

from kerasgan.core.base import GenerativeModel
from kerasgan.core.optimizers import prepare_optimizer
from kerasgan.optimizers import Adam


class SingleOptimizer(GenerativeModel):
    """The part of a baseline that takes, keeps and serialises the settings of training."""

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Return the optimizer that `compile` takes where none is given: Adam with a learning rate of 1e-3."""
        return Adam(1e-3)

    def compile(self, optimizer=None, *, run_eagerly=False, steps_per_execution=1, jit_compile="auto"):
        """Configure training.

        Args:
            optimizer: `keras.optimizers.Optimizer` or its name; None takes `default_optimizer`.
            run_eagerly: run Python step by step, for debugging.
            steps_per_execution: batches in one call of the compiled step; always 1 where several devices share a batch.
            jit_compile: compile the step with XLA; "auto" does so where a GPU is present.
        """
        with self.distribute_strategy.scope():
            super().compile(run_eagerly=run_eagerly, steps_per_execution=steps_per_execution, jit_compile=jit_compile)
            self.optimizer = prepare_optimizer(optimizer or self.default_optimizer(), self)
        self.set_tracked_terms((*self.terms, *(name for name in self.observed if name not in self.terms)))

    def get_compile_config(self) -> dict | None:
        """Return the settings of `compile`, serialised; None before it was called."""
        if not self.compiled:
            return None
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config: dict) -> None:
        """Compile from what `get_compile_config` gave."""
        optimizer = keras.saving.deserialize_keras_object(config["optimizer"])
        self.compile(**(config | {"optimizer": optimizer}))

    def unpack(self, data) -> tf.Tensor:
        """Return the checked images of what `fit` gives; labels are left aside."""
        return self.parts(data)["images"]
