"""tf.contrib as far as it lives on: layers, slim and framework, of tf-slim and TensorFlow."""

import functools
import importlib
import sys
import types

from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.module import Internals, Module, is_internal

__all__ = ["contrib_of", "extra"]

_EXTRA = "pip install 'tensorflow-vgg[legacy]'"
_NETS = ("alexnet", "inception", "overfeat", "resnet_utils", "resnet_v1", "resnet_v2", "vgg")
# Where the names of tf.contrib.framework that are not in tf-slim, or work without it, are today.
_IN_TRAIN = (
    "assert_global_step",
    "checkpoints_iterator",
    "create_global_step",
    "get_global_step",
    "get_or_create_global_step",
    "init_from_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
)
_IN_TF = (
    "TensorSpec",
    "argsort",
    "assert_same_float_dtype",
    "assert_scalar",
    "convert_to_tensor_or_sparse_tensor",
    "is_non_decreasing",
    "is_numeric_tensor",
    "is_strictly_increasing",
    "is_tensor",
    "nest",
    "py_func",
    "sort",
)


def extra(environment, module, what):
    """A module of the extra `legacy`, which `what` of the script's needs.

    Raises:
      ImportError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0].replace("_", "-")
    raise ImportError(f"{environment.line()}{what} needs {missing}: {_EXTRA}")


def contrib_of(environment, tf):
    """The module tensorflow.contrib as a script sees it, on TensorFlow 2.

    Args:
      environment: has `line()` and `resolve(dotted name)`, as `tensorflow_1.tensorflow_of` says.
      tf: TensorFlow 1's API.
    """

    def missing(name):
        known = instead(name) or "; of tf.contrib only layers, slim and framework live on, in tf-slim"
        return f"{environment.line()}{name.replace('tensorflow', 'tf', 1)} is gone with TensorFlow 1{known}"

    def missing_slim(name):
        short = name.replace("tensorflow", "tf", 1)
        return f"{environment.line()}{short} is not in tf-slim, the successor of tf.contrib.layers and slim"

    def module(name, base=None, **replaced):
        dotted = f"tensorflow.contrib.{name}"
        return Module(dotted, base or types.ModuleType(dotted), replaced, missing_slim)

    def inside(name, *others):
        """The package `python` of a part of tf.contrib, where scripts knew its modules too."""
        return lambda: module(f"{name}.python", **dict.fromkeys((name, *others), seen(name)))

    def seen(name):
        return functools.partial(environment.resolve, f"tensorflow.contrib.{name}")

    def layers():
        _slim(environment, tf, "tf.contrib.layers")
        return module("layers", sys.modules["tf_slim.layers"], python=inside("layers"))

    def slim():
        nets = {net: functools.partial(importlib.import_module, f"tf_slim.nets.{net}") for net in _NETS}
        return module(
            "slim",
            _slim(environment, tf, "tf.contrib.slim"),
            layers=seen("layers"),
            nets=lambda: module("slim.nets", **nets),
            python=inside("slim"),
        )

    def framework():
        replaced = {name: functools.partial(getattr, tf.train, name) for name in _IN_TRAIN}
        replaced.update((name, functools.partial(getattr, tf, name)) for name in _IN_TF)
        replaced["get_name_scope"] = lambda: lambda: tf.get_default_graph().get_name_scope()
        replaced["python"] = inside("framework", "ops")
        replaced["variables"] = seen("framework")
        return module("framework", _SlimWhenWanted(environment, tf), **replaced)

    parts = {"framework": framework, "layers": layers, "slim": slim}
    return Module("tensorflow.contrib", types.ModuleType("contrib"), parts, missing)


class _SlimWhenWanted:
    """tf-slim, loaded for the first attribute that is asked for."""

    def __init__(self, environment, tf):
        self._load = functools.partial(_slim, environment, tf, "tf.contrib.framework")

    def __getattr__(self, name):
        return getattr(self._load(), name)


def _slim(environment, tf, what):
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
