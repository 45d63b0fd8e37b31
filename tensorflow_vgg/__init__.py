"""VGG16 and VGG19 of machrisaa/tensorflow-vgg, for today's TensorFlow and for TensorFlow 1.15.

The modules carry upstream's names: `vgg16`, `vgg19`, `vgg19_trainable` and `utils`. Importing this package
loads neither TensorFlow nor scikit-image; importing one of those modules does.
"""

__all__ = ["__version__", "session_config"]

__version__ = "1.0.0"


def session_config():
    """A `tf.compat.v1.ConfigProto` for a session that runs these networks: without TensorFlow's graph optimiser.

    The optimiser copies the 575 MB of constants again and again before the first result and makes these networks
    no faster. Everything else is TensorFlow's default; set more on the result as you like.
    """
    import tensorflow.compat.v1 as tf

    config = tf.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config
