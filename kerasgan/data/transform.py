"""Brings single images to the wanted size and channels, as uint8."""

import dataclasses

import numpy as np
from PIL import Image, ImageOps


@dataclasses.dataclass(frozen=True)
class Transform:
    """Centre crop, resize and colour conversion of one image.

    Attributes:
        size: Wanted (height, width), or None to keep each image's own.
        channels: 1 (grey), 3 (RGB), or None to keep the source's.
        crop: Cut the largest centred window of the wanted aspect ratio before resizing;
            otherwise the image is stretched.
        half: "left" or "right" to take that half of each image, before all else; None for the whole.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    crop: bool = True
    half: str | None = None

    def shape_of(self, height, width, channels) -> tuple:
        """The (height, width, channels) that an image of this shape is turned into."""
        if self.half and width is not None:
            if width % 2:
                raise ValueError(f"An image of two halves side by side has an even width; received {width}x{height}.")
            width //= 2
        height, width = self.size or (height, width)
        return (height, width, self.channels or channels)

    def image(self, image: Image.Image) -> np.ndarray:
        """A Pillow image of mode L or RGB as a uint8 array (height, width, channels)."""
        if self.half:
            middle = image.width // 2
            left = 0 if self.half == "left" else middle
            image = image.crop((left, 0, left + middle, image.height))
        if self.channels is not None:
            image = image.convert("L" if self.channels == 1 else "RGB")
        if self.size is not None and image.size != self.size[::-1]:
            # Pillow widens the bicubic kernel when it shrinks, so that nothing aliases.
            if self.crop:
                image = ImageOps.fit(image, self.size[::-1], Image.Resampling.BICUBIC)
            else:
                image = image.resize(self.size[::-1], Image.Resampling.BICUBIC)
        array = np.asarray(image)
        return array[:, :, None] if array.ndim == 2 else array

    def array(self, image: np.ndarray) -> np.ndarray:
        """`image` for a uint8 array (height, width, 1 or 3)."""
        if not self.half and self.shape_of(*image.shape) == image.shape:
            return image
        return self.image(Image.fromarray(image[:, :, 0] if image.shape[-1] == 1 else image))

    def arrays(self, images: np.ndarray) -> np.ndarray:
        """`array` for each of (n, height, width, 1 or 3)."""
        shape = self.shape_of(*images.shape[1:])
        if not self.half and shape == images.shape[1:]:
            return images
        result = np.empty((len(images), *shape), np.uint8)
        for index, image in enumerate(images):
            result[index] = self.array(image)
        return result
