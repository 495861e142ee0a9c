"""The model contract over every family, and over toy families for each hook and each kind of input and output."""

from functools import partial

from toy_hooks import (
    ToyAuxiliaryGAN,
    ToyInfoGAN,
    ToyLazyGAN,
    ToyPackedGAN,
    ToyRelativistic,
    ToyReplayGAN,
    ToyUniformGAN,
)
from toy_kinds import ToyPainter, ToyRecolourer, ToySinger, ToyWriter
from toy_models import ToyConditionalGAN, ToyTranslator

from kerasgan.models import DCGAN, VAE, WGANGP, ConditionalGAN, VanillaGAN
from kerasgan.testing import Case, parametrize_with_checks

SMALL = {"image_shape": (16, 16, 1), "latent_dim": 4}

CASES = [
    Case("gan", partial(VanillaGAN, **SMALL, hidden=(16, 32), dropout=0.1)),
    Case("dcgan", partial(DCGAN, **SMALL, base_filters=4)),
    Case("wgan_gp", partial(WGANGP, **SMALL, base_filters=4, d_steps=2)),
    Case(
        "conditional_gan",
        partial(ConditionalGAN, **SMALL, base_filters=4, num_classes=3),
    ),
    Case("vae", partial(VAE, **SMALL, base_filters=4), tags=frozenset()),
    Case("toy_conditional", ToyConditionalGAN),
    Case("toy_relativistic", ToyRelativistic),
    Case("toy_auxiliary", ToyAuxiliaryGAN),
    Case("toy_information", ToyInfoGAN),
    Case("toy_lazy", ToyLazyGAN),
    Case("toy_packed", ToyPackedGAN),
    Case("toy_replay", ToyReplayGAN),
    Case("toy_uniform", ToyUniformGAN),
    Case("toy_translator", ToyTranslator),
    Case("toy_recolourer", ToyRecolourer),
    Case("toy_painter", ToyPainter),
    Case("toy_singer", ToySinger),
    Case("toy_writer", ToyWriter),
]


@parametrize_with_checks(CASES)
def test_contract(case, check):
    check(case)
