"""Learning rates that end at 0 with the run: one word of a recipe, where schedules ask for numbers."""

import keras

from kerasgan import schedules


def decay(model, word: str, rounds: int) -> None:
    """Let the learning rates of a compiled model fall to 0 in the course of a run.

    Args:
        model: its optimizers start where they are compiled to.
        word: of `kerasgan.schedules.SCHEDULES`: cosine, linear.
        rounds: of the whole run.

    Raises:
        ValueError: the model has no optimizer, or one follows a schedule already.
    """
    for optimizer in _optimizers(model):
        rate = optimizer._learning_rate
        if callable(rate):
            raise ValueError(
                f'decay = "{word}" and a schedule both want the learning rate of {type(optimizer).__name__}: leave one '
                "out."
            )
        # float() takes no mirrored variable.
        optimizer.learning_rate = schedules.SCHEDULES[word](float(keras.ops.convert_to_numpy(rate)), 0.0, over=rounds)
    if hasattr(model, "d_optimizer"):
        # By rounds, whatever the updates of either; a lone optimizer counts the same batches itself.
        schedules.bind(model.clock, *_optimizers(model))


def stretch(model, rounds: int) -> None:
    """Let the learning rates of a resumed run end with it, where more epochs are asked for than before."""
    for optimizer in _optimizers(model):
        optimizer._learning_rate.over = rounds


def _optimizers(model) -> list:
    found = [model.d_optimizer, model.g_optimizer] if hasattr(model, "d_optimizer") else [model.optimizer]
    if None in found:
        raise ValueError(f"{type(model).__name__} is not trained by steps of any length: leave out decay.")
    return [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in found]
