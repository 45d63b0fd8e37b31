"""What a pickle of weights may name: plain arrays, numbers, and Python's containers.

A pickle calls what it names and sets what it likes on the result, with NumPy's own dtype even the flag that says
whether an array's bytes are pointers. So nothing of NumPy is handed to it: the names stand for the classes below, which
take only what a plain array needs.
"""

import collections
import re
import sys

import numpy as np

from tensorflow_vgg._weights.error import WeightsError, shown

__all__ = ["NAMES", "SCALARS", "Call", "Dtype", "expect_scalars", "fill_array", "refused"]

# Strings and numbers. The hash of each is found once, or from few bytes.
SCALARS = (type(None), bool, int, float, complex, str, bytes, np.generic)

_LONGEST_DIMENSION = 1 << 40


def refused(what):
    """The error for what no weight file has."""
    return WeightsError(f"refused: {what}; do not use this file")


def expect_scalars(what, items):
    """The items, which have to be strings or numbers, and such of which no more than a few have the same hash."""
    for item in items:
        if not isinstance(item, SCALARS):
            raise refused(f"{what} that are no strings or numbers")
        too_large = isinstance(item, int) and abs(item) >= sys.hash_info.modulus
        if too_large or isinstance(item, (complex, np.complexfloating)) or item != item:
            raise refused(f"{what} that are numbers of a kind that no key is")
    return items


class Dtype:
    """A dtype of numbers, fixed-length strings or objects."""

    def __init__(self, code):
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(code, str):
            raise WeightsError(f"expected arrays of numbers, got a dtype named by a {type(code).__name__}")
        if not re.match(r"(b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,8}|O[48]?)\Z", code):
            raise WeightsError(f"expected arrays of numbers, got dtype {shown(code)!r}")
        self.value = np.dtype(code[0] if code[0] == "O" else code)

    def fill(self, pickle, *state):
        """Sets the byte order, the one thing of its state that a plain dtype has."""
        if len(state) < 5:
            raise WeightsError("expected arrays of numbers, got a dtype without its state")
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        is_order = isinstance(order, str) and order in ("<", ">", "|", "=")
        if not is_order or any(part is not None for part in state[2:5]):
            raise WeightsError("expected arrays of numbers, got a structured dtype")
        self.value = self.value.newbyteorder(order)


def _empty_array(pickle, *shape):
    return np.ndarray((0,), np.int8)


def fill_array(array, pickle, *state):
    """Notes an array's state, which it is given when all is read."""
    shape, dtype, fortran, data = state[-4:] if len(state) >= 4 else [None] * 4
    if type(dtype) is not Dtype or type(shape) is not tuple or len(shape) > 32 or not isinstance(fortran, int):
        raise refused("an array without shape and dtype")
    if not all(type(size) is int and 0 <= size <= _LONGEST_DIMENSION for size in shape):
        raise refused("an array whose shape has other than sizes")
    kind, size = (list, 1) if dtype.value.hasobject else (bytes, dtype.value.itemsize)
    for dimension in shape:
        size *= dimension
    if type(data) is not kind or len(data) != size:
        raise WeightsError(f"an array of shape {shown(str(shape))} and dtype {dtype.value} has data of another size")
    pickle.spend(size)
    pickle.arrays[id(array)] = array, (1, shape, dtype.value, bool(fortran), data)


class Call:
    """Something that a pickle may name, and what a call of it gives."""

    def __init__(self, name, call):
        self.name = name
        self.call = call


def _reconstruct(pickle, kind, shape, code):
    if kind is not NAMES["numpy", "ndarray"]:
        raise refused("the pickle wants an array of an unknown class")
    return _empty_array(pickle)


def _encode(pickle, text, encoding):  # how protocol 2 of Python 3 spells bytes
    if type(encoding) not in (str, bytes) or encoding not in ("latin1", b"latin1") or not isinstance(text, str):
        raise refused("the pickle wants another codec than latin1")
    pickle.spend(len(text))
    return text.encode("latin1")


def _scalar(pickle, dtype, data):
    if type(dtype) is not Dtype or dtype.value.hasobject or not isinstance(data, bytes):
        raise refused("a number without dtype and value")
    if len(data) != dtype.value.itemsize:
        raise refused("a number of another size than its dtype's")
    pickle.spend(len(data))
    return np.frombuffer(data, dtype.value)[0]


def _set_of(kind):
    def call(pickle, items=()):
        if type(items) not in (list, tuple):
            raise refused(f"a set of a {type(items).__name__}")
        pickle.spend(len(items))
        return kind(expect_scalars("items of a set", items))

    return call


def _ordered_dict(pickle, pairs=()):
    if type(pairs) not in (list, tuple) or not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
        raise refused("an OrderedDict of other than keys and values")
    pickle.spend(len(pairs))
    return collections.OrderedDict((pickle.key(key), value) for key, value in pairs)


def _default_dict(pickle, factory=None):
    kinds = {kind.__name__: kind for kind in (dict, float, int, list, set)}
    if factory is None:
        return collections.defaultdict()
    if type(factory) is not Call or factory.name not in kinds:
        raise refused("a defaultdict of an unknown class")
    return collections.defaultdict(kinds[factory.name])


def _complex(pickle, real, imaginary):
    return complex(real, imaginary) if type(real) is type(imaginary) is float else _uncalled(pickle)


def _uncalled(pickle, *arguments):
    raise refused("the pickle wants to call what needs no call")


NAMES = {
    ("numpy", "ndarray"): Call("ndarray", _empty_array),
    ("numpy", "dtype"): Call("dtype", lambda pickle, code, align=False, copy=False: Dtype(code)),
    ("_codecs", "encode"): Call("encode", _encode),
    ("collections", "OrderedDict"): Call("OrderedDict", _ordered_dict),
    ("collections", "defaultdict"): Call("defaultdict", _default_dict),
}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    NAMES[_module, "_reconstruct"] = Call("_reconstruct", _reconstruct)
    NAMES[_module, "scalar"] = Call("scalar", _scalar)
for _module in ("builtins", "__builtin__"):
    NAMES[_module, "set"] = Call("set", _set_of(set))
    NAMES[_module, "frozenset"] = Call("frozenset", _set_of(frozenset))
    NAMES[_module, "complex"] = Call("complex", _complex)
    for _name in ("dict", "float", "int", "list"):  # the defaults of defaultdicts
        NAMES[_module, _name] = Call(_name, _uncalled)
