"""Commands that make something of a trained model: `demo`, `generate`, `export`; and `doctor`."""

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


def add_generate(commands) -> None:
    """Add the command `generate`."""
    parser = command(commands, "generate", _generate, "make images with a trained model")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("-n", type=int, default=64, help="number of images (default: 64)")
    parser.add_argument("--out", default="samples.png", help="a PNG for one grid; a folder for one PNG an image")
    parser.add_argument("--seed", type=int, help="the same seed gives the same images")
    parser.add_argument("--labels", type=_integers, help="classes of a conditional model: 3 or 0,1,2")
    parser.add_argument("--interpolate", type=int, metavar="STEPS", help="rows that morph from one image to another")


def _generate(arguments) -> None:
    start_tensorflow()
    import numpy as np

    from kerasgan import images
    from kerasgan.runs import loading

    model = loading.load(arguments.model)
    if arguments.interpolate:
        ends = np.asarray(model.sample_latents(2 * arguments.n, arguments.seed))
        pairs = zip(ends[::2], ends[1::2], strict=True)
        made = np.concatenate([model.interpolate(*pair, arguments.interpolate) for pair in pairs])
        columns = arguments.interpolate
    else:
        labels = arguments.labels[0] if arguments.labels and len(arguments.labels) == 1 else arguments.labels
        made, columns = model.generate(arguments.n, arguments.seed, labels), None
    out = Path(arguments.out)
    if out.suffix.lower() == ".png":
        images.save_png(out, images.grid(made, columns))
    else:
        for number, image in enumerate(images.to_uint8(made)):
            images.save_png(out / f"{number:05d}.png", image)
    print(f"{len(made)} images: {out}")


def _integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def add_export(commands) -> None:
    """Add the command `export`."""
    parser = command(commands, "export", _export, "write a generator for phones, browsers and servers")
    parser.add_argument("model", help=MODEL_HELP)
    parser.add_argument("--format", choices=("tflite", "saved_model"), default="tflite")
    parser.add_argument("--quantization", choices=QUANTIZATIONS, default="float32")
    parser.add_argument("--batch-size", type=int, default=1, help="images an invocation makes (tflite; default: 1)")
    parser.add_argument("--out", help="file or folder to write (default: export/MODEL...)")


def _export(arguments) -> None:
    start_tensorflow()
    from kerasgan import export
    from kerasgan.runs import loading

    model = loading.load(arguments.model)
    name = Path(arguments.model).stem
    if arguments.format == "saved_model":
        print(export.saved_model(model, arguments.out or f"export/{name}"))
        return
    suffix = "" if arguments.quantization == "float32" else f"_{arguments.quantization}"
    out = arguments.out or f"export/{name}{suffix}.tflite"
    print(export.tflite(model, out, quantization=arguments.quantization, batch_size=arguments.batch_size))


def add_doctor(commands) -> None:
    """Add the command `doctor`."""
    command(commands, "doctor", _doctor, "say what hardware, precision and versions are found")


def _doctor(arguments) -> None:
    start_tensorflow()
    from kerasgan.cli import doctor

    print(doctor.report())
