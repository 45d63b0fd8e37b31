"""What a run trains on, step by step: its images, or what the frozen layers make of them, computed once.

What is random depends on the seed and the number of the step alone, apart from dropout.
"""

import contextlib
import functools
import itertools
import json
import os

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config, utils, weights
from tensorflow_vgg._train.network import Network
from tensorflow_vgg._train.settings import write_text

__all__ = ["Batches", "prepared"]

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
        if self._settings["augment"]:
            return np.stack([self._augmented(index, epoch) for index in chosen]), self._labels(chosen)
        return self._values(chosen), self._labels(chosen)

    def validation(self):
        """Yields (values, labels) of all validation images."""
        size = self._settings["batch"]
        for start in range(0, len(self._validation), size):
            chosen = self._validation[start : start + size]
            yield self._values(chosen), self._labels(chosen)

    def _shuffled(self, epoch):
        return np.random.RandomState([self._settings["seed"], epoch]).permutation(self._training)

    def _values(self, chosen):
        if self.pool5 is not None:
            return np.array(self.pool5[chosen])
        decoded = utils.decoded([self._items[index][0] for index in chosen], len(chosen))
        return np.stack([_raised(pixels) for _, pixels in decoded])

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


def prepared(run, record, weight_dict):
    """The `Batches` of a run. What they need is made once: images.json, and pool5 where it stays the same."""
    path = os.path.join(run.path, "images.json")
    if not os.path.exists(path):
        write_text(path, json.dumps(record, indent=1) + "\n")
    images = [image for image, _ in run.listing.items]
    rows, digest, known = None, None, record.get("pool5_sha256")
    if run.settings["train"] != "all" and not run.settings["augment"]:
        rows, digest = _pool5(run, images, weight_dict, known)
    if run.chief and (record.get("left_out") is None or digest != known):
        record = {**record, "left_out": _unreadable(images, rows, run.report), "pool5_sha256": digest}
        write_text(path, json.dumps(record, indent=1) + "\n")
    batches = Batches(run.listing, record.get("left_out") or [], rows, run.settings)
    if not batches.steps_per_epoch:
        raise ValueError(f"{run.folder}: none of the images to train on can be read")
    return batches


def _pool5(run, images, weight_dict, digest):
    """What pool5.bin holds, float32 [images, 7, 7, channels], NaN for images that cannot be read; and its SHA-256.

    What is not there, or of another SHA-256 than `digest`, if that is known, is computed anew by the chief.
    """
    path = os.path.join(run.path, "pool5.bin")
    shape = len(images), 7, 7, len(weight_dict["conv5_4"][1])
    if os.path.lexists(path) and not os.path.isfile(path):
        raise ValueError(f"{path}: expected a file; move away what is there, and it is computed again")
    if not run.chief:
        return np.memmap(path, "<f4", "r").reshape(shape), digest
    if os.path.exists(path):
        run.report.show(f"reading {path}")
        found = weights.file_digest(path) if os.path.getsize(path) == 4 * np.prod(shape) else None
        if found is None or digest not in (None, found):
            run.report.problem(f"{path}: not as it was written; it is computed again")
            os.remove(path)
    if not os.path.exists(path):
        _make(path, images, weight_dict, run.settings["batch"], run.report)
        found = weights.file_digest(path)
    return np.memmap(path, "<f4", "r").reshape(shape), found


def _make(path, images, weight_dict, batch, report):
    """Makes the file. It goes on with what an earlier process left unfinished."""
    values = 7 * 7 * len(weight_dict["conv5_4"][1])
    with open(f"{path}.partial", "ab") as file, tf.Graph().as_default(), tf.Session(config=session_config()) as session:
        # Whole batches, since a convolution may round otherwise in a batch of another size.
        done = min(file.tell() // (4 * values) // batch * batch, len(images))
        file.truncate(done * 4 * values)
        rgb = tf.placeholder(tf.float32, [None, utils.SIZE, utils.SIZE, 3])
        network = Network(weight_dict, attention=False, include_top=False)
        network.build(rgb, tf.constant(False))
        session.run(tf.local_variables_initializer())
        decoded = utils.decoded(images[done:], 2 * batch)
        with report.progress(len(images), "pool5", done) as progress, contextlib.closing(decoded):
            for chosen in iter(lambda: list(itertools.islice(decoded, batch)), []):
                can_be_read = [_can_be_read(pixels, report) for _, pixels in chosen]
                rows = np.full([len(chosen), values], np.nan, "<f4")
                if any(can_be_read):
                    fed = [pixels for (_, pixels), good in zip(chosen, can_be_read) if good]
                    rows[can_be_read] = session.run(network.pool5, {rgb: fed}).reshape(len(fed), values)
                file.write(rows.tobytes())
                file.flush()
                progress.advance(len(chosen))
        os.fsync(file.fileno())
    os.replace(f"{path}.partial", path)


def _can_be_read(pixels, report):
    if isinstance(pixels, Exception):
        report.problem(f"{pixels}; left out")
    return not isinstance(pixels, Exception)


def _unreadable(images, rows, report):
    """The numbers of the images that cannot be read: as pool5's rows say, or without them all are read."""
    if rows is not None:
        return np.flatnonzero(np.isnan(rows[:, 0, 0, 0])).tolist()
    found = []
    with report.progress(len(images), "reading") as progress:
        for number, (_, pixels) in enumerate(utils.decoded(images, 2)):
            if not _can_be_read(pixels, report):
                found.append(number)
            progress.advance(1)
    return found
