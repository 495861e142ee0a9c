"""Result: one measured number that carries how it was measured, and refuses to be compared with another kind."""

import json
import math
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kerasgan.support import files

NUMBERS = ("value", "floor", "spread")


@dataclass(frozen=True)
class Result:
    """One measured number with how it was measured.

    Args:
        name: the metric's name with extractor and sample count, such as "fid_mnist_10k".
        value: the number.
        floor: what real images score against other real images by the same protocol; None where that has no meaning.
        spread: standard error of the value, or the standard deviation over splits: the protocol says which.
        protocol: whatever decides what the number means; results of different protocols cannot be compared.
        provenance: what was measured, and with which versions and machine: it may differ between comparable results.
    """

    name: str
    value: float
    floor: float | None = None
    spread: float | None = None
    protocol: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.headline()}: {words(self.protocol)}; {words(self.provenance)}"

    def headline(self) -> str:
        """Return the number without its protocol: "fid_mnist_10k 1.23 (real against real: 0.1)"."""
        spread = "" if self.spread is None else f" ± {self.spread:.2g}"
        floor = "" if self.floor is None else f" (real against real: {self.floor:.4g})"
        return f"{self.name} {self.value:.4g}{spread}{floor}"

    def times_floor(self) -> float | None:
        """Return how many times the real-versus-real value this is; None where there is none to speak of."""
        return self.value / self.floor if self.floor else None

    def minus(self, other: "Result") -> float:
        """Return this value minus another's.

        Raises:
            ValueError: the results were not measured alike; the message names the fields that differ.
        """
        check_comparable(self, other)
        return self.value - other.value

    def to_dict(self) -> dict:
        """Return the result as JSON values: "inf" where a number is infinite, which JSON cannot write."""
        return asdict(self) | {name: _as_json(getattr(self, name)) for name in NUMBERS}

    @classmethod
    def from_dict(cls, content: dict) -> "Result":
        """Return the result that `to_dict` wrote."""
        numbers = {name: content[name] for name in NUMBERS if content.get(name) is not None}
        return cls(**content | {name: float(number) for name, number in numbers.items()})


def _as_json(number: float | None) -> float | str | None:
    return number if number is None or math.isfinite(number) else str(number)


def check_comparable(first: Result, second: Result) -> None:
    """Raise a ValueError that names the fields of the protocol in which two results differ, if they do."""
    one, two = {"name": first.name, **first.protocol}, {"name": second.name, **second.protocol}
    different = [key for key in {**one, **two} if one.get(key) != two.get(key)]
    if different:
        fields = "; ".join(f"{key}: {one.get(key)!r} against {two.get(key)!r}" for key in different)
        raise ValueError(f"These results were not measured alike, so they cannot be compared. They differ in {fields}.")


def save(path: "str | Path", results: list[Result]) -> None:
    """Write results as a JSON file."""
    files.write_json(path, {"results": [result.to_dict() for result in results]})


def read(path: "str | Path") -> list[Result]:
    """Return the results in a file that `save` wrote.

    Raises:
        ValueError: the file is missing, or holds something else.
    """
    try:
        return [Result.from_dict(each) for each in json.loads(Path(path).read_text(encoding="utf-8"))["results"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{str(path)!r} is not a file of results: {error}. Write one with `kerasgan evaluate`."
        ) from error


def as_text(results: list[Result]) -> str:
    """Return one line a result, and below the results of one extractor the protocol that they share."""
    lines = []
    for group in by_extractor(results):
        lines += [result.headline() for result in group]
        lines.append(f"  {words(shared_protocol(group))}")
    return "\n".join([*lines, f"  {words(results[0].provenance)}"])


def by_extractor(results: list[Result]) -> list[list[Result]]:
    """Return the results in groups of one extractor each; what needs none is a group too."""
    groups: dict[str | None, list[Result]] = {}
    for result in results:
        groups.setdefault(result.protocol.get("extractor"), []).append(result)
    return list(groups.values())


def shared_protocol(results: list[Result]) -> dict:
    """Return the part of the protocol that all results have in common."""
    return {
        key: value
        for key, value in results[0].protocol.items()
        if all(result.protocol.get(key) == value for result in results)
    }


def short(n: int) -> str:
    """Return a sample count as names write it: 10000 is "10k"."""
    return f"{n // 1000}k" if n and n % 1000 == 0 else str(n)


def words(facts: dict) -> str:
    """Return the facts of a protocol as one line."""
    return ", ".join(f"{key} {_value(value)}" for key, value in facts.items())


def _value(value) -> str:
    # A full hash would fill the line; the JSON has all of it.
    return value[:8] if re.fullmatch("[0-9a-f]{64}", str(value)) else str(value)
