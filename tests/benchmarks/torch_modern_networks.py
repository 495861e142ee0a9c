"""The networks of R3GAN and StyleGAN2 in PyTorch: kerasgan's, layer by layer.

`in_order` gives the weights of a network in the order of kerasgan's, which `modern_parity.py` hands over.
"""

import itertools
import math

import torch
from modern import (
    CLASSES,
    R3GAN_EMBEDDING,
    R3GAN_LATENTS,
    R3GAN_WIDTHS,
    STYLE_BASE,
    STYLE_LATENTS,
    STYLE_MOST,
)
from torch import nn
from torch.nn import functional

SLOPE, ROOT = 0.2, math.sqrt(2.0)
TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8.0


def leaky(x):
    return functional.leaky_relu(x, SLOPE)


def filtered(x, padding: int, stride: int = 1):
    """Convolve each channel by itself with the filter [1, 3, 3, 1], by the fastest way that PyTorch has on CPUs."""
    groups, taps = x.shape[1], TAPS.to(x.dtype)
    if x.dtype == torch.float32:
        kernel = torch.outer(taps, taps).expand(groups, 1, 4, 4)
        return functional.conv2d(x, kernel, stride=stride, padding=padding, groups=groups)
    rows = taps.reshape(4, 1).expand(groups, 1, 4, 1)
    x = functional.conv2d(x, rows, stride=(stride, 1), padding=(padding, 0), groups=groups)
    return functional.conv2d(x, rows.transpose(2, 3), stride=(1, stride), padding=(0, padding), groups=groups)


def doubled(x):
    """Interpolate with zeros beyond the border, by the faster of two ways in either precision."""
    if x.dtype == torch.float32:
        kernel = 4.0 * torch.outer(TAPS, TAPS).expand(x.shape[1], 1, 4, 4)
        return functional.conv_transpose2d(x, kernel, stride=2, padding=1, groups=x.shape[1])
    around = functional.interpolate(functional.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear")
    return around[:, :, 2:-2, 2:-2]


# R3GAN


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x):
        return x + self.last(leaky(self.second(leaky(self.first(x)))))


class R3Generator(nn.Module):
    def __init__(self, shape: tuple):
        super().__init__()
        side, (small, large) = shape[0] // 4, R3GAN_WIDTHS
        self.vectors = nn.Embedding(CLASSES, R3GAN_EMBEDDING)
        self.dense = nn.Linear(R3GAN_LATENTS + R3GAN_EMBEDDING, small, bias=False)
        self.basis = nn.Parameter(torch.randn(small, side, side))
        self.blocks = nn.ModuleList([Block(small), Block(large)])
        self.between = nn.Conv2d(small, large, 1, bias=False)
        self.to_image = nn.ConvTranspose2d(large, shape[-1], 4, 2, 1)

    def in_order(self):
        first, second = ([b.first.weight, b.first.bias, b.second.weight, b.second.bias, b.last.weight]
                         for b in self.blocks)  # fmt: skip
        ends = [self.to_image.weight, self.to_image.bias]
        return [self.vectors.weight, self.dense.weight, self.basis, *first, self.between.weight, *second, *ends]

    def forward(self, latents, labels):
        x = self.dense(torch.cat([latents, self.vectors(labels)], dim=1))
        x = self.blocks[0](x[:, :, None, None] * self.basis.to(x.dtype))
        x = self.blocks[1](doubled(self.between(x)))
        with torch.autocast("cpu", enabled=False):
            return torch.tanh(self.to_image(x.float()))


class R3Discriminator(nn.Module):
    def __init__(self, shape: tuple):
        super().__init__()
        side, (small, large) = shape[0] // 4, R3GAN_WIDTHS
        self.from_image = nn.Conv2d(shape[-1], large, 4, 2, 1, bias=False)
        self.blocks = nn.ModuleList([Block(large), Block(small)])
        self.between = nn.Conv2d(large, small, 1, bias=False)
        self.basis = nn.Parameter(torch.randn(small, side, side) / side)
        self.dense = nn.Linear(small, 1, bias=False)
        self.vectors = nn.Embedding(CLASSES, small)

    def in_order(self):
        first, second = ([b.first.weight, b.first.bias, b.second.weight, b.second.bias, b.last.weight]
                         for b in self.blocks)  # fmt: skip
        ends = [self.basis, self.dense.weight, self.vectors.weight]
        return [self.from_image.weight, *first, self.between.weight, *second, *ends]

    def forward(self, images, labels):
        x = self.blocks[0](self.from_image(images))
        x = self.blocks[1](self.between(functional.avg_pool2d(x, 2)))
        with torch.autocast("cpu", enabled=False):
            features = (x.float() * self.basis).sum(dim=(2, 3))
            return self.dense(features) + (self.vectors(labels) * features).sum(dim=1, keepdim=True)


# StyleGAN2


class Equalized(nn.Module):
    """A dense layer, or a convolution where `size` is given, with weights scaled where used."""

    def __init__(self, before: int, after: int, size: int | None = None, halve=False, rectified=True, gain=None,
                 rate: float = 1.0, bias: float = 0.0):  # fmt: skip
        super().__init__()
        shape = (after, before) if size is None else (after, before, size, size)
        self.weight, self.bias = (
            nn.Parameter(torch.randn(shape) / rate),
            nn.Parameter(torch.full((after,), bias / rate)),
        )
        self.size, self.halve, self.rectified = size, halve, rectified
        gain = (ROOT if rectified else 1.0) if gain is None else gain
        self.bias_scale, self.scale = gain * rate, gain * rate / math.sqrt(math.prod(shape[1:]))

    def in_order(self):
        return [self.weight, self.bias]

    def forward(self, x):
        weight, bias = self.weight * self.scale, self.bias * self.bias_scale
        if self.size is None:
            x = functional.linear(x, weight, bias)
        elif self.halve:
            x = functional.conv2d(filtered(x, 2), weight, bias, stride=2)
        else:
            x = functional.conv2d(x, weight, bias, padding=self.size // 2)
        return leaky(x) if self.rectified else x


class Modulated(nn.Module):
    def __init__(self, before: int, after: int, size: int = 3, demodulated=True, double=False, gain: float = 1.0):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(after, before, size, size)), nn.Parameter(torch.zeros(after))
        self.affine = Equalized(STYLE_LATENTS, before, rectified=False, bias=1.0)
        self.demodulated, self.double, self.gain = demodulated, double, gain

    def in_order(self):
        return [self.weight, self.bias, *self.affine.in_order()]

    def forward(self, x, w):
        scales = self.affine(w)
        weight = self.weight / math.sqrt(math.prod(self.weight.shape[1:]))
        x = x * scales[:, :, None, None].to(x.dtype)
        if self.double:
            turned = 4.0 * weight.flip(2, 3).transpose(0, 1)
            x = filtered(functional.conv_transpose2d(x, turned, stride=2), 1)
        else:
            x = functional.conv2d(x, weight, padding=weight.shape[2] // 2)
        if self.demodulated:
            with torch.autocast("cpu", enabled=False):
                lengths = torch.sqrt(scales.float().square() @ weight.square().sum(dim=(2, 3)).T + 1e-8)
                factors = self.gain / lengths
            x = x * factors[:, :, None, None].to(x.dtype)
        return x + (self.gain * self.bias)[:, None, None].to(x.dtype)


class Styled(nn.Module):
    """A modulated convolution with noise, rectified."""

    def __init__(self, before: int, after: int, double: bool):
        super().__init__()
        self.conv = Modulated(before, after, double=double, gain=ROOT)
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, x, w, noise):
        x = self.conv(x, w)
        return leaky(x + (ROOT * self.strength * noise).to(x.dtype))


def filters_at(level: int) -> int:
    return min(STYLE_BASE * 2**level, STYLE_MOST)


class StyleGenerator(nn.Module):
    def __init__(self, shape: tuple):
        super().__init__()
        self.last = int(math.log2(shape[0])) - 2
        widths = [filters_at(level) for level in reversed(range(self.last + 1))]
        self.mapping = nn.Sequential(*[Equalized(STYLE_LATENTS, STYLE_LATENTS, rate=0.01) for _ in range(2)])
        self.constant = nn.Parameter(torch.randn(widths[0], 4, 4))
        self.styled = nn.ModuleList([Styled(widths[0], widths[0], False)])
        for before, after in itertools.pairwise(widths):
            self.styled += [Styled(before, after, True), Styled(after, after, False)]
        self.seen = nn.ModuleList([Modulated(width, shape[-1], 1, demodulated=False) for width in widths])
        self.register_buffer("mean", torch.zeros(STYLE_LATENTS))

    def in_order(self):
        # Layer by layer in alphabetical order, those of a kind in the order they were made.
        made = [self.styled[0].conv, self.seen[0]]
        for number in range(self.last):
            made += [self.styled[1 + 2 * number].conv, self.styled[2 + 2 * number].conv, self.seen[number + 1]]
        strengths = [each.strength for each in self.styled]
        mapping, modulated = (
            [each for layer in layers for each in layer.in_order()] for layers in (self.mapping, made)
        )
        return [*mapping, *strengths, self.constant, *modulated]

    def mapped(self, latents):
        with torch.autocast("cpu", enabled=False):
            return self.mapping(functional.normalize(latents) * math.sqrt(STYLE_LATENTS))

    def synthesized(self, styles, noise):
        """Return images of styles (batch, n, d) and noise (batch, m)."""
        used = 0

        def part(side):
            nonlocal used
            own = noise[:, used : used + side * side].reshape(-1, 1, side, side)
            used += side * side
            return own

        def seen(number, x):
            with torch.autocast("cpu", enabled=False):
                return self.seen[number](x.float(), styles[:, 2 * number + 1])

        x = self.constant.expand(len(styles), -1, -1, -1)
        x = self.styled[0](x, styles[:, 0], part(4))
        images = seen(0, x)
        for number in range(self.last):
            first, second = self.styled[1 + 2 * number], self.styled[2 + 2 * number]
            x = first(x, styles[:, 2 * number + 1], part(2 * x.shape[2]))
            x = second(x, styles[:, 2 * number + 2], part(x.shape[2]))
            images = doubled(images) + seen(number + 1, x)
        return images

    def styles(self, w):
        return w[:, None].expand(-1, 2 * self.last + 2, -1)

    def forward(self, latents, noise):
        w = self.mapped(latents)
        with torch.no_grad():
            self.mean.lerp_(w.mean(dim=0), 0.005)
        return self.synthesized(self.styles(w), noise)


class StyleBlock(nn.Module):
    def __init__(self, before: int, after: int):
        super().__init__()
        self.first, self.second = Equalized(before, before, 3), Equalized(before, after, 3, halve=True, gain=1.0)
        self.shortcut = Equalized(before, after, 1, rectified=False, gain=math.sqrt(0.5))

    def in_order(self):
        return [*self.first.in_order(), *self.second.in_order(), *self.shortcut.in_order()]

    def forward(self, x):
        return self.second(self.first(x)) + self.shortcut(filtered(x, 1, stride=2))


class StyleDiscriminator(nn.Module):
    def __init__(self, shape: tuple, group_size: int = 4):
        super().__init__()
        last, self.group_size = int(math.log2(shape[0])) - 2, group_size
        self.from_image = Equalized(shape[-1], filters_at(0), 1)
        self.blocks = nn.ModuleList([StyleBlock(filters_at(level), filters_at(level + 1)) for level in range(last)])
        width = filters_at(last)
        self.conv, self.dense = Equalized(width + 1, width, 3), Equalized(16 * width, width)
        self.logits = Equalized(width, 1, rectified=False)

    def in_order(self):
        layers = (self.from_image, *self.blocks, self.conv, self.dense, self.logits)
        return [each for layer in layers for each in layer.in_order()]

    def forward(self, images):
        x = self.from_image(images)
        for block in self.blocks:
            x = block(x)
        groups = x.float().unflatten(0, (self.group_size, -1))
        deviation = (groups.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        channel = deviation.repeat(self.group_size)[:, None, None, None].expand(-1, 1, *x.shape[2:])
        x = self.conv(torch.cat([x, channel.to(x.dtype)], dim=1))
        # The order of kerasgan's channels, which come last.
        x = self.dense(x.permute(0, 2, 3, 1).flatten(1))
        with torch.autocast("cpu", enabled=False):
            return self.logits(x.float())
