"""The table of checks, and the two ways to run them."""

import unittest
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kerasgan.testing import (
    checks_artifacts,
    checks_construction,
    checks_keras,
    checks_placement,
    checks_resume,
    checks_training,
)
from kerasgan.testing.case import Case


@dataclass(frozen=True)
class Check:
    """One check of the contract: a function of a case that raises an AssertionError where the model fails it."""

    run: Callable[[Case], None]
    needs: frozenset = frozenset()
    excludes: frozenset = frozenset()
    slow: bool = False

    @property
    def name(self) -> str:
        """The name: part of the pytest id, and the key of `Case.known_failures`."""
        return self.run.__name__

    def applies_to(self, case: Case) -> bool:
        """Return whether the case's tags call for this check."""
        return self.needs <= case.tags and not self.excludes & case.tags

    def __call__(self, case: Case) -> None:
        """Run the check on a case."""
        self.run(case)


_TWO_PLAYERS = frozenset({"has_discriminator"})
_NO_OPTIMIZER = frozenset({"no_optimizer"})

CHECKS = (
    Check(checks_construction.default_constructible, excludes=frozenset({"takes_networks"})),
    Check(checks_construction.config_roundtrip),
    Check(checks_construction.output),
    Check(checks_construction.logits, needs=_TWO_PLAYERS),
    Check(checks_construction.given_inputs),
    Check(checks_construction.error_messages),
    Check(checks_training.update_isolation, needs=_TWO_PLAYERS),
    Check(checks_training.each_side_learns_alone, needs=_TWO_PLAYERS),
    Check(checks_training.fits_toy, slow=True),
    Check(checks_training.reported_terms),
    Check(checks_training.evaluate_and_predict),
    Check(checks_keras.keras_methods),
    Check(checks_keras.keras_export, slow=True),
    Check(checks_keras.keras_callbacks, excludes=_NO_OPTIMIZER, slow=True),
    Check(checks_resume.seeded),
    Check(checks_resume.save_load_resume),
    Check(checks_resume.resume_after_kill, slow=True),
    Check(checks_placement.mixed_precision, excludes=_NO_OPTIMIZER),
    Check(checks_placement.compile_modes, slow=True),
    Check(checks_placement.distribution),
    Check(checks_artifacts.preset_roundtrip),
    Check(checks_artifacts.export_parity),
)


def check_gan(case: Case) -> None:
    """Run every check that applies to a case, one after another.

    Raises:
        AssertionError: a check failed, or a known failure no longer fails.
    """
    _refuse_stale_failures(case)
    for check in CHECKS:
        if not check.applies_to(case):
            continue
        try:
            check(case)
        except unittest.SkipTest:
            continue
        except Exception as error:
            if check.name in case.known_failures:
                continue
            raise AssertionError(f"{case.id} fails the check {check.name}: {error}") from error
        if check.name in case.known_failures:
            raise AssertionError(f"{case.id} passes the check {check.name}: remove it from known_failures.")


def parametrize_with_checks(cases: Iterable[Case]):
    """Return a pytest decorator that runs a test function of (case, check) once for each model and check.

    The ids read "<case>-<check>". A known failure becomes a strict xfail with its reason; a slow check of a case that
    is not `thorough` gets the mark `slow`, which your pytest settings must know.
    """
    import pytest

    parameters = []
    for case in cases:
        _refuse_stale_failures(case)
        for check in CHECKS:
            if check.applies_to(case):
                reason = case.known_failures.get(check.name)
                marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
                if check.slow and not case.thorough:
                    marks.append(pytest.mark.slow)
                parameters.append(pytest.param(case, check, id=f"{case.id}-{check.name}", marks=marks))
    return pytest.mark.parametrize(("case", "check"), parameters)


def _refuse_stale_failures(case: Case) -> None:
    applicable = {check.name for check in CHECKS if check.applies_to(case)}
    stale = sorted(set(case.known_failures) - applicable)
    if stale:
        raise ValueError(f"known_failures of {case.id!r} names checks that do not apply: {stale}.")
