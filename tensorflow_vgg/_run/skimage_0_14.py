"""scikit-image 0.14, and Matplotlib before 3.9, as scripts knew them. The modules themselves stay as they are."""

import functools
import importlib
import inspect

import numpy

from tensorflow_vgg._run.module import Module
from tensorflow_vgg._run.moved import module_of

__all__ = ["matplotlib_of", "skimage_of"]

# The arguments of skimage.transform.resize that go to warp.
_WARP = ("cval", "clip", "mode", "order", "preserve_range")


def skimage_of(new_resize=False):
    """The module skimage as a script sees it. `new_resize` leaves skimage.transform as it is today."""

    def seen(name, old):
        module = importlib.import_module(f"skimage.{name}")
        return module_of(module.__name__, module, old(module))

    made = {"io": functools.partial(seen, "io", _io), "measure": functools.partial(seen, "measure", _measure)}
    if not new_resize:
        made["transform"] = functools.partial(seen, "transform", _transform)
    return module_of("skimage", made=made)


def _transform(transform):
    """What skimage.transform does in another way since scikit-image 0.15."""
    signature = inspect.signature(transform.resize)

    @functools.wraps(transform.resize)
    def resize(*args, **kwargs):
        from tensorflow_vgg import utils

        given = signature.bind(*args, **kwargs).arguments
        for name, old in (("order", 1), ("mode", "constant"), ("anti_aliasing", False)):
            if given.get(name) is None:
                given[name] = old
        image, shape = numpy.asarray(given["image"]), tuple(given["output_shape"])
        given["image"] = image = image.astype(float) if image.dtype.kind in "bf" else image
        flat = not given["anti_aliasing"] and not given.get("anti_aliasing_sigma")
        if flat and image.ndim in (2, 3) and shape[2:] in ((), image.shape[2:]) and len(shape) > 1:
            options = {name: value for name, value in given.items() if name in _WARP}
            return utils.resized(image, int(shape[0]), int(shape[1]), **options)
        return transform.resize(**given)

    def rescale(image, scale, *args, multichannel=None, **kwargs):
        """`skimage.transform.rescale`, for which the third axis was that of the channels unless told otherwise."""
        channels = image.shape[2:] if (image.ndim == 3 if multichannel is None else multichannel) else ()
        sizes = numpy.round(numpy.multiply(scale, image.shape[: image.ndim - len(channels)])).astype(int)
        return resize(image, (*sizes, *channels), *args, **kwargs)

    return {"resize": resize, "rescale": rescale}


def _measure(module):
    """`compare_ssim`, which is in skimage.metrics since scikit-image 0.16 and asks of floats what their range is."""

    def compare_ssim(X, Y, win_size=None, gradient=False, data_range=None, multichannel=False, *args, **kwargs):
        from skimage import dtype_limits, metrics

        low, high = dtype_limits(X)
        kwargs.update(zip(("gaussian_weights", "full"), args))
        kwargs.update(data_range=high - low if data_range is None else data_range, gradient=gradient, win_size=win_size)
        pair = numpy.asarray(X, float), numpy.asarray(Y, float)
        return metrics.structural_similarity(*pair, channel_axis=-1 if multichannel else None, **kwargs)

    return {} if hasattr(module, "compare_ssim") else {"compare_ssim": compare_ssim}


def _io(module):
    """What skimage.io calls otherwise since scikit-image 0.19, and that it saved numbers in [0, 1]."""

    @functools.wraps(module.imread)
    def imread(*args, **kwargs):
        for old in ("as_grey", "flatten"):
            if old in kwargs:
                kwargs["as_gray"] = kwargs.pop(old)
        return module.imread(*args, **kwargs)

    @functools.wraps(module.imsave)
    def imsave(fname, arr, *args, **kwargs):
        from skimage import img_as_ubyte, img_as_uint

        array = numpy.asarray(arr)
        if array.dtype.kind == "f":
            deep = array.ndim == 2 and str(fname).lower().endswith(".png")
            arr = img_as_uint(array) if deep else img_as_ubyte(array)
        return module.imsave(fname, arr, *args, **kwargs)

    return {"imread": imread, "imsave": imsave}


def matplotlib_of():
    """The module matplotlib as a script sees it: with `cm.get_cmap` and `use(..., warn)`, which are gone."""
    matplotlib = importlib.import_module("matplotlib")
    base = importlib.import_module("matplotlib.cm")

    def get_cmap(name=None, lut=None):
        return importlib.import_module("matplotlib.pyplot").get_cmap(name, lut)

    def use(backend, warn=False, force=True):
        matplotlib.use(backend, force=force)

    cm = Module("matplotlib.cm", base, {"get_cmap": get_cmap})

    def pyplot():
        return Module("matplotlib.pyplot", importlib.import_module("matplotlib.pyplot"), {"cm": cm})

    return Module("matplotlib", matplotlib, {"cm": cm, "use": use}, {"pyplot": pyplot})
