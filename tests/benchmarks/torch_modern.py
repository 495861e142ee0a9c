"""R3GAN and StyleGAN2 in PyTorch: kerasgan's losses and penalties on the same networks, by the usual loop."""

import contextlib
import math

import torch
from modern import (
    CLASSES,
    GAMMA,
    MODERN,
    PATH_EVERY,
    PATH_WEIGHT,
    R1_EVERY,
    R1_WEIGHT,
    R3GAN_LATENTS,
    STYLE_LATENTS,
    Modern,
)
from torch.nn import functional
from torch_modern_networks import R3Discriminator, R3Generator, StyleDiscriminator, StyleGenerator


def slope(outputs, inputs):
    """Return the gradient, with a graph behind it."""
    return torch.autograd.grad(outputs, inputs, create_graph=True)[0].float()


def squared_slope(logits, images):
    return slope(logits.sum(), images).square().sum(dim=(1, 2, 3)).mean()


class R3GAN:
    """Losses on pairs, with R1 and R2 in every update, by the passes that the loss is made of."""

    def __init__(self, settings: Modern, batch_size: int):
        self.penalties, self.batch_size = settings.penalties, batch_size
        self.generator, self.discriminator = R3Generator(settings.shape), R3Discriminator(settings.shape)
        self.labels = torch.arange(batch_size) % CLASSES

    def fake(self):
        return self.generator(torch.randn(self.batch_size, R3GAN_LATENTS), self.labels)

    def d_loss(self, real, fake):
        real, fake = (each.detach().requires_grad_(self.penalties) for each in (real, fake))
        real_logits, fake_logits = (self.discriminator(each, self.labels) for each in (real, fake))
        loss = functional.softplus(fake_logits - real_logits).mean()
        if self.penalties:
            loss = loss + 0.5 * GAMMA * (squared_slope(real_logits, real) + squared_slope(fake_logits, fake))
        return loss

    def g_loss(self, real, fake):
        with torch.no_grad():
            real_logits = self.discriminator(real, self.labels)
        return functional.softplus(real_logits - self.discriminator(fake, self.labels)).mean()


class StyleGAN2:
    """Logistic losses, with R1 and path lengths in some updates."""

    def __init__(self, settings: Modern, batch_size: int):
        self.penalties, self.batch_size, self.number = settings.penalties, batch_size, 0
        self.generator, self.discriminator = StyleGenerator(settings.shape), StyleDiscriminator(settings.shape)
        side = settings.shape[0]
        self.noise_count = 16 + sum(2 * (side >> level) ** 2 for level in range(self.generator.last))
        self.length = torch.zeros(())

    def fake(self):
        self.latents, self.noise = (torch.randn(self.batch_size, n) for n in (STYLE_LATENTS, self.noise_count))
        return self.generator(self.latents, self.noise)

    def d_loss(self, real, fake):
        due = self.penalties and self.number % R1_EVERY == 0
        real = real.detach().requires_grad_(due)
        real_logits = self.discriminator(real)
        loss = functional.softplus(-real_logits).mean() + functional.softplus(self.discriminator(fake.detach())).mean()
        return loss + 0.5 * R1_EVERY * R1_WEIGHT * squared_slope(real_logits, real) if due else loss

    def g_loss(self, real, fake):
        del real
        loss = functional.softplus(-self.discriminator(fake)).mean()
        due = self.penalties and self.number % PATH_EVERY == 0
        self.number += 1
        return loss + PATH_EVERY * PATH_WEIGHT * self.path_lengths() if due else loss

    def path_lengths(self):
        half = (self.batch_size + 1) // 2
        styles = self.generator.styles(self.generator.mapped(self.latents[:half]))
        images = self.generator.synthesized(styles, self.noise[:half]).float()
        along = (images * torch.randn_like(images)).sum() / math.sqrt(images.shape[2] * images.shape[3])
        lengths = (slope(along, styles).square().sum(dim=2).mean(dim=1) + 1e-12).sqrt()
        self.length = self.length.lerp(lengths.detach().mean(), 0.01)
        return (lengths - self.length).square().mean()


FAMILIES = {"r3gan": R3GAN, "stylegan2": StyleGAN2}
# Learning rate and beta_2.
ADAM = {"r3gan": (2e-3, 0.9), "stylegan2": (1e-2, 0.99)}


def stepper(model: str, batch_size: int, dtype: str, channels_last: bool):
    """Return a function that takes one step on a batch that lies ready."""
    torch.manual_seed(0)
    settings = MODERN[model]
    game = FAMILIES[settings.family](settings, batch_size)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    generator, discriminator = (each.to(memory_format=layout) for each in (game.generator, game.discriminator))
    height, width, channels = settings.shape
    real = torch.rand(batch_size, channels, height, width).mul(2).sub(1).to(memory_format=layout)
    rate, beta_2 = ADAM[settings.family]
    d_optimizer, g_optimizer = (
        torch.optim.Adam(each.parameters(), lr=rate, betas=(0.0, beta_2)) for each in (discriminator, generator)
    )

    def precision():
        return contextlib.nullcontext() if dtype == "float32" else torch.autocast("cpu", dtype=torch.bfloat16)

    def step():
        with precision():
            fake = game.fake()
            d_loss = game.d_loss(real, fake)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        discriminator.requires_grad_(False)
        with precision():
            g_loss = game.g_loss(real, fake)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        discriminator.requires_grad_(True)
        return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}

    return step
