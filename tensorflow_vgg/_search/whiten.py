"""PCA whitening: fewer dimensions, none of which says more than another."""

import numpy as np

from tensorflow_vgg._search.features import normalised

__all__ = ["apply", "learn"]


def learn(blocks, dimensions):
    """The whitening of rows (Jegou, Chum 2012, Negative evidences and co-occurences in image retrieval).

    The rows come in parts, float32 [n, d]; it is their mean, float32 [d], and the projection, float32 [d, dimensions].
    A ValueError if there are not more rows than `dimensions`, or d is less.
    """
    count, total, products = 0, 0.0, 0.0
    for block in blocks:
        block = block.astype(np.float64)
        count += len(block)
        total = total + block.sum(axis=0)
        products = products + block.T @ block
    size = len(total) if count else 0
    if dimensions > size or count <= dimensions:
        raise ValueError(
            f"--whiten {dimensions}: expected at most {min(size, count - 1)}: {count} images, {size} values"
        )
    mean = total / count
    values, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
    values, vectors = values[::-1][:dimensions], vectors[:, ::-1][:, :dimensions]
    floor = max(values[0], 1e-12) * 1e-6  # a direction in which nothing varies is noise
    return mean.astype(np.float32), (vectors / np.sqrt(np.maximum(values, floor))).astype(np.float32)


def apply(whitening, rows):
    """Rows, float32 [n, d], whitened: float32 [n, dimensions], of length 1."""
    mean, projection = whitening
    return normalised((rows - mean) @ projection)
