"""The image functions that scipy.misc had until SciPy 1.2, on Pillow: `scipy_of` gives a script its scipy.

Held to recordings of SciPy 1.1.0.
"""

import importlib
import types
import warnings

import numpy
from PIL import Image

from tensorflow_vgg._run.module import Module
from tensorflow_vgg._run.moved import module_of

__all__ = ["bytescale", "fromimage", "imread", "imresize", "imrotate", "imsave", "scipy_of", "toimage"]

# Samples, which must be downloaded today.
_DATASETS = ("ascent", "electrocardiogram", "face")

# Pillow's numbers.
_RESAMPLING = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}
# Pillow's modes of three axes, and their channels.
_CHANNELS = {"RGB": 3, "RGBA": 4, "YCbCr": 3, "CMYK": 4}


def scipy_of(environment):
    """The module scipy as the script of an `imports.Environment` sees it: SciPy itself if it has the functions."""
    scipy = importlib.import_module("scipy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            base = importlib.import_module("scipy.misc")
        except ImportError:
            base = types.ModuleType("scipy.misc")  # SciPy 2 has none
        if hasattr(base, "imresize"):
            return scipy

    def missing(name):
        last = name.rpartition(".")[2]
        instead = f"; today it is scipy.datasets.{last}" if last in _DATASETS else ""
        return f"{environment.line()}{name} is not in SciPy {scipy.__version__}{instead}"

    def misc(name):
        functions = (bytescale, fromimage, imread, imresize, imrotate, imsave, toimage)
        values = {function.__name__: function for function in functions}
        return module_of(name, base, values, {"pilutil": lambda: misc("scipy.misc.pilutil")}, missing)

    def ndimage():
        values = {"imread": lambda fname, flatten=False, mode=None: imread(fname, flatten, mode)}
        return Module("scipy.ndimage", importlib.import_module("scipy.ndimage"), values)

    return module_of("scipy", made={"misc": lambda: misc("scipy.misc"), "ndimage": ndimage})


def bytescale(data, cmin=None, cmax=None, high=255, low=0):
    """Scales an array to uint8 numbers: `cmin` to `low`, `cmax` to `high`, what is beyond to the nearer of them.

    `cmin` and `cmax` are by default the array's smallest and largest number. A uint8 array is returned as it is.

    Raises:
      ValueError: `high` or `low` is not in [0, 255], or one of them is on the wrong side of the other.
    """
    if data.dtype == numpy.uint8:
        return data
    if not 0 <= low <= high <= 255:
        raise ValueError(f"expected 0 <= low <= high <= 255, got low {low} and high {high}")
    cmin, span = _range(data, cmin, cmax)
    if span < 0:
        raise ValueError(f"expected cmin <= cmax, got {cmin} and {cmin + span}")
    scaled = (data - cmin) * (float(high - low) / (span or 1)) + low
    return (scaled.clip(low, high) + 0.5).astype(numpy.uint8)


def _range(data, cmin, cmax):
    """`cmin`, and how far `cmax` is from it. Python's numbers leave float32 data float32, as all did in NumPy 1."""
    cmin = data.min() if cmin is None else cmin
    span = (data.max() if cmax is None else cmax) - cmin
    return [number.item() if isinstance(number, numpy.generic) else number for number in (cmin, span)]


def toimage(arr, high=255, low=0, cmin=None, cmax=None, pal=None, mode=None, channel_axis=None):
    """An array as a Pillow image, scaled by `bytescale`, so that its smallest number is black and its largest white.

    Args:
      arr: array [height, width], or of three axes of which one has 3 or 4 channels.
      high, low, cmin, cmax: as in `bytescale`. For mode "1" what is above `high` is white; "F" is not scaled.
      pal: array [colours, 3] of a palette, for two axes.
      mode: Pillow's: "L", "P", "1", "I" or "F" for two axes; "RGB", "YCbCr", "RGBA" or "CMYK" for three.
      channel_axis: which axis the channels are; by default the first of 3, else of 4.

    Raises:
      ValueError: the array is complex or has another shape, or the mode does not fit it.
    """
    data = numpy.asarray(arr)
    if numpy.iscomplexobj(data):
        raise ValueError("expected an array of real numbers, got complex ones")
    if data.ndim == 2:
        return _grey(data, high, low, cmin, cmax, pal, mode)
    if data.ndim != 3 or not {3, 4} & set(data.shape):
        raise ValueError(f"expected an array [height, width] or with an axis of 3 or 4 channels, got {data.shape}")
    axis = channel_axis
    if axis is None:
        axis = data.shape.index(3 if 3 in data.shape else 4)
    channels = data.shape[axis]
    mode = mode or {3: "RGB", 4: "RGBA"}.get(channels)
    if channels != _CHANNELS.get(mode):
        raise ValueError(f"mode {mode} does not fit an array of shape {data.shape} with channels in axis {axis}")
    pixels = numpy.moveaxis(bytescale(data, cmin, cmax, high, low), axis, 2)
    return Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())


def _grey(data, high, low, cmin, cmax, pal, mode):
    """What `toimage` makes of an array of two axes."""
    if mode not in (None, "L", "P", "1", "F", "I"):
        raise ValueError(f"mode {mode} does not fit an array of shape {data.shape}")
    if mode == "F":
        pixels = data.astype(numpy.float32)
    elif mode == "1":
        pixels = data > high  # a byte a pixel, where Pillow takes eight pixels from one: so it was
    elif mode == "I":
        cmin, span = _range(data, cmin, cmax)
        pixels = ((data * 1.0 - cmin) * (high - low) / span + low).astype(numpy.uint32)
    else:
        pixels = bytescale(data, cmin, cmax, high, low)
        if pal is None and mode == "P":
            pal = numpy.arange(256)[:, numpy.newaxis].repeat(3, axis=1)
        mode = "L"
    image = Image.frombytes(mode, data.shape[::-1], pixels.tobytes())
    if pal is not None and mode == "L":
        image.putpalette(numpy.asarray(pal, dtype=numpy.uint8).tobytes())
    return image


def fromimage(im, flatten=False, mode=None):
    """A Pillow image as an array [height, width] or [height, width, channels].

    It is uint8 but for the modes that have other numbers. `flatten` gives grey float32 numbers, [height, width]; `mode`
    is Pillow's mode to convert the image to first. Raises TypeError for what is no Pillow image.
    """
    if not isinstance(im, Image.Image):
        raise TypeError(f"expected a Pillow image, got {type(im).__name__}")
    if mode is None and im.mode == "P":
        mode = "RGBA" if "transparency" in im.info else "RGB"
    if mode is None and im.format == "PNG" and im.mode.startswith("I;16"):
        mode = "I"  # as Pillow opened it before 11
    if mode is not None and mode != im.mode:
        im = im.convert(mode)
    if flatten:
        im = im.convert("F")
    elif im.mode == "1":
        im = im.convert("L")
    return numpy.array(im)


def imread(name, flatten=False, mode=None):
    """Reads an image, a file or an open one, as `fromimage` gives it."""
    with Image.open(name) as im:
        return fromimage(im, flatten, mode)


def imresize(arr, size, interp="bilinear", mode=None):
    """Resizes an image after `toimage` has scaled it with `mode`, and gives what `fromimage` does.

    `size` is an int, the per cent of its size; a float, the fraction; or (height, width). `interp` is "nearest",
    "lanczos", "bilinear", "bicubic" or "cubic".
    """
    im = toimage(arr, mode=mode)
    if numpy.issubdtype(type(size), numpy.signedinteger):
        size = size / 100.0
    if numpy.issubdtype(type(size), numpy.floating):
        width, height = (numpy.array(im.size) * size).astype(int).tolist()
    else:
        height, width = size[0], size[1]
    resampling = _RESAMPLING[interp]
    if im.mode == "RGBA" and resampling:
        return fromimage(_resized(im.convert("RGBa"), width, height, resampling).convert("RGBA"))
    return fromimage(_resized(im, width, height, resampling))


def _resized(im, width, height, resampling):
    """The image in another size: its rows first, then its columns, as Pillow did before 13."""
    return im.resize((width, im.height), resampling).resize((width, height), resampling)


def imrotate(arr, angle, interp="bilinear"):
    """Rotates an image counter-clockwise by `angle` degrees; its size stays, what comes in is black."""
    return fromimage(toimage(arr).rotate(angle, resample=_RESAMPLING[interp]))


def imsave(name, arr, format=None):
    """Saves an array [height, width] or [height, width, 3 or 4], scaled by `toimage`, in the format of its name."""
    toimage(arr, channel_axis=2).save(name, format)
