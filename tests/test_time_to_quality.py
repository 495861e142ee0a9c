"""Quality over processor time: who takes part on what terms, runs that go on where they stopped, table and figure."""

from pathlib import Path

import numpy as np
import pytest
import quality_contenders as contenders
import time_to_quality as benchmark

import kerasgan

README = Path(__file__).parents[1] / "README.md"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark.LEDGER, "path", tmp_path / "time_to_quality.json")
    return benchmark.LEDGER.path


def record(model: str, minutes: float, fid: float, seed: int = 0, length: float = 5) -> dict:
    key = {"data": "fashion_mnist", "model": model, "length": length, "samples": 10_000, "seed": seed}
    results = {"fid": {"value": fid, "floor": 0.02}, "precision": {"value": 0.5}, "recall": {"value": 0.25}}
    return key | {"minutes": minutes, "cpu_seconds": 60.5 * minutes, "images": 1200 * minutes, "results": results}


def test_the_readme_shows_the_measured_runs():
    if not benchmark.LEDGER.runs():
        pytest.skip("no run is kept yet")
    assert (README.parent / "docs" / "time_to_quality.png").is_file()
    assert f"{benchmark.START}\n{benchmark.section()}\n{benchmark.END}" in README.read_text(encoding="utf-8"), (
        "run `python tests/benchmarks/time_to_quality.py table --readme README.md`"
    )


def test_a_row_is_a_model_and_a_column_a_time(results):
    kept = [record("keras_io_ada", 1, 80.0), record("dcgan", 1, 9.0), record("dcgan", 5, 3.0)]
    benchmark.LEDGER.keep(*kept, record("dcgan", 5, 4.0, seed=1))
    header, _, *rows = benchmark.table().splitlines()
    assert "| 1 min | 5 min |" in header
    assert rows == [
        "| fashion_mnist, FID | DCGAN | 2 | 6,000 | 9 | 3.5 ± 0.71 | 0.5 ± 0 | 0.25 ± 0 |",
        "| fashion_mnist, FID | keras.io GAN with ADA | 1 | 1,200 | 80 |  | 0.5 | 0.25 |",
    ]


def test_the_figure_has_a_panel_for_each_data_set(results, tmp_path):
    pytest.importorskip("matplotlib")
    faces = record("r3gan", 1, 1.0) | {"data": "lfwcrop"}
    faces["results"] = faces["results"] | {"kid": {"value": 0.3, "floor": 0.001}}
    widths = []
    for kept in ([record("dcgan", 1, 9.0), record("dcgan", 5, 3.0)], [faces]):
        benchmark.LEDGER.keep(*kept)
        assert benchmark.main(["figure", "--out", str(tmp_path / "figure.png")]) == 0
        with kerasgan.images.open_image(tmp_path / "figure.png") as picture:
            widths.append(picture.size[0])
    assert widths[1] == 2 * widths[0]


@pytest.fixture
def pretended(monkeypatch):
    """Data sets that need not be there."""

    def info(source, **_):
        return kerasgan.data.Info(source, 60_000, (32, 32, 3) if source == "lfwcrop" else (28, 28, 1), 10)

    monkeypatch.setattr(kerasgan.data, "info", info)


@pytest.mark.parametrize(("model", "source"), [("dcgan", "fashion_mnist"), ("sngan", "lfwcrop"), ("r3gan", "lfwcrop")])
def test_ours_are_the_recipes_of_presets_with_schedules_as_long_as_the_run(model, source, pretended):
    gan = contenders.build(model, source, seed=0, images=32_000)
    # No labels, though there are some.
    assert list(gan.takes) == ["latents"]
    rate = gan.g_optimizer._learning_rate
    # In rounds: after 12 of the preset's 20 epochs, to the end, and, of R3GAN, in images.
    assert {"dcgan": 300, "sngan": 1000, "r3gan": 32_000}[model] == (
        rate.over if model == "r3gan" else rate.decay_steps
    )
    assert gan.image_shape == ((32, 32, 3) if source == "lfwcrop" else (28, 28, 1))


def test_opponents_are_those_for_the_images(pretended):
    assert contenders.build("keras_io_ada", "lfwcrop", seed=0).name == "keras_io_ada_faces"
    opponent = contenders.build("keras_io_dcgan", "fashion_mnist", seed=0)
    assert (opponent.name, contenders.batch_size("keras_io_dcgan", "fashion_mnist", opponent)) == ("keras_io_gan", 64)


@pytest.fixture
def tiny(monkeypatch):
    """Return the models that were built, tiny ones in place of all contenders."""
    built = []

    def build(model, source, seed, images=0):
        built.append(kerasgan.DCGAN((28, 28, 1), latent_dim=4, base_filters=2, seed=seed))
        built[-1].compile()
        return built[-1]

    monkeypatch.setattr(contenders, "build", build)
    return built


def test_a_stopped_run_goes_on_from_its_last_point(results, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "MARKS", (0.01,))
    command = ["run", "--models", "stylegan2", "--data", "mnist_mini", "--minutes", "0.03", "--samples", "200"]
    command += ["--runs", str(tmp_path / "runs")]
    measure, seen = benchmark.measured, []

    def interrupted(gan, *arguments, **settings):
        seen.append(gan.generator.get_weights())
        if len(seen) == 2:
            raise KeyboardInterrupt
        return measure(gan, *arguments, **settings)

    monkeypatch.setattr(benchmark, "measured", interrupted)
    with pytest.raises(KeyboardInterrupt):
        benchmark.main(command)
    (first,) = benchmark.LEDGER.runs()
    assert first["minutes"] == 0.01
    assert first["cpu_seconds"] >= 0.6
    assert first["images"] == 32 * first["rounds"] > 0

    # The second point was trained and kept, but not measured: it is what the next process begins with.
    assert benchmark.main(command) == 0
    assert [each["minutes"] for each in benchmark.LEDGER.runs()] == [0.01, 0.03]
    for one, other in zip(seen[1], seen[2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(seen[0][0], seen[1][0])
    second = benchmark.LEDGER.runs()[1]
    assert second["rounds"] > first["rounds"]
    assert len(tiny) == 2
    # All is kept: nothing is built again.
    assert benchmark.main(command) == 0
    assert len(tiny) == 2


def test_points_that_can_no_longer_be_measured_are_refused(results, tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "MARKS", (0.005,))
    monkeypatch.setattr(benchmark, "measured", lambda *_, **__: {"fid": {"value": 1.0}})
    command = ["run", "--models", "stylegan2", "--data", "mnist_mini", "--minutes", "0.01", "--samples", "200"]
    command += ["--runs", str(tmp_path / "runs")]
    assert benchmark.main(command) == 0
    results.unlink()
    assert benchmark.main(command) == 1
    assert "past 0.005 minutes" in capsys.readouterr().err
