"""The image summaries of a real training, seen in a real TensorBoard page in headless Chromium."""

import base64
import contextlib
import io
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest
from PIL import Image

import kerasgan
from kerasgan.callbacks import ImageSummary, sample_grid

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--window-size=1400,1100", "--virtual-time-budget=20000"),
)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@contextlib.contextmanager
def tensorboard(log_dir: pathlib.Path):
    """Run TensorBoard on a free port and give its address once the run is loaded."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(log_dir), "--host", "127.0.0.1"]
    server = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for_images(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def wait_for_images(address: str, server, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if b"samples/ema" in fetch(f"{address}/data/plugin/images/tags"):
                return
        time.sleep(0.5)
    raise AssertionError(f"TensorBoard did not list the images within {seconds} s (exit status {server.poll()}).")


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as reply:
        return reply.read()


def visit(address: str, folder: pathlib.Path) -> tuple[str, Image.Image]:
    """Open a page, once for its document and once for its screenshot."""
    screenshot = folder / "page.png"
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}"]
    document = subprocess.run([*command, "--dump-dom", address], capture_output=True, text=True, timeout=120).stdout
    subprocess.run([*command, f"--screenshot={screenshot}", address], capture_output=True, timeout=120, check=True)
    return document, Image.open(screenshot).convert("RGB")


def test_the_grids_are_on_the_page(tmp_path):
    images = next(iter(kerasgan.data.load("mnist_mini", batch_size=512))).numpy()
    logs = tmp_path / "logs"
    gan = kerasgan.DCGAN(base_filters=8, seed=0)
    gan.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
    callbacks = [ImageSummary(logs), keras.callbacks.TensorBoard(logs)]
    gan.fit(images, batch_size=32, epochs=3, verbose=0, callbacks=callbacks)

    with tensorboard(logs) as address:
        page = f"{address}/?darkMode=false&tagFilter=samples/ema#timeseries"
        # The page fetches the cards bit by bit, and virtual time does not always wait for the last of them.
        for _ in range(15):
            document, screenshot = visit(page, tmp_path)
            cards = found_cards(document)
            if cards and borders(screenshot)[0].size:
                break
        assert list(cards) == ["samples/ema"]
        step, source = cards["samples/ema"]
        assert step == 2, "the last epoch is shown first"
        listed = json.loads(fetch(f"{address}/data/plugin/images/images?run=.&tag=samples/ema&sample=0"))
        assert [each["step"] for each in listed] == [-1, 0, 1, 2]
        served = np.asarray(Image.open(io.BytesIO(fetch(f"{address}/{source}"))).convert("L"))

    expected = sample_grid(gan, *gan.sampler_inputs(64, seed=0))[..., 0]
    assert np.array_equal(served, expected)
    assert likeness(screenshot, expected) > 0.5


def found_cards(document: str) -> dict[str, tuple[int, str]]:
    """Return tag -> step and source of every image card; the source's identifier holds the tag, base64-encoded."""
    found = {}
    for step, source in re.findall(r'<img [^>]*alt="Image at step (-?\d+)"[^>]*src="([^"]+)"', document):
        identifier = source.partition("imageId=")[2]
        padded = identifier + "=" * (-len(identifier) % 4)
        found[json.loads(base64.urlsafe_b64decode(padded))[2]] = int(step), source
    return found


def borders(screenshot: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns of a page with long lines in the mid-grey that surrounds a grid's images."""
    grey = (np.asarray(screenshot) == 128).all(axis=-1)
    return np.flatnonzero(grey.sum(axis=1) > 100), np.flatnonzero(grey.sum(axis=0) > 100)


def likeness(screenshot: Image.Image, picture: np.ndarray) -> float:
    """Return the correlation of a picture with the part of the page between the outermost grey lines."""
    rows, columns = borders(screenshot)
    box = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    seen = screenshot.convert("L").crop(box).resize(picture.shape[::-1], Image.Resampling.BILINEAR)
    return float(np.corrcoef(np.asarray(seen, "float32").ravel(), picture.astype("float32").ravel())[0, 1])
