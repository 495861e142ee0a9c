"""Variants of a GAN by name: a loss, and what is added to it, joined by `+`, such as `relativistic+r1+r2`."""

from dataclasses import dataclass

from kerasgan.support.configurable import unknown_name

# The losses of the table, in the order of their years.
LOSSES = (
    "minimax",
    "non_saturating",
    "least_squares",
    "wasserstein",
    "hinge",
    "relativistic",
    "relativistic_average",
)
# Name -> what it adds to any loss.
ADDITIONS = {
    "packed": "two points judged together (PacGAN)",
    "r1": "slopes at real points",
    "r2": "slopes at generated points",
    "gp": "slopes of 1 between the two (WGAN-GP)",
    "dragan": "slopes of 1 around real points (DRAGAN)",
    "sn": "layers divided by their spectral norm (SNGAN)",
    "clip": "weights cut to [-0.1, 0.1] (WGAN)",
}
# How strong they are. `gp` is that of `dragan` too. `slopes` is the weight of R1 and R2 by points whose coordinates
# have a standard deviation of 1: the same strength on the ring and on the grid.
STRENGTHS = {"pack": 2, "slopes": 0.02, "gp": 1.0, "clip": 0.1}


@dataclass(frozen=True)
class Variant:
    """A way to play the game.

    Attributes:
        loss: a name of `LOSSES`.
        additions: names of `ADDITIONS`, in their order there.
    """

    loss: str
    additions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name that `parse` takes."""
        return "+".join((self.loss, *self.additions))

    @property
    def pack(self) -> int:
        """How many points the discriminator sees together."""
        return STRENGTHS["pack"] if "packed" in self.additions else 1

    @property
    def spectral(self) -> bool:
        """Whether the discriminator's layers are divided by their spectral norm."""
        return "sn" in self.additions

    def regularizers(self, scale: float) -> list:
        """Return the penalties for points whose coordinates have the standard deviation `scale`.

        A slope by a coordinate that is `scale` times as wide is so many times smaller: the weights of squared slopes
        are multiplied by scale squared. `gp` and `dragan` ask for slopes of 1, whatever the scale.
        """
        from kerasgan import regularizers

        slopes = STRENGTHS["slopes"] * scale**2
        made = {
            "r1": lambda: regularizers.R1(slopes),
            "r2": lambda: regularizers.R2(slopes),
            "gp": lambda: regularizers.GradientPenalty(STRENGTHS["gp"]),
            "dragan": lambda: regularizers.DRAGAN(STRENGTHS["gp"]),
        }
        return [made[name]() for name in self.additions if name in made]

    def constraint(self):
        """Return what holds the discriminator's weights, or None."""
        from kerasgan import constraints

        return constraints.WeightClip(STRENGTHS["clip"]) if "clip" in self.additions else None


def parse(name: str) -> Variant:
    """Return the variant of a name.

    Raises:
        ValueError: the loss or an addition is unknown, or one is there twice.
    """
    loss, *additions = name.split("+")
    if loss not in LOSSES:
        raise ValueError(unknown_name("loss", loss, LOSSES) + f" Received the model {name!r}.")
    for addition in additions:
        if addition not in ADDITIONS:
            raise ValueError(unknown_name("addition", addition, ADDITIONS) + f" Received the model {name!r}.")
        if additions.count(addition) > 1:
            raise ValueError(f"{addition!r} is twice in the model {name!r}. Name it once.")
    return Variant(loss, tuple(each for each in ADDITIONS if each in additions))
