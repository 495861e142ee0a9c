"""Films of closed ways through latents."""

import os
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kerasgan
from kerasgan import cli, walk
from kerasgan.kinds import Latents

SEED = tf.constant([1, 0])


def frames_of(path) -> list[np.ndarray]:
    with Image.open(path) as film:
        found = []
        for number in range(film.n_frames):
            film.seek(number)
            found.append(np.asarray(film.convert("RGB"), "int16"))
        return found


# Ways


def test_ways_are_closed_and_even():
    ways = np.asarray(Latents(64).loop(3, 48, SEED))
    assert ways.shape == (48, 3, 64)
    steps = np.linalg.norm(ways - np.roll(ways, 1, axis=0), axis=2)
    # The step from the last to the first is one like the others.
    assert (steps[0] < 1.2 * steps[1:].max(axis=0)).all()
    assert steps.max() < 4 * steps.min()
    # Twice as fine a way goes through the same points.
    finer = np.asarray(Latents(64).loop(3, 96, SEED))
    np.testing.assert_allclose(finer[::2], ways, atol=1e-5)


def test_points_of_a_way_are_distributed_like_latents():
    ways = np.asarray(Latents(8).loop(4000, 5, SEED))
    for points in ways:
        np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=0.08)
        np.testing.assert_allclose(np.cov(points.T), np.eye(8), atol=0.12)
        assert np.square(points).sum(axis=1).std() == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize(("distribution", "low"), [("uniform", -1.0), ("unit", 0.0)])
def test_uniform_latents_stay_uniform(distribution, low):
    points = np.asarray(Latents(4, distribution).loop(4000, 3, SEED))
    assert points.min() >= low
    assert points.max() <= 1.0
    shares, _ = np.histogram(points[1], bins=8, range=(low, 1.0))
    np.testing.assert_allclose(shares / shares.sum(), 1 / 8, atol=0.01)


# Pictures


def test_a_seed_repeats_a_walk(make_gan):
    gan = make_gan()
    first, again, other = (list(walk.pictures(gan, 4, 3, seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (np.array(first) != np.array(other)).any()
    assert len(first) == 3
    assert first[0].dtype == np.uint8
    assert first[0].shape[0] >= 360


def test_labels_stay_what_they_are():
    gan = kerasgan.ConditionalGAN((16, 16, 1), latent_dim=4, num_classes=3, base_filters=4, seed=0)
    start = np.asarray(gan.takes["latents"].loop(2, 2, tf.constant([5, 0])))
    for number, frame in enumerate(walk.pictures(gan, 2, 2, 5, labels=[2, 0])):
        made = gan.sample([start[number], np.array([2, 0], "int32")])
        grid = kerasgan.images.grid(np.asarray(made))
        times = len(frame) // len(grid)
        np.testing.assert_array_equal(frame[::times, ::times], grid)


def test_every_random_input_goes_round():
    gan = kerasgan.InfoGAN((16, 16, 1), latent_dim=3, categories=2, codes=1, base_filters=4, seed=0)
    moving = list(walk.pictures(gan, 2, 4, 0))
    held = list(walk.pictures(gan, 2, 4, 0, codes=np.zeros((2, 1), "float32")))
    assert (np.array(moving) != np.array(held)).any()


# Films


@pytest.mark.parametrize("suffix", [".webp", ".gif"])
def test_films_repeat_and_last_as_long_as_they_should(make_gan, tmp_path, suffix):
    path = tmp_path / f"walk{suffix}"
    walk.film(make_gan(), path, tiles=4, frames=7, seconds=1.0, seed=1)
    with Image.open(path) as film:
        assert film.n_frames == 7
        assert film.info["loop"] == 0
        lasts = []
        for number in range(7):
            film.seek(number)
            film.load()
            lasts.append(film.info["duration"])
    assert sum(lasts) == 1000
    assert max(lasts) - min(lasts) <= 10
    assert [path.name for path in tmp_path.iterdir()] == [path.name]
    expected = list(walk.pictures(make_gan(), 4, 7, 1))
    for frame, picture in zip(frames_of(path), expected, strict=True):
        assert np.abs(frame - picture).mean() < (1 if suffix == ".gif" else 8)


def test_a_coloured_gif_has_one_palette(tmp_path):
    ramp = np.arange(60, dtype="uint8").reshape(1, 60, 1) * 4
    frames = [np.concatenate([ramp, 255 - ramp, np.full_like(ramp, 80 * n)], axis=2).repeat(8, 0) for n in range(3)]
    walk.save(tmp_path / "x.gif", iter(frames), 3, 0.3)
    for frame, picture in zip(frames_of(tmp_path / "x.gif"), frames, strict=True):
        assert np.abs(frame - picture).mean() < 6


def test_nothing_is_left_of_a_film_that_fails(tmp_path):
    def frames():
        yield np.zeros((8, 8, 3), "uint8")
        raise ValueError("diverged")

    with pytest.raises(ValueError, match="diverged"):
        walk.save(tmp_path / "x.webp", frames(), 2, 1.0)
    assert list(tmp_path.iterdir()) == []


# ffmpeg: a program that stands in for it, since not every machine has it


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """A function that puts a program of Python, named ffmpeg, where programs are looked for, and nothing else there."""
    if os.name == "nt":
        pytest.skip("programs are texts on POSIX only")

    def install(text: str | None):
        folder = tmp_path / "programs"
        folder.mkdir()
        if text is not None:
            program = folder / "ffmpeg"
            program.write_text(f"#!{sys.executable}\nimport sys\n{text}\n")
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


def test_ffmpeg_gets_all_frames_and_their_size(tmp_path, ffmpeg):
    ffmpeg("open(sys.argv[-1], 'w').write(' '.join(sys.argv[1:]) + '|' + sys.stdin.buffer.read().hex())")
    frames = [np.full((3, 5, 1), number, "uint8") for number in range(4)]
    walk.save(tmp_path / "x.mp4", iter(frames), 4, 0.5)
    told, got = (tmp_path / "x.mp4").read_text().split("|")
    assert "-s 5x3 -r 8 -i -" in told
    assert bytes.fromhex(got) == b"".join(bytes([number]) * 45 for number in range(4))


def test_what_ffmpeg_says_is_told_and_nothing_is_left(tmp_path, ffmpeg):
    ffmpeg("sys.exit('Unknown encoder')")
    frames = (np.zeros((200, 200, 3), "uint8") for _ in range(9))
    with pytest.raises(ValueError, match=r"could not write the film \(Unknown encoder\)"):
        walk.save(tmp_path / "x.mp4", frames, 9, 1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["programs"]


def test_without_ffmpeg_other_films_are_named(tmp_path, ffmpeg, make_gan):
    ffmpeg(None)
    with pytest.raises(ValueError, match=r"ffmpeg, which is not found. Write a .webp"):
        walk.film(make_gan(), tmp_path / "x.mp4")


# Refusals and the command


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": "x.avi"}, "ends in one of .webp, .gif, .mp4"),
        ({"frames": 1}, "at least 2 frames"),
        ({"frames": 100, "seconds": 1.0}, "0.02 seconds at least"),
        ({"frames": 3001, "seconds": 900.0}, "at most 3,000 frames"),
        ({"seconds": float("nan")}, "nan seconds"),
        ({"tiles": 0}, "positive integer"),
        ({"labels": 1}, "unconditional"),
    ],
)
def test_films_that_cannot_be(make_gan, tmp_path, settings, message):
    settings = {"path": "x.gif"} | settings
    with pytest.raises(ValueError, match=message):
        walk.film(make_gan(), tmp_path / settings.pop("path"), **settings)
    assert list(tmp_path.iterdir()) == []


def test_models_without_latents_or_images_are_refused(tmp_path):
    for model in (kerasgan.CycleGAN((16, 16, 1), base_filters=4), kerasgan.WaveGAN(256, base_filters=4)):
        with pytest.raises(ValueError, match="a walk is for models that make images of latents"):
            walk.film(model, tmp_path / "x.gif")


def test_the_command_writes_what_the_function_does(tmp_path, capsys):
    path = tmp_path / "walk.gif"
    command = ["generate", "conditional_gan_mnist", "--video", str(path), "--frames", "3", "--seconds", "0.5"]
    assert cli.main([*command, "-n", "2", "--seed", "4", "--labels", "7"]) == 0
    assert "2 images in 3 frames, 0.5 seconds" in capsys.readouterr().out
    model = kerasgan.from_preset("conditional_gan_mnist")
    expected = list(walk.pictures(model, 2, 3, 4, labels=7))
    for frame, picture in zip(frames_of(path), expected, strict=True):
        np.testing.assert_allclose(frame, np.broadcast_to(picture, frame.shape), atol=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--video", "x.avi"], "ends in one of"),
        (["--video", "x.gif", "--out", "y.png"], "Leave out --out"),
        (["--video", "x.gif", "--interpolate", "3"], "Leave out --interpolate"),
        (["--frames", "3"], "Give --video"),
        (["--video", "x.gif", "--seconds", "inf"], "--seconds must be"),
    ],
)
def test_options_that_do_not_go_together(options, message, capsys):
    assert cli.main(["generate", "dcgan_mnist", *options]) == 1
    assert message in capsys.readouterr().err
