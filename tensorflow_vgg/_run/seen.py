"""The installed modules that a script sees otherwise than everybody else."""

import functools

from tensorflow_vgg._run.module import Internals, Module
from tensorflow_vgg._run.numpy_1 import numpy_of
from tensorflow_vgg._run.scipy_misc import scipy_of
from tensorflow_vgg._run.skimage_0_14 import matplotlib_of, skimage_of
from tensorflow_vgg._run.tensorflow_1 import tensorflow_of

__all__ = ["is_plain", "makers", "wrapped"]


def makers(environment):
    """How to make the modules, name -> function.

    Args:
      environment: the script's `imports.Environment`.
    """

    def tensorflow():
        module = tensorflow_of(environment)
        vars(module).update(environment.weights.tensorflow_names())
        return module

    return {
        "matplotlib": matplotlib_of,
        "numpy": functools.partial(numpy_of, environment.weights.load),
        "scipy": functools.partial(scipy_of, environment),
        "skimage": functools.partial(skimage_of, environment.new_resize),
        "tensorflow": tensorflow,
    }


def is_plain(module):
    """Whether modules within a module are found as the import system does, before attributes of their names."""
    return isinstance(module, Internals) or not isinstance(module, Module)


def wrapped(module, found):
    """A module found within another, as the script sees it."""
    return module.wrapped(found) if isinstance(module, Internals) else found
