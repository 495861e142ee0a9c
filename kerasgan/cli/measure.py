"""Commands that measure, `evaluate`, and that show what measuring keeps, `cache`."""

import sys
from pathlib import Path

from kerasgan.cli.start import DATA_DIR_HELP, MODEL_HELP, command, start_tensorflow


def add_evaluate(commands) -> None:
    """Add the command `evaluate`."""
    parser = command(commands, "evaluate", _evaluate, "measure a trained model, or a folder of images, by a data set")
    parser.add_argument("model", help=f"{MODEL_HELP}, or a folder of images")
    parser.add_argument("--against", metavar="DATA", help="data set or folder (default: the one it was trained on)")
    parser.add_argument("-n", type=int, default=10_000, help="images on each side (default: 10000, or all there are)")
    parser.add_argument("--seed", type=int, default=0, help="of the generated images (default: 0)")
    parser.add_argument("--split", help="real images to compare with (default: test, where there is one)")
    parser.add_argument("--extractor", help=_EXTRACTOR_HELP)
    parser.add_argument("--metrics", type=_names, help="fid,kid,prdc,... (default: all)")
    parser.add_argument("--out", help="write the results as JSON")
    parser.add_argument("--neighbours", metavar="PNG", help="draw samples beside their nearest training images")
    parser.add_argument("--data-dir", help=DATA_DIR_HELP)


_EXTRACTOR_HELP = (
    "efficientnet_lite0, or mnist, fashion_mnist, cifar10 (default: the classifier of the data set, where it has one, "
    "otherwise efficientnet_lite0); inception, inception_768, keras_inception are downloaded once; "
    "sounds are heard by spoken_digit"
)


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _evaluate(arguments) -> None:
    start_tensorflow()
    from kerasgan import images, metrics
    from kerasgan.metrics.translation import apart_from

    model, real = _model_or_images(arguments.model)
    if arguments.against:
        real = {"against": arguments.against}
    if real is None:
        raise ValueError("Say what to compare with: --against DATA.")
    if arguments.split:
        real["split"] = arguments.split
    image_shape = model.first(1).shape[1:] if isinstance(model, metrics.ImageSet) else model.image_shape
    results = metrics.evaluate(
        model,
        **real,
        n=arguments.n,
        seed=arguments.seed,
        extractor=arguments.extractor,
        metrics=arguments.metrics,
        data_dir=arguments.data_dir,
        progress=sys.stdout.isatty(),
    )
    print(metrics.as_text(results))
    if arguments.out:
        metrics.save(arguments.out, results)
    if arguments.neighbours:
        generated = model if isinstance(model, metrics.ImageSet) else metrics.generated(model, 32, arguments.seed)
        size = {"image_size": image_shape[:2], "channels": image_shape[2], "data_dir": arguments.data_dir}
        extractor = metrics.extractor(arguments.extractor or metrics.suitable_extractor(real["against"], image_shape))
        learned_from = apart_from(real.pop("split", "test")) or "train"
        training = metrics.dataset(real.pop("against"), learned_from, **real, **size)
        images.save_png(arguments.neighbours, metrics.neighbours_picture(generated, training, extractor=extractor))
        by = extractor.neighbours
        print(f"Samples, each with its nearest training image (by {by}) to its right: {arguments.neighbours}")


def _model_or_images(name_or_path: str):
    """Return a trained model and the real images to compare it with, or the images of a folder and None."""
    from kerasgan import metrics
    from kerasgan.presets import files as preset_files
    from kerasgan.runs import loading, training

    path = Path(name_or_path)
    trained = any((path / name).is_file() for name in (preset_files.METADATA, training.RECIPE))
    if path.is_dir() and not trained and name_or_path not in preset_files.list_presets():
        return metrics.dataset(path, "train"), None
    return loading.load(name_or_path), loading.real_images(name_or_path)


def add_cache(commands) -> None:
    """Add the command `cache`."""
    parser = command(commands, "cache", _cache, "show or clear what kerasgan keeps: weights and features for metrics")
    parser.add_argument("action", nargs="?", choices=("show", "clear"), default="show")


def _cache(arguments) -> None:
    from kerasgan.support import cache

    if arguments.action == "clear":
        print(f"Freed {cache.clear() / 1e6:.1f} MB in {cache.folder()}")
        return
    for path, size in cache.entries():
        print(f"{size / 1e6:8.1f} MB  {path.relative_to(cache.folder())}")
    print(f"{sum(size for _, size in cache.entries()) / 1e6:8.1f} MB in {cache.folder()}")
