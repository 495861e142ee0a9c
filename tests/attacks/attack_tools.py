"""What the attacks share: how a refusal looks, and how a config is changed."""

import time

import pytest

TINY = {"image_shape": (16, 16, 1), "latent_dim": 4, "base_filters": 4, "seed": 3}
# Generous for a loaded machine: what these attacks ask for would take minutes, or all memory.
SECONDS = 5


def refused(message, load, *arguments):
    """Check that something is refused, at once and in one line that says any of the words between the bars."""
    start = time.monotonic()
    with pytest.raises(ValueError, match=message) as caught:
        load(*arguments)
    assert time.monotonic() - start < SECONDS
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800


def config(**changes):
    """Change the model's arguments in a parsed config.json."""
    return lambda content: content | {"config": content["config"] | changes}
