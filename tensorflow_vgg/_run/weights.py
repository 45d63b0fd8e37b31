"""A script's weights: where numpy.load finds them, and how TensorFlow takes them without a copy.

What numpy.load gives for a weight dict are copy-on-write maps of the cache's files, with which a script may do what it
likes. Where TensorFlow takes such an array, and the array still holds what its file holds, it takes the file.
"""

import contextlib
import os
import time

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import _weights
from tensorflow_vgg._network import constants
from tensorflow_vgg._run.module import stand_in
from tensorflow_vgg._weights import mapped

__all__ = ["NAMES", "Constant", "Weights", "exporting_constants"]

_NAMES = ("vgg16.npy", "vgg19.npy")


class Weights:
    """The weights of one script.

    Args:
      override: what stands for every vgg16.npy and vgg19.npy that the script has not written itself: a file, or
        (seed, thin) of random weights. None: the script's own files.
      constants: whether TensorFlow copies all weights into the graph, as it did.
      announce: called with a line that the user should see.
    """

    def __init__(self, override=None, constants=False, announce=print):
        self.override = override
        self.constants = constants
        self.announce = announce
        self._started = time.time()

    def source(self, path):
        """What is loaded where the script names `path`: a path, or (net, seed, thin).

        Raises:
          FileNotFoundError: it is the name of one of upstream's files, and no folder has it.
        """
        name = os.path.basename(path)
        written = os.path.isfile(path) and os.path.getmtime(path) >= self._started
        if name not in _NAMES or written:  # by the script itself
            return path
        if isinstance(self.override, tuple):
            return (name.partition(".")[0], *self.override)
        if self.override is not None:
            return self.override
        if os.path.exists(path):
            return path
        found = _weights.find(name)
        self.announce(f"{path}: {found} (the script has none)")
        return found

    def load(self, path):
        """The weight dict that the script's numpy.load gives for `path`; None for a file that holds none.

        Raises:
          WeightsError: another file stands for `path`, and is none of weights.
        """
        source = self.source(path)
        plain = self.constants or constants.has_gpu()  # to which TensorFlow would copy maps
        if isinstance(source, tuple):
            return _weights.seeded(*source) if plain else mapped.seeded(*source, writable=True)
        if source != path:  # if it is none, that must be told, and not the script's own file be read
            return _weights.read(source) if plain else mapped.load(source, writable=True)
        if plain or not _may_be_weights(path):
            return None
        try:
            return mapped.load(path, writable=True)
        except _weights.WeightsError:
            return None  # the reader of all other objects tells what it is

    def read(self, path):
        """The weight dict that this package's classes load for the script from `path`, whatever stands for it."""
        found = self.load(path)
        return _weights.read(path) if found is None else found


def _may_be_weights(path):
    """Whether a file is a `.npy` of one Python object, as a dict is saved."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        header = file.read(256)
        return header.startswith(np.lib.format.MAGIC_PREFIX) and b"'descr': '|O'" in header and b"'shape': ()" in header
    return False


# What a script sees of TensorFlow.


def _region(value, dtype=None, shape=None):
    """The file from which TensorFlow can take an array in this dtype and shape; None for what it must copy."""
    # Functions are taken out of the process in ways of their own, and their bodies run more than once a step.
    if tf.executing_eagerly() or type(tf.get_default_graph()) is not tf.Graph:
        return None
    if not isinstance(value, mapped.MappedArray):
        return None
    in_dtype = dtype is None or tf.as_dtype(dtype).base_dtype == tf.float32
    in_shape = shape is None or tf.TensorShape(shape).as_list() == list(value.shape)
    return constants.region_of(value) if in_dtype and in_shape else None


def _constant(value, dtype=None, shape=None, name="Const", verify_shape=False):
    region = _region(value, dtype, shape)
    if region is None:
        return tf.constant(value, dtype, shape, name, verify_shape)
    return constants.guarded(region, value.shape, name)


def _convert_to_tensor(value, dtype=None, name=None, **options):
    region = _region(value, dtype)
    if region is None:
        return tf.convert_to_tensor(value, dtype, name, **options)
    return constants.guarded(region, value.shape, name or "Const")


class Constant(tf.constant_initializer):
    """TensorFlow's initializer of this name, which gives a mapped array's copy from its file."""

    def __call__(self, shape, dtype=None, *args, **kwargs):
        region = _region(self.value, self.dtype if dtype is None else dtype, shape)
        if region is None:
            return super().__call__(shape, dtype, *args, **kwargs)
        return constants.deep_copy(region, self.value.shape, "Const")


def _variable(
    initial_value=None,
    trainable=None,
    collections=None,
    validate_shape=True,
    caching_device=None,
    name=None,
    variable_def=None,
    dtype=None,
    **kwargs,
):
    region = _region(initial_value, dtype)
    if region is not None:
        full_name = tf.get_default_graph().unique_name(name or "Variable", False)
        initial_value = _start(region, initial_value.shape, full_name)
    # By name, for TensorFlow 2 takes its own class's arguments in another order than its documentation has.
    return tf.Variable(
        initial_value,
        trainable=trainable,
        collections=collections,
        validate_shape=validate_shape,
        caching_device=caching_device,
        name=name,
        variable_def=variable_def,
        dtype=dtype,
        **kwargs,
    )


def _get_variable(name, shape=None, dtype=None, initializer=None, *args, **kwargs):
    region = _region(initializer, dtype) if shape is None else None
    scope = tf.get_variable_scope()
    if region is not None and not scope.reuse:
        initializer = _start(region, initializer.shape, f"{scope.name}/{name}" if scope.name else name)
    return tf.get_variable(name, _whole(shape), dtype, initializer, *args, **kwargs)


def _whole(shape):
    """A shape in which 32 / 2 stands for 16, as TensorFlow 1 has it."""
    if not isinstance(shape, (list, tuple)):
        return shape
    return [int(size) if isinstance(size, float) and size.is_integer() else size for size in shape]


def _start(region, shape, full_name):
    """The initial value of a variable, named as the constant would be that TensorFlow makes of an array."""
    with tf.name_scope(None), tf.control_dependencies(None):
        return constants.deep_copy(region, shape, f"{full_name}/initial_value")


NAMES = {
    "Variable": stand_in(tf.Variable, _variable),
    "constant": _constant,
    "constant_initializer": Constant,
    "convert_to_tensor": _convert_to_tensor,
    "get_variable": _get_variable,
}


@contextlib.contextmanager
def exporting_constants():
    """Within the block every graph that leaves the process takes its mapped weights along, as constants."""
    original = tf.Graph.as_graph_def

    def as_graph_def(self, *args, **kwargs):
        return constants.portable(original(self, *args, **kwargs))

    tf.Graph.as_graph_def = as_graph_def
    try:
        yield
    finally:
        tf.Graph.as_graph_def = original
