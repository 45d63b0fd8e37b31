"""VGG16 and VGG19 of machrisaa/tensorflow-vgg, for today's TensorFlow and for TensorFlow 1.15.

The modules carry upstream's names: `vgg16`, `vgg19`, `vgg19_trainable` and `utils`; `weights` reads, checks and writes
weight files. Importing this package loads neither TensorFlow nor NumPy nor scikit-image; what is in it is loaded when
it is first used.
"""

import importlib

__all__ = ["__version__", "explain", "search", "session_config", "weights"]

__version__ = "1.0.0"

# Public name -> the private room that it is. Underscored, they hide no module of a user's who has this folder first on
# sys.path, as upstream is used.
_ROOMS = {"explain": "_explain", "search": "_search", "weights": "_weights"}


def __getattr__(name):
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"tensorflow_vgg.{_ROOMS[name]}")
    globals()[name] = module
    return module


def __dir__():
    return sorted({*globals(), *_ROOMS})


def session_config():
    """A `tf.compat.v1.ConfigProto` for a session that runs these networks: without TensorFlow's graph optimiser.

    The optimiser copies the 575 MB of constants again and again before the first result and makes these networks
    no faster. Everything else is TensorFlow's default; set more on the result as you like.
    """
    import tensorflow.compat.v1 as tf

    config = tf.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config
