"""Every kind of model from its recipe to what people get of it: run, samples, presets, TensorBoard, command line."""

import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy_kinds import ToyPainter, ToyRecolourer, ToySinger, ToyWriter
from toy_models import ToyTranslator

import kerasgan
from kerasgan import cli, images, metrics
from kerasgan.callbacks import CollapseMonitor, GenerativeMetrics, SampleSummary
from kerasgan.models import MODELS
from kerasgan.presets import read_metadata, verify
from kerasgan.publishing import packing
from kerasgan.runs import recipes, training
from kerasgan.testing import Case
from kerasgan.testing.tools import with_examples

TOYS = {
    "toy_recolourer": ToyRecolourer,
    "toy_translator": ToyTranslator,
    "toy_painter": ToyPainter,
    "toy_singer": ToySinger,
    "toy_writer": ToyWriter,
}
SUFFIX = {"toy_singer": ".wav", "toy_writer": ".txt"}
SMALL = {"image_size": 16, "channels": 1}


def grey(number: int, width: int = 16):
    return np.random.default_rng(number).integers(0, 256, (16, width, 1), "uint8")


def write_pairs(folder: Path) -> dict:
    for number in range(6):
        images.save_png(folder / f"{number}.png", grey(number, 32))
    return {"source": str(folder), "batch_size": 3, **SMALL}


def write_unpaired(folder: Path) -> dict:
    for number in range(6):
        images.save_png(folder / ("trainA" if number % 2 else "trainB") / f"{number}.png", grey(number))
    for side in ("testA", "testB"):
        for number in range(2):
            images.save_png(folder / side / f"{number}.png", grey(100 + number))
    return {"source": str(folder), "batch_size": 3, **SMALL}


def write_captions(folder: Path) -> dict:
    rows = []
    for number in range(6):
        images.save_png(folder / f"{number}.png", grey(number))
        rows.append(f"{number}.png\t{('left', 'right', 'middle')[number % 3]} dark")
    (folder / "captions.tsv").write_text("\n".join(["file\tcaption", *rows]) + "\n")
    return {"source": str(folder), "batch_size": 3, "caption_length": 3, "vocabulary": 5, **SMALL}


def write_sounds(folder: Path) -> dict:
    folder.mkdir()
    for number in range(6):
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", None))
            levels = 9000 * np.sin(np.arange(64) * (number + 1) / 10)
            file.writeframes(levels.astype("<i2").tobytes())
    return {"source": str(folder), "batch_size": 3, "samples": 64}


def write_text(folder: Path) -> dict:
    folder.mkdir()
    (folder / "lines.txt").write_text("a a a a\n" * 6)
    return {"source": str(folder / "lines.txt"), "batch_size": 3, "length": 4, "vocabulary": 3}


DATA = {
    "toy_recolourer": write_pairs,
    "toy_translator": write_unpaired,
    "toy_painter": write_captions,
    "toy_singer": write_sounds,
    "toy_writer": write_text,
}


@pytest.fixture(scope="module", params=TOYS)
def run(request, tmp_path_factory):
    """The folder of a run of one epoch, by the name of its model."""
    folder = tmp_path_factory.mktemp(request.param)
    recipe = {
        "model": {"type": request.param},
        "data": DATA[request.param](folder / "data"),
        "epochs": 1,
        "precision": "float32",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerasgan.models.MODELS", MODELS | TOYS)
        training.train(recipes.from_dict(recipe), folder / request.param, verbose=0)
        yield folder / request.param


def suffix(run: Path) -> str:
    return SUFFIX.get(run.name, ".png")


def test_a_run_has_samples_of_its_kind_and_what_its_model_needs(run):
    assert (run / f"samples{suffix(run)}").is_file()
    model = training.load_run(run)
    assert set(model.examples) == set(model.kinds_of_examples())
    assert (run / "logs").is_dir()
    # From the test split, where there is one: two photographs a side.
    if run.name == "toy_translator":
        assert [len(array) for array in model.examples.values()] == [2, 2]
        np.testing.assert_array_equal(images.to_uint8(model.examples["a"][0]), grey(100))


def test_a_run_goes_on(run):
    recipe = recipes.read(run / training.RECIPE)
    assert recipes.resolved(recipe).data["source"] == recipe.data["source"]
    model = training.train(recipe, run, resume=True, verbose=0)
    assert model.epochs_done == 1


def test_a_run_is_packed_with_its_examples(run, tmp_path):
    folder = packing.pack(run, tmp_path / "preset")
    assert verify(folder).max_error == 0.0
    metadata, card = read_metadata(folder), (folder / "README.md").read_text()
    assert metadata["makes"]["suffix"] == suffix(run)
    assert f"[samples](samples{suffix(run)})" in card
    assert (folder / f"samples{suffix(run)}").is_file()
    model = kerasgan.from_preset(folder)
    assert (folder / "examples.npz").is_file() == bool(model.examples)
    # What the card tells people to do works.
    assert len(model.generate(metadata.get("examples", 64), seed=0)) > 0
    assert f"= model.generate({min(64, metadata.get('examples', 64))}, seed=0)" in card


@pytest.mark.parametrize("out", ["made", "made/"])
def test_the_command_line_writes_by_kind(run, tmp_path, out, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = out if out.endswith("/") else f"{out}{suffix(run)}"
    assert cli.main(["generate", str(run), "-n", "2", "--seed", "1", "--out", target]) == 0
    assert Path(target).is_file() or len(list(Path(target).glob(f"*{suffix(run)}"))) == 2


def toy(name: str):
    case = Case(name, TOYS[name])
    return case, with_examples(case.make(seed=0), case)


@pytest.mark.parametrize(("option", "direction"), [([], "a_to_b"), (["--direction", "b_to_a"], "b_to_a")])
def test_translate_writes_each_photo_or_pairs(tmp_path, option, direction):
    _, model = toy("toy_translator")
    model.save(tmp_path / "model.keras")
    for name in ("x", "y"):
        images.save_png(tmp_path / f"{name}.png", np.random.default_rng(3).integers(0, 256, (40, 60, 3), "uint8"))
    photos = [str(tmp_path / "x.png"), str(tmp_path / "y.png")]
    base = ["translate", str(tmp_path / "model.keras"), *photos, *option]
    assert cli.main([*base, "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.png", "y.png"]
    with Image.open(tmp_path / "out" / "x.png") as made:
        assert made.size == (16, 16)
        pixels = np.asarray(made)
    assert cli.main([*base, "--out", str(tmp_path / "pairs.png")]) == 0
    with Image.open(tmp_path / "pairs.png") as pairs:
        assert pairs.size == (2 + 2 * 18, 2 + 2 * 18)
        grid = np.asarray(pairs)
    np.testing.assert_array_equal(grid[2:18, 20:36], pixels)
    # The photo is on the left, and what the model makes of it is the sampler's doing.
    photo = images.to_float(grid[None, 2:18, 2:18, None])
    expected = images.to_uint8(model.directions()[direction].translate(photo))[0, :, :, 0]
    np.testing.assert_allclose(pixels, expected, atol=1)


def test_translate_takes_folders_and_says_what_it_did(tmp_path, capsys):
    _, model = toy("toy_translator")
    model.save(tmp_path / "model.keras")
    for number in range(3):
        images.save_png(tmp_path / "photos" / "deep" / f"{number}.png", np.full((30, 20, 3), 10 * number, "uint8"))
    command = ["translate", str(tmp_path / "model.keras"), str(tmp_path / "photos"), "--out", str(tmp_path / "out")]
    assert cli.main(command) == 0
    assert "3 images, of photos cut and resized to 16x16" in capsys.readouterr().out
    assert len(list((tmp_path / "out").iterdir())) == 3
    (tmp_path / "empty").mkdir()
    assert cli.main(["translate", str(tmp_path / "model.keras"), str(tmp_path / "empty")]) == 1
    assert "holds no PNG" in capsys.readouterr().err


def test_translate_names_what_it_cannot_use(tmp_path, capsys):
    _, model = toy("toy_translator")
    model.save(tmp_path / "model.keras")
    (tmp_path / "text.png").write_text("no image")
    for photo, word in (("text.png", "not a PNG"), ("none.png", "none.png")):
        assert cli.main(["translate", str(tmp_path / "model.keras"), str(tmp_path / photo)]) == 1
        error = capsys.readouterr().err
        assert word in error
        assert error.count("\n") == 1


def test_summaries_show_sources_beside_and_captions_once(tmp_path):
    for name, tags in (
        ("toy_translator", {"images": {"a_to_b/ema", "a_to_b/live", "b_to_a"}}),
        ("toy_recolourer", {"images": {"samples/ema", "samples/live"}}),
        ("toy_painter", {"images": {"samples/ema", "samples/live"}, "text": {"given/captions"}}),
        (
            "toy_singer",
            {
                "audio": {"samples/ema", "samples/live"},
                "images": {"samples/ema/spectrograms", "samples/live/spectrograms"},
            },
        ),
        ("toy_writer", {"text": {"samples"}}),
    ):
        case, model = toy(name)
        model.compile(run_eagerly=True)
        model.fit(case.dataset(), verbose=0, callbacks=[SampleSummary(tmp_path / name, num_images=4)])
        events = EventAccumulator(str(tmp_path / name)).Reload()
        found = {}
        for tag, metadata in events.summary_metadata.items():
            found.setdefault(metadata.plugin_data.plugin_name, set()).add(tag)
        assert found == tags
        steps = {tag: [event.step for event in events.Tensors(tag)] for tag in events.summary_metadata}
        assert all(when == ([-1] if tag.startswith("given") else [-1, 0]) for tag, when in steps.items())


def test_what_cannot_be_made_up_is_given_or_refused(tmp_path):
    case, model = toy("toy_recolourer")
    source = case.given(3)["source"]
    np.testing.assert_array_equal(model.generate(3, seed=1, source=source), model.translate(source, seed=1))
    assert len(model.generate(6, seed=1)) == 6
    with pytest.raises(ValueError, match=r"has only 6 examples of its own: give source=, 7 images \(16x16x1\)"):
        model.generate(7)
    with pytest.raises(ValueError, match=r"needs source= for each of the 2.*received 3"):
        model.generate(2, source=source)
    model.examples = {}
    with pytest.raises(ValueError, match="has no examples"):
        model.generate(1)
    with pytest.raises(ValueError, match=r"needs examples of \['source'\]; received \['photo'\]"):
        model.examples = {"photo": source}
    with pytest.raises(ValueError, match="was built for images of shape"):
        model.examples = {"source": source[:, 1:]}


def test_examples_are_kept_with_the_model_as_bytes(tmp_path):
    _, model = toy("toy_recolourer")
    np.testing.assert_array_equal(images.to_float(images.to_uint8(model.examples["source"])), model.examples["source"])
    model.save(tmp_path / "model.keras")
    loaded = training.load_keras_file(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))
    np.testing.assert_array_equal(loaded.examples["source"], model.examples["source"])


def test_metrics_take_given_inputs_and_never_the_examples():
    case, model = toy("toy_translator")
    with pytest.raises(ValueError, match=r"its examples are too few.*given={'a': array}"):
        metrics.generated(model, 4, 0)
    sources = case.given(4)["a"]
    made = metrics.generated(model, 4, 0, given={"a": sources}).first(4)
    np.testing.assert_array_equal(made, images.to_uint8(model.translate(sources)))
    for name, words in (
        ("toy_singer", "the model makes 64x1 at 8000 Hz"),
        ("toy_writer", "There is no file mnist_mini"),
    ):
        with pytest.raises(ValueError, match=words):
            metrics.evaluate(toy(name)[1], "mnist_mini")


def test_callbacks_refuse_what_they_cannot_measure():
    _, singer = toy("toy_singer")
    callback = GenerativeMetrics("mnist_mini")
    callback.set_model(singer)
    with pytest.raises(ValueError, match="hears 4096x1 at 8000 Hz; the model makes 64x1"):
        callback.on_train_begin()
    with pytest.raises(ValueError, match=r"compares with plain images; ToyTranslator learns from \['a', 'b'\]"):
        CollapseMonitor("mnist_mini").set_model(toy("toy_translator")[1])


def test_a_training_dict_may_name_the_parts():
    case, model = toy("toy_painter")
    model.compile(run_eagerly=True)
    parts = case.parts(4)
    assert model.fit(dict(reversed(parts.items())), shuffle=False, verbose=0).history == _again(case, parts).history
    for data, message in (
        ({**parts, "other": parts["images"]}, r"a dict with \['other'\] besides"),
        (list(parts.values()) * 2, "received 4 parts"),
        ({"captions": parts["captions"]}, r"no \['images'\]"),
        ({**parts, "captions": parts["captions"] + 5}, r"Tokens must be in 0\.\.4"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(data, verbose=0)


def _again(case, parts):
    model = case.make(seed=0)
    model.compile(run_eagerly=True)
    return model.fit(*parts.values(), shuffle=False, verbose=0)
