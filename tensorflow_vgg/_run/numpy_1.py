"""NumPy as scripts of 2017 knew it, made of today's. The module itself stays as it is."""

import contextlib
import contextvars
import functools
import importlib
import pkgutil
import types
import warnings

import numpy

from tensorflow_vgg._run.module import Module
from tensorflow_vgg._run.numpy_load import load_of

__all__ = ["METHODS", "method", "numpy_1_printing", "numpy_of"]

# Names that are gone, or mean something else today.
_ALIASES = {
    "bool": bool, "complex": complex, "float": float, "int": int, "long": int, "object": object, "str": str,
    "unicode": str,
}  # fmt: skip
_RENAMED = {
    "Inf": "inf", "Infinity": "inf", "NaN": "nan", "PINF": "inf", "alltrue": "all", "bool8": "bool_",
    "cfloat": "complex128", "complex_": "complex128", "cumproduct": "cumprod", "float_": "float64", "in1d": "isin",
    "infty": "inf", "int0": "intp", "longfloat": "longdouble", "mat": "asmatrix", "product": "prod", "rank": "ndim",
    "round_": "round", "row_stack": "vstack", "singlecomplex": "complex64", "sometrue": "any", "string_": "bytes_",
    "trapz": "trapezoid", "typeDict": "sctypeDict", "uint0": "uintp", "unicode_": "str_",
}  # fmt: skip
# Functions that took an iterator for a list.
_STACKING = ("column_stack", "concatenate", "dstack", "hstack", "stack", "vstack")
# Methods of arrays that are gone.
METHODS = ("itemset", "newbyteorder", "ptp", "tostring")


def numpy_of(weights_of):
    """The module numpy as a script sees it; `weights_of` is for `numpy_load.load_of`."""
    seen = Module("numpy", numpy, {**_numpy_1(), "load": load_of(weights_of)})
    if not hasattr(numpy.lib, "pad"):
        # NumPy 2 has left little there.
        public = {name: getattr(seen, name) for name in dir(seen) if name[0] != "_" and not hasattr(numpy.lib, name)}
        values = {name: value for name, value in public.items() if not isinstance(value, types.ModuleType)}
        # All that its modules had is NumPy's, too: what was arraysetops is _arraysetops_impl.
        parts = [part.name[1:-5] for part in pkgutil.iter_modules(numpy.lib.__path__) if part.name[-5:] == "_impl"]
        values.update((part, seen) for part in parts if not hasattr(numpy.lib, part))
        seen.lib = Module("numpy.lib", numpy.lib, values)
    return seen


def _numpy_1():
    """What NumPy 1 had and today's has not, or does in another way: name -> value."""
    functions = (_array, _asarray, _fromstring, _histogram, _save)
    values = {function.__name__.lstrip("_"): function for function in functions}
    values.update(_ALIASES)
    values.update((name, _stacking(getattr(numpy, name))) for name in _STACKING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        values.update((old, getattr(numpy, new)) for old, new in _RENAMED.items() if not hasattr(numpy, old))
        if not hasattr(numpy, "asscalar"):
            values["NINF"] = -numpy.inf
            values["asscalar"] = lambda a: a.item()
            values["asfarray"] = lambda a, dtype=float: numpy.asarray(a, dtype)
            values["msort"] = lambda a: numpy.sort(a, axis=0)
    return values


def _stacking(function):
    @functools.wraps(function)
    def stack(arrays, *args, **kwargs):
        return function(arrays if hasattr(arrays, "__len__") else list(arrays), *args, **kwargs)

    return stack


def _ragged(function):
    @functools.wraps(function)
    def array(*args, **kwargs):
        if kwargs.get("copy") is False:
            kwargs["copy"] = None  # where none is needed
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            if "inhomogeneous" not in str(error) or len(args) > 1 or kwargs.get("dtype") is not None:
                raise
        return function(*args, **dict(kwargs, dtype=object))

    return array


_array, _asarray = _ragged(numpy.array), _ragged(numpy.asarray)


def _save(file, arr, *args, **kwargs):
    return numpy.save(file, arr if isinstance(arr, numpy.ndarray) else _asarray(arr), *args, **kwargs)


def _fromstring(string, dtype=float, count=-1, sep="", **kwargs):
    if sep:
        return numpy.fromstring(string, dtype, count, sep=sep, **kwargs)
    data = string.encode("latin1") if isinstance(string, str) else string
    return numpy.frombuffer(data, dtype, count).copy()


def _histogram(a, bins=10, range=None, normed=None, weights=None, density=None):
    return numpy.histogram(a, bins, range, weights=weights, density=normed if density is None else density)


def method(value, name):
    """The attribute `name`, one of `METHODS`, of any value: of an array without it, NumPy 1's method."""
    if hasattr(value, name) or not isinstance(value, (numpy.ndarray, numpy.generic)):
        return getattr(value, name)

    def itemset(*args):
        places = value.flat if len(args) > 1 and not isinstance(args[0], tuple) else value
        places[args[0] if len(args) > 1 else ...] = args[-1]

    return {
        "itemset": itemset,
        "newbyteorder": lambda order="S": value.view(value.dtype.newbyteorder(order)),
        "ptp": functools.partial(numpy.ptp, value),
        "tostring": value.tobytes,
    }[name]


@contextlib.contextmanager
def numpy_1_printing():
    """Within the block NumPy prints numbers as NumPy 1 does: 0.5 in a list, not np.float32(0.5)."""
    if int(numpy.__version__.partition(".")[0]) < 2:
        yield
        return
    defaults = before = {}
    with numpy.printoptions(legacy="1.25"):
        with contextlib.suppress(ImportError, AttributeError):
            # The options hold for this thread; tf.py_func runs in others, which start from the defaults.
            options = importlib.import_module("numpy._core.printoptions").format_options
            defaults = contextvars.Context().run(options.get)
            before = dict(defaults)
            defaults["legacy"] = options.get()["legacy"]
        try:
            yield
        finally:
            defaults.update(before)
