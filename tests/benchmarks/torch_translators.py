"""pix2pix and CycleGAN in PyTorch: kerasgan's networks layer by layer, and the loops of their authors' code."""

import contextlib

import torch
from torch import nn
from torch.nn import functional

SIDE, BASE_FILTERS, BLOCKS = 128, 32, 6
ADAM = (2e-4, (0.5, 0.999))


def filters_at(level: int) -> int:
    return BASE_FILTERS * min(2**level, 8)


class UNet(nn.Module):
    """Seven halvings and doublings of 128 pixels, with dropout in the three innermost doublings."""

    depth, noisy = 7, 3

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level in range(self.depth):
            normalized = 0 < level < self.depth - 1
            before = filters_at(level - 1) if level else 3
            layers = [nn.LeakyReLU(0.2)] if level else []
            layers.append(nn.Conv2d(before, filters_at(level), 4, 2, 1, bias=not normalized))
            layers += [nn.InstanceNorm2d(filters_at(level), affine=True)] if normalized else []
            self.down.append(nn.Sequential(*layers))
        for level in reversed(range(1, self.depth)):
            before = filters_at(level) * (1 if level == self.depth - 1 else 2)
            after = filters_at(level - 1)
            layers = [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
            layers.append(nn.InstanceNorm2d(after, affine=True))
            layers += [nn.Dropout(0.5)] if level >= self.depth - self.noisy else []
            self.up.append(nn.Sequential(*layers))
        self.last = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(2 * BASE_FILTERS, 3, 4, 2, 1))

    def forward(self, x):
        encoded = []
        for layer in self.down:
            x = layer(x)
            encoded.append(x)
        for layer, shortcut in zip(self.up, reversed(encoded[:-1]), strict=True):
            x = torch.cat([layer(x), shortcut], dim=1)
        return torch.tanh(self.last(x).float())


def patches(channels: int, affine: bool) -> nn.Module:
    """Return the discriminator of 70x70 patches."""
    layers, before = [], channels
    for level in range(4):
        after = filters_at(level)
        if level < 3:
            layers.append(nn.Conv2d(before, after, 4, 2, 1, bias=level == 0))
        else:  # TensorFlow's padding "same" of stride 1
            layers += [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, after, 4, bias=False)]
        layers += [nn.InstanceNorm2d(after, affine=affine)] if level else []
        layers.append(nn.LeakyReLU(0.2))
        before = after
    return nn.Sequential(*layers, nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(before, 1, 4))


def translator() -> nn.Module:
    """Return CycleGAN's generator."""

    def normalized(*layers):
        width = layers[-1].out_channels
        return [*layers, nn.InstanceNorm2d(width)]

    def reflected(before, after, size):
        return nn.ReflectionPad2d(size // 2), nn.Conv2d(before, after, size, bias=False)

    wide = 4 * BASE_FILTERS
    layers = [*normalized(*reflected(3, BASE_FILTERS, 7)), nn.ReLU()]
    for before in (BASE_FILTERS, 2 * BASE_FILTERS):
        layers += [*normalized(nn.Conv2d(before, 2 * before, 3, 2, 1, bias=False)), nn.ReLU()]
    layers += [Residual(*normalized(*reflected(wide, wide, 3)), nn.ReLU(), *normalized(*reflected(wide, wide, 3)))
               for _ in range(BLOCKS)]  # fmt: skip
    for before in (wide, 2 * BASE_FILTERS):
        layers += [*normalized(nn.ConvTranspose2d(before, before // 2, 3, 2, 1, 1, bias=False)), nn.ReLU()]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(BASE_FILTERS, 3, 7), nn.Tanh())


class Residual(nn.Sequential):
    """Layers whose output is added to their input."""

    def forward(self, x):
        return x + super().forward(x)


class Pool:
    """Earlier translations; half of what is asked for comes out of it."""

    def __init__(self, size: int = 50):
        self.size, self.images = size, []

    def __call__(self, images):
        given = []
        for image in images.detach():
            if len(self.images) < self.size:
                self.images.append(image)
            elif torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                image, self.images[place] = self.images[place], image
            given.append(image)
        return torch.stack(given)


def stepper(model: str, batch_size: int, dtype: str, channels_last: bool):
    """Return a function that takes one step on a batch that lies ready."""
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format

    def moved(network):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0.0, 0.02)
        return network.to(memory_format=layout)

    a, b = (torch.rand(batch_size, 3, SIDE, SIDE).mul(2).sub(1).to(memory_format=layout) for _ in range(2))

    def precision():
        return contextlib.nullcontext() if dtype == "float32" else torch.autocast("cpu", dtype=torch.bfloat16)

    return {"pix2pix": pix2pix, "cyclegan": cyclegan}[model](a, b, moved, precision)


def adam(*networks):
    parameters = [each for network in networks for each in network.parameters()]
    return torch.optim.Adam(parameters, lr=ADAM[0], betas=ADAM[1])


def pix2pix(source, target, moved, precision):
    generator, discriminator = moved(UNet()), moved(patches(6, affine=True))
    g_optimizer, d_optimizer = adam(generator), adam(discriminator)

    def cross_entropy(logits, real: bool):
        return functional.binary_cross_entropy_with_logits(logits.float(), torch.full_like(logits, real).float())

    def judged(image):
        return discriminator(torch.cat([image, source], dim=1))

    def step():
        with precision():
            fake = generator(source)
            d_loss = 0.5 * (cross_entropy(judged(target), True) + cross_entropy(judged(fake.detach()), False))
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        discriminator.requires_grad_(False)
        with precision():
            g_loss = cross_entropy(judged(fake), True) + 100.0 * functional.l1_loss(fake.float(), target)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        discriminator.requires_grad_(True)
        return {"d_loss": d_loss.item(), "g_loss": g_loss.item()}

    return step


def cyclegan(real_a, real_b, moved, precision):
    to_b, to_a = moved(translator()), moved(translator())
    judge_a, judge_b = moved(patches(3, affine=False)), moved(patches(3, affine=False))
    g_optimizer, d_optimizer = adam(to_b, to_a), adam(judge_a, judge_b)
    pool_a, pool_b = Pool(), Pool()

    def apart(logits, value: float):
        return (logits.float() - value).square().mean()

    def distance(first, second):
        return functional.l1_loss(first.float(), second)

    def step():
        judge_a.requires_grad_(False), judge_b.requires_grad_(False)
        with precision():
            fake_b, fake_a = to_b(real_a), to_a(real_b)
            cycle = distance(to_a(fake_b), real_a) + distance(to_b(fake_a), real_b)
            identity = distance(to_b(real_b), real_b) + distance(to_a(real_a), real_a)
            g_loss = apart(judge_a(fake_a), 1.0) + apart(judge_b(fake_b), 1.0) + 10.0 * cycle + 5.0 * identity
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()

        judge_a.requires_grad_(True), judge_b.requires_grad_(True)
        d_optimizer.zero_grad()
        d_loss = 0.0
        for judge, real, fake in ((judge_a, real_a, pool_a(fake_a)), (judge_b, real_b, pool_b(fake_b))):
            with precision():
                loss = 0.5 * (apart(judge(real), 1.0) + apart(judge(fake), 0.0))
            loss.backward()
            d_loss += loss.item()
        d_optimizer.step()
        return {"d_loss": d_loss, "g_loss": g_loss.item()}

    return step
