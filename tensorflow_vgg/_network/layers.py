"""The layers of a network, and what the frozen networks share."""

import contextlib
import errno
import os

import tensorflow.compat.v1 as tf

from tensorflow_vgg import weights
from tensorflow_vgg._network.block import block_constant, block_variables
from tensorflow_vgg._network.constants import constant
from tensorflow_vgg._network.preprocessing import dtype_of
from tensorflow_vgg._weights import mapped

__all__ = ["Frozen", "Layers", "control_flow_v1"]

_TOP = ("fc6", "fc7", "fc8")


@contextlib.contextmanager
def control_flow_v1():
    """Within the block `tf.cond` makes TensorFlow 1's nodes, also where TensorFlow 2 would make a function call.

    So the names are upstream's, and gradients can be added to a graph that a session has already run, which
    TensorFlow 2's `tf.cond` refuses.
    """
    was_v2 = tf.control_flow_v2_enabled()
    tf.disable_control_flow_v2()
    try:
        yield
    finally:
        if was_v2:
            tf.enable_control_flow_v2()


class Layers:
    """What every network has, whether its weights are constants or variables."""

    # Where the weights came from, for messages. On the class, since subclasses need not call __init__.
    _source = "data_dict"
    include_top = True

    def avg_pool(self, bottom, name):
        """2x2 average pooling with stride 2: [batch, H, W, C] to [batch, ceil(H/2), ceil(W/2), C]."""
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", name=name)

    def max_pool(self, bottom, name):
        """2x2 max pooling with stride 2: [batch, H, W, C] to [batch, ceil(H/2), ceil(W/2), C]."""
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", name=name)

    def _flatten(self, bottom):
        """[batch, H, W, C] or [batch, N] to [batch, -], in the order that fc6's weights expect."""
        size = bottom.get_shape()[1:].num_elements()
        if size is None:
            raise ValueError(f"a fully connected layer needs to know all sizes but the batch, got {bottom.get_shape()}")
        return tf.reshape(bottom, [-1, size])

    def _load(self, weights_or_path, use_mapped):
        """Reads the weight dict, or takes the one given."""
        if isinstance(weights_or_path, dict):
            if use_mapped:
                raise ValueError("mapped=True: expected the path of a weight file, got a weight dict")
            return weights_or_path
        self._source = weights_or_path
        read = self._read(weights_or_path, use_mapped)
        return read if self.include_top else {name: layer for name, layer in read.items() if name not in _TOP}

    def _find(self, file_name):
        """The path of the weight file, where none is given."""
        return weights.find(file_name)

    def _read(self, path, use_mapped):
        """The weight dict of a file."""
        if not os.path.exists(path):
            how = (
                "No such file; `tensorflow-vgg weights fetch` gets weights, `weights make` makes random ones for trials"
            )
            raise FileNotFoundError(errno.ENOENT, how, path)
        return mapped.load(path) if use_mapped else weights.read(path)

    def _attention_layers(self, channels):
        """The attention block of the weight dict: its three layers, or an empty dict."""
        return weights.attention_layers(getattr(self, "data_dict", None) or {}, self._source, channels)

    def _expect(self, name, what, value, shape, dtype):
        """Raises unless `value` is of the shape, whose unknown sizes (None) are free, and of the dtype.

        TensorFlow's own errors do not name the file; for a kernel with a divisor of the channels there is none
        at all: it makes a grouped convolution.
        """
        found = tf.TensorShape(getattr(value, "shape", None))
        if not found.is_compatible_with(shape):
            free = found.as_list() if found.ndims == len(shape) else shape
            expected = tuple(size or free[axis] for axis, size in enumerate(shape))
            raise weights.WeightsError(f"{self._source}: {name} {what}: expected {expected}, got {value.shape}")
        if dtype_of(value) not in (None, dtype.base_dtype):
            raise weights.WeightsError(
                f"{self._source}: {name} {what}: expected {dtype.base_dtype.name}, got {dtype_of(value).name}"
            )


def _size(tensor, axis):
    """The static size of a tensor along an axis, or None."""
    return tensor.get_shape().as_list()[axis] if tensor.get_shape().ndims else None


class Frozen(Layers):
    """What Vgg16 and Vgg19 share: a weight dict that becomes constants.

    `data_dict`, layer name -> `[kernel, biases]`, is all that the methods need; a subclass may set it without
    calling `__init__`, or override the three getters and have none.
    """

    def _load_npy(self, npy_path, file_name, use_mapped):
        if npy_path is None:
            npy_path = self._find(file_name)
            print(npy_path)
        self.data_dict = self._load(npy_path, use_mapped)
        print("npy file loaded")

    def conv_layer(self, bottom, name):
        """3x3 convolution with stride 1, bias and ReLU: [batch, H, W, in] to [batch, H, W, out]."""
        with tf.variable_scope(name):
            filt = self.get_conv_filter(name)
            self._expect(name, "kernel", filt, [None, None, _size(bottom, 3), None], bottom.dtype)
            conv = tf.nn.conv2d(bottom, filt, [1, 1, 1, 1], padding="SAME")

            conv_biases = self.get_bias(name)
            self._expect(name, "biases", conv_biases, [_size(conv, 3)], bottom.dtype)
            return tf.nn.relu(tf.nn.bias_add(conv, conv_biases))

    def fc_layer(self, bottom, name):
        """Fully connected layer without ReLU: [batch, ...], flattened, to [batch, out]."""
        with tf.variable_scope(name):
            x = self._flatten(bottom)
            weight = self.get_fc_weight(name)
            self._expect(name, "kernel", weight, [_size(x, 1), None], bottom.dtype)
            biases = self.get_bias(name)
            fc = tf.matmul(x, weight)
            self._expect(name, "biases", biases, [_size(fc, 1)], bottom.dtype)
            return tf.nn.bias_add(fc, biases)

    def get_conv_filter(self, name):
        """The kernel of a convolution as a constant [3, 3, in, out], float32."""
        return constant(self._weight(name, 0), name="filter")

    def get_bias(self, name):
        """The biases of a layer as a constant [out], float32."""
        return constant(self._weight(name, 1), name="biases")

    def get_fc_weight(self, name):
        """The kernel of a fully connected layer as a constant [in, out], float32."""
        return constant(self._weight(name, 0), name="weights")

    def _weight(self, name, index):
        data_dict = getattr(self, "data_dict", None)
        if data_dict is None:
            own = type(self).__name__
            raise RuntimeError(
                f"{own} has no weights: build() releases them when it ends. To build again make another {own}, or "
                "set data_dict"
            )
        if name not in data_dict:
            raise weights.WeightsError(f"{self._source}: {name} is missing")
        return data_dict[name][index]

    @contextlib.contextmanager
    def _constant_block(self, channels):
        """Within the block, the attention block's weights are constants: the file's, or pass-through."""
        layers = self._attention_layers(channels) or weights.pass_through(channels)
        with block_variables(lambda layer, index, name, *_: block_constant(layers[layer][index], name)):
            yield
