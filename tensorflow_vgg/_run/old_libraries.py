"""NumPy and scikit-image as scripts of 2017 knew them, made of today's.

`numpy_1`, `image_io` and `image_transform` give what such a script sees in place of what a module has, name -> value.
The modules themselves stay as they are.
"""

import contextlib
import contextvars
import functools
import importlib
import inspect
import io
import os
import warnings

from tensorflow_vgg import weights

__all__ = ["METHODS", "image_io", "image_transform", "method", "numpy_1", "numpy_1_printing"]

# Names that are gone, or mean something else today.
_ALIASES = {
    "bool": bool,
    "complex": complex,
    "float": float,
    "int": int,
    "long": int,
    "object": object,
    "str": str,
    "unicode": str,
}
_RENAMED = {
    "Inf": "inf",
    "NaN": "nan",
    "PINF": "inf",
    "alltrue": "all",
    "bool8": "bool_",
    "complex_": "complex128",
    "cumproduct": "cumprod",
    "float_": "float64",
    "in1d": "isin",
    "infty": "inf",
    "int0": "intp",
    "longfloat": "longdouble",
    "mat": "asmatrix",
    "product": "prod",
    "rank": "ndim",
    "round_": "round",
    "row_stack": "vstack",
    "sometrue": "any",
    "string_": "bytes_",
    "trapz": "trapezoid",
    "typeDict": "sctypeDict",
    "unicode_": "str_",
}
# Functions that took an iterator for a list.
_STACKING = ("column_stack", "concatenate", "dstack", "hstack", "stack", "vstack")
# Methods of arrays that are gone.
METHODS = ("itemset", "newbyteorder", "ptp", "tostring")
# The arguments of skimage.transform.resize that go to warp.
_WARP = ("cval", "clip", "mode", "order", "preserve_range")


def numpy_1(numpy):
    """What NumPy 1 had and today's has not, or does in another way."""

    def of_list(function):
        @functools.wraps(function)
        def stack(arrays, *args, **kwargs):
            return function(arrays if hasattr(arrays, "__len__") else list(arrays), *args, **kwargs)

        return stack

    def ragged(function):
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

    array, asarray = ragged(numpy.array), ragged(numpy.asarray)

    def save(file, arr, *args, **kwargs):
        return numpy.save(file, arr if isinstance(arr, numpy.ndarray) else asarray(arr), *args, **kwargs)

    def fromstring(string, dtype=float, count=-1, sep="", **kwargs):
        if sep:
            return numpy.fromstring(string, dtype, count, sep=sep, **kwargs)
        data = string.encode("latin1") if isinstance(string, str) else string
        return numpy.frombuffer(data, dtype, count).copy()

    def histogram(a, bins=10, range=None, normed=None, weights=None, density=None):
        return numpy.histogram(a, bins, range, weights=weights, density=normed if density is None else density)

    values = {
        **_ALIASES,
        "array": array,
        "asarray": asarray,
        "fromstring": fromstring,
        "histogram": histogram,
        "load": _load_of(numpy),
        "save": save,
        **{name: of_list(getattr(numpy, name)) for name in _STACKING},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        values.update((old, getattr(numpy, new)) for old, new in _RENAMED.items() if not hasattr(numpy, old))
        if not hasattr(numpy, "asscalar"):
            values["asscalar"] = lambda a: a.item()
            values["asfarray"] = lambda a, dtype=float: numpy.asarray(a, dtype)
            values["msort"] = lambda a: numpy.sort(a, axis=0)
    return values


def method(value, name):
    """The attribute `name`, one of `METHODS`, of any value: of an array without it, NumPy 1's method."""
    import numpy

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
def numpy_1_printing(numpy):
    """Within the block NumPy prints numbers as NumPy 1 does: 0.5 in a list, not np.float32(0.5)."""
    if int(numpy.__version__.partition(".")[0]) < 2:
        yield
        return
    before = numpy.get_printoptions()
    numpy.set_printoptions(legacy="1.25")
    defaults = {}
    with contextlib.suppress(ImportError, AttributeError):
        # The options hold for this thread; tf.py_func runs in others, which start from the defaults.
        options = importlib.import_module("numpy._core.printoptions").format_options
        defaults = contextvars.Context().run(options.get)
        defaults["legacy"], was = options.get()["legacy"], defaults["legacy"]
    try:
        yield
    finally:
        if defaults:
            defaults["legacy"] = was
        numpy.set_printoptions(**before)


def _load_of(numpy):
    """`numpy.load`, in which this package's reader takes the place of unpickling."""

    @functools.wraps(numpy.load)
    def load(file, mmap_mode=None, *args, **kwargs):
        allowed = args[0] if args else kwargs.get("allow_pickle", True)  # as it was in 2017
        with contextlib.ExitStack() as stack:
            opened = file
            if isinstance(file, (str, os.PathLike)) and os.path.isfile(file):
                opened = stack.enter_context(open(file, "rb"))
            holds = _holds_objects(opened, numpy) if allowed and mmap_mode is None and hasattr(opened, "seek") else None
            if holds:
                encoding = args[2] if len(args) > 2 else kwargs.get("encoding")
                name = getattr(opened, "name", file)
                return weights.read_objects(opened, name, bare=holds == "pickle", keep_bytes=encoding == "bytes")
        loaded = numpy.load(file, mmap_mode, *args, **kwargs)
        if allowed and isinstance(loaded, numpy.lib.npyio.NpzFile):
            loaded.__class__ = _archive_of(numpy)
        return loaded

    return load


def _holds_objects(file, numpy):
    """ "npy" for a `.npy` of Python objects, "pickle" for a pickle, else None. The file's position stays as it was."""
    position = file.tell()
    try:
        start = file.read(6)
        file.seek(position)
        if not start.startswith(numpy.lib.format.MAGIC_PREFIX):
            return None if not start or start.startswith(b"PK") else "pickle"
        version = numpy.lib.format.read_magic(file)
        read = {(1, 0): numpy.lib.format.read_array_header_1_0, (2, 0): numpy.lib.format.read_array_header_2_0}
        return "npy" if version in read and read[version](file)[2].hasobject else None
    except (ValueError, EOFError):
        return None
    finally:
        file.seek(position)


@functools.lru_cache(maxsize=None)
def _archive_of(numpy):
    """The class of `.npz` files, whose arrays of Python objects this package's reader reads."""

    class NpzFile(numpy.lib.npyio.NpzFile):
        def __getitem__(self, key):
            name = key if key in self.zip.namelist() else f"{key}.npy"
            if name in self.zip.namelist():
                with self.zip.open(name) as file:
                    member = io.BytesIO(file.read(1 << 16))
                if _holds_objects(member, numpy) == "npy":
                    with self.zip.open(name) as file:
                        return weights.read_objects(file, name)
            return super().__getitem__(key)

    return NpzFile


def image_transform(transform):
    """What skimage.transform does in another way since scikit-image 0.15."""
    signature = inspect.signature(transform.resize)

    @functools.wraps(transform.resize)
    def resize(*args, **kwargs):
        from tensorflow_vgg import utils

        given = signature.bind(*args, **kwargs).arguments
        for name, old in (("order", 1), ("mode", "constant"), ("anti_aliasing", False)):
            if given.get(name) is None:
                given[name] = old
        image, shape = given["image"], tuple(given["output_shape"])
        if getattr(image, "dtype", None) is not None and image.dtype.kind in "bf":
            image = given["image"] = image.astype(float)
        flat = not given["anti_aliasing"] and not given.get("anti_aliasing_sigma")
        if flat and getattr(image, "ndim", 0) in (2, 3) and shape[2:] in ((), image.shape[2:]) and len(shape) > 1:
            options = {name: value for name, value in given.items() if name in _WARP}
            return utils.resized(image, int(shape[0]), int(shape[1]), **options)
        return transform.resize(**given)

    def rescale(
        image,
        scale,
        order=1,
        mode=None,
        cval=0,
        clip=True,
        preserve_range=False,
        multichannel=None,
        anti_aliasing=None,
        anti_aliasing_sigma=None,
    ):
        """`skimage.transform.rescale`, for which the third axis was that of the channels unless told otherwise."""
        import numpy

        channels = image.shape[2:] if (image.ndim == 3 if multichannel is None else multichannel) else ()
        sizes = numpy.round(numpy.multiply(scale, image.shape[: image.ndim - len(channels)])).astype(int)
        options = {"anti_aliasing": anti_aliasing, "anti_aliasing_sigma": anti_aliasing_sigma}
        return resize(image, (*sizes, *channels), order, mode, cval, clip, preserve_range, **options)

    return {"resize": resize, "rescale": rescale}


def image_io(module):
    """What skimage.io calls otherwise since scikit-image 0.19, and that it saved numbers in [0, 1]."""

    @functools.wraps(module.imread)
    def imread(*args, **kwargs):
        for old in ("as_grey", "flatten"):
            if old in kwargs:
                kwargs["as_gray"] = kwargs.pop(old)
        return module.imread(*args, **kwargs)

    @functools.wraps(module.imsave)
    def imsave(fname, arr, *args, **kwargs):
        from skimage import img_as_ubyte

        floats = getattr(arr, "dtype", None) is not None and arr.dtype.kind == "f"
        return module.imsave(fname, img_as_ubyte(arr) if floats else arr, *args, **kwargs)

    return {"imread": imread, "imsave": imsave}
