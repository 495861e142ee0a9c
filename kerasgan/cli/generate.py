"""The command `generate`: make something with a trained model, into one file, or one by one into a folder."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from kerasgan.cli.start import MODEL_HELP, command, start_tensorflow

# Drawn at a time: up to here the command makes what `model.generate` makes with the same seed.
DRAWN_AT_ONCE = 4096
MADE_AT_ONCE = 128


def add(commands) -> None:
    """Add the command `generate`."""
    parser = command(commands, "generate", _generate, "make images, or whatever a trained model makes")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("-n", type=int, help="how many, or how many rows of --interpolate (default: 64; of sounds 20)")
    parser.add_argument(
        "--out",
        help="a .png for one grid (.wav for sounds, .txt for text); a folder for one file each (default: samples.png; "
        "texts are printed)",
    )
    parser.add_argument("--seed", type=int, help="the same seed gives the same")
    parser.add_argument("--labels", type=_integers, help="classes of a conditional model: 3 or 0,1,2")
    parser.add_argument(
        "--text", action="append", help="what to draw, of a model that takes captions; again for others, one image each"
    )
    parser.add_argument("--temperature", type=float, help="of models that write: below 1, likely words come oftener")
    parser.add_argument("--top-k", type=int, metavar="K", help="of models that write: choose among K words")
    parser.add_argument("--interpolate", type=int, metavar="STEPS", help="rows that morph from one to another")


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _generate(arguments) -> None:
    _check(arguments)
    start_tensorflow()
    from kerasgan.runs import loading

    model = loading.load(arguments.model)
    given, choosing = _given(model, arguments.text, arguments.n), _choosing(model, arguments)
    count = arguments.n or next(map(len, given.values()), model.at_most(model.makes.most_shown))
    if arguments.interpolate:
        made = _rows(model, count, arguments, given)
    else:
        made = _batches(model, count, arguments, given, choosing)
    if arguments.out is None and hasattr(model.makes, "text"):
        # Texts can be read where they are asked for.
        for some in made:
            print(*model.makes.text(some), sep="\n")
        return
    out, one_file = target(arguments.out or f"samples{model.makes.suffix}", model.makes)
    total = count * (arguments.interpolate or 1)
    if one_file:
        check_room(model.makes, total)
    beside = None
    if one_file and not arguments.interpolate:
        labels = _labels(model, count, arguments.labels)(0, count)
        beside = model.beside(model.sampler_inputs(count, arguments.seed, labels, **given))
    write(model.makes, made, out, one_file, columns=arguments.interpolate, beside=beside)
    print(f"{total} {model.makes.name}: {out}")


def _check(arguments) -> None:
    """Refuse what makes no sense, before TensorFlow is started."""
    if arguments.n is not None and arguments.n < 1:
        raise ValueError(f"-n must be a positive integer; received {arguments.n}.")
    if arguments.interpolate is not None and arguments.interpolate < 2:
        raise ValueError(f"--interpolate takes the steps of a row, both ends included: at least 2; received "
                         f"{arguments.interpolate}.")  # fmt: skip
    if arguments.interpolate is not None and arguments.labels is not None:
        raise ValueError("--interpolate goes from one latent vector to another within class 0; it takes no --labels.")
    if arguments.interpolate is not None and (arguments.temperature is not None or arguments.top_k is not None):
        raise ValueError("--interpolate goes from one latent vector to another; it takes no --temperature or --top-k.")
    if arguments.out is not None and not arguments.out.strip():
        raise ValueError("--out needs the name of a file or of a folder; received an empty one.")


def target(out: str, kind) -> tuple[Path, bool]:
    """Return where to write, and whether it is one file for all rather than a folder.

    Raises:
        ValueError: it is neither, such as a file of a format that is not written.
    """
    path = Path(out)
    if path.suffix.lower() == kind.suffix and not path.is_dir():
        return path, True
    if path.is_dir() or out.endswith(("/", "\\")):
        return path, False
    if path.exists() or re.fullmatch(r"\.[A-Za-z]\w{0,4}", path.suffix):
        raise ValueError(
            f"{kind.name.capitalize()} are written to one {kind.suffix} file, or into a folder; received {out!r}."
        )
    return path, False


def check_room(kind, count: int) -> None:
    """Raise a ValueError where one file cannot hold so many."""
    if count > kind.most_in_a_file:
        raise ValueError(
            f"One {kind.suffix} file holds at most {kind.most_in_a_file:,} {kind.name} ({kind.describe()}); received "
            f"{count:,}. Give a folder instead: --out samples/"
        )


def write(kind, made: Iterator, out: Path, one_file: bool, columns=None, beside=None) -> None:
    """Write batches as they come: into a folder nothing but the present one is held."""
    import numpy as np

    if one_file:
        kind.save(out, np.concatenate(list(made)), columns=columns, beside=beside)
        return
    first = 0
    for batch in made:
        kind.save_each(out, batch, first)
        first += len(batch)


def _given(model, texts: list[str] | None, n: int | None) -> dict:
    """Return the input that takes texts, by its name, with what these texts are to the model: one for all, or each."""
    from kerasgan.kinds import Tokens

    if not texts:
        return {}
    name = next((name for name, kind in model.takes.items() if isinstance(kind, Tokens)), None)
    if name is None:
        raise ValueError(f"{model.name} takes no captions, but {', '.join(model.takes)}. Leave out --text.")
    count = n or len(texts)
    texts = texts[0] if len(texts) == 1 else texts
    return {name: model.takes[name].take(texts, count, name, model.name)}


def _choosing(model, arguments) -> dict:
    """Return the settings by which a model that writes chooses words, where some are given."""
    chosen = {"temperature": arguments.temperature, "top_k": arguments.top_k}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if chosen and not chosen.keys() <= inspect.signature(model.generate).parameters.keys():
        options = " and ".join(f"--{name.replace('_', '-')}" for name in chosen)
        raise ValueError(f"{model.name} makes {model.makes.name}, not a word at a time. Leave out {options}.")
    return chosen


def _rows(model, count: int, arguments, given: dict) -> Iterator:
    import numpy as np

    ends = np.asarray(model.sample_latents(2 * count, arguments.seed))
    for number, (start, end) in enumerate(zip(ends[::2], ends[1::2], strict=True)):
        own = {name: part[number] for name, part in given.items()}
        yield model.interpolate(start, end, arguments.interpolate, **own)


def _batches(model, count: int, arguments, given: dict, choosing: dict) -> Iterator:
    import numpy as np

    labels = _labels(model, count, arguments.labels)
    for start in range(0, count, DRAWN_AT_ONCE):
        number = min(DRAWN_AT_ONCE, count - start)
        own = {name: part[start : start + number] for name, part in given.items()}
        inputs = model.sampler_inputs(number, _seed_of(arguments.seed, start), labels=labels(start, number), **own)
        for first in range(0, number, MADE_AT_ONCE):
            some = [part[first : first + MADE_AT_ONCE] for part in inputs]
            if choosing:
                yield model.generate(len(some[0]), **dict(zip(model.takes, some, strict=True)), **choosing)
            else:
                yield np.asarray(model.sample(some))


def _seed_of(seed: int | None, start: int) -> int | None:
    """Return the seed of the part that begins at `start`: the given one first, then others drawn from it."""
    import numpy as np

    if seed is None or start == 0:
        return seed
    return int(np.random.SeedSequence((seed & 0x7FFFFFFF, start)).generate_state(1)[0] >> 1)


def _labels(model, count: int, given: list[int] | None):
    """Return a function from (start, number) to the labels of a part."""
    import numpy as np

    if given is None and "labels" not in model.takes:
        return lambda start, number: None
    if given is None:
        return lambda start, number: np.arange(start, start + number) % model.takes["labels"].num_classes
    if len(given) == 1:
        return lambda start, number: given[0]
    if len(given) != count:
        raise ValueError(f"--labels must be one class for all, or one for each of the {count}; received {len(given)}.")
    return lambda start, number: given[start : start + number]
