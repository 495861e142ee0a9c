"""The commands `demo`, `export` and `doctor`."""

from pathlib import Path

from kerasgan.cli.start import MODEL_HELP, command, start_tensorflow

QUANTIZATIONS = ("float32", "float16", "dynamic", "int8")


def add_demo(commands) -> None:
    """Add the command `demo`."""
    parser = command(commands, "demo", _demo, "sample the zoo, then train, evaluate and export a DCGAN in minutes")
    parser.add_argument("--out", default="demo", help="folder for what the demo makes (default: demo)")
    parser.add_argument("--minutes", type=float, default=2.5, help="training time to aim at (default: 2.5)")


def _demo(arguments) -> None:
    start_tensorflow()
    from kerasgan.cli import demo

    demo.run(Path(arguments.out), arguments.minutes)


def add_export(commands) -> None:
    """Add the command `export`."""
    parser = command(commands, "export", _export, "write a generator for phones, browsers and servers")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("--format", choices=("tflite", "saved_model"), default="tflite")
    parser.add_argument("--quantization", choices=QUANTIZATIONS, help="of a tflite file (default: float32)")
    parser.add_argument("--batch-size", type=int, help="how many a call of a tflite file makes (default: 1)")
    parser.add_argument("--direction", help="one of several that the model knows, such as b_to_a")
    parser.add_argument("--out", help="file or folder to write (default: export/MODEL...)")


def _export(arguments) -> None:
    ignored = [name for name in ("quantization", "batch_size") if getattr(arguments, name) is not None]
    if arguments.format == "saved_model" and ignored:
        raise ValueError(
            f"A saved_model computes in float32 with any batch size; --{ignored[0].replace('_', '-')} is for "
            "--format tflite."
        )
    start_tensorflow()
    from kerasgan import export
    from kerasgan.cli.translate import direction_of
    from kerasgan.runs import loading

    model = direction_of(loading.load(arguments.model), arguments.direction)
    name = Path(arguments.model).stem + (f"_{arguments.direction}" if arguments.direction else "")
    if arguments.format == "saved_model":
        print(export.saved_model(model, arguments.out or f"export/{name}"))
        return
    quantization = arguments.quantization or "float32"
    suffix = "" if quantization == "float32" else f"_{quantization}"
    batch_size = 1 if arguments.batch_size is None else arguments.batch_size
    out = Path(arguments.out or f"export/{name}{suffix}.tflite")
    steps = model.stepwise() is not None and quantization in export.STEP_QUANTIZATIONS
    # Texts as a whole bear no other weights than float32, a step of them does.
    if quantization in model.makes.quantizations or not steps:
        print(export.tflite(model, out, quantization=quantization, batch_size=batch_size))
    if steps:
        step = out.with_stem(f"{out.stem}_step") if arguments.out else out.with_name(f"{name}_step{suffix}.tflite")
        print(export.tflite_step(model, step, quantization=quantization))


def add_doctor(commands) -> None:
    """Add the command `doctor`."""
    command(commands, "doctor", _doctor, "say what hardware, precision and versions are found")


def _doctor(arguments) -> None:
    start_tensorflow()
    from kerasgan.cli import doctor

    print(doctor.report())
