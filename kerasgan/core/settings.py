"""What a GAN is compiled with: optimizers, a loss, and all that restrains or changes what the discriminator sees."""

import keras

from kerasgan import losses, schedules
from kerasgan.augment import get as get_augmentation
from kerasgan.core.base import GenerativeModel
from kerasgan.core.combinations import check_combination
from kerasgan.core.constraints import constrain
from kerasgan.core.freezing import freeze_first
from kerasgan.core.optimizers import PairedOptimizers, prepare_optimizer
from kerasgan.optimizers import Adam
from kerasgan.regularizers import get as get_regularizer
from kerasgan.regularizers import terms_of

PLAYERS = ("discriminator", "generator")


class Compiled(GenerativeModel):
    """The part of `kerasgan.GAN` that takes, keeps and serialises the settings of training.

    A subclass has a `generator`, a `discriminator`, and `judges()`.
    """

    def compile_defaults(self) -> dict:
        """Return the settings of the paper, by the arguments of `compile`. Override it in a subclass."""
        return {
            "d_optimizer": Adam(2e-4, beta_1=0.5),
            "g_optimizer": Adam(2e-4, beta_1=0.5),
            "loss": "non_saturating",
            "regularizers": (),
        }

    def compile(
        self,
        d_optimizer=None,
        g_optimizer=None,
        loss=None,
        regularizers=None,
        augment=None,
        d_constraint=None,
        ema_half_life=None,
        *,
        freeze_d=None,
        top_k=None,
        accumulate=None,
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
            augment: name or object of `kerasgan.augment`: what is done to all images, real or generated, before
                the discriminator sees them in training.
            d_constraint: `keras.constraints.Constraint` for all of the discriminator's weights, such as
                `kerasgan.constraints.WeightClip`; it holds from now on.
            ema_half_life: images after which the averaged generator has forgotten half, a number or a schedule of
                `kerasgan.schedules`; it takes the place of `ema_decay`.
            freeze_d: how many of the discriminator's first layers keep their weights, where it goes on from a preset:
                see `kerasgan.core.freezing`. A number trains all others; None leaves layers as they are.
            top_k: share of the generated images of a batch, those with the highest logits, that the generator learns
                from: a number in (0, 1], or a schedule, such as `schedules.Linear(1.0, 0.5, over=10_000)`. None takes
                all. See `kerasgan.core.top_k`.
            accumulate: batches whose mean gradient makes an update of either player, where memory is short. Schedules
                go by batches, and so does the rest but for what `kerasgan.core.optimizers.prepare_optimizer` names.
            run_eagerly: run Python step by step, for debugging.
            steps_per_execution: batches in one call of the compiled step; always 1 where several devices share a batch.
            jit_compile: compile the step with XLA; "auto" does so where a GPU is present.

        Raises:
            ValueError: both optimizers are one object, a loss, regularizer or augmentation is unknown, or the
                settings contradict the networks.

        Warns:
            UserWarning: the settings make no sense together, such as clipped weights with a cross-entropy.
        """
        given = {
            "d_optimizer": d_optimizer,
            "g_optimizer": g_optimizer,
            "loss": loss,
            "regularizers": regularizers,
            "augment": augment,
            "d_constraint": d_constraint,
            "ema_half_life": ema_half_life,
            "freeze_d": freeze_d,
            "top_k": top_k,
            "accumulate": accumulate,
        }
        settings = dict.fromkeys(given) | self.compile_defaults()
        settings |= {name: value for name, value in given.items() if value is not None}
        if settings["d_optimizer"] is settings["g_optimizer"] and not isinstance(settings["d_optimizer"], str):
            raise ValueError("d_optimizer and g_optimizer are one object; each network needs an optimizer of its own.")
        with self.distribute_strategy.scope():
            super().compile(run_eagerly=run_eagerly, steps_per_execution=steps_per_execution, jit_compile=jit_compile)
            self.freeze_d = self._freeze(settings["freeze_d"])
            self.d_optimizer, self.g_optimizer = (
                prepare_optimizer(settings[f"{player[0]}_optimizer"], getattr(self, player), settings["accumulate"])
                for player in PLAYERS
            )
            self.augment = get_augmentation(settings["augment"])
            self.d_constraint = constrain(self.discriminator, settings["d_constraint"])
            self.regularizers = _get_regularizers(settings["regularizers"] or ())
            self.memories = [layer for each in self.regularizers for layer in self._memory_of(each)]
        self.optimizer = PairedOptimizers(self.d_optimizer, self.g_optimizer)
        self.loss = losses.get(settings["loss"])
        self.ema_half_life = settings["ema_half_life"]
        self.top_k = _checked_share(settings["top_k"])
        timed = [self, self.d_optimizer, self.g_optimizer, *self.regularizers, self.augment]
        schedules.bind(self.clock, *(each for each in timed if each is not None))
        penalties = [name for player in PLAYERS for name in terms_of(player, self.regularizers)]
        penalties = [name + suffix for suffix in self.judges() for name in penalties]
        self.set_tracked_terms((*self.terms, *penalties, *self.observed))
        check_combination(self)

    def _freeze(self, count: int | None) -> int | None:
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise ValueError(f"freeze_d must be a whole number of layers, at least 0; received {count!r}.")
        for judge in self.judges().values():
            if count is not None or getattr(self, "freeze_d", None):  # What an earlier `compile` froze is free again.
                freeze_first(judge, count or 0)
        return count

    def _memory_of(self, regularizer) -> list:
        remember = getattr(regularizer, "remember", None)
        return remember({player: getattr(self, player) for player in PLAYERS}) if remember else []

    @property
    def observed(self) -> tuple[str, ...]:
        """Names of what is reported beside the losses, not minimised."""
        return (*self.observations, *(self.augment.observations if self.augment else ()))

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
            "augment": serialize(self.augment),
            "d_constraint": serialize(self.d_constraint),
            "ema_half_life": serialize(self.ema_half_life),
            "freeze_d": self.freeze_d,
            "top_k": serialize(self.top_k),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config: dict) -> None:
        """Compile from what `get_compile_config` gave, this version's or an earlier one's."""
        plain = ("run_eagerly", "steps_per_execution", "jit_compile")
        self.compile(
            **{
                name: value if name in plain else keras.saving.deserialize_keras_object(value)
                for name, value in config.items()
            }
        )


def _checked_share(share):
    ends = (share.start, share.end) if isinstance(share, schedules.Schedule) else (share,)
    if share is not None and not all(0.0 < end <= 1.0 for end in ends):
        raise ValueError(f"top_k must be a share above 0, up to 1; received {', '.join(map(str, ends))}.")
    return share


def _get_regularizers(given) -> list:
    chosen = [get_regularizer(regularizer) for regularizer in given]
    names = [regularizer.name for regularizer in chosen]
    if len(set(names)) != len(names):
        raise ValueError(f"Regularizers need different names, since each is a metric; received {names}.")
    return chosen
