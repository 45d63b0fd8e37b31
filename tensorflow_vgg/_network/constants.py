"""How the arrays of a weight dict enter a graph, whether they are in memory or mapped from a file."""

import tensorflow.compat.v1 as tf

from tensorflow_vgg._weights import mapped

__all__ = ["constant", "has_gpu", "initial_value"]


def has_gpu():
    """Whether TensorFlow sees a GPU, to which it would copy mapped weights in every run."""
    return bool(tf.config.experimental.list_physical_devices("GPU"))


def constant(value, name):
    """An array as a constant in the graph; a mapped one stays in its file, from where TensorFlow maps it."""
    region = value.region if isinstance(value, mapped.MappedArray) else None
    if region is None:
        return tf.constant(value, name=name)
    return tf.raw_ops.ImmutableConst(dtype=tf.float32, shape=value.shape, memory_region_name=region, name=name)


def initial_value(value, name):
    """An array as the initial value of the variable `name`."""
    if not isinstance(value, mapped.MappedArray):
        return value
    # Where the variable would put a constant.
    scope = f"{name}/Initializer" if tf.resource_variables_enabled() else name
    # A variable keeps the buffer that it starts from, and the first update of a mapped one would kill the process.
    return tf.raw_ops.DeepCopy(x=constant(value, f"{scope}/mapped"), name=f"{scope}/initial_value")
