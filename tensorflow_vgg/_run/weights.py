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
from tensorflow_vgg._weights import mapped

__all__ = ["Weights", "exporting_constants"]

_NAMES = ("vgg16.npy", "vgg19.npy")


class Weights:
    """The weights of one script.

    Args:
      override: what stands for every vgg16.npy and vgg19.npy that the script has not written itself: a file, or the
        seed of random weights. None: the script's own files.
      constants: whether TensorFlow copies all weights into the graph, as it did.
      announce: called with a line that the user should see.
    """

    def __init__(self, override=None, constants=False, announce=print):
        self.override = override
        self.constants = constants
        self.announce = announce
        self._started = time.time()
        self._has_gpu = None

    def source(self, path):
        """What is loaded where the script names `path`: a path, or (net, seed).

        Raises:
          FileNotFoundError: it is the name of one of upstream's files, and no folder has it.
        """
        name = os.path.basename(path)
        if name not in _NAMES or self._written_by_script(path):
            return path
        if isinstance(self.override, int):
            return name.partition(".")[0], self.override
        if self.override is not None:
            return self.override
        if os.path.exists(path):
            return path
        found = _weights.find(name)
        self.announce(f"{path}: {found} (the script has none)")
        return found

    def _written_by_script(self, path):
        return os.path.isfile(path) and os.path.getmtime(path) >= self._started

    def load(self, path):
        """The weight dict that the script's numpy.load gives for `path`; None for a file that holds none.

        Arrays of a file that can be mapped are copy-on-write maps.

        Raises:
          WeightsError: another file stands for `path`, and is none of weights.
        """
        source = self.source(path)
        if isinstance(source, tuple):
            return _weights.seeded(*source) if self._plain() else mapped.seeded(*source, writable=True)
        if source != path:  # if it is none, that must be told, and not the script's own file be read
            return _weights.read(source) if self._plain() else mapped.load(source, writable=True)
        if self._plain() or not _may_be_weights(path):
            return None
        try:
            return mapped.load(path, writable=True)
        except _weights.WeightsError:
            return None  # the reader of all other objects tells what it is

    def find(self, file_name, folder):
        """The path of a file of upstream's that the script does not name: beside it, or in the usual folders."""
        beside = os.path.join(folder, file_name)
        if isinstance(self.override, str):
            return self.override
        return beside if os.path.exists(beside) or self.override is not None else _weights.find(file_name)

    def read(self, path):
        """The weight dict that this package's classes load for the script from `path`, whatever stands for it."""
        found = self.load(path)
        return _weights.read(path) if found is None else found

    def region(self, value):
        """The file from which TensorFlow can take an array; None for an array that it must copy."""
        if not isinstance(value, mapped.MappedArray) or tf.executing_eagerly():
            return None
        # Functions are taken out of the process in ways of their own, and their bodies run more than once a step.
        if type(tf.get_default_graph()) is not tf.Graph:
            return None
        return constants.region_of(value)

    def _plain(self):
        """Whether weights are ordinary arrays: as the user wants it, or for a GPU, to which maps would be copied."""
        if self._has_gpu is None:
            self._has_gpu = constants.has_gpu()
        return self.constants or self._has_gpu

    def tensorflow_names(self):
        """What a script sees in place of TensorFlow's names, name -> function or class."""
        return {
            "Variable": _variable(self),
            "constant": _constant(self),
            "constant_initializer": _constant_initializer(self),
            "convert_to_tensor": _convert_to_tensor(self),
            "get_variable": _get_variable(self),
        }


def _may_be_weights(path):
    """Whether a file is a `.npy` of one Python object, as a dict is saved."""
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:
        if np.lib.format.read_magic(file) in ((1, 0), (2, 0)):
            file.seek(0)
            header = file.read(256)
            return b"'descr': '|O'" in header and b"'shape': ()" in header
    return False


def _fits(value, dtype, shape):
    """Whether a float32 array is taken in its own dtype and shape."""
    in_dtype = dtype is None or tf.as_dtype(dtype).base_dtype == tf.float32
    return in_dtype and (shape is None or tf.TensorShape(shape).as_list() == list(value.shape))


def _constant(weights):
    def constant(value, dtype=None, shape=None, name="Const", verify_shape=False):
        region = weights.region(value)
        if region is not None and _fits(value, dtype, shape):
            return constants.guarded(region, value.shape, name)
        return tf.constant(value, dtype, shape, name, verify_shape)

    return constant


def _convert_to_tensor(weights):
    def convert_to_tensor(value, dtype=None, name=None, **options):
        region = weights.region(value)
        if region is not None and _fits(value, dtype, None):
            return constants.guarded(region, value.shape, name or "Const")
        return tf.convert_to_tensor(value, dtype, name, **options)

    return convert_to_tensor


def _constant_initializer(weights):
    class Constant(tf.constant_initializer):
        def __call__(self, shape, dtype=None, *args, **kwargs):
            region = weights.region(self.value)
            if region is not None and _fits(self.value, dtype or self.dtype, shape):
                return constants.deep_copy(region, self.value.shape, "Const")
            return super().__call__(shape, dtype, *args, **kwargs)

    Constant.__name__ = tf.constant_initializer.__name__
    return Constant


def _variable(weights):
    base = tf.Variable

    class Meta(type(base)):
        def __call__(cls, *args, **kwargs):
            if cls is not variable:
                return super().__call__(*args, **kwargs)
            value = args[0] if args else kwargs.get("initial_value")
            name = kwargs.get("name", args[4] if len(args) > 4 else None)
            region = weights.region(value)
            if region is not None and _fits(value, kwargs.get("dtype"), None):
                value = _start(region, value.shape, tf.get_default_graph().unique_name(name or "Variable", False))
                args = (value, *args[1:]) if args else args
                kwargs.update({} if args else {"initial_value": value})
            return base(*args, **kwargs)

        def __instancecheck__(cls, instance):
            # Variables that TensorFlow makes itself are variables to the script, too.
            return isinstance(instance, base) if cls is variable else super().__instancecheck__(instance)

        def __subclasscheck__(cls, subclass):
            return base in subclass.__mro__ if cls is variable else super().__subclasscheck__(subclass)

    variable = Meta(base.__name__, (base,), {"__doc__": base.__doc__})
    return variable


def _get_variable(weights):
    def get_variable(name, shape=None, dtype=None, initializer=None, *args, **kwargs):
        region = weights.region(initializer)
        scope = tf.get_variable_scope()
        if region is not None and shape is None and _fits(initializer, dtype, None) and not scope.reuse:
            full_name = f"{scope.name}/{name}" if scope.name else name
            initializer = _start(region, initializer.shape, full_name)
        return tf.get_variable(name, shape, dtype, initializer, *args, **kwargs)

    return get_variable


def _start(region, shape, full_name):
    """The initial value of a variable, named as the constant would be that TensorFlow makes of an array."""
    with tf.name_scope(None), tf.control_dependencies(None):
        return constants.deep_copy(region, shape, f"{full_name}/initial_value")


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
