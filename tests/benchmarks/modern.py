"""What the contenders of R3GAN and StyleGAN2 share: their sizes, and penalties. No framework's."""

from typing import NamedTuple

CLASSES = 10
R3GAN_LATENTS, R3GAN_WIDTHS, R3GAN_EMBEDDING = 64, (64, 32), 32
STYLE_LATENTS, STYLE_BASE, STYLE_MOST = 64, 16, 64
# R1 and R2 in every update of R3GAN.
GAMMA = 20.0
# StyleGAN2's: R1 and path lengths in so-manieth updates.
R1_WEIGHT, R1_EVERY, PATH_WEIGHT, PATH_EVERY = 0.03, 16, 2.0, 4


class Modern(NamedTuple):
    """A model that is timed.

    Args:
        family: "r3gan" or "stylegan2".
        shape: (height, width, channels) of images.
        penalties: whether it is trained with them.
    """

    family: str
    shape: tuple
    penalties: bool

    @property
    def period(self) -> int:
        """The updates after which all repeats: those with lazy penalties take longer."""
        return R1_EVERY if self.family == "stylegan2" and self.penalties else 1


SIZES = {
    "r3gan": ("r3gan", (28, 28, 1)),
    "stylegan2": ("stylegan2", (32, 32, 3)),
    "stylegan2_64": ("stylegan2", (64, 64, 3)),
}
MODERN = {
    name + suffix: Modern(*size, penalties)
    for name, size in SIZES.items()
    for suffix, penalties in (("", True), ("_bare", False))
}
