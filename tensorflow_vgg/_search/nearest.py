"""FAISS: which rows are the nearest, exactly or nearly so."""

import math
import sys

import numpy as np

__all__ = ["build", "empty", "load", "require", "search"]

EXACT_UP_TO = 200000
ENOUGH = 0.98

# So many candidates are compared exactly for each that is asked for.
_CANDIDATES = 50
_QUERIES = 200
_TRAIN_ON = 200000
_BLOCK = 1 << 16


def require():
    """Raises unless FAISS is there."""
    if sys.version_info < (3, 10):
        raise ValueError(
            "index and search need Python 3.10 or later, for FAISS; this is Python %d.%d" % sys.version_info[:2]
        )
    try:
        import faiss  # noqa: F401
    except ImportError as error:
        raise ValueError(
            "index and search need FAISS: pip install '.[search]' in a checkout of tensorflow-vgg, or faiss-cpu"
        ) from error


def build(features, spec=None):
    """The index of features.

    Up to 200,000 it is exact. Beyond, an IVF index of product-quantised codes (4 bits for two values), of which so many
    lists are probed that 0.98 of the ten nearest are found; where even an eighth of the lists does not do, as with
    random features, all codes are read, without lists. What an index finds is compared exactly, by `search`.

    Args:
      features: float32 [n, dimensions], which may be mapped.
      spec: the kind in FAISS's words, such as "IVF4096,PQ64", or None.

    Returns:
      Its bytes, and what it is: a dict with "faiss", "probes" (None without lists) and "recall" (at 10).
    """
    import faiss

    count, dimensions = features.shape
    if spec is None and count <= EXACT_UP_TO:
        index = _made(features, "Flat")
        return faiss.serialize_index(index), {"faiss": "Flat", "probes": None, "recall": 1.0}
    codes = f"PQ{dimensions // 2 if dimensions % 2 == 0 else dimensions}x4fs"
    lists = 2 ** round(math.log2(4 * math.sqrt(count)))
    kinds = [(spec, None)] if spec else [(f"IVF{lists},{codes}", lists // 8), (codes, None)]
    queries, wanted = _exact(features)
    for kind, most in kinds:
        index = _made(features, kind)
        probes, recall = _probes(index, features, queries, wanted, most)
        if recall >= ENOUGH:
            break
    return faiss.serialize_index(index), {"faiss": kind, "probes": probes, "recall": round(recall, 4)}


def load(content, probes):
    """The index that `build` gave as bytes, uint8 [n]."""
    import faiss

    index = faiss.deserialize_index(content)
    lists = faiss.try_extract_index_ivf(index)
    if lists is not None and probes:
        lists.nprobe = probes
    return index


def search(index, features, queries, top):
    """The nearest rows of each query.

    Args:
      index: of `load`.
      features: the rows, float32 [n, dimensions].
      queries: float32 [m, dimensions].
      top: how many.

    Returns:
      For each query its nearest rows, int64 [at most top], and their similarities, float32, the largest first and the
      first row first where they are equal.
    """
    import faiss

    exact = isinstance(index, faiss.IndexFlat)
    count = min(len(features), top if exact else _CANDIDATES * top)
    found = []
    for query, rows in zip(queries, index.search(np.ascontiguousarray(queries, np.float32), count)[1]):
        rows = np.sort(rows[rows >= 0])
        similarities = features[rows] @ query
        order = np.argsort(-similarities, kind="stable")[:top]
        found.append((rows[order], similarities[order]))
    return found


def empty(dimensions, kind):
    """An index without rows.

    Args:
      dimensions: of a feature.
      kind: in FAISS's words.

    Raises:
      ValueError: FAISS knows no such kind, or not for so many dimensions.
    """
    import faiss

    try:
        return faiss.index_factory(dimensions, kind, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise ValueError(f"--faiss {kind}: FAISS has none for {dimensions} dimensions: {_said(error)}") from error


def _said(error):
    """What FAISS says in an error, without where in FAISS."""
    return str(error).splitlines()[-1].rpartition("Error: ")[2].split(".cpp:")[-1].split(": ", 1)[-1]


def _made(features, kind):
    """A trained index of all rows. What cannot be trained on so few rows is FAISS's to say."""
    index = empty(features.shape[1], kind)
    try:
        if not index.is_trained:
            chosen = np.random.RandomState(0).permutation(len(features))[:_TRAIN_ON]
            index.train(np.ascontiguousarray(features[np.sort(chosen)]))
        for start in range(0, len(features), _BLOCK):
            index.add(np.ascontiguousarray(features[start : start + _BLOCK]))
    except RuntimeError as error:
        raise ValueError(
            f"--faiss {kind}: FAISS cannot make that of {features.shape[0]} features: {_said(error)}"
        ) from error
    return index


def _exact(features):
    """Rows that serve as queries, and for each its nearest ten others, by comparing all."""
    queries = np.linspace(0, len(features) - 1, min(_QUERIES, len(features))).astype(np.int64)
    asked = np.asarray(features[queries])
    best, rows = np.zeros((len(queries), 0), np.float32), np.zeros((len(queries), 0), np.int64)
    for start in range(0, len(features), _BLOCK):
        block = asked @ features[start : start + _BLOCK].T
        best = np.concatenate([best, block], axis=1)
        rows = np.concatenate([rows, np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)], axis=1)
        keep = np.argsort(-best, axis=1, kind="stable")[:, :11]
        best, rows = (np.take_along_axis(values, keep, axis=1) for values in (best, rows))
    return queries, rows


def _probes(index, features, queries, wanted, most):
    """How many lists are probed so that enough is found, at most `most`, and the recall at 10 that it gives."""
    import faiss

    lists = faiss.try_extract_index_ivf(index)
    probes, most = 1, most or (lists.nlist if lists is not None else 1)
    while True:
        if lists is not None:
            lists.nprobe = probes
        found = search(index, features, features[queries], 11)
        hits = [
            len((set(rows) - {query}) & (set(others) - {query}))
            for query, (rows, _), others in zip(queries, found, wanted)
        ]
        recall = sum(hits) / max(1, sum(len(set(others) - {query}) for query, others in zip(queries, wanted)))
        if recall >= ENOUGH or probes >= most:
            return (probes if lists is not None else None), min(recall, 1.0)
        probes = min(2 * probes, most)
