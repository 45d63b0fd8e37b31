"""TensorFlow as a script of TensorFlow 1 sees it."""

import functools
import importlib
import importlib.util
import types

import tensorflow
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config
from tensorflow_vgg._run import weights
from tensorflow_vgg._run.contrib import contrib_of, extra
from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.module import Internals, Module, stand_in

__all__ = ["tensorflow_of"]


def tensorflow_of(environment):
    """The module tensorflow as the script of an `imports.Environment` sees it: TensorFlow 1's API."""

    def missing(name):
        short = name.replace("tensorflow", "tf", 1)
        return f"{environment.line()}{short} is not in TensorFlow {tensorflow.__version__}{instead(name)}"

    def nested(name, base=None, **made):
        return lambda: Module(f"tensorflow.{name}", base or types.ModuleType(name), (), made, missing)

    def legacy(name):
        module = f"tf_keras.api._v1.keras.__internal__.legacy.{name.rpartition('.')[2]}"
        return functools.partial(extra, environment, module, f"tf.{name}")

    sessions = (tf.InteractiveSession, tf.Session)
    values = {base.__name__: stand_in(base, functools.partial(_session, base)) for base in sessions}
    values.update(weights.NAMES)
    if tensorflow.__version__.startswith("1."):
        made = {name: nested(name, getattr(tensorflow, name)) for name in ("image", "nn", "train")}
        made["python"] = functools.partial(importlib.import_module, "tensorflow.python")
        return Module("tensorflow", tensorflow, values, made, missing)

    def keras():
        if importlib.util.find_spec("tf_keras") is None:
            return tf.keras
        return extra(environment, "tf_keras.api._v1.keras", "tf.keras")

    mnist = functools.partial(importlib.import_module, "tensorflow_vgg._run.mnist")
    tutorials = nested("examples.tutorials", mnist=nested("examples.tutorials.mnist", input_data=mnist))
    made = {
        "compat": nested("compat", tf.compat, v1=functools.partial(environment.resolve, "tensorflow")),
        "contrib": functools.partial(contrib_of, environment),
        "examples": nested("examples", tutorials=tutorials),
        "image": nested("image", tf.image),
        "keras": keras,
        "layers": legacy("layers"),
        "nn": nested("nn", tf.nn, rnn_cell=legacy("nn.rnn_cell")),
        "python": lambda: Internals(importlib.import_module("tensorflow.python"), tf),
        "train": nested("train", tf.train),
    }
    return Module("tensorflow", tf, values, made, missing)


def _session(base, target="", graph=None, config=None):
    """A session of TensorFlow's class `base`, with this package's settings as its defaults."""
    merged = session_config()
    if config is not None:
        merged.MergeFrom(config)
    return base(target, graph, merged)
