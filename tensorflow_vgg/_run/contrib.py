"""tf.contrib as far as it lives on: layers, slim and framework, of tf-slim and TensorFlow."""

import functools
import importlib
import sys
import types

import tensorflow.compat.v1 as tf

from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.module import Internals, Module, is_internal

__all__ = ["contrib_of", "extra"]

_EXTRA = "pip install '.[legacy]' in a checkout of tensorflow-vgg"
_NETS = ("alexnet", "inception", "overfeat", "resnet_utils", "resnet_v1", "resnet_v2", "vgg")


def extra(environment, module, what):
    """A module of the extra `legacy`, which `what` of the script's needs. ImportError says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0].replace("_", "-")
    raise ImportError(f"{environment.line()}{what} needs {missing}: {_EXTRA}")


def contrib_of(environment):
    """The module tensorflow.contrib as the script of an `imports.Environment` sees it, on TensorFlow 2."""

    def missing(name):
        known = instead(name) or "; of tf.contrib only layers, slim and framework live on, in tf-slim"
        return f"{environment.line()}{name.replace('tensorflow', 'tf', 1)} is gone with TensorFlow 1{known}"

    def missing_slim(name):
        short = name.replace("tensorflow", "tf", 1)
        return f"{environment.line()}{short} is not in tf-slim, the successor of tf.contrib.layers and slim"

    def module(name, base=None, **made):
        dotted = f"tensorflow.contrib.{name}"
        return Module(dotted, base or types.ModuleType(dotted), (), made, missing_slim)

    def seen(name):
        return functools.partial(environment.resolve, f"tensorflow.contrib.{name}")

    def inside(name, *others):
        """The package `python` of a part of tf.contrib, where scripts knew its modules too."""
        return lambda: module(f"{name}.python", **dict.fromkeys((name, *others), seen(name)))

    def layers():
        _slim(environment, "tf.contrib.layers")
        return module("layers", sys.modules["tf_slim.layers"], python=inside("layers"))

    def slim():
        nets = {net: functools.partial(importlib.import_module, f"tf_slim.nets.{net}") for net in _NETS}
        own = {"layers": seen("layers"), "nets": lambda: module("slim.nets", **nets), "python": inside("slim")}
        return module("slim", _slim(environment, "tf.contrib.slim"), **own)

    def framework():
        own = {"python": inside("framework", "ops"), "variables": seen("framework")}
        return module("framework", _Framework(environment), **own)

    parts = {"framework": framework, "layers": layers, "slim": slim}
    return Module("tensorflow.contrib", types.ModuleType("contrib"), (), parts, missing)


class _Framework:
    """Where the names of tf.contrib.framework are today: in tf.train, in TensorFlow or in tf-slim, loaded only then."""

    def __init__(self, environment):
        self._environment = environment

    def __getattr__(self, name):
        for place in (tf.train, tf):
            if hasattr(place, name):
                return getattr(place, name)
        return getattr(_slim(self._environment, "tf.contrib.framework"), name)

    def get_name_scope(self):
        return tf.get_default_graph().get_name_scope()


def _slim(environment, what):
    """The package tf-slim, mended for today's TensorFlow."""
    # Its batch_norm finds the legacy layers under this name alone.
    legacy = "tf_keras.legacy_tf_layers"
    if legacy not in sys.modules:
        for name in ("base", "convolutional", "core", "normalization", "pooling"):
            extra(environment, f"tf_keras.src.legacy_tf_layers.{name}", what)
        sys.modules[legacy] = sys.modules["tf_keras.src.legacy_tf_layers"]
    slim = extra(environment, "tf_slim", what)
    # It is older than TensorFlow's last move of names like ops.Tensor, which it takes from the inside.
    for name in [name for name in sys.modules if name.startswith("tf_slim.")]:
        names = vars(sys.modules[name])
        names.update((key, Internals(value, tf)) for key, value in list(names.items()) if is_internal(value))
    return slim
