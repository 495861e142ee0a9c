"""The model contract: the checks every model of kerasgan passes, public, so that third-party GANs can run them too.

    # tests/test_my_gan.py
    from kerasgan.testing import Case, parametrize_with_checks

    @parametrize_with_checks([Case("my_gan", functools.partial(MyGAN, image_shape=(16, 16, 1), base_filters=4))])
    def test_contract(case, check):
        check(case)

pytest is needed by `parametrize_with_checks` only; `check_gan(case)` runs the same checks without it.
"""

from kerasgan.testing.case import Case
from kerasgan.testing.contract import CHECKS, Check, check_gan, parametrize_with_checks
from kerasgan.testing.toy_data import toy_examples, toy_images, toy_labelled_images, toy_pairs

__all__ = [
    "CHECKS",
    "Case",
    "Check",
    "check_gan",
    "parametrize_with_checks",
    "toy_examples",
    "toy_images",
    "toy_labelled_images",
    "toy_pairs",
]
