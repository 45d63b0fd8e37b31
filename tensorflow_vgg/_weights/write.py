"""Writes weight files, and any file that takes another's place, whole or not at all."""

import contextlib
import os
import pickle
import stat
import uuid

import numpy as np

__all__ = ["replacing", "write"]


@contextlib.contextmanager
def replacing(path):
    """Opens a new file for writing bytes that takes the place of `path` when the block ends without an error.

    Until then `path` is as it was; after an error it still is. A symbolic link stays, its target is replaced. The new
    file may be read and written by whom the old one could.
    """
    path = os.path.realpath(path)
    temporary = f"{path}.{uuid.uuid4().hex}.tmp"
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mode = None  # there is no file: the new one gets what new files get
    try:
        with open(
            temporary, "xb", opener=lambda name, flags: os.open(name, flags, 0o666 if mode is None else 0o600)
        ) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, temporary):
            error.filename = path  # a full disk says so without a name
        raise


def write(path, weights):
    """Writes a weight dict in upstream's format, atomically.

    `numpy.load(path, allow_pickle=True).item()` gives it back, with `encoding="latin1"` too, on Python 3 with any
    NumPy since 1.16: the pickle names only what all of them have.

    Args:
      path: the file; one that exists is replaced.
      weights: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`.
    """
    outer = np.empty((), dtype=object)
    outer[()] = weights
    with replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickler = pickle.Pickler(file, protocol=3)
        pickler.dispatch_table = _Reducers()
        pickler.dump(outer)


class _Reducers(dict):
    """How a pickle names arrays: also those of a subclass, such as mapped ones, as plain arrays."""

    def __missing__(self, kind):
        if issubclass(kind, np.ndarray):
            return _reduce_array
        raise KeyError(kind)


def _reduce_array(array):
    """A copy of ndarray.__reduce__ that does not name NumPy's private module, which differs between versions."""
    array = np.asarray(array, order="C")
    data = array.reshape(-1).tolist() if array.dtype.hasobject else array.tobytes()
    return np.ndarray, ((0,),), (1, array.shape, array.dtype, False, data)
