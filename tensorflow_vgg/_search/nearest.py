"""FAISS: which rows are the nearest, exactly or nearly so."""

import math
import re
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
    queries, wanted = _nearest_ten(features)
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
    """For each of the queries its nearest rows, int64 [at most top], and their similarities, float32.

    The largest comes first, and where they are equal the first row. `features` are the rows of the index, float32
    [n, dimensions], and `queries` are float32 [m, dimensions].
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
    """An index without rows; a ValueError if FAISS knows no such kind, or not for so many dimensions."""
    import faiss

    try:
        return faiss.index_factory(dimensions, kind, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise ValueError(f"--faiss {kind}: FAISS has none for {dimensions} dimensions: {_said(error)}") from error


def _said(error):
    """What FAISS says in an error, without where in FAISS, and what was not true there."""
    return re.sub(r"Error in .*? at \S+:\d+: (Error: '.*?' failed: )?", "", str(error))


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


def _nearest_ten(features):
    """Rows that serve as queries, and for each the set of its nearest ten others, by comparing all."""
    import faiss

    queries = np.linspace(0, len(features) - 1, min(_QUERIES, len(features))).astype(np.int64)
    _, rows = faiss.knn(features[queries], features, min(11, len(features)), faiss.METRIC_INNER_PRODUCT)
    return queries, [set(found) - {query} for query, found in zip(queries, rows)]


def _probes(index, features, queries, wanted, most):
    """How many lists are probed so that enough is found, at most `most`, and the recall at 10 that it gives."""
    import faiss

    lists = faiss.try_extract_index_ivf(index)
    probes, most = 1, most or (lists.nlist if lists is not None else 1)
    while True:
        if lists is not None:
            lists.nprobe = probes
        found = search(index, features, features[queries], 11)
        hits = sum(len(others.intersection(rows)) for others, (rows, _) in zip(wanted, found))
        recall = hits / max(1, sum(map(len, wanted)))
        if recall >= ENOUGH or probes >= most:
            return (probes if lists is not None else None), recall
        probes = min(2 * probes, most)
