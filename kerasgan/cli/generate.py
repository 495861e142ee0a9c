"""The command `generate`: make something with a trained model, into one file, or one by one into a folder."""

import inspect
from collections.abc import Iterator

from kerasgan.cli import film
from kerasgan.cli.inputs import integers, labels_of
from kerasgan.cli.output import check_room, target, write
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
    parser.add_argument("--labels", type=integers, help="classes of a conditional model: 3 or 0,1,2")
    parser.add_argument(
        "--text", action="append", help="what to draw, of a model that takes captions; again for others, one image each"
    )
    parser.add_argument("--temperature", type=float, help="of models that write: below 1, likely words come oftener")
    parser.add_argument("--top-k", type=int, metavar="K", help="of models that write: choose among K words")
    parser.add_argument(
        "--truncation", type=float, metavar="SHARE", help="of StyleGAN2: below 1, less varied and better; 0.7 is usual"
    )
    parser.add_argument("--interpolate", type=int, metavar="STEPS", help="rows that morph from one to another")
    parser.add_argument("--latents", metavar="NPZ", help="make images of these, as `kerasgan project` writes them")
    film.add_options(parser)


def _generate(arguments) -> None:
    _check(arguments)
    start_tensorflow()
    from kerasgan.runs import loading

    model = loading.load(arguments.model)
    if arguments.latents is not None:
        _of_latents(model, arguments)
        return
    given, choosing = _given(model, arguments.text, arguments.n), _choosing(model, arguments)
    if arguments.video is not None:
        film.make(model, arguments, given)
        return
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
        labels = labels_of(model, count, arguments.labels)(0, count)
        beside = model.beside(model.sampler_inputs(count, arguments.seed, labels, **given))
    write(model.makes, made, out, one_file, columns=arguments.interpolate, beside=beside)
    print(f"{model.makes.counted(total)}: {out}")


def _check(arguments) -> None:
    """Refuse what makes no sense, before TensorFlow is started."""
    if arguments.n is not None and arguments.n < 1:
        raise ValueError(f"-n must be a positive integer; received {arguments.n}.")
    if arguments.interpolate is not None and arguments.interpolate < 2:
        raise ValueError(f"--interpolate takes the steps of a row, both ends included: at least 2; received "
                         f"{arguments.interpolate}.")  # fmt: skip
    if arguments.interpolate is not None and arguments.labels is not None:
        raise ValueError("--interpolate goes from one latent vector to another within class 0; it takes no --labels.")
    if arguments.interpolate is not None and _chosen(arguments):
        raise ValueError(f"--interpolate goes from one latent vector to another; it takes no {_options(arguments)}.")
    film.check(arguments)
    if arguments.latents is not None and arguments.interpolate is not None:
        raise ValueError("--latents are made as they are, and --interpolate draws its own. Leave one out.")
    if arguments.out is not None and not arguments.out.strip():
        raise ValueError("--out needs the name of a file or of a folder; received an empty one.")


def _of_latents(model, arguments) -> None:
    """Make what a file of latents says."""
    from kerasgan.runs import latents

    kept = latents.read(arguments.latents, model)
    count = arguments.n or len(kept.points)
    if count > len(kept.points):
        raise ValueError(f"{arguments.latents!r} holds {len(kept.points)} latents; received -n {count}.")
    given = {name: rows[:count] for name, rows in kept.given.items()} | _given(model, arguments.text, count)
    if arguments.labels is not None:
        given["labels"] = labels_of(model, count, arguments.labels)(0, count)
    inputs = dict(zip(model.takes, model.sampler_inputs(count, arguments.seed, **given), strict=True))
    out, one_file = target(arguments.out or f"samples{model.makes.suffix}", model.makes)
    if one_file:
        check_room(model.makes, count)
    write(model.makes, _synthesized(kept.space, kept.points[:count], inputs), out, one_file)
    print(f"{model.makes.counted(count)}: {out}")


def _synthesized(space, points, inputs: dict) -> Iterator:
    import numpy as np

    for start in range(0, len(points), MADE_AT_ONCE):
        part = slice(start, start + MADE_AT_ONCE)
        yield np.asarray(space.synthesize(points[part], {name: each[part] for name, each in inputs.items()}))


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
    """Return the arguments of `generate` that only some models have, where they are given."""
    chosen = _chosen(arguments)
    if chosen and not chosen.keys() <= inspect.signature(model.generate).parameters.keys():
        raise ValueError(
            f"{model.name} has no use for {_options(arguments)}: models that write choose words, and StyleGAN2 draws "
            "styles towards their mean. Leave it out."
        )
    return chosen


def _chosen(arguments) -> dict:
    chosen = {name: getattr(arguments, name) for name in ("temperature", "top_k", "truncation")}
    return {name: value for name, value in chosen.items() if value is not None}


def _options(arguments) -> str:
    return " or ".join(f"--{name.replace('_', '-')}" for name in _chosen(arguments))


def _rows(model, count: int, arguments, given: dict) -> Iterator:
    import numpy as np

    ends = np.asarray(model.sample_latents(2 * count, arguments.seed))
    for number, (start, end) in enumerate(zip(ends[::2], ends[1::2], strict=True)):
        own = {name: part[number] for name, part in given.items()}
        yield model.interpolate(start, end, arguments.interpolate, **own)


def _batches(model, count: int, arguments, given: dict, choosing: dict) -> Iterator:
    import numpy as np

    labels = labels_of(model, count, arguments.labels)
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
