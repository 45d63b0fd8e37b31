"""What the frozen layers make of the images, computed once: the file pool5.bin."""

import contextlib
import itertools
import os

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config, utils, weights
from tensorflow_vgg._train.network import Network

__all__ = ["opened", "readable"]


def opened(path, images, weight_dict, batch, digest, chief, report):
    """The file's rows, one an image, and its digest; what is not there or not as it was written is computed anew.

    Args:
      path: of pool5.bin.
      images: the paths of the images.
      weight_dict: the layers.
      batch: images at a time.
      digest: the file's SHA-256 when it was written; None: not known.
      chief: whether this process may make the file; else it is as the chief has made it.
      report: where to tell it.

    Returns:
      (float32 [images, 7, 7, channels] in the file, NaN for images that cannot be read; the SHA-256)
    """
    shape = 7, 7, len(weight_dict["conv5_4"][1])
    row = 4 * int(np.prod(shape))
    size = row * len(images)
    if os.path.lexists(path) and not os.path.isfile(path):
        raise ValueError(f"{path}: expected a file; move away what is there, and it is computed again")
    if os.path.exists(path) and chief:
        report.show(f"reading {path}")
        found = weights.file_digest(path) if os.path.getsize(path) == size else None
        if found is None or digest not in (None, found):
            report.problem(f"{path}: not as it was written; it is computed again")
            os.remove(path)
    if not chief:
        found = digest
    elif not os.path.exists(path):
        _make(path, images, weight_dict, row, batch, report)
        found = weights.file_digest(path)
    return np.memmap(path, "<f4", "r").reshape(len(images), *shape), found


def _make(path, images, weight_dict, row, batch, report):
    """Makes the file. It goes on with what an earlier process left unfinished."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(f"{path}.partial", "ab"))
        # Whole batches, since a convolution may round otherwise in a batch of another size.
        done = min(file.tell() // row // batch * batch, len(images))
        file.truncate(done * row)
        stack.enter_context(tf.Graph().as_default())
        rgb = tf.placeholder(tf.float32, [None, utils.SIZE, utils.SIZE, 3])
        network = Network(weight_dict, attention=False, include_top=False)
        network.build(rgb, tf.constant(False))
        session = stack.enter_context(tf.Session(config=session_config()))
        session.run(tf.local_variables_initializer())
        progress = stack.enter_context(report.progress(len(images), "pool5", done))
        decoded = stack.enter_context(contextlib.closing(utils.decoded(images[done:], 2 * batch)))
        for chosen in iter(lambda: list(itertools.islice(decoded, batch)), []):
            values = [pixels for _, pixels in chosen if not isinstance(pixels, Exception)]
            rows = np.full([len(chosen), row // 4], np.nan, "<f4")
            if values:
                found = session.run(network.pool5, {rgb: values})
                rows[[not isinstance(pixels, Exception) for _, pixels in chosen]] = found.reshape(len(values), -1)
            for _, pixels in chosen:
                if isinstance(pixels, Exception):
                    report.problem(f"{pixels}; left out")
            file.write(rows.tobytes())
            file.flush()
            progress.advance(len(chosen))
        os.fsync(file.fileno())
    os.replace(f"{path}.partial", path)


def readable(images, report):
    """For each image whether it can be read; those that cannot are reported."""
    found = []
    with report.progress(len(images), "reading") as progress:
        for _, pixels in utils.decoded(images, 2):
            if isinstance(pixels, Exception):
                report.problem(f"{pixels}; left out")
            found.append(not isinstance(pixels, Exception))
            progress.advance(1)
    return found
