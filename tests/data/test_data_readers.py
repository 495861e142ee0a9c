"""What every reader promises: seeded order, exact resume, one pass an epoch; and what each is told by its data."""

import numpy as np
import pytest
from PIL import Image

from kerasgan import data
from kerasgan.images import to_uint8

RNG = np.random.default_rng(0)
COUNT = 24


def picture(path, level, size=(8, 8), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level,) * 3).save(path)


def sources(folder):
    """{word: (source, options)} of the smallest data that tell examples apart."""
    images = np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 1), 10, np.uint8)
    sounds = np.arange(COUNT, dtype=np.int16)[:, None] * 100 + np.arange(32, dtype=np.int16)
    captions = [[f"image {number}", f"number {number} again"] for number in range(COUNT)]
    (folder / "lines.txt").write_text("\n".join(f"line {number} of the file" for number in range(COUNT)))
    return {
        "images": (images, {"flip": True}),
        "pairs": ((images, 255 - images), {"flip": True}),
        "unpaired": ((images, images[:10]), {"flip": True}),
        "captions": ((images, captions), {"flip": True}),
        "audio": (sounds, {"rate": 8000, "samples": 16, "place": "random"}),
        "tokens": (str(folder / "lines.txt"), {}),
    }


def epoch(dataset):
    """One epoch: each part as one array, in a tuple."""
    batches = [batch if isinstance(batch, tuple) else (batch,) for batch in dataset.as_numpy_iterator()]
    return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("word", data.READERS)
def test_epochs_depend_on_seed_and_number_only(tmp_path, word):
    source, options = sources(tmp_path)[word]
    load = data.reader(word).load
    dataset = load(source, batch_size=8, seed=3, **options)
    epochs = [epoch(dataset) for _ in range(3)]
    assert len(dataset) == 3
    assert not same(epochs[0], epochs[1])
    again = load(source, batch_size=8, seed=3, first_epoch=1, **options)
    assert same(epoch(again), epochs[1])
    assert same(epoch(again), epochs[2])
    assert not same(epoch(load(source, batch_size=8, seed=4, **options)), epochs[0])


@pytest.mark.parametrize("word", data.READERS)
def test_info_says_what_load_gives(tmp_path, word):
    source, options = sources(tmp_path)[word]
    known = {name: value for name, value in options.items() if name not in ("flip", "place")}
    info = data.reader(word).info(source, **known)
    dataset = data.reader(word).load(source, batch_size=5, drop_remainder=False, **options)
    parts = epoch(dataset)
    assert info.num_examples == COUNT == len(parts[0])
    spec = dataset.element_spec if isinstance(dataset.element_spec, tuple) else (dataset.element_spec,)
    assert [part.shape.as_list() for part in spec] == [[None, *part.shape[1:]] for part in parts]
    arguments = info.arguments
    if word in ("images", "pairs", "unpaired", "captions"):
        assert arguments["image_shape"] == info.image_shape == parts[-1 if word == "pairs" else 0].shape[1:]
        assert parts[0].min() >= -1
        assert parts[0].max() <= 1
        assert parts[0].dtype == np.float32
    if word == "audio":
        assert arguments == {"samples": 16, "channels": 1, "rate": 8000, "num_classes": None}
        assert parts[0].shape[1:] == (16, 1)
        assert parts[0].dtype == np.float32
    if word in ("tokens", "captions"):
        length = arguments["length" if word == "tokens" else "caption_length"]
        assert parts[-1].shape[1:] == (length,)
        assert parts[-1].dtype == np.int32
        assert parts[-1].max() < arguments["vocabulary"] == len(arguments["words"])


@pytest.mark.parametrize("word", data.READERS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch_size.*received 0"),
        ({"batch_size": 25}, "batch_size=25 is larger"),
        ({"limit": -1}, "limit.*received -1"),
        ({"seed": "abc"}, "seed.*'abc'"),
        ({"first_epoch": 1.5}, "first_epoch.*1.5"),
        ({"shuffle": "yes"}, "shuffle.*'yes'"),
        ({"split": 5}, "split.*5"),
    ],
)
def test_shared_arguments_are_checked(tmp_path, word, options, words):
    source, others = sources(tmp_path)[word]
    with pytest.raises(ValueError, match=words):
        data.reader(word).load(source, **(others | {"batch_size": 8} | options))


@pytest.mark.parametrize("word", data.READERS)
def test_sources_that_are_none(tmp_path, word, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "noise.bin").write_bytes(b"\xff\xfe\x00noise")
    for source, words in (
        ("", "Give the name"),
        ("./nowhere", "nowhere"),
        ("empty", "empty"),
        ("./noise.bin", "noise.bin"),
    ):
        with pytest.raises(ValueError, match=words):
            data.reader(word).load(source)


def test_there_is_no_other_reader():
    with pytest.raises(ValueError, match="no reader of 'video'; there are images, pairs"):
        data.reader("video")


# Pairs


def levels(images):
    return to_uint8(images[:, 0, 0, 0]).tolist()


def test_halves_side_by_side(tmp_path):
    for number in range(4):
        joint = np.full((6, 12, 3), number, np.uint8)
        joint[:, 6:] += 100
        joint[:, 0], joint[:, 6] = 50, 150
        Image.fromarray(joint).save(tmp_path / f"{number}.png")
    info = data.pairs.info(tmp_path)
    assert info.arguments == {"image_shape": (6, 6, 3), "source_shape": (6, 6, 3)}
    for cache in (True, False):
        source, target = epoch(data.pairs.load(tmp_path, batch_size=4, flip=True, cache=cache, seed=1))
        # Flipped alike: the marked column is on the same side of both.
        flipped = to_uint8(source[:, 0, -1, 0]) == 50
        assert 0 < flipped.sum() < 4
        np.testing.assert_array_equal(flipped, to_uint8(target[:, 0, -1, 0]) == 150)
        np.testing.assert_array_equal(to_uint8(source) + 100, to_uint8(target))
    swapped = epoch(data.pairs.load(tmp_path, shuffle=False, swap=True))
    assert levels(swapped[0][:, :, 1:]) == [100, 101, 102, 103]
    assert data.pairs.info(tmp_path, image_size=4, channels=1).arguments["source_shape"] == (4, 4, 1)


def test_halves_of_an_odd_width(tmp_path):
    picture(tmp_path / "x.png", 0, (9, 4))
    with pytest.raises(ValueError, match="even width; received 9x4"):
        data.pairs.info(tmp_path)


def test_folders_of_equal_names(tmp_path):
    for number in range(3):
        picture(tmp_path / "A" / f"{number}.png", number)
        picture(tmp_path / "B" / f"{number}.bmp", 100 + number)
    for source in (tmp_path, (tmp_path / "A", tmp_path / "B")):
        assert [levels(part) for part in epoch(data.pairs.load(source, shuffle=False))] == [[0, 1, 2], [100, 101, 102]]
    picture(tmp_path / "B" / "3.png", 103)
    (tmp_path / "A" / "1.png").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"B holds an image '3' and .*A none of that name"):
        data.pairs.load(tmp_path)
    with pytest.warns(UserWarning, match="Skipped 1 file"):
        read = epoch(data.pairs.load(tmp_path, shuffle=False, on_error="skip"))
    assert [levels(part) for part in read] == [[0, 2], [100, 102]]


def test_split_folders_of_pairs(tmp_path):
    for word in ("train", "test"):
        for side, level in (("A", 1), ("B", 2)):
            picture(tmp_path / "one" / f"{word}{side}" / "x.png", level + 10 * (word == "test"))
            picture(tmp_path / "two" / side / word / "x.png", level + 10 * (word == "test"))
    for name in ("one", "two"):
        for read in (data.pairs, data.unpaired):
            assert [levels(part) for part in epoch(read.load(tmp_path / name))] == [[1], [2]]
            assert [levels(part) for part in epoch(read.load(tmp_path / name, split="test"))] == [[11], [12]]


def test_pairs_that_are_none():
    images = np.zeros((4, 8, 8, 1), np.uint8)
    with pytest.raises(ValueError, match=r"as many sources as targets; received 4 .* and 3"):
        data.pairs.load((images, images[:3]))
    with pytest.raises(ValueError, match="two sources, or of one of pairs; received 3"):
        data.pairs.load((images, images, images))


# Two domains


@pytest.mark.parametrize("larger", [0, 1])
def test_the_smaller_domain_begins_anew_in_another_order(larger):
    images = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 1), 5, np.uint8)
    domains = (images, images[:8]) if larger == 0 else (images[:8], images)
    parts = epoch(data.unpaired.load(domains, batch_size=4))
    many, few = levels(parts[larger]), levels(parts[1 - larger])
    assert sorted(many) == [5 * number for number in range(20)]
    assert len(few) == 20
    assert sorted(few[:8]) == sorted(few[8:16]) == [5 * number for number in range(8)]
    assert few[:8] != few[8:16]
    assert few != many


def test_domains_of_equal_length_do_not_keep_together():
    images = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 1), 5, np.uint8)
    a, b = (levels(part) for part in epoch(data.unpaired.load((images, images), batch_size=4)))
    assert sorted(a) == sorted(b)
    assert a != b


def test_domains_of_different_shapes():
    images = np.zeros((4, 8, 8, 1), np.uint8)
    with pytest.raises(ValueError, match=r"one shape; received \(8, 8, 1\).*\(8, 8, 3\)"):
        data.unpaired.info((images, np.zeros((4, 8, 8, 3), np.uint8)))
    with pytest.raises(ValueError, match="give a tuple of two"):
        data.unpaired.load(images)


# Captions


def captioned(folder):
    for number in range(3):
        picture(folder / f"{number}.png", number)
    return folder


TABLE = {
    "captions.tsv": 'file\tcaption\n0.png\tA red "cat".\n1.png\ta dog\n0.png\tthe cat\n2.png\ta dog, a cat\n',
    "captions.csv": '0.png,A red cat.\n1.png,a dog\n0.png,the cat\n2.png,"a dog, a cat"\n',
}


@pytest.mark.parametrize("name", TABLE)
def test_tables_of_captions(tmp_path, name):
    (captioned(tmp_path) / name).write_text(TABLE[name])
    info = data.captions.info(tmp_path)
    words = info.arguments["words"]
    assert words[:4] == ("", "<unknown>", "a", "cat")
    dataset = data.captions.load(tmp_path, batch_size=3, shuffle=False, drop_remainder=False)
    drawn = set()
    for _ in range(8):
        images, captions = epoch(dataset)
        assert levels(images) == [0, 1, 2]
        texts = [" ".join(words[token] for token in caption if token) for caption in captions]
        assert texts[1:] == ["a dog", "a dog , a cat"]
        drawn.add(texts[0])
    assert drawn == {"the cat", 'a red " cat " .' if name == "captions.tsv" else "a red cat ."}


def test_captions_beside_images(tmp_path):
    captioned(tmp_path)
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"\ufeffnumber {number}\n\n", encoding="utf-8")
    info = data.captions.info(tmp_path, vocabulary=3)
    assert info.arguments["words"] == ("", "<unknown>", "number")
    captions = epoch(data.captions.load(tmp_path, batch_size=3, shuffle=False, vocabulary=3, caption_length=4))[1]
    assert captions.tolist() == [[2, 1, 0, 0]] * 3
    (tmp_path / "1.txt").unlink()
    with pytest.raises(ValueError, match=r"no caption of 1.png \(1 such in all\).*captions.tsv"):
        data.captions.info(tmp_path)
    with pytest.warns(UserWarning, match="1.png: it has no caption"):
        assert data.captions.info(tmp_path, on_error="skip").num_examples == 2


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("0.png\ta\n1.png\tb\n2.png\tc\n9.png\td\n", "line 4: there is no image '9.png'"),
        ("0.png\ta\n1.png\n", "line 2: a row is a file and a caption"),
        ("0.png\ta\tb\n", "line 1: a row is a file and a caption"),
        ("0.png\ta\n1.png\tb\n", "no caption of 2.png"),
        (b"0.png\t\xff\xfe\n", "captions.tsv is not text in UTF-8"),
        ("", "no caption of 0.png"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, table, words):
    (captioned(tmp_path) / "captions.tsv").write_bytes(table if isinstance(table, bytes) else table.encode())
    with pytest.raises(ValueError, match=words):
        data.captions.info(tmp_path)


def test_other_splits_keep_the_words_of_the_training_split(tmp_path):
    for word, text in (("train", "one two"), ("test", "two three")):
        picture(tmp_path / word / "x.png", 0)
        (tmp_path / word / "x.txt").write_text(text)
    with pytest.raises(ValueError, match="Give words= of the training split"):
        data.captions.load(tmp_path, split="test")
    words = data.captions.info(tmp_path).arguments["words"]
    assert epoch(data.captions.load(tmp_path, split="test", words=words))[1].tolist() == [[words.index("two"), 1]]


# Tokens


def test_lines_of_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("The cat's here.\n\nthe dog\r\n", encoding="utf-8-sig")
    info = data.tokens.info(path)
    assert info.arguments["words"] == ("", "<unknown>", "the", ".", "cat's", "dog", "here")
    assert epoch(data.tokens.load(path, batch_size=2, shuffle=False))[0].tolist() == [[2, 4, 6, 3], [2, 5, 0, 0]]
    shorter = data.tokens.load(path, batch_size=2, shuffle=False, length=3, vocabulary=3, limit=2)
    assert epoch(shorter)[0].tolist() == [[2, 1, 1], [2, 1, 0]]


def test_windows_of_characters(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("abab\nabB")
    with pytest.raises(ValueError, match="give length="):
        data.tokens.info(path, cut="windows")
    info = data.tokens.info(path, cut="windows", level="characters", length=3)
    assert info.num_examples == 2
    assert info.arguments["words"] == ("", "<unknown>", "a", "b", "\n")
    read = epoch(data.tokens.load(path, cut="windows", level="characters", length=3, batch_size=2, shuffle=False))[0]
    assert read.tolist() == [[2, 3, 2], [3, 4, 2]]


def test_text_folders(tmp_path):
    (tmp_path / "train.txt").write_text("a b")
    (tmp_path / "valid.txt").write_text("b c")
    words = data.tokens.info(tmp_path).arguments["words"]
    assert epoch(data.tokens.load(tmp_path, split="validation", words=words))[0].tolist() == [[3, 1]]
    with pytest.raises(ValueError, match=r"no split 'test'.*'train' or 'validation'"):
        data.tokens.load(tmp_path, split="test", words=words)
    (tmp_path / "train.txt").rename(tmp_path / "other.txt")
    assert data.tokens.info(tmp_path).num_examples == 2


def test_numbers(tmp_path):
    numbers = RNG.integers(0, 9, (6, 4))
    np.save(tmp_path / "a.npy", numbers)
    read = data.tokens.load(tmp_path / "a.npy", batch_size=6, shuffle=False)
    np.testing.assert_array_equal(epoch(read)[0], numbers)
    assert data.tokens.info(numbers, vocabulary=50).arguments == {"length": 4, "vocabulary": 50, "words": None}
    for source, options, words in (
        (numbers - 1, {}, "from 0 to .* received -1"),
        (numbers, {"vocabulary": 2}, "from 0 to 1; received"),
        (numbers + 2**31, {}, "tokens must be from 0 to 2147483647"),
        (numbers / 2, {}, "float64"),
        (numbers[0], {}, r"shape \(4,\)"),
        (numbers, {"length": 3}, "length=3"),
    ):
        with pytest.raises(ValueError, match=words):
            data.tokens.load(source, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": "letters"}, "'letters'"),
        ({"cut": "pages"}, "'pages'"),
        ({"length": 0}, "length"),
        ({"words": ("a",)}, "words"),
    ],
)
def test_options_of_tokens(tmp_path, options, words):
    (tmp_path / "a.txt").write_text("a b c")
    with pytest.raises(ValueError, match=words):
        data.tokens.info(tmp_path / "a.txt", **options)
