import subprocess
import sys
import time

import pytest

import kerasgan


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_kerasgan_imports_no_tensorflow():
    assert run("import sys, kerasgan; print('tensorflow' in sys.modules, 'keras' in sys.modules)") == "False False"


def test_help_is_quick_and_imports_no_tensorflow():
    code = (
        "import sys, kerasgan.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: print('tensorflow' in sys.modules)"
    )
    start = time.perf_counter()
    assert run(code).endswith("False")
    assert time.perf_counter() - start < 5  # Under 0.1 s on an idle machine; importing TensorFlow takes longer.


def test_listing_the_zoo_imports_no_tensorflow():
    code = "import sys, kerasgan.cli as c; c.main(['zoo']); print('tensorflow' in sys.modules)"
    assert run(code).endswith("False")


def test_every_public_name_resolves():
    for name in kerasgan.__all__:
        assert getattr(kerasgan, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'DCGNA'"):
        _ = kerasgan.DCGNA
