"""tf.contrib as far as it lives on, in tf-slim and TensorFlow."""

import contextlib
import functools
import importlib
import sys
import types

import tensorflow.compat.v1 as tf

from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.module import Internals, Module, is_internal

__all__ = ["contrib_of", "extra"]

_EXTRA = "pip install '.[legacy]' in a checkout of tensorflow-vgg"
# Where the names of a part are today: in the first of these that has them.
_PLACES = {
    "data": ("tensorflow.data", "tensorflow.data.experimental"), "distributions": ("tensorflow.distributions",),
    "framework": ("tensorflow.train", "tensorflow", "tf_slim"), "keras": ("tensorflow.keras",),
    "layers": ("tf_slim.layers",), "lookup": ("tensorflow.lookup", "tensorflow.python.ops.lookup_ops"),
    "losses": ("tf_slim.losses",), "metrics": ("tf_slim.metrics", "tensorflow"), "opt": ("tensorflow.train",),
    "rnn": ("tensorflow.nn.rnn_cell", "tensorflow.nn"), "slim": ("tf_slim",), "training": ("tf_slim.training",),
    "util": ("tensorflow", "tensorflow.python.framework.tensor_util"),
}  # fmt: skip


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
        short, part = name.replace("tensorflow", "tf", 1), (name.split(".") + [""])[2]
        lives_on = f"; of tf.contrib live on: {', '.join(_PLACES)}"
        if part in _PLACES:
            lives_on = f"; tf.contrib.{part} is {' and '.join(_PLACES[part])} today".replace("tensorflow", "tf")
        return f"{environment.line()}{short} is gone with TensorFlow 1{instead(name) or lives_on}"

    def module(name, base=None, **made):
        dotted = f"tensorflow.contrib.{name}"
        return Module(dotted, base or types.ModuleType(dotted), (), made, missing)

    def part(name):
        def seen():
            return environment.resolve(f"tensorflow.contrib.{name}")

        # The package `python` of a part, where scripts knew its modules too.
        python = {"python": lambda: module(f"{name}.python", **dict.fromkeys((name, "ops"), seen))}
        places = [functools.partial(place, f"tf.contrib.{name}", today) for today in _PLACES[name]]
        return module(name, _Places(places) if places[1:] else places[0](), **python, **own.get(name, {}))

    def place(what, name):
        if name.startswith("tensorflow"):
            return environment.resolve(name)
        _slim(environment, what)
        return sys.modules[name]

    own = {
        "data": {"batch_and_drop_remainder": lambda: lambda size: lambda data: data.batch(size, drop_remainder=True)},
        "framework": {
            "get_name_scope": lambda: lambda: tf.get_default_graph().get_name_scope(),
            "variables": lambda: environment.resolve("tensorflow.contrib.framework"),
        },
        "lookup": {"HashTable": lambda: tf.lookup.StaticHashTable},
        "opt": {
            "ScipyOptimizerInterface": lambda: (
                importlib.import_module("tensorflow_vgg._run.scipy_optimizer").ScipyOptimizerInterface
            )
        },
        "slim": {
            "layers": lambda: environment.resolve("tensorflow.contrib.layers"),
            "nets": lambda: importlib.import_module("tf_slim.nets"),
        },
    }
    parts = {name: functools.partial(part, name) for name in _PLACES}
    projector = functools.partial(importlib.import_module, "tensorboard.plugins.projector")
    parts["tensorboard"] = lambda: module(
        "tensorboard", plugins=lambda: module("tensorboard.plugins", projector=projector)
    )
    return Module("tensorflow.contrib", types.ModuleType("contrib"), (), parts, missing)


class _Places:
    """The names of several modules, each of which is loaded when those before it lack a name."""

    def __init__(self, places):
        self._places = places

    def __getattr__(self, name):
        for place in self._places[:-1]:
            with contextlib.suppress(AttributeError):
                return getattr(place(), name)
        return getattr(self._places[-1](), name)


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
