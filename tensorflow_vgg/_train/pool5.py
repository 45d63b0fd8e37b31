"""What the frozen layers make of the images, computed once: the file pool5.bin."""

import contextlib
import itertools
import os

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config, utils, weights
from tensorflow_vgg._train.network import Network

__all__ = ["opened", "unreadable"]


def opened(run, images, weight_dict, digest):
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


def unreadable(images, rows, report):
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
