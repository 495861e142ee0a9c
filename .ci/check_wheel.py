"""Load, verify and sample every preset of the installed wheel, from outside the checkout."""

import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow  # noqa: F401  Its start-up is not what is timed below.

import kerasgan

here = Path(__file__).resolve().parent.parent
assert here not in Path(kerasgan.__file__).resolve().parents, "the checkout was imported, not the wheel"
names = kerasgan.list_presets()
assert len(names) >= 4, names
for name in names:
    start = time.perf_counter()
    model = kerasgan.from_preset(name)
    loaded = time.perf_counter() - start
    made = model.generate(4, seed=0)
    verified = kerasgan.presets.verify(name)
    assert made.shape == (4, *model.makes.shape), made.shape
    print(f"{name}: loaded in {loaded:.2f} s, {verified.files} files, golden error {verified.max_error:.1g}")

(fid,) = kerasgan.metrics.evaluate(
    kerasgan.from_preset("gan_mnist"), "mnist_mini", n=500, metrics=["fid"], cached=False
)
assert fid.floor < fid.value < 20, fid
print(fid.headline())
