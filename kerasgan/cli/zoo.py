"""The command `zoo`: what is done with the trained models that come with kerasgan, one function an action."""

import sys
from pathlib import Path

from kerasgan.cli.start import DATA_DIR_HELP, command, start_tensorflow


def add(commands) -> None:
    """Add the command `zoo`."""
    parser = command(commands, "zoo", _zoo, "list, show and verify the trained models that come with kerasgan")
    parser.add_argument("action", nargs="?", choices=tuple(ACTIONS), default="list")
    parser.add_argument("name", nargs="?", help="a preset (show, verify, measure), or a run (pack)")
    parser.add_argument("--out", help="preset folder to write (pack), or README to bring up to date (table)")
    parser.add_argument("--half", action="store_true", help="keep weights as float16, in half the space (pack)")
    parser.add_argument("--all", action="store_true", help="every preset (verify, measure)")
    parser.add_argument("--files-only", action="store_true", help="verify without data: files and golden images")
    parser.add_argument("--data-dir", help=DATA_DIR_HELP)


def _zoo(arguments) -> None:
    if arguments.name and arguments.all:
        raise ValueError(f"Give a name or --all, not both; received {arguments.name!r} and --all.")
    ACTIONS[arguments.action](arguments)


def _list(arguments) -> None:
    from kerasgan.publishing import cards

    print(cards.text_table())


def _show(arguments) -> None:
    from kerasgan.presets import files as preset_files

    folder = preset_files.preset_folder(_required(arguments, "a preset"))
    print((folder / "README.md").read_text(encoding="utf-8"), end="")


def _verify(arguments) -> None:
    from kerasgan.presets import files as preset_files

    start_tensorflow()
    for name in [arguments.name] if arguments.name else preset_files.list_presets():
        _verify_preset(name, arguments)


def _verify_preset(name: str, arguments) -> None:
    from kerasgan import presets
    from kerasgan.publishing.remeasure import TOLERANCE, remeasure

    found = presets.verify(name)
    print(f"{found.name}: {found.files} files intact, golden images within {found.max_error:.1g}")
    if arguments.files_only:
        return
    pairs = remeasure(name, arguments.data_dir, progress=sys.stdout.isatty())
    for stored, measured in pairs:
        print(f"  {stored.name}: card {stored.value:.6g}, now {measured.value:.6g}")
    moved = [pair.stored.name for pair in pairs if not pair.agrees]
    if moved:
        raise ValueError(
            f"{name}: {', '.join(moved)} moved from the card by more than {TOLERANCE}. Its weights are intact, so "
            "the data set, the extractor or the numerics of this machine are others."
        )
    print(f"{found.name}: {len(pairs)} results agree with the card (within {TOLERANCE})")


def _measure(arguments) -> None:
    # Cards are rewritten: all of them only when asked in so many words.
    names = [] if arguments.all else [_required(arguments, "a preset or --all")]
    start_tensorflow()
    from kerasgan import metrics
    from kerasgan.presets import files as preset_files
    from kerasgan.publishing import packing

    for name in names or preset_files.list_presets():
        print(metrics.as_text(packing.measure(name, arguments.data_dir, progress=sys.stdout.isatty())))


def _table(arguments) -> None:
    from kerasgan.publishing import cards
    from kerasgan.support import files

    if not arguments.out:
        print(cards.markdown_table())
        return
    readme = Path(arguments.out)
    files.write_text(readme, cards.readme_with_table(readme.read_text(encoding="utf-8")))


def _pack(arguments) -> None:
    run = _required(arguments, "a run")
    folder = arguments.out or f"{run}-preset"
    start_tensorflow()
    from kerasgan.publishing import packing

    print(f"Packed: {packing.pack(run, folder, arguments.data_dir, arguments.half)}")


def _required(arguments, what: str) -> str:
    if not arguments.name:
        raise ValueError(f"kerasgan zoo {arguments.action} needs {what}.")
    return arguments.name


ACTIONS = {"list": _list, "show": _show, "verify": _verify, "measure": _measure, "table": _table, "pack": _pack}
