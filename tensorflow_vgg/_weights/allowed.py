"""What a pickle of weights may name and call: stand-ins that hold nothing of NumPy's."""

import collections
import pickle
import re

import numpy as np

from tensorflow_vgg._weights.error import WeightsError

__all__ = ["unpickle"]

# The reader's allow-list. A pickle calls what it names and sets what it likes on the result, with NumPy's own
# dtype even the flag that says whether an array's bytes are pointers. So nothing of NumPy is handed to it: the
# names resolve to the stand-ins below, which take only what a plain array needs, and `_resolve` turns them into
# arrays when the pickle has ended.


class _Name:
    """Something a pickle may name and call. It holds nothing, so nothing can be changed on it."""

    __slots__ = ()

    def __setstate__(self, state):
        raise WeightsError("refused: the pickle wants to change one of NumPy's functions; do not use this file")


class _NdarrayName(_Name):
    __slots__ = ()

    def __call__(self, shape):
        return _Array()


class _ReconstructName(_Name):
    __slots__ = ()

    def __call__(self, kind, shape, code):
        if not isinstance(kind, _NdarrayName):
            raise WeightsError("refused: the pickle wants an array of an unknown class; do not use this file")
        return _Array()


class _DtypeName(_Name):
    __slots__ = ()

    def __call__(self, code, align=False, copy=False):
        return _Dtype(code)


class _EncodeName(_Name):
    __slots__ = ()

    def __call__(self, text, encoding):  # how protocol 2 of Python 3 spells bytes
        if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
            raise WeightsError(f"refused: the pickle wants the codec {encoding!r}; do not use this file")
        return text.encode("latin1")


class _ScalarName(_Name):
    __slots__ = ()

    def __call__(self, dtype, data):
        if not isinstance(dtype, _Dtype) or dtype.value.hasobject or not isinstance(data, bytes):
            raise WeightsError("refused: a number without dtype and value; do not use this file")
        (number,) = np.frombuffer(data, dtype.value)
        return number


class _ContainerName(_Name):
    """A class of Python's that only holds what it is given."""

    __slots__ = ("kind",)

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, *items):
        return self.kind(*(item.kind if isinstance(item, _ContainerName) else item for item in items))


_ALLOWED = {
    ("numpy", "ndarray"): _NdarrayName(),
    ("numpy", "dtype"): _DtypeName(),
    ("numpy.core.multiarray", "_reconstruct"): _ReconstructName(),
    ("numpy._core.multiarray", "_reconstruct"): _ReconstructName(),
    ("numpy.core.multiarray", "scalar"): _ScalarName(),
    ("numpy._core.multiarray", "scalar"): _ScalarName(),
    ("_codecs", "encode"): _EncodeName(),
    ("collections", "OrderedDict"): _ContainerName(collections.OrderedDict),
    ("collections", "defaultdict"): _ContainerName(collections.defaultdict),
}
for _kind in (complex, dict, float, frozenset, int, list, set):
    for _module in ("builtins", "__builtin__"):
        _ALLOWED[_module, _kind.__name__] = _ContainerName(_kind)


class _Dtype:
    __slots__ = ("code", "value")

    def __init__(self, code):
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not re.match(r"(b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,9}|O[48]?)\Z", code):
            raise WeightsError(f"expected arrays of numbers, got dtype {code!r}")
        self.code = code
        self.value = np.dtype(code[0] if code[0] == "O" else code)

    def __setstate__(self, state):
        _, order, subdtype, names, fields = state[:5]
        order = order.decode("latin1") if isinstance(order, bytes) else order
        if (subdtype, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise WeightsError("expected arrays of numbers, got a structured dtype")
        self.value = self.value.newbyteorder(order)


class _Array:
    __slots__ = ("data", "dtype", "fortran", "shape")

    def __setstate__(self, state):
        shape, dtype, fortran, data = state[-4:]
        if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple) or len(shape) > 32:
            raise WeightsError("refused: an array without shape and dtype; do not use this file")
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise WeightsError(f"refused: an array of shape {shape}; do not use this file")
        kind, size = (list, 1) if dtype.value.hasobject else (bytes, dtype.value.itemsize)
        for dimension in shape:
            size *= dimension
        if not isinstance(data, kind) or len(data) != size:
            raise WeightsError(f"an array of shape {shape} and dtype {dtype.value} has data of another size")
        self.shape, self.dtype, self.fortran, self.data = shape, dtype.value, bool(fortran), data


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise WeightsError(
                f"refused: the pickle wants to run {module}.{name}; a weight file needs only NumPy arrays in plain "
                "containers. Do not use this file"
            ) from None


def unpickle(file, keep_bytes):
    """What the pickle at the file's position holds: arrays and plain containers, nothing else."""
    # "bytes" spares the copies that text of the size of a layer costs with Python 2's files.
    return _resolve(_Unpickler(file, encoding="bytes").load(), {}, 0, keep_bytes)


def _resolve(value, done, depth, keep_bytes):
    if id(value) in done:
        return done[id(value)]
    if depth > 16:
        raise WeightsError("refused: containers nested too deep, or holding themselves; do not use this file")
    if isinstance(value, _Array):
        data = value.data
        if isinstance(data, list):
            data = [_resolve(item, done, depth + 1, keep_bytes) for item in data]
        result = np.ndarray((0,), np.int8)
        # Shape, dtype and data are checked; of all ways only this one shares the bytes and stays writable.
        result.__setstate__((1, value.shape, value.dtype, value.fortran, data))
    elif isinstance(value, dict):
        result = type(value).copy(value)  # of its class, with a defaultdict's default
        result.clear()
        for key, item in value.items():
            key = key.decode("latin1") if isinstance(key, bytes) and not keep_bytes else key
            result[_resolve(key, done, depth + 1, keep_bytes)] = _resolve(item, done, depth + 1, keep_bytes)
    elif isinstance(value, (list, tuple, set, frozenset)):
        result = type(value)([_resolve(item, done, depth + 1, keep_bytes) for item in value])
    elif value is None or isinstance(value, (bool, int, float, complex, str, bytes, np.generic)):
        return value
    else:
        raise WeightsError(f"refused: expected arrays in plain containers, got {type(value).__name__}")
    done[id(value)] = result
    return result
