"""What a pickle of weights may name: plain arrays, numbers, and Python's containers.

A pickle calls what it names and sets what it likes on the result, with NumPy's own dtype even the flag that says
whether an array's bytes are pointers. So nothing of NumPy is handed to it: the names stand for the classes below, which
take only what a plain array needs.
"""

import collections
import re

import numpy as np

from tensorflow_vgg._weights.error import WeightsError, shown

__all__ = ["NAMES", "SCALARS", "Array", "Call", "Dtype"]

# What may be a key. The hash of each is found once, or from few bytes.
SCALARS = (type(None), bool, int, float, complex, str, bytes, np.generic)

_LONGEST_DIMENSION = 1 << 40


class Dtype:
    """A dtype of numbers, fixed-length strings or objects."""

    def __init__(self, code):
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(code, str):
            raise WeightsError(f"expected arrays of numbers, got a dtype named by a {type(code).__name__}")
        if not re.match(r"(b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,8}|O[48]?)\Z", code):
            raise WeightsError(f"expected arrays of numbers, got dtype {shown(code)!r}")
        self.value = np.dtype(code[0] if code[0] == "O" else code)

    def fill(self, spend, *state):
        """Sets the byte order, the one thing of its state that a plain dtype has."""
        if len(state) < 5:
            raise WeightsError("expected arrays of numbers, got a dtype without its state")
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        if (
            any(part is not None for part in state[2:5])
            or not isinstance(order, str)
            or order not in ("<", ">", "|", "=")
        ):
            raise WeightsError("expected arrays of numbers, got a structured dtype")
        self.value = self.value.newbyteorder(order)


class Array:
    """An array's shape, dtype, order and data."""

    def __init__(self):
        self.shape = self.dtype = self.fortran = self.data = None

    def fill(self, spend, *state):
        """Sets all, from an array's state."""
        if len(state) < 4:
            raise WeightsError("refused: an array without shape and dtype; do not use this file")
        shape, dtype, fortran, data = state[-4:]
        if type(dtype) is not Dtype or type(shape) is not tuple or len(shape) > 32:
            raise WeightsError("refused: an array without shape and dtype; do not use this file")
        if not all(type(size) is int and 0 <= size <= _LONGEST_DIMENSION for size in shape):
            raise WeightsError("refused: an array whose shape has other than sizes; do not use this file")
        kind, size = (list, 1) if dtype.value.hasobject else (bytes, dtype.value.itemsize)
        for dimension in shape:
            size *= dimension
        if type(data) is not kind or len(data) != size:
            raise WeightsError(
                f"an array of shape {shown(str(shape))} and dtype {dtype.value} has data of another size"
            )
        spend(size)
        self.shape, self.dtype, self.fortran, self.data = shape, dtype.value, bool(fortran), data


class Call:
    """Something that a pickle may name, and what a call of it gives."""

    def __init__(self, name, call):
        self.name = name
        self.call = call


def _reconstruct(spend, kind, shape, code):
    if kind is not NAMES["numpy", "ndarray"]:
        raise WeightsError("refused: the pickle wants an array of an unknown class; do not use this file")
    return Array()


def _encode(spend, text, encoding):  # how protocol 2 of Python 3 spells bytes
    if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
        raise WeightsError("refused: the pickle wants another codec than latin1; do not use this file")
    spend(len(text))
    return text.encode("latin1")


def _scalar(spend, dtype, data):
    if type(dtype) is not Dtype or dtype.value.hasobject or not isinstance(data, bytes):
        raise WeightsError("refused: a number without dtype and value; do not use this file")
    if len(data) != dtype.value.itemsize:
        raise WeightsError("refused: a number of another size than its dtype's; do not use this file")
    spend(len(data))
    return np.frombuffer(data, dtype.value)[0]


def _set_of(kind):
    def call(spend, items=()):
        if type(items) not in (list, tuple) or not all(isinstance(item, SCALARS) for item in items):
            raise WeightsError("refused: a set of what are no strings or numbers; do not use this file")
        spend(len(items))
        return kind(items)

    return call


def _ordered_dict(spend, pairs=()):
    if type(pairs) not in (list, tuple) or not all(
        type(pair) in (list, tuple) and len(pair) == 2 and isinstance(pair[0], SCALARS) for pair in pairs
    ):
        raise WeightsError("refused: an OrderedDict of other than keys and values; do not use this file")
    spend(len(pairs))
    return collections.OrderedDict(pairs)


def _default_dict(spend, factory=None):
    kinds = {kind.__name__: kind for kind in (dict, float, int, list, set)}
    if factory is None:
        return collections.defaultdict()
    if type(factory) is not Call or factory.name not in kinds:
        raise WeightsError("refused: a defaultdict of an unknown class; do not use this file")
    return collections.defaultdict(kinds[factory.name])


def _complex(spend, real, imaginary):
    return complex(real, imaginary) if type(real) is type(imaginary) is float else _refuse(spend)


def _refuse(spend, *arguments):
    raise WeightsError("refused: the pickle wants to call what needs no call; do not use this file")


NAMES = {
    ("numpy", "ndarray"): Call("ndarray", lambda spend, *shape: Array()),
    ("numpy", "dtype"): Call("dtype", lambda spend, code, align=False, copy=False: Dtype(code)),
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
        NAMES[_module, _name] = Call(_name, _refuse)
