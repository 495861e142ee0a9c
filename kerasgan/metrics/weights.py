"""The weights of the Inception network that FID is defined with: found, fetched once, checked, and read.

The network is Google's of 2015-12-05. Its weights come as the PyTorch state dict of pytorch-fid, whose batch norms are
folded into the convolutions here, or as an .npz file of `NAME/kernel` (height, width, in, out) and `NAME/bias` by the
layer names of `kerasgan.metrics.inception`.
"""

import http.client
import os
import urllib.request
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasgan.metrics import torch_file
from kerasgan.support import cache, files

VARIABLE = "KERASGAN_INCEPTION_WEIGHTS"
URL = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
_TIMEOUT = 30  # seconds without a byte
_EPSILON = 1e-3  # of the state dict's batch norms

# Layer names here, and the modules of the state dict that hold them.
_STEM = {
    "conv": "Conv2d_1a_3x3",
    "conv_1": "Conv2d_2a_3x3",
    "conv_2": "Conv2d_2b_3x3",
    "conv_3": "Conv2d_3b_1x1",
    "conv_4": "Conv2d_4a_3x3",
}
_BLOCK_35 = {
    "conv": "branch1x1",
    "tower_conv": "branch5x5_1",
    "tower_conv_1": "branch5x5_2",
    "tower_1_conv": "branch3x3dbl_1",
    "tower_1_conv_1": "branch3x3dbl_2",
    "tower_1_conv_2": "branch3x3dbl_3",
    "tower_2_conv": "branch_pool",
}
_REDUCTION_17 = {
    "conv": "branch3x3",
    "tower_conv": "branch3x3dbl_1",
    "tower_conv_1": "branch3x3dbl_2",
    "tower_conv_2": "branch3x3dbl_3",
}
_BLOCK_17 = {
    "conv": "branch1x1",
    "tower_conv": "branch7x7_1",
    "tower_conv_1": "branch7x7_2",
    "tower_conv_2": "branch7x7_3",
    "tower_1_conv": "branch7x7dbl_1",
    "tower_1_conv_1": "branch7x7dbl_2",
    "tower_1_conv_2": "branch7x7dbl_3",
    "tower_1_conv_3": "branch7x7dbl_4",
    "tower_1_conv_4": "branch7x7dbl_5",
    "tower_2_conv": "branch_pool",
}
_REDUCTION_8 = {
    "tower_conv": "branch3x3_1",
    "tower_conv_1": "branch3x3_2",
    "tower_1_conv": "branch7x7x3_1",
    "tower_1_conv_1": "branch7x7x3_2",
    "tower_1_conv_2": "branch7x7x3_3",
    "tower_1_conv_3": "branch7x7x3_4",
}
_BLOCK_8 = {
    "conv": "branch1x1",
    "tower_conv": "branch3x3_1",
    "tower_mixed_conv": "branch3x3_2a",
    "tower_mixed_conv_1": "branch3x3_2b",
    "tower_1_conv": "branch3x3dbl_1",
    "tower_1_conv_1": "branch3x3dbl_2",
    "tower_1_mixed_conv": "branch3x3dbl_3a",
    "tower_1_mixed_conv_1": "branch3x3dbl_3b",
    "tower_2_conv": "branch_pool",
}
_BLOCKS = {
    "mixed": ("Mixed_5b", _BLOCK_35),
    "mixed_1": ("Mixed_5c", _BLOCK_35),
    "mixed_2": ("Mixed_5d", _BLOCK_35),
    "mixed_3": ("Mixed_6a", _REDUCTION_17),
    "mixed_4": ("Mixed_6b", _BLOCK_17),
    "mixed_5": ("Mixed_6c", _BLOCK_17),
    "mixed_6": ("Mixed_6d", _BLOCK_17),
    "mixed_7": ("Mixed_6e", _BLOCK_17),
    "mixed_8": ("Mixed_7a", _REDUCTION_8),
    "mixed_9": ("Mixed_7b", _BLOCK_8),
    "mixed_10": ("Mixed_7c", _BLOCK_8),
}
MODULES = _STEM | {
    f"{block}_{layer}": f"{outer}.{inner}"
    for block, (outer, layers) in _BLOCKS.items()
    for layer, inner in layers.items()
}


class Weights(NamedTuple):
    """Weights as read from a file: arrays by `NAME/kernel` and `NAME/bias`, float32."""

    path: Path
    sha256: str
    arrays: dict[str, np.ndarray]


def load() -> Weights:
    """Return the weights from the file that KERASGAN_INCEPTION_WEIGHTS names, else from the cache, else from the web.

    Raises:
        ValueError: the file does not exist or is no such file, or it is not in the cache and cannot be fetched.
    """
    if local := os.environ.get(VARIABLE):
        path = Path(local).expanduser()
        if not path.is_file():
            raise ValueError(f"{VARIABLE} names {path}, which is no file. Correct it, or unset it to fetch {URL}.")
    else:
        path = cache.part("weights") / URL.rsplit("/", 1)[1]
        if not path.is_file() or files.sha256(path) != SHA256:
            download(URL, path, SHA256)
    return Weights(path, files.sha256(path), read(path))


def read(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file or of a PyTorch state dict, by `NAME/kernel` and `NAME/bias`.

    Raises:
        ValueError: the file is damaged or holds something else.
    """
    if path.suffix != ".npz":
        return convert(torch_file.read(path))
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            names = [name for name in archive.files if name.endswith(("/kernel", "/bias"))]
            return {name: archive[name].astype("float32") for name in names}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be read as an .npz file of weights: {error}.") from error


def convert(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays of a state dict under the layer names of kerasgan, with batch norms folded in.

    Args:
        state: `MODULE.conv.weight` (out, in, height, width) and `MODULE.bn.weight`, `.bias`, `.running_mean` and
            `.running_var` (out,) for the modules of `MODULES`; `fc.weight` (1008, 2048) and `fc.bias`.

    Raises:
        ValueError: one of them is missing.
    """
    arrays = {}
    try:
        for layer, module in MODULES.items():
            gamma, beta, mean, variance = (
                state[f"{module}.bn.{name}"].astype("float64")
                for name in ("weight", "bias", "running_mean", "running_var")
            )
            scale = gamma / np.sqrt(variance + _EPSILON)
            kernel = state[f"{module}.conv.weight"].transpose(2, 3, 1, 0) * scale
            arrays[f"{layer}/kernel"] = kernel.astype("float32")
            arrays[f"{layer}/bias"] = (beta - mean * scale).astype("float32")
        arrays["softmax/kernel"] = np.ascontiguousarray(state["fc.weight"].T)
        arrays["softmax/bias"] = state["fc.bias"]
    except KeyError as error:
        raise ValueError(f"The state dict is not that of the FID Inception network: it has no {error}.") from error
    return arrays


def download(url: str, path: Path, sha256: str) -> None:
    """Fetch a file, compare it with its SHA-256, and only then put it in place.

    Raises:
        ValueError: it cannot be fetched or written, or it is not the expected file; nothing is left behind.
    """
    try:
        with files.replacing(path) as temporary:
            _fetch(url, temporary)
            received = files.sha256(temporary)
            if received != sha256:
                raise ValueError(f"{temporary.stat().st_size:,} bytes came with sha256 {received}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ValueError(
            f"{url} could not be fetched ({error}). Try again; or fetch it elsewhere (sha256 {sha256}) and put it at "
            f"{path}, or set {VARIABLE} to where it is."
        ) from error


def _fetch(url: str, path: Path) -> None:
    import keras

    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response, open(path, "wb") as file:
        bar = keras.utils.Progbar(int(response.headers.get("Content-Length", 0)) or None, unit_name="byte")
        while chunk := response.read(1 << 20):
            file.write(chunk)
            bar.add(len(chunk))
