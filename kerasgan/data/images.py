"""Images: one function from a name, path or array to a `tf.data.Dataset`."""

from kerasgan.data import options, partly_labelled, sources
from kerasgan.data.examples import Info
from kerasgan.data.parts import Images, Part


def load(
    source,
    *,
    split: str = "train",
    batch_size: int = 128,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    crop: bool = True,
    flip: bool = False,
    labels: bool = False,
    labelled: int | None = None,
    labelled_batch: int | None = None,
    binarize: bool = False,
    group: str | None = None,
    shuffle: bool | None = None,
    seed: int | None = 0,
    first_epoch: int = 0,
    drop_remainder: bool | None = None,
    limit: int | None = None,
    cache: bool = True,
    data_dir: str | None = None,
    on_error: str = "raise",
):
    """Batches of images, ready for `fit`.

    Args:
        source: "mnist_mini" (embedded in the package), "stacked_mnist" (three digits of MNIST in the
            channels of a picture; "stacked_mnist_mini": of the embedded ones), "coloured_mnist" (MNIST in
            ink of some colour on white paper; "coloured_mnist_mini" likewise), a folder of PNG, JPEG,
            WebP or BMP images, a `.npy` or `.npz` file, the name of a TFDS data set ("mnist", "cifar10", ...), an
            array (n, h, w, c) in uint8 or in floats in [-1, 1], or a tuple (images, labels).
            An existing file or folder is preferred over a TFDS data set of the same name.
        split: Which part. TFDS slices ("train[:90%]") work for TFDS data sets. A folder is one
            "train" split, unless all its sub-folders are named train, validation (or val), test.
            An array is whatever split it is said to be.
        batch_size: Images in a batch.
        image_size: Wanted size: (height, width), or one number for a square. Default: as it is.
        channels: 1 for grey, 3 for RGB. Default: as it is.
        crop: Cut the centre to the wanted aspect ratio before resizing, instead of stretching.
        flip: Mirror each image left to right with probability 1/2, anew in every epoch.
        labels: Return (images, labels). In a folder, each sub-folder is a class, in the order of
            the sorted names. Labels of an array may be -1: not known. Where some are, every batch
            holds `batch_size` images with the label -1, and between them others with their labels,
            which come round again and again; an epoch shows every image once with the label -1.
        labelled: For semi-supervised learning: keep the labels of only so many images, the same
            number of every class, by lot from `seed`, and forget the others.
        labelled_batch: Images with labels in such a batch. Default: as many as without.
        binarize: Set each value to -1 or +1, whichever is nearer.
        group: Name of a feature of a TFDS data set that has no test split, such as "name" of "lfwcrop", who is on each
            photograph. Then split="train" and "test" share no group: a tenth of the groups is "test", always the same,
            chosen by the hash of their names.
        shuffle: Draw a new order in every epoch. Default: True for the training split.
        seed: Seed of order and flips; None for a different one in each call.
        first_epoch: Number of the first epoch. Each new iteration over the dataset is the next
            epoch, and what epoch k holds depends on (seed, k) only: a run that goes on after
            3 epochs with `first_epoch=3` sees what it would have seen without the interruption.
        drop_remainder: Leave out the last batch if it is smaller. Default: as `shuffle`.
        limit: Use only so many examples: the first ones, or, in a folder, evenly spaced ones.
        cache: Keep the decoded uint8 images in memory. False is for data that do not fit: a
            folder is then read again in each epoch (but each file is checked once, here), and
            a TFDS data set is streamed and shuffled through a buffer of 10,000 images.
        data_dir: Folder of the TFDS data. Default: the environment variable TFDS_DATA_DIR, then
            TFDS's own default. Data that are not there are downloaded by TFDS.
        on_error: "raise", or "skip" to leave out unreadable and odd-sized files of a folder,
            with one warning that lists them.

    Returns:
        A `tf.data.Dataset` of known length: float32 (b, h, w, c) in [-1, 1], or a pair of that
        and int32 (b,).

    Raises:
        ValueError: The source does not exist or is not what is described here; the message says
            what was found and what to do.

    Example:
        train = kerasgan.data.load("mnist_mini", batch_size=64)
        faces = kerasgan.data.load("photos/", image_size=64, flip=True)
    """
    request = options.request(split, image_size, channels, crop, limit, cache, data_dir, on_error, group=group)
    order = options.order(split, batch_size, shuffle, seed, first_epoch, drop_remainder)
    examples = sources.read(source, request)
    if labels and examples.num_classes is None:
        raise ValueError(
            f"{examples.name} has no labels. Leave out labels=True, or give a source with labels: "
            "a tuple (images, labels), a folder with a sub-folder for each class, or a TFDS data "
            "set with a class label."
        )
    if labels and (labelled is not None or partly_labelled.has_unknown(examples.labels)):
        return partly_labelled.batches(examples, labelled, labelled_batch, order, flip, binarize)
    if labelled is not None or labelled_batch is not None:
        raise ValueError(
            "labelled and labelled_batch are for data of which some labels are not known: give labels=True, and "
            "labelled, or labels of -1; or leave both out."
        )
    parts = [Images(examples.images, examples.image_shape, flip, binarize)]
    if labels:
        parts.append(Part(examples.labels))
    return options.batches(examples.name, parts, order, examples.num_examples, examples.stream)


def info(
    source,
    *,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    group: str | None = None,
    limit: int | None = None,
    data_dir: str | None = None,
    on_error: str = "raise",
) -> Info:
    """What `load` with the same arguments would give, without reading all the images."""
    request = options.request(split, image_size, channels, True, limit, False, data_dir, on_error, False, group)
    found = sources.read(source, request)
    return Info(found.name, found.num_examples, found.image_shape, found.num_classes, found.class_names)
