"""`tensorflow.examples.tutorials.mnist.input_data`: reads the MNIST files that are there, and downloads nothing.

This module takes its place for a script, so its names, and what `read_data_sets` prints, are TensorFlow 1's.
"""

import collections
import gzip
import os

import numpy
import tensorflow.compat.v1 as tf

__all__ = ["DataSet", "Datasets", "read_data_sets"]

_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

Datasets = collections.namedtuple("Datasets", "train validation test")


class DataSet:
    """Images and their labels, in batches.

    Attributes:
      images: [number, 784] or [number, 28, 28, 1], in the order of the epoch; float32 in [0, 1], or uint8.
      labels: uint8 [number], or float64 [number, 10].
      num_examples: their number.
      epochs_completed: how many times all have been in a batch.
    """

    def __init__(self, images, labels, fake_data=False, one_hot=False, dtype=numpy.float32, reshape=True, seed=None):
        if fake_data:
            raise ValueError("fake_data=True: expected real images")
        kind = numpy.dtype(tf.as_dtype(dtype).as_numpy_dtype)
        if kind not in (numpy.uint8, numpy.float32):
            raise TypeError(f"expected dtype uint8 or float32, got {kind}")
        if len(images) != len(labels):
            raise ValueError(f"expected as many labels as images, got {len(labels)} and {len(images)}")
        # The numbers of the whole process, as TensorFlow 1 did.
        numpy.random.seed(tf.get_default_graph().seed if seed is None else seed)
        if reshape:
            images = images.reshape(len(images), numpy.prod(images.shape[1:]))
        if kind == numpy.float32:
            images = numpy.multiply(images.astype(numpy.float32), 1.0 / 255.0)
        self.images, self.labels = images, labels
        self.num_examples = len(images)
        self.epochs_completed = 0
        self._next = 0

    def next_batch(self, batch_size, fake_data=False, shuffle=True):
        """The next `batch_size` images and their labels; each epoch in an order of its own if `shuffle`."""
        if shuffle and self.epochs_completed == 0 and self._next == 0:
            self._shuffle()
        start, self._next = self._next, self._next + batch_size
        images, labels = self.images[start : self._next], self.labels[start : self._next]
        if self._next > self.num_examples:
            self.epochs_completed += 1
            self._next -= self.num_examples
            if shuffle:
                self._shuffle()
            images = numpy.concatenate((images, self.images[: self._next]))
            labels = numpy.concatenate((labels, self.labels[: self._next]))
        return images, labels

    def _shuffle(self):
        order = numpy.arange(self.num_examples)
        numpy.random.shuffle(order)
        self.images, self.labels = self.images[order], self.labels[order]


def read_data_sets(
    train_dir,
    fake_data=False,
    one_hot=False,
    dtype=numpy.float32,
    reshape=True,
    validation_size=5000,
    seed=None,
    source_url=None,
):
    """Reads the four idx files of MNIST in a folder, plain or compressed with gzip.

    Args:
      train_dir: the folder.
      one_hot: True gives labels as rows with a 1.
      dtype: float32 for images in [0, 1], uint8 for [0, 255]; NumPy's or TensorFlow's.
      reshape: False leaves images [number, 28, 28, 1].
      validation_size: how many of the training images are for validation, from the start.
      seed: of the orders of the batches.

    Returns:
      `Datasets` of three `DataSet`.

    Raises:
      OSError: a file is not there.
      ValueError: a file is no idx file of such images or labels, or `validation_size` is out of range.
    """
    train_images, train_labels, test_images, test_labels = (_read(train_dir, name) for name in _FILES)
    if one_hot:
        train_labels, test_labels = numpy.eye(10)[train_labels], numpy.eye(10)[test_labels]
    if not 0 <= validation_size <= len(train_images):
        raise ValueError(f"expected validation_size from 0 to {len(train_images)}, got {validation_size}")
    parts = [
        (train_images[validation_size:], train_labels[validation_size:]),
        (train_images[:validation_size], train_labels[:validation_size]),
        (test_images, test_labels),
    ]
    return Datasets(*(DataSet(*part, fake_data, one_hot, dtype, reshape, seed) for part in parts))


def _read(folder, name):
    """The images [number, height, width, 1] or the labels [number] of an idx file, uint8."""
    path = os.path.join(folder, f"{name}.gz")
    plain = path[: -len(".gz")]
    if not os.path.isfile(path) and not os.path.isfile(plain):
        wanted = ", ".join(f"{each}.gz" for each in _FILES)
        raise FileNotFoundError(f"{path}: no such file. Nothing is downloaded: expected {wanted} in {folder}")
    print("Extracting", path)
    with gzip.open(path) if os.path.isfile(path) else open(plain, "rb") as file:
        content = file.read()
    axes = 3 if "images" in name else 1
    header = numpy.frombuffer(content[: 4 * axes + 4], ">i4")
    if len(header) != axes + 1 or header[0] != 2048 + axes or len(content) != 4 * axes + 4 + header[1:].prod():
        raise ValueError(f"{path}: expected an idx file of {axes} axes, got something else, or a part of one")
    shape = (*header[1:], 1) if axes == 3 else header[1:]
    return numpy.frombuffer(content, numpy.uint8, offset=4 * axes + 4).reshape(shape)
