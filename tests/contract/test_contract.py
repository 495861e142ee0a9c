"""The model contract over every family, and over two toy families the core was not written for."""

from functools import partial

from toy_models import ToyConditionalGAN, ToyTranslator

from kerasgan.models import DCGAN, VAE, VanillaGAN
from kerasgan.testing import Case, parametrize_with_checks

SMALL = {"image_shape": (16, 16, 1), "latent_dim": 4}

CASES = [
    Case("gan", partial(VanillaGAN, **SMALL, hidden=(16, 32), dropout=0.1)),
    Case("dcgan", partial(DCGAN, **SMALL, base_filters=4)),
    Case("vae", partial(VAE, **SMALL, base_filters=4), tags=frozenset()),
    Case("toy_conditional", ToyConditionalGAN, tags=frozenset({"has_discriminator", "conditional"})),
    Case("toy_translator", ToyTranslator, tags=frozenset({"has_discriminator", "image_to_image"})),
]


@parametrize_with_checks(CASES)
def test_contract(case, check):
    check(case)
