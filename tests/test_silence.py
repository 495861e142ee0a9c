import os
import subprocess
import sys
import threading
import warnings

import pytest

from kerasgan.support.silence import Silence


def test_catches_python_descriptors_children_and_warnings(capfd):
    with Silence() as silence:
        print("python out")
        print("python err", file=sys.stderr)
        os.write(1, b"descriptor 1\n")
        os.write(2, b"descriptor 2\n")
        subprocess.run(["echo", "child"], check=True)
        warnings.warn("a warning", UserWarning, stacklevel=1)
    print("after")
    os.write(2, b"after\n")
    captured = capfd.readouterr()
    assert captured.out == "after\n"
    assert captured.err == "after\n"
    for text in ("python out", "python err", "descriptor 1", "descriptor 2", "child"):
        assert text in silence.text
    assert "UserWarning: a warning" in silence.text


def test_buffered_text_of_the_c_library_is_caught():
    # Standard output is a pipe here, so C buffers it until long after the context ends.
    script = (
        "import ctypes\n"
        "from kerasgan.support.silence import Silence\n"
        "c = ctypes.CDLL(None)\n"
        "print('before')\n"
        "with Silence() as silence:\n"
        "    c.printf(b'from C\\n')\n"
        "assert silence.text == 'from C', silence.text\n"
        "print('after')\n"
    )
    # The module alone: importing the package would import TensorFlow.
    path = os.path.join(os.path.dirname(sys.modules[Silence.__module__].__file__), "silence.py")
    script = script.replace(
        "from kerasgan.support.silence import Silence",
        f"import runpy; Silence = runpy.run_path({path!r})['Silence']",
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "before\nafter\n"
    assert result.stderr == ""


def test_restores_after_an_exception_and_keeps_the_text(capfd):
    silence = Silence()

    def interrupted():
        with silence:
            os.write(2, b"last words\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert silence.text == "last words"
    print("back")
    assert capfd.readouterr().out == "back\n"


def test_no_descriptor_is_leaked():
    def count():
        return len(os.listdir("/proc/self/fd"))

    if not os.path.exists("/proc/self/fd"):
        pytest.skip("needs /proc")
    before = count()
    for _ in range(3):
        with Silence():
            print("x")
    assert count() == before


def test_nested_and_in_threads(capfd):
    def work():
        for _ in range(20):
            with Silence(), Silence():
                os.write(1, b"x")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("alive")
    assert capfd.readouterr().out == "alive\n"


def test_closed_standard_output():
    path = os.path.join(os.path.dirname(sys.modules[Silence.__module__].__file__), "silence.py")
    script = (
        "import os, runpy\n"
        f"Silence = runpy.run_path({path!r})['Silence']\n"
        "os.close(1)\n"
        "with Silence() as silence:\n"
        "    os.write(1, b'x')\n"
        "assert silence.text == 'x'\n"
        "try:\n"
        "    os.fstat(1)\n"
        "except OSError:\n"
        "    os._exit(0)\n"
        "os._exit(1)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
