"""TensorFlow as a script of TensorFlow 1 sees it."""

import functools
import importlib
import importlib.util
import types

from tensorflow_vgg import session_config
from tensorflow_vgg._run.contrib import contrib_of, extra
from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.module import Internals, Module

__all__ = ["tensorflow_of"]


def tensorflow_of(environment):
    """The module tensorflow as a script sees it.

    Args:
      environment: has `line()`, the script's line that is being run, as the start of a message ("train.py:12: "), and
        `resolve(name)`, the module of a dotted name as the script sees it.

    Returns:
      `Module` with TensorFlow 1's API and sessions that have this package's settings.
    """
    tensorflow = importlib.import_module("tensorflow")
    tf = importlib.import_module("tensorflow.compat.v1")

    def missing(name):
        short = name.replace("tensorflow", "tf", 1)
        return f"{environment.line()}{short} is not in TensorFlow {tensorflow.__version__}{instead(name)}"

    replaced = {name: functools.partial(_session, getattr(tf, name)) for name in ("InteractiveSession", "Session")}
    if tensorflow.__version__.startswith("1."):
        replaced["python"] = functools.partial(importlib.import_module, "tensorflow.python")
        for name in ("image", "nn", "train"):
            replaced[name] = functools.partial(Module, f"tensorflow.{name}", getattr(tensorflow, name), {}, missing)
        return Module("tensorflow", tensorflow, replaced, missing)

    def keras():
        if importlib.util.find_spec("tf_keras") is None:
            return tf.keras
        return extra(environment, "tf_keras.api._v1.keras", "tf.keras")

    def legacy(name, what):
        return functools.partial(extra, environment, f"tf_keras.api._v1.keras.__internal__.legacy.{name}", what)

    def nested(name, base=None, **values):
        return lambda: Module(f"tensorflow.{name}", base or types.ModuleType(name), values, missing)

    def mnist():
        return importlib.import_module("tensorflow_vgg._run.mnist")

    replaced.update(
        compat=nested("compat", tf.compat, v1=functools.partial(environment.resolve, "tensorflow")),
        contrib=functools.partial(contrib_of, environment, tf),
        examples=nested(
            "examples",
            tutorials=nested("examples.tutorials", mnist=nested("examples.tutorials.mnist", input_data=mnist)),
        ),
        image=nested("image", tf.image),
        keras=keras,
        layers=legacy("layers", "tf.layers"),
        nn=nested("nn", tf.nn, rnn_cell=legacy("rnn_cell", "tf.nn.rnn_cell")),
        python=lambda: Internals(importlib.import_module("tensorflow.python"), tf),
        train=nested("train", tf.train),
    )
    return Module("tensorflow", tf, replaced, missing)


def _session(base):
    """TensorFlow's session class `base`, with this package's settings as its defaults."""

    class Meta(type(base)):
        def __instancecheck__(cls, instance):
            # Sessions that TensorFlow opens itself are sessions to the script, too.
            return isinstance(instance, base) if cls is session else super().__instancecheck__(instance)

    def __init__(self, target="", graph=None, config=None):
        merged = session_config()
        if config is not None:
            merged.MergeFrom(config)
        base.__init__(self, target, graph, merged)

    session = Meta(base.__name__, (base,), {"__init__": __init__, "__doc__": base.__doc__})
    return session
