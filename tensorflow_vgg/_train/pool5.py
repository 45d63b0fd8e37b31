"""What the frozen layers make of the images, computed once: the file pool5.bin."""

import contextlib
import itertools
import os

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config, utils, weights
from tensorflow_vgg._train.network import Network

__all__ = ["opened", "readable"]


def opened(run, images, weight_dict, digest):
    """The rows of pool5.bin and its digest; what is not there or not as it was written is computed anew by the chief.

    Args:
      run: the `Run`.
      images: the paths of the images.
      weight_dict: the layers.
      digest: the file's SHA-256 when it was written; None: not known.

    Returns:
      (float32 [images, 7, 7, channels] in the file, NaN for images that cannot be read; the SHA-256)
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
                can_be_read = [not isinstance(pixels, Exception) for _, pixels in chosen]
                rows = np.full([len(chosen), values], np.nan, "<f4")
                if any(can_be_read):
                    fed = [pixels for _, pixels in chosen if not isinstance(pixels, Exception)]
                    rows[can_be_read] = session.run(network.pool5, {rgb: fed}).reshape(len(fed), values)
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
