"""SNGAN's residual networks in PyTorch, for 32x32x3 images: those that kerasgan.SNGAN builds, layer for layer."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


class ClassBatchNorm(nn.Module):
    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gamma, self.beta = nn.Embedding(classes, channels), nn.Embedding(classes, channels)
        nn.init.ones_(self.gamma.weight)
        nn.init.zeros_(self.beta.weight)

    def forward(self, x, labels):
        return self.norm(x) * self.gamma(labels)[:, :, None, None] + self.beta(labels)[:, :, None, None]


class GrowingBlock(nn.Module):
    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.norms = nn.ModuleList([ClassBatchNorm(channels, classes) for _ in range(2)])
        self.convs = nn.ModuleList([nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2)])
        self.shortcut = nn.Conv2d(channels, channels, 1)

    def forward(self, x, labels):
        branch = functional.relu(self.norms[0](x, labels))
        branch = self.convs[0](functional.interpolate(branch, scale_factor=2))
        branch = self.convs[1](functional.relu(self.norms[1](branch, labels)))
        return branch + functional.interpolate(self.shortcut(x), scale_factor=2)


class ResNetGenerator(nn.Module):
    def __init__(self, latent_dim: int, channels: int, classes: int):
        super().__init__()
        self.dense = nn.Linear(latent_dim, 16 * channels)
        self.blocks = nn.ModuleList([GrowingBlock(channels, classes) for _ in range(3)])
        self.norm = nn.BatchNorm2d(channels)
        self.to_image = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, latents, labels):
        x = self.dense(latents).unflatten(1, (-1, 4, 4))
        for block in self.blocks:
            x = block(x, labels)
        return torch.tanh(self.to_image(functional.relu(self.norm(x))))


class ShrinkingBlock(nn.Module):
    def __init__(self, before: int, after: int, halves: bool, first: bool = False):
        super().__init__()
        self.halves, self.first = halves, first
        hidden = after if first else before
        self.convs = nn.ModuleList(
            [
                spectral_norm(nn.Conv2d(before, hidden, 3, padding=1)),
                spectral_norm(nn.Conv2d(hidden, after, 3, padding=1)),
            ]
        )
        self.shortcut = spectral_norm(nn.Conv2d(before, after, 1)) if halves or before != after else None

    def forward(self, x):
        branch = self.convs[0](x if self.first else functional.relu(x))
        branch = self.convs[1](functional.relu(branch))
        if self.halves:
            branch, x = functional.avg_pool2d(branch, 2), functional.avg_pool2d(x, 2)
        return branch + (x if self.shortcut is None else self.shortcut(x))


class ResNetDiscriminator(nn.Module):
    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.blocks = nn.Sequential(
            ShrinkingBlock(3, channels, halves=True, first=True),
            ShrinkingBlock(channels, channels, halves=True),
            ShrinkingBlock(channels, channels, halves=False),
            ShrinkingBlock(channels, channels, halves=False),
        )
        self.dense = spectral_norm(nn.Linear(channels, 1, bias=False))
        self.vectors = spectral_norm(nn.Embedding(classes, channels))

    def forward(self, images, labels):
        features = functional.relu(self.blocks(images)).float().sum(dim=(2, 3))
        return self.dense(features) + (self.vectors(labels) * features).sum(dim=1, keepdim=True)
