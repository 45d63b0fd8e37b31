"""What a run trains on, step by step.

What is random depends on the seed and the number of the step alone, apart from dropout.
"""

import functools
import itertools

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import utils

__all__ = ["Batches"]

_SCALED_TO = 256  # smaller side of an image from which augmentation cuts
_AHEAD = 2  # batches that are made while one is trained on


class Batches:
    """The batches of a run: which images each step sees, and their values.

    Of the images those are `left_out` whose numbers it has. `pool5` has a row for each; None: the images are read.
    """

    def __init__(self, listing, left_out, pool5, settings):
        self.pool5 = pool5
        self._items = listing.items
        self._settings = settings
        kept = np.setdiff1d(np.arange(len(self._items)), left_out)
        self._training = kept[kept < len(listing.training)]
        self._validation = kept[kept >= len(listing.training)]
        self.steps_per_epoch = -(-len(self._training) // settings["batch"])
        self._order = functools.lru_cache(maxsize=2)(self._shuffled)

    def text(self):
        """How many images there are."""
        return f"{len(self._training)} images to train on, {len(self._validation)} to validate on"

    def dataset(self, first, stride):
        """A dataset without an end: every `stride`th batch from step `first`."""
        shape = (utils.SIZE, utils.SIZE, 3) if self.pool5 is None else self.pool5.shape[1:]

        def batch(step):
            values, labels = tf.numpy_function(self.training_batch, [step], [tf.float32, tf.int64])
            values.set_shape([None, *shape])
            labels.set_shape([None])
            return values, labels

        steps = tf.data.Dataset.range(first, np.iinfo(np.int64).max, stride)
        return steps.map(batch, num_parallel_calls=_AHEAD).prefetch(_AHEAD)

    def training_batch(self, step):
        """(values float32 [batch, ...], labels int64 [batch]) of the step that follows `step` others."""
        epoch, number = divmod(int(step), self.steps_per_epoch)
        size = self._settings["batch"]
        chosen = self._order(epoch)[number * size : (number + 1) * size]
        if self.pool5 is not None:
            values = np.array(self.pool5[chosen])
        elif self._settings["augment"]:
            values = np.stack([self._augmented(index, epoch) for index in chosen])
        else:
            values = np.stack([utils.load_image(self._items[index][0]).astype(np.float32) for index in chosen])
        return values, self._labels(chosen)

    def validation(self):
        """Yields (values, labels) of all validation images."""
        size = self._settings["batch"]
        decoded = utils.decoded([self._items[index][0] for index in self._validation], 2 * size)
        for start in range(0, len(self._validation), size):
            chosen = self._validation[start : start + size]
            if self.pool5 is None:
                values = np.stack([_raised(pixels) for _, pixels in itertools.islice(decoded, size)])
            else:
                values = self.pool5[chosen]
            yield values, self._labels(chosen)

    def _shuffled(self, epoch):
        return np.random.RandomState([self._settings["seed"], epoch]).permutation(self._training)

    def _labels(self, chosen):
        return np.array([self._items[index][1] for index in chosen], np.int64)

    def _augmented(self, index, epoch):
        """A random part of the image, whose smaller side is scaled to 256, maybe mirrored: as in the VGG paper."""
        random = np.random.RandomState([self._settings["seed"], epoch, index])
        image = utils.load_image2(self._items[index][0], smaller=_SCALED_TO)
        top, left = (random.randint(size - utils.SIZE + 1) for size in image.shape[:2])
        part = image[top : top + utils.SIZE, left : left + utils.SIZE]
        return (part[:, ::-1] if random.randint(2) else part).astype(np.float32)


def _raised(pixels):
    if isinstance(pixels, Exception):
        raise pixels
    return pixels
