import numpy as np
import pytest

from kerasgan.metrics.extractors import Extractor
from kerasgan.metrics.features import extract, get, stream


def images(n=10, size=4, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, channels), dtype="uint8")


def means(batch):
    return batch.mean(axis=(1, 2))


def shares(batch):
    levels = batch.reshape(len(batch), -1) + 1.0
    return means(batch), levels / levels.sum(axis=1, keepdims=True)


def test_a_function_becomes_an_extractor():
    extractor = get(means)
    assert (extractor.name, extractor.sha256, extractor.dimensions) == ("means", None, None)
    result = extractor(images())
    np.testing.assert_allclose(result.features, images().mean(axis=(1, 2)), rtol=1e-6)
    assert result.features.dtype == "float32"
    assert result.probabilities is None
    assert extractor.dimensions == 3
    assert get(extractor) is extractor
    np.testing.assert_allclose(get(shares)(images()).probabilities.sum(axis=1), 1, rtol=1e-5)


def test_names_are_clean_and_never_pass_for_a_known_network():
    def inception(batch):
        return means(batch)

    assert get(inception).name == "custom_inception"
    assert get(lambda batch: means(batch)).name == "lambda"


def test_extract_does_not_depend_on_the_batches():
    sizes = []

    def watched(batch):
        sizes.append(len(batch))
        return shares(batch)

    extractor = Extractor("watched", watched, batch_size=4)
    ones = [image[None] for image in images(11)]
    uneven = np.split(images(11), [1, 2, 9])
    results = [extract(extractor, batches) for batches in (ones, uneven, images(11))]
    assert sizes == [4, 4, 3] * 3
    for result in results:
        for array, expected in zip(result, shares(images(11)), strict=True):
            np.testing.assert_allclose(array, expected, rtol=1e-6)


def test_stream_reads_no_further_than_it_must():
    read = []

    def batches():
        for number in range(10):
            read.append(number)
            yield images(4)

    assert len(next(stream(Extractor("means", means, batch_size=4), batches())).features) == 4
    assert read == [0]


def test_grey_images_are_repeated_where_rgb_is_needed():
    grey = images(channels=1)
    result = Extractor("means", means, rgb=True)(grey)
    np.testing.assert_allclose(result.features, np.repeat(grey.mean(axis=(1, 2)), 3, axis=1), rtol=1e-6)
    assert Extractor("means", means)(grey).features.shape == (10, 1)


def test_progress_is_shown_only_on_request(capsys):
    extract(get(means), images(), total=10)
    assert capsys.readouterr().out == ""
    extract(get(means), images(), total=10, progress=True)
    assert "10/10" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([images().astype("float32")], "must be uint8 0..255; received float32 .*to_uint8"),
        ([images()[0]], "shaped .n, height, width, 1 or 3.*received .4, 4, 3"),
        ([images(channels=2)], "1 or 3"),
        ([images(n=0)], "hold an image"),
        ([(images(), None)], "received a tuple"),
        ([images(), images(size=5)], "mixed sizes, 4x4x3 and 5x5x3"),
        ([images(), images(channels=1)], "mixed sizes"),
        ([], "no images"),
    ],
)
def test_wrong_batches(batches, message):
    with pytest.raises(ValueError, match=message):
        extract(get(means), batches)


def test_an_extractor_refuses_images_of_another_shape():
    extractor = Extractor("digits", means, image_shape=(28, 28, 1))
    assert extractor(images(size=28, channels=1)).features.shape == (10, 1)
    with pytest.raises(ValueError, match="'digits' needs images of 28x28x1; received 4x4x3"):
        extractor(images())


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda batch: batch, r"shaped \(10, d\) for 10 images; received \(10, 4, 4, 3\)"),
        (lambda batch: means(batch)[1:], "received .9, 3"),
        (lambda batch: means(batch)[:, :0], "received .10, 0"),
        (lambda batch: (means(batch), means(batch)), "sum to 1 for each image; if they are logits"),
        (lambda batch: (means(batch), shares(batch)[1][1:]), "probabilities .* received .9, 48"),
    ],
)
def test_wrong_results(function, message):
    with pytest.raises(ValueError, match=message):
        get(function)(images())


def test_features_may_not_change_their_number():
    widths = iter((3, 2))
    extractor = Extractor("fickle", lambda batch: means(batch)[:, : next(widths)], batch_size=5)
    with pytest.raises(ValueError, match="gave 2 features; expected 3"):
        extract(extractor, images())


@pytest.mark.parametrize("column", [0, 1])
def test_nan_names_the_image(column):
    def broken(batch):
        result = shares(batch)
        result[column][(batch == images()[7]).all(axis=(1, 2, 3))] = np.nan
        return result

    with pytest.raises(ValueError, match="for image 7 "):
        extract(Extractor("broken", broken, batch_size=4), images())


def test_unknown_extractors():
    with pytest.raises(ValueError, match=r"Did you mean 'inception_768'.*keras_inception"):
        get("inception_769")
    for wrong in (3, None, np.ndarray):
        with pytest.raises(ValueError, match="must be one of mnist"):
            get(wrong)
