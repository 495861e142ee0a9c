"""The same networks in PyTorch, trained by the usual loop: D on real, D on fake, then G through the same fakes."""

import contextlib
import statistics
import time

import torch
from torch import nn

LATENT_DIM = 64
BASE_FILTERS = 64


def networks() -> tuple[nn.Module, nn.Module]:
    """Return the generator and discriminator that kerasgan.DCGAN builds for 28x28x1 images."""
    wide, widest = 2 * BASE_FILTERS, 4 * BASE_FILTERS
    generator = nn.Sequential(
        nn.Linear(LATENT_DIM, widest * 16, bias=False),
        nn.Unflatten(1, (widest, 4, 4)),
        nn.BatchNorm2d(widest),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(widest, wide, 4, 2, 1, bias=False),
        nn.BatchNorm2d(wide),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(wide, BASE_FILTERS, 4, 2, 1, bias=False),
        nn.BatchNorm2d(BASE_FILTERS),
        nn.ReLU(inplace=True),
        nn.ConvTranspose2d(BASE_FILTERS, 1, 4, 2, 1),
        nn.Tanh(),
        nn.ZeroPad2d(-2),  # 32x32 cut to 28x28
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, BASE_FILTERS, 4, 2, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(BASE_FILTERS, wide, 4, 2, 1, bias=False),
        nn.BatchNorm2d(wide),
        nn.LeakyReLU(0.2, inplace=True),
        nn.ZeroPad2d((1, 2, 1, 2)),  # TensorFlow's padding "same" of 7x7
        nn.Conv2d(wide, widest, 4, 2, bias=False),
        nn.BatchNorm2d(widest),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Flatten(),
        nn.Linear(widest * 16, 1),
    )
    for module in [*generator.modules(), *discriminator.modules()]:
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
    return generator, discriminator


def stepper(dtype: str, batch_size: int, channels_last: bool):
    torch.manual_seed(0)
    generator, discriminator = networks()
    real = torch.rand(batch_size, 1, 28, 28) * 2 - 1
    if channels_last:
        generator, discriminator = (each.to(memory_format=torch.channels_last) for each in (generator, discriminator))
        real = real.to(memory_format=torch.channels_last)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    loss = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)

    def precision():
        if dtype == "float32":
            return contextlib.nullcontext()
        return torch.autocast("cpu", dtype=torch.bfloat16)

    def logits(images):
        return discriminator(images).float()

    def step():
        d_optimizer.zero_grad()
        with precision():
            real_loss = loss(logits(real), ones)
        real_loss.backward()
        with precision():
            fake = generator(torch.randn(batch_size, LATENT_DIM))
            fake_loss = loss(logits(fake.detach()), zeros)
        fake_loss.backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        with precision():
            g_loss = loss(logits(fake), ones)
        g_loss.backward()
        g_optimizer.step()
        return {"d_loss": (real_loss + fake_loss).item(), "g_loss": g_loss.item()}

    return step


def build(name: str, dtype: str, batch_size: int):
    """Return the step in whichever memory layout is faster here."""
    del name
    steps = {layout: stepper(dtype, batch_size, layout == "channels_last") for layout in ("nchw", "channels_last")}
    first = time.perf_counter()
    steps["nchw"]()
    build.first_step_s = time.perf_counter() - first
    seconds = {layout: median_seconds(step) for layout, step in steps.items()}
    build.note = min(seconds, key=seconds.get)
    return steps[build.note], None


def median_seconds(step, repeats: int = 5) -> float:
    step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
