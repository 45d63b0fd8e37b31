"""Names of Python 3.7 and of the libraries of its time that are elsewhere today."""

import functools
import importlib

from tensorflow_vgg._run.module import Module

__all__ = ["MODULES", "module_of"]

# module -> where its names are today -> the names, some as old=new.
_MOVED = {
    "PIL.Image": {"PIL.Image": "ANTIALIAS=LANCZOS CUBIC=BICUBIC LINEAR=BILINEAR"},
    "base64": {"base64": "decodestring=decodebytes encodestring=encodebytes"},
    "collections": {"collections.abc": "Callable Hashable Iterable Iterator Mapping MutableMapping Sequence Set Sized"},
    "fractions": {"math": "gcd"},
    "scipy": {"numpy": "array interp mean ones pi sqrt zeros"},
    "scipy.integrate": {"scipy.integrate": "cumtrapz=cumulative_trapezoid simps=simpson trapz=trapezoid"},
    "scipy.linalg": {"scipy.linalg": "pinv2=pinv"},
    "scipy.misc": {"scipy.special": "comb factorial factorial2 factorialk logsumexp"},
    "scipy.signal": {"scipy.signal.windows": "gaussian hamming hann hanning=hann"},
    "skimage.color": {"skimage.color": "rgb2grey=rgb2gray"},
    "skimage.measure": {"skimage.metrics": "compare_mse=mean_squared_error compare_psnr=peak_signal_noise_ratio"},
    "skimage.morphology": {"skimage.segmentation": "watershed"},
    "time": {"time": "clock=perf_counter"},
}
MODULES = ("PIL", "base64", "collections", "fractions", "time")


def module_of(name, base=None, values=(), made=(), missing=None):
    """The module `name`, or `base`, as a script sees it: with its old names, and what `Module` takes besides."""
    base = base or importlib.import_module(name)
    old = {
        part.rpartition(".")[2]: functools.partial(module_of, part) for part in _MOVED if part.startswith(f"{name}.")
    }
    for place, names in _MOVED.get(name, {}).items():
        for was, _, new in (pair.partition("=") for pair in names.split()):
            if not hasattr(base, was):
                old[was] = functools.partial(_found, place, new or was)
    return Module(name, base, values, {**old, **dict(made)}, missing)


def _found(place, name):
    return getattr(importlib.import_module(place), name)
