"""WAV files, and sounds of one length out of them."""

import os
import struct
import sys
import wave

import numpy as np
import pytest

from kerasgan import data
from kerasgan.data import wav

RAMP = np.linspace(-1, 1, 101)[:-1]


def write(path, samples, rate=8000, channels=1, bits=16):
    """A PCM file by the standard library; samples are floats in [-1, 1), interleaved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.round(np.asarray(samples) * 2.0 ** (bits - 1)).astype(np.int64)
    raw = (whole + 128 if bits == 8 else whole).astype("<i8").view(np.uint8).reshape(-1, 8)[:, : bits // 8].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        file.writeframes(raw)


def riff(format, sound, length=None, before=b""):
    chunk = b"fmt " + struct.pack("<I", len(format)) + format
    body = chunk + before + b"data" + struct.pack("<I", len(sound) if length is None else length) + sound
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def format_of(code=1, channels=1, rate=8000, bits=16, extra=b""):
    width = channels * bits // 8
    return struct.pack("<HHIIHH", code, channels, rate, rate * width, width, bits) + extra


def as_floats(sound):
    return sound / 2**15 if sound.dtype == np.int16 else sound


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("channels", [1, 2])
def test_pcm(tmp_path, bits, channels):
    samples = np.repeat(RAMP, channels) * np.tile([1, -0.5][:channels], len(RAMP))
    write(tmp_path / "a.wav", samples, channels=channels, bits=bits)
    assert wav.header(tmp_path / "a.wav")[:5] == (8000, channels, bits, False, 100)
    read = as_floats(wav.read(tmp_path / "a.wav"))
    assert read.shape == (100, channels)
    np.testing.assert_allclose(read, samples.reshape(-1, channels), atol=0.51 / 2 ** (bits - 1) + 1e-7)
    np.testing.assert_array_equal(as_floats(wav.read(tmp_path / "a.wav", 30, 40)), read[30:40])


def test_floats_extensible_formats_other_chunks_and_unknown_length(tmp_path):
    floats = RAMP.astype("<f4").tobytes()
    extensible = format_of(0xFFFE, bits=32, extra=struct.pack("<HHIH", 22, 32, 0, 3) + bytes(14))
    odd_chunk = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    for content in (
        riff(format_of(3, bits=32), floats),
        riff(extensible, floats),
        riff(format_of(3, bits=32), floats, before=odd_chunk),
        riff(format_of(3, bits=32), floats, length=0xFFFFFFFF),
    ):
        (tmp_path / "a.wav").write_bytes(content)
        np.testing.assert_allclose(wav.read(tmp_path / "a.wav")[:, 0], RAMP, atol=1e-7)


HOSTILE = {
    "text": (b"not a sound", "not a WAV file"),
    "empty": (b"", "not a WAV file"),
    "no format": (b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", "no description of its format"),
    "no data": (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + format_of(), "has no sound"),
    "cut format": (b"RIFF\0\0\0\0WAVEfmt \x04\0\0\0\1\0\1\0", "is cut"),
    "cut data": (riff(format_of(), bytes(8), length=1000), "promises 1,000 bytes of sound and holds 8"),
    "silent": (riff(format_of(), b""), "holds no sound"),
    "mp3 inside": (riff(format_of(85), bytes(8)), "format 85"),
    "12 bits": (riff(format_of(bits=12), bytes(8)), "12 bits"),
    "many channels": (riff(format_of(channels=6), bytes(24)), "6 channels"),
    "no channels": (riff(format_of(channels=0), bytes(24)), "0 channels"),
    "no rate": (riff(format_of(rate=0), bytes(24)), "at 0 samples a second"),
    "endless chunks": (b"RIFF\0\0\0\0WAVE" + b"abcd\0\0\0\0" * 5000, "no description of its format"),
    "chunk of 4 GB": (b"RIFF\0\0\0\0WAVEabcd\xff\xff\xff\xff", "no description of its format"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_files_are_named_and_can_be_skipped(tmp_path, attack):
    content, words = HOSTILE[attack]
    write(tmp_path / "good.wav", RAMP)
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(ValueError, match=rf"x\.wav cannot be read.*{words}"):
        data.audio.info(tmp_path)
    with pytest.warns(UserWarning, match=r"Skipped 1 file of .*\n.*x\.wav"):
        assert data.audio.info(tmp_path, on_error="skip").num_examples == 1


def test_files_that_are_none(tmp_path):
    write(tmp_path / "good.wav", RAMP)
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(ValueError, match=r"pipe\.wav is a named pipe"):
        data.audio.info(tmp_path)
    os.remove(tmp_path / "pipe.wav")
    (tmp_path / "loud.wav").write_bytes(riff(format_of(3, bits=32), np.array([0, 3], "<f4").tobytes()))
    with pytest.raises(ValueError, match=r"loud\.wav.*\[-1, 1\]; received 0.0 to 3.0"):
        data.audio.load(tmp_path, batch_size=1)


def sounds(dataset):
    batches = [batch if isinstance(batch, tuple) else (batch,) for batch in dataset.as_numpy_iterator()]
    return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("one", "two")):
        for take in range(3):
            write(tmp_path / name / f"{take}.wav", np.full(10 + 10 * take, (1 + 3 * number + take) / 10))
    return tmp_path


def test_class_folders(folder):
    info = data.audio.info(folder)
    assert info.arguments == {"samples": 30, "channels": 1, "rate": 8000, "num_classes": 2}
    assert info.class_names == ("one", "two")
    for cache in (True, False):
        read, labels = sounds(data.audio.load(folder, batch_size=3, labels=True, shuffle=False, cache=cache))
        assert read.shape == (6, 30, 1)
        assert labels.tolist() == [0, 0, 0, 1, 1, 1]
        np.testing.assert_allclose(read.max((1, 2)), np.arange(1, 7) / 10, atol=1e-4)
    assert data.audio.info(folder, limit=2).class_names == ("one", "two")


@pytest.mark.parametrize("cache", [True, False])
def test_places(folder, cache):
    options = {"batch_size": 6, "samples": 20, "shuffle": False, "cache": cache}
    start, centre = (
        sounds(data.audio.load(folder, place=place, **options))[0][..., 0] for place in ("start", "centre")
    )
    assert np.flatnonzero(start[0]).tolist() == list(range(10))
    assert np.flatnonzero(centre[0]).tolist() == list(range(5, 15))
    assert (start[1:3] != 0).all()
    dataset = data.audio.load(folder, place="random", **options)
    places = {int(np.flatnonzero(sounds(dataset)[0][0, :, 0])[0]) for _ in range(20)}
    assert len(places) > 3
    assert places <= set(range(11))


def test_random_pieces_reach_both_ends(tmp_path):
    ramp = np.arange(8, dtype=np.int16)[None, :]
    dataset = data.audio.load(ramp, rate=8, samples=4, place="random", batch_size=1)
    starts = {round(float(sounds(dataset)[0][0, 0, 0]) * 2**15) for _ in range(60)}
    assert starts == set(range(5))


def test_stereo(tmp_path):
    write(tmp_path / "a.wav", np.tile([0.5, 0.25], 10), channels=2)
    write(tmp_path / "b.wav", np.full(10, 0.5))
    with pytest.raises(ValueError, match=r"(a|b)\.wav does not go with the others: it has (1|2) channels.*channels="):
        data.audio.info(tmp_path)
    mono = sounds(data.audio.load(tmp_path, channels=1, batch_size=2, shuffle=False))[0]
    np.testing.assert_allclose(mono[:, 0, 0], [0.375, 0.5])
    stereo = sounds(data.audio.load(tmp_path, channels=2, batch_size=2, shuffle=False))[0]
    np.testing.assert_allclose(stereo[:, 0], [[0.5, 0.25], [0.5, 0.5]])


def test_files_of_several_rates_are_refused_or_skipped(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / f"{name}.wav", RAMP)
    write(tmp_path / "c.wav", RAMP, rate=16_000)
    with pytest.raises(ValueError, match=r"c\.wav does not go.* 16000 samples a second, not 1 at 8000.*Give rate="):
        data.audio.info(tmp_path)
    with pytest.warns(UserWarning, match="Skipped 1 file"):
        assert data.audio.info(tmp_path, on_error="skip").arguments["rate"] == 8000


def tone(pitch, rate, seconds=0.25):
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)


@pytest.mark.parametrize("cache", [True, False])
def test_a_rate_that_is_asked_for_is_what_all_files_come_to(tmp_path, cache):
    for rate in (8000, 11_025, 44_100):
        write(tmp_path / f"{rate}.wav", tone(440, rate), rate=rate)
    assert data.audio.info(tmp_path, rate=8000).arguments["samples"] == 2000
    read = sounds(data.audio.load(tmp_path, rate=8000, samples=2000, batch_size=3, cache=cache, shuffle=False))[0]
    inside = slice(100, -100)
    for sound in read[..., 0]:
        np.testing.assert_allclose(sound[inside], tone(440, 8000)[inside], atol=5e-3)


def test_what_a_rate_cannot_hold_is_filtered_out_and_not_folded_back(tmp_path):
    write(tmp_path / "high.wav", tone(7000, 44_100), rate=44_100)
    assert np.abs(sounds(data.audio.load(tmp_path, rate=8000, batch_size=1))[0][0, 100:-100]).max() < 5e-3


def test_resampling_without_scipy_says_how_to_get_it(tmp_path, monkeypatch):
    write(tmp_path / "a.wav", RAMP, rate=16_000)
    monkeypatch.setitem(sys.modules, "scipy.signal", None)
    with pytest.raises(ValueError, match=r"16000 samples a second to 8000 takes SciPy.*kerasgan\[sound\]"):
        data.audio.load(tmp_path, rate=8000)


def test_normalized_sounds_are_as_loud_as_can_be_and_silence_stays():
    quiet = np.array([[0.1, -0.2, 0.0], [0.0, 0.0, 0.0]])
    read = sounds(data.audio.load(quiet, rate=8000, batch_size=2, shuffle=False, normalize=True))[0]
    np.testing.assert_allclose(read[..., 0], [[0.5, -1, 0], [0, 0, 0]], atol=1e-6)


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        (np.zeros((2, 8), np.int16), {"rate": None}, "give rate="),
        (np.zeros(8, np.int16), {}, r"received shape \(8,\)"),
        (np.zeros((2, 8, 3), np.int16), {}, r"shape \(2, 8, 3\)"),
        (np.full((2, 8), 2.0), {}, "received dtype float64 with values from 0.0 to 2.0"),
        (np.full((2, 8), np.nan), {}, "nan"),
        (np.full((2, 8), 2**15), {}, "32768"),
        (np.zeros((2, 8)), {"labels": True}, "no labels"),
        ((np.zeros((2, 8)), [0, 2**40]), {}, "int32 cannot hold"),
        ((np.zeros((2, 8)), [0]), {}, r"received dtype int64, shape \(1,\)"),
        (np.zeros((2, 8)), {"place": "end"}, "'end'"),
        (np.zeros((2, 8)), {"channels": 3}, "received 3"),
        (np.zeros((2, 8)), {"samples": 0}, "samples"),
    ],
)
def test_errors_say_what_was_received(source, options, words):
    with pytest.raises(ValueError, match=words):
        data.audio.load(source, **({"rate": 8000} | options))
