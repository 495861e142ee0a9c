"""The house has straight stairs: no import goes up a floor, and no imports run in a circle."""

import ast
import tomllib
from pathlib import Path

import pytest

import kerasgan

# From the ground up. A module stands on the floor of the longest name here that begins its own.
FLOORS = (
    ("support",),
    (
        "distribution",
        "images",
        "kinds",
        "likelihoods",
        "losses",
        "constraints",
        "optimizers",
        "schedules",
        "augment",
    ),
    ("layers", "regularizers"),
    ("data",),
    ("core",),
    ("networks", "boltzmann"),
    ("models",),
    ("metrics",),
    ("callbacks", "presets", "export", "toys", "projection", "walk"),
    ("runs",),
    ("publishing", "testing"),
    ("cli",),
    ("__main__",),
)
ROOT = Path(kerasgan.__file__).parent
# Resolved lazily from names that are not modules.
LAZY = {"recipes": "runs.recipes"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py")) if module_name(path)}


def imports(path: Path) -> set[str]:
    """Return the modules of kerasgan that a file imports anywhere, inside of functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    names = {name.removeprefix("kerasgan.") for name in found if name.startswith("kerasgan.")}
    return {LAZY.get(name, name) if name in MODULES or name in LAZY else name.rpartition(".")[0] for name in names} - {
        ""
    }


def floor(module: str) -> int:
    found = [number for number, names in enumerate(FLOORS) if module.split(".")[0] in names]
    assert found, f"{module} stands on no floor: name it in FLOORS"
    return found[0]


GRAPH = {module: imports(path) for module, path in MODULES.items()}


@pytest.mark.parametrize("module", GRAPH)
def test_no_import_goes_up_the_stairs(module):
    above = sorted(other for other in GRAPH[module] if floor(other) > floor(module))
    assert not above, f"{module} imports {above} from a floor above its own"


def test_no_imports_run_in_a_circle():
    # Depth first; a module that is found again on the way to itself closes a circle.
    done, way = set(), []

    def visit(module):
        assert module not in way, f"imports run in a circle: {' -> '.join([*way[way.index(module) :], module])}"
        if module in done:
            return
        way.append(module)
        for other in sorted(GRAPH[module]):
            visit(other)
        way.pop()
        done.add(module)

    for module in GRAPH:
        visit(module)


def test_the_wheel_carries_every_package():
    # The list in pyproject.toml is written by hand, for the zoo lies beside the package.
    project = ROOT.parent / "pyproject.toml"
    if not project.is_file():
        pytest.skip("not a checkout")
    listed = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = {".".join(path.parent.relative_to(ROOT.parent).parts) for path in ROOT.rglob("__init__.py")}
    assert folders | {"kerasgan.zoo"} == set(listed)
