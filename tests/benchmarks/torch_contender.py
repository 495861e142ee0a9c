"""The same networks in PyTorch, trained by the usual loop: D on real, D on fake, then G through the same fakes."""

import contextlib
import statistics
import time

import torch
import torch_modern
import torch_translators
from modern import MODERN
from torch import nn
from torch.nn import functional
from torch_resnet import ResNetDiscriminator, ResNetGenerator

LATENT_DIM = 64
BASE_FILTERS = 64
CLASSES = 10


class Family:
    """One GAN: networks, data, and losses of logits; DCGAN's unless a subclass says otherwise.

    Args:
        batch_size: images in a batch.
    """

    latent_dim = LATENT_DIM
    image_shape = (1, 28, 28)
    adam = (2e-4, (0.5, 0.999))
    # Whether the discriminator's weights get gradients in the generator's update too, which nobody uses.
    idle_gradients = True

    def __init__(self, batch_size: int):
        self.batch_size = batch_size
        self.given = ()
        self.ones, self.zeros = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)
        self.cross_entropy = nn.BCEWithLogitsLoss()

    def networks(self) -> tuple[nn.Module, nn.Module]:
        return dcgan_generator(), dcgan_discriminator()

    def real_loss(self, logits):
        return self.cross_entropy(logits, self.ones)

    def fake_loss(self, logits):
        return self.cross_entropy(logits, self.zeros)

    def g_loss(self, logits):
        return self.cross_entropy(logits, self.ones)

    def penalty(self, discriminator, real, fake):
        """Return a further loss of the discriminator; None for none."""
        return None


class SNGAN(Family):
    """Hinge loss, spectral normalisation, classes by projection."""

    latent_dim = 128
    image_shape = (3, 32, 32)
    adam = (2e-4, (0.0, 0.9))
    idle_gradients = False

    def __init__(self, batch_size: int):
        super().__init__(batch_size)
        self.given = (torch.arange(batch_size) % CLASSES,)

    def networks(self):
        return ResNetGenerator(self.latent_dim, BASE_FILTERS, CLASSES), ResNetDiscriminator(BASE_FILTERS, CLASSES)

    def real_loss(self, logits):
        return functional.relu(1.0 - logits).mean()

    def fake_loss(self, logits):
        return functional.relu(1.0 + logits).mean()

    def g_loss(self, logits):
        return -logits.mean()


class WGANGP(Family):
    """The critic's difference, and the penalty on its slope between real and generated images."""

    adam = (1e-4, (0.0, 0.9))
    idle_gradients = False

    def networks(self):
        return dcgan_generator(), dcgan_discriminator(normalized=False)

    def real_loss(self, logits):
        return -logits.mean()

    def fake_loss(self, logits):
        return logits.mean()

    def g_loss(self, logits):
        return -logits.mean()

    def penalty(self, discriminator, real, fake):
        way = torch.rand(self.batch_size, 1, 1, 1)
        between = (real + way * (fake - real)).requires_grad_()
        (slope,) = torch.autograd.grad(discriminator(between).float().sum(), between, create_graph=True)
        norm = (slope.float().square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
        return 10.0 * (norm - 1.0).square().mean()


LAYOUTS = ("nchw", "channels_last")
FAMILIES = {"dcgan": Family, "sngan": SNGAN, "wgan_gp": WGANGP}


def dcgan_generator() -> nn.Module:
    """Return the generator that kerasgan.DCGAN builds for 28x28x1 images."""
    wide, widest = 2 * BASE_FILTERS, 4 * BASE_FILTERS
    return with_normal_weights(
        nn.Sequential(
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
    )


def dcgan_discriminator(normalized: bool = True) -> nn.Module:
    """Return its discriminator, or WGANGP's, which has no batch norm."""
    wide, widest = 2 * BASE_FILTERS, 4 * BASE_FILTERS

    def norm(channels):
        return nn.BatchNorm2d(channels) if normalized else nn.Identity()

    return with_normal_weights(
        nn.Sequential(
            nn.Conv2d(1, BASE_FILTERS, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(BASE_FILTERS, wide, 4, 2, 1, bias=not normalized),
            norm(wide),
            nn.LeakyReLU(0.2, inplace=True),
            nn.ZeroPad2d((1, 2, 1, 2)),  # TensorFlow's padding "same" of 7x7
            nn.Conv2d(wide, widest, 4, 2, bias=not normalized),
            norm(widest),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Flatten(),
            nn.Linear(widest * 16, 1),
        )
    )


def with_normal_weights(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
    return network


def stepper(family: Family, dtype: str, channels_last: bool):
    torch.manual_seed(0)
    generator, discriminator = family.networks()
    real = torch.rand(family.batch_size, *family.image_shape) * 2 - 1
    if channels_last:
        generator, discriminator = (each.to(memory_format=torch.channels_last) for each in (generator, discriminator))
        real = real.to(memory_format=torch.channels_last)
    rate, betas = family.adam
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=rate, betas=betas)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=rate, betas=betas)

    def precision():
        if dtype == "float32":
            return contextlib.nullcontext()
        return torch.autocast("cpu", dtype=torch.bfloat16)

    def logits(images):
        return discriminator(images, *family.given).float()

    def step():
        d_optimizer.zero_grad()
        with precision():
            real_loss = family.real_loss(logits(real))
        real_loss.backward()
        with precision():
            fake = generator(torch.randn(family.batch_size, family.latent_dim), *family.given)
            fake_loss = family.fake_loss(logits(fake.detach()))
        fake_loss.backward()
        with precision():
            penalty = family.penalty(discriminator, real, fake.detach())
        if penalty is not None:
            penalty.backward()
        d_optimizer.step()

        g_optimizer.zero_grad()
        discriminator.requires_grad_(family.idle_gradients)
        with precision():
            g_loss = family.g_loss(logits(fake))
        g_loss.backward()
        discriminator.requires_grad_(True)
        g_optimizer.step()
        return {"d_loss": (real_loss + fake_loss).item(), "g_loss": g_loss.item()}

    return step


def _stepper(model: str, batch_size: int, dtype: str, channels_last: bool):
    if model in FAMILIES:
        return stepper(FAMILIES[model](batch_size), dtype, channels_last)
    module = torch_modern if model in MODERN else torch_translators
    return module.stepper(model, batch_size, dtype, channels_last)


def build(name: str, dtype: str, batch_size: int, model: str = "dcgan"):
    """Return the step in whichever memory layout is faster here."""
    del name
    steps = {layout: _stepper(model, batch_size, dtype, layout == "channels_last") for layout in LAYOUTS}
    first = time.perf_counter()
    steps["nchw"]()
    build.first_step_s = time.perf_counter() - first
    seconds = {layout: median_seconds(step) for layout, step in steps.items()}
    build.note = min(seconds, key=seconds.get)
    return steps[build.note], None


def median_seconds(step, repeats: int = 5) -> float:
    """Return the median processor time of a step, which other load disturbs less than the time on the wall."""
    step()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return statistics.median(times)
