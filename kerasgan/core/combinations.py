"""Settings that do not go together, found in `compile`: contradictions are refused, doubtful ones warned about."""

import warnings
from collections.abc import Iterator

import keras

from kerasgan import losses, regularizers
from kerasgan.augment import AdaptiveAugment, Pipe, ScheduledAugment
from kerasgan.constraints import WeightClip
from kerasgan.kinds import Images
from kerasgan.schedules import Schedule

CROSS_ENTROPIES = (losses.Minimax, losses.Relativistic, losses.RelativisticAverage)
# What asks the discriminator for its slope at what it judges, or teaches by it.
OF_SLOPES = (
    regularizers.R1, regularizers.R2, regularizers.GradientPenalty, regularizers.DRAGAN, regularizers.FeatureMatching,
)  # fmt: skip
# From here on, what augmented images look like is learned as well: Karras et al. 2020, section 2.2.
LEAKS = 0.8
# What gives a probability for a logit, or something with the same bounds.
SQUASHING = ("sigmoid", "hard_sigmoid", "softmax")


def check_combination(gan) -> None:
    """Refuse or warn about what a GAN was compiled with, each with its reason; call it at the end of `compile`.

    Raises:
        ValueError: the settings contradict the networks.
    """
    for problem in _contradictions(gan):
        raise ValueError(problem)
    for problem in _doubts(gan):
        warnings.warn(problem, stacklevel=3)


def _contradictions(gan) -> Iterator[str]:
    judges = gan.judges()
    squashed = [found for judge in judges.values() if (found := _squashing(judge)) is not None]
    if squashed and type(gan.loss) in losses.LOSSES.values():
        yield (
            f"The discriminator ends in {squashed[0]}, but {gan.loss!r} takes logits: with probabilities in their "
            "place, it has next to no slope where the discriminator is sure. Leave the activation out."
        )
    if any(judge.inputs[0].dtype.startswith("int") for judge in judges.values()):
        yield from _contradict_tokens(gan)
    else:
        yield from _contradict_images(gan)
    for each in gan.regularizers:
        if isinstance(each, regularizers.FeatureMatching) and not all(map(_has_features, judges.values())):
            yield (
                "feature_matching compares an output of the discriminator that is named 'features'; it has none. "
                'Build it as keras.Model(images, {"logits": logits, "features": an inner layer\'s output}).'
            )
        if isinstance(each, regularizers.PathLength) and not _has_styles(gan.generator):
            yield (
                f"path_length is about the styles of a generator such as StyleGAN2's; that of {type(gan).__name__} has "
                "none. Leave it out."
            )
        if isinstance(each, regularizers.HistoricalAveraging) and len(judges) > 1:
            yield f"historical_averaging is for a single game; {type(gan).__name__} plays {len(judges)}. Leave it out."


def _contradict_tokens(gan) -> Iterator[str]:
    for each in gan.regularizers:
        if isinstance(each, OF_SLOPES):
            yield f"{each.name} is about the discriminator's slope, and at whole numbers it has no slope: leave it out."
    if gan.top_k is not None:
        yield f"top_k is about logits of images; {type(gan).__name__} learns by rewards. Leave it out."
    for each in [each for each in gan.regularizers if isinstance(each, regularizers.Consistency)]:
        yield f"{each.name} changes images; {type(gan).__name__} makes {gan.makes.name}. Leave it out."
    if gan.augment is not None:
        yield f"{gan.augment!r} changes images; {type(gan).__name__} makes {gan.makes.name}. Leave it out."


def _contradict_images(gan) -> Iterator[str]:
    """Yield what is for images only, of a model that makes something else."""
    changes = [gan.augment] if isinstance(gan.augment, Pipe) else []
    changes += [each for each in gan.regularizers if isinstance(each, regularizers.Consistency)]
    if changes and not isinstance(gan.makes, Images):
        yield f"{type(changes[0]).__name__} changes images; {type(gan).__name__} makes {gan.makes.name}. Leave it out."


def _doubts(gan) -> Iterator[str]:
    yield from _doubt_augmentation(gan)
    kinds = {type(each) for each in gan.regularizers}
    clipped = isinstance(gan.d_constraint, WeightClip)
    if clipped and isinstance(gan.loss, CROSS_ENTROPIES):
        yield (
            f"{gan.d_constraint!r} bounds the critic of a Wasserstein loss, which needs it. With {gan.loss!r} it only "
            'weakens the discriminator: use loss="wasserstein", or no d_constraint.'
        )
    if clipped and regularizers.GradientPenalty in kinds:
        yield (
            f"{gan.d_constraint!r} and gradient_penalty bound the critic twice, and clipped weights hardly reach the "
            "slope of 1 that the penalty asks for: leave one out."
        )
    if regularizers.GradientPenalty in kinds and any(map(_has_batch_norm, gan.judges().values())):
        yield (
            "gradient_penalty is about the slope at each image, and the discriminator's batch norm mixes those of a "
            "batch (Gulrajani et al. 2017, section 4): use keras.layers.LayerNormalization, or none."
        )
    if isinstance(gan.loss, losses.Wasserstein) and not gan.regularizers and not _is_bounded(gan):
        yield (
            "Nothing bounds the critic of the Wasserstein loss, whose values then only grow: add "
            'regularizers=["gradient_penalty"], or d_constraint=kerasgan.constraints.WeightClip().'
        )


def _doubt_augmentation(gan) -> Iterator[str]:
    augment = gan.augment
    if isinstance(augment, AdaptiveAugment) and not _has_middle_at_zero(gan.loss):
        yield (
            f"AdaptiveAugment goes by the sign of real logits, which means nothing to {gan.loss!r}: its probability "
            'would run to 0 or 1. Use augment=kerasgan.augment.ScheduledAugment(...), or "non_saturating" or "hinge".'
        )
    if isinstance(augment, ScheduledAugment) and max(_ends(augment.probability)) > LEAKS:
        yield (
            f"With a probability of {max(_ends(augment.probability))}, the generator learns to make augmented images: "
            f"stay below {LEAKS}."
        )
    # A picture beside what is judged, such as the source of a translation.
    beside = any(len(judge.inputs) > 1 and len(judge.inputs[1].shape) == 4 for judge in gan.judges().values())
    if isinstance(augment, Pipe) and beside and augment.moves():
        yield (
            f"The policy {augment.policy!r} moves images away from those that the discriminator sees beside them, and "
            'these stay where they are: use steps that do not, such as "color,cutout".'
        )


def _has_middle_at_zero(loss) -> bool:
    """Return whether logits above 0 are those that a loss takes for real."""
    if isinstance(loss, losses.LeastSquares):
        return loss.a + loss.b == 0
    return not isinstance(loss, losses.Relativistic | losses.RelativisticAverage | losses.Wasserstein)


def _ends(probability) -> tuple:
    return (probability.start, probability.end) if isinstance(probability, Schedule) else (probability,)


def _is_bounded(gan) -> bool:
    """Return whether all of a discriminator's weights are held, or some are normalised."""
    # Ours, Keras's, or a user's own: by the name of the class, or of one that it is made from.
    kinds = {kind for layer in gan.discriminator._flatten_layers() for kind in type(layer).__mro__}
    constrained = gan.d_constraint is not None or any(each.constraint for each in gan.discriminator.trainable_variables)
    return constrained or any("spectral" in kind.__name__.lower() for kind in kinds)


def _has_batch_norm(network: keras.Model) -> bool:
    return any(isinstance(layer, keras.layers.BatchNormalization) for layer in network._flatten_layers())


def _has_features(network: keras.Model) -> bool:
    return "features" in _outputs(network)


def _has_styles(network: keras.Model) -> bool:
    return {"mapping", "synthesis"} <= {layer.name for layer in network.layers}


def _outputs(network: keras.Model) -> dict:
    # A Sequential model knows no `output` before it is called.
    output = network.outputs[0] if isinstance(network, keras.Sequential) else network.output
    return output if isinstance(output, dict) else {"logits": output}


def _squashing(network: keras.Model) -> str | None:
    """Return what bounds the logits of a network, in words; None where nothing is known to."""
    layer = _outputs(network)["logits"]._keras_history.operation
    if isinstance(layer, keras.Model):
        return _squashing(layer)
    if isinstance(layer, keras.layers.Softmax):
        return "a softmax"
    word = getattr(getattr(layer, "activation", None), "__name__", type(layer).__name__.lower())
    return f"a {word}" if word in SQUASHING else None
