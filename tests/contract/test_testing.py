"""The contract's own machinery: what third parties call."""

import subprocess
import sys
import unittest

import pytest

from kerasgan.models import VanillaGAN
from kerasgan.testing import CHECKS, Case, check_gan, contract, parametrize_with_checks


def passes(case):
    pass


def fails(case):
    assert case.id != "bad", "the model is wrong"


def skips(case):
    raise unittest.SkipTest("not here")


@pytest.fixture
def small_table(monkeypatch):
    checks = (passes, skips, fails)
    monkeypatch.setattr(contract, "CHECKS", tuple(contract.Check(check) for check in checks))


@pytest.mark.usefixtures("small_table")
def test_check_gan_names_the_case_and_the_check():
    check_gan(Case("good", VanillaGAN))
    with pytest.raises(AssertionError, match="bad fails the check fails: the model is wrong"):
        check_gan(Case("bad", VanillaGAN))


@pytest.mark.usefixtures("small_table")
def test_known_failures_are_strict():
    check_gan(Case("bad", VanillaGAN, known_failures={"fails": "it is wrong"}))
    with pytest.raises(AssertionError, match="good passes the check fails: remove it from known_failures"):
        check_gan(Case("good", VanillaGAN, known_failures={"fails": "no longer"}))
    with pytest.raises(ValueError, match=r"checks that do not apply.*'mistyped'"):
        check_gan(Case("good", VanillaGAN, known_failures={"mistyped": "?"}))


def test_one_pytest_id_a_model_and_check():
    case = Case("mine", VanillaGAN, known_failures={"fits_toy": "a reason"})
    parameters = parametrize_with_checks([case]).args[1]
    ids = [parameter.id for parameter in parameters]
    assert ids[0] == "mine-default_constructible"
    assert len(set(ids)) == len(ids)
    (mark,) = next(parameter.marks for parameter in parameters if parameter.id == "mine-fits_toy")
    assert (mark.name, mark.kwargs) == ("xfail", {"reason": "a reason", "strict": True})


def test_tags_choose_the_checks():
    def names(*tags):
        case = Case("mine", VanillaGAN, tags=frozenset(tags))
        return {check.name for check in CHECKS if check.applies_to(case)}

    assert names("has_discriminator") - names() == {"logits", "update_isolation", "each_side_learns_alone"}
    assert names() - names("takes_networks") == {"default_constructible"}
    with pytest.raises(ValueError, match=r"Unknown tags \['has_discriminater'\]"):
        Case("mine", VanillaGAN, tags=frozenset({"has_discriminater"}))


def test_pytest_is_not_needed_to_import_the_contract():
    code = "import sys, kerasgan.testing; print('pytest' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
