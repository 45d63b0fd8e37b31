"""Channel and spatial attention for a convolutional feature map, in graph mode.

A convolutional block attention module (CBAM, Woo et al. 2018, arXiv:1807.06521) in the variant of a widely
read TensorFlow 1 tutorial. It is not the paper's to the letter: there the average and the maximum are added
before the sigmoid, the inner ratio is 1/16 and the spatial kernel 7x7. Trained checkpoints depend on this one.

This file imports TensorFlow alone, so that it can be copied into any codebase.
"""

import tensorflow.compat.v1 as tf

__all__ = ["combined_static_and_dynamic_shape", "convolutional_block_attention_module"]

# How the variables start: initialisers of fc_1/kernel, fc_2/kernel, the spatial kernel and the spatial bias.
# All other biases start at zero. None is the initialiser of the variable scope, by default Glorot uniform.
_STARTS = {
    "glorot": lambda: (None, None, tf.glorot_uniform_initializer(), tf.zeros_initializer()),
    # Close to open (sigmoid(4) = 0.982), and far enough from saturation to train.
    "open": lambda: (None, tf.zeros_initializer(), tf.zeros_initializer(), tf.constant_initializer(4.0)),
    # sigmoid(0) + sigmoid(0) = 1 and sigmoid(40) = 1, exactly, in float16, float32 and float64.
    "pass-through": lambda: (tf.zeros_initializer(),) * 3 + (tf.constant_initializer(40.0),),
}


def combined_static_and_dynamic_shape(tensor):
    """The shape of `tensor`: one entry a dimension, as static as it can be.

    Args:
      tensor: a tensor of known rank.

    Returns:
      A list with an int for each dimension that is known while the graph is built, and a scalar int32 tensor
      for each that is not.
    """
    static = tensor.get_shape().as_list()
    if None not in static:
        return static
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(static)]


def convolutional_block_attention_module(feature_map, index, inner_units_ratio=0.5, scope="cbam", start="glorot"):
    """Weighs the channels of a feature map, then its places.

    Variables, created with `get_variable` under `scope`, of the dtype of `feature_map`:
    `fc_1/kernel` [C, U], `fc_1/bias` [U], `fc_2/kernel` [U, C], `fc_2/bias` [C] with
    U = int(C * inner_units_ratio), `spatial_attention_conv/weights` [3, 3, 2, 1] and
    `spatial_attention_conv/biases` [1].

    With height and width known, the tensors `<scope>/AvgPool:0` and `<scope>/MaxPool:0` come from pooling
    windows; else from reductions. They differ only in the gradient of a maximum that several places share.

    Args:
      feature_map: float tensor [batch, height, width, C]; C must be known, the others need not be.
      index: accepted for the sake of existing calls, and unused.
      inner_units_ratio: size of the inner layer of the channel attention, as a part of C.
      scope: variable scope of the block. A network with more than one block gives each its own.
      start: how the variables start. "glorot": kernels Glorot uniform, biases zero. "open": close to letting
        everything through (the output is 0.982 of the input), for training after pretrained layers.
        "pass-through": the output is the input, to the bit; too saturated to be trained from.

    Returns:
      A tensor of the shape and dtype of `feature_map`.

    Raises:
      ValueError: the rank is not 4, C is unknown, the ratio leaves no unit, the dtype is not a float, `start`
        is none of the above, or the variables exist already and the scope does not reuse.
      RuntimeError: called eagerly; the block is built in a graph.
    """
    if tf.executing_eagerly():
        raise RuntimeError(
            "convolutional_block_attention_module builds a graph: call it under `with tf.Graph().as_default():`, "
            "or call tf.compat.v1.disable_eager_execution() first"
        )
    feature_map = tf.convert_to_tensor(feature_map)
    shape = feature_map.get_shape()
    if shape.ndims != 4:
        raise ValueError("feature_map: expected [batch, height, width, channels], got shape %s" % shape)
    if not feature_map.dtype.is_floating:
        raise ValueError("feature_map: expected a float tensor, got %s" % feature_map.dtype.name)
    if shape.as_list()[3] is None:
        raise ValueError("feature_map: the number of channels must be known to make the weights, got shape %s" % shape)
    channels = shape.as_list()[3]
    units = int(channels * inner_units_ratio)
    if units < 1:
        raise ValueError(
            "inner_units_ratio: %r of %d channels leaves no unit; expected at least 1/%d"
            % (inner_units_ratio, channels, channels)
        )
    if start not in _STARTS:
        raise ValueError("start: expected one of %s, got %r" % (", ".join(sorted(_STARTS)), start))
    fc_1_start, fc_2_start, spatial_start, spatial_bias_start = _STARTS[start]()

    with tf.variable_scope(scope):
        batch, height, width, _ = combined_static_and_dynamic_shape(feature_map)

        if isinstance(height, int) and isinstance(width, int):
            window = {"ksize": [1, height, width, 1], "strides": [1, 1, 1, 1], "padding": "VALID"}
            average = tf.nn.avg_pool(feature_map, name="AvgPool", **window)  # [B, 1, 1, C]
            maximum = tf.nn.max_pool(feature_map, name="MaxPool", **window)  # [B, 1, 1, C]
        else:
            average = tf.reduce_mean(feature_map, [1, 2], keepdims=True, name="AvgPool")  # [B, 1, 1, C]
            maximum = tf.reduce_max(feature_map, [1, 2], keepdims=True, name="MaxPool")  # [B, 1, 1, C]
        pooled = tf.concat(
            [tf.reshape(average, [batch, 1, channels]), tf.reshape(maximum, [batch, 1, channels])], axis=1
        )  # [B, 2, C]

        # Average and maximum share the weights: both are rows of one matrix.
        rows = tf.reshape(pooled, [-1, channels])  # [B * 2, C]
        with tf.variable_scope("fc_1"):
            rows = tf.nn.relu(_dense(rows, units, fc_1_start), name="Relu")  # [B * 2, U]
        with tf.variable_scope("fc_2"):
            rows = tf.nn.sigmoid(_dense(rows, channels, fc_2_start), name="Sigmoid")  # [B * 2, C]
        attention = tf.reshape(rows, [batch, 2, channels])
        attention = tf.reduce_sum(attention, axis=1, name="channel_attention_sum")  # [B, C], 0 ... 2
        attention = tf.reshape(attention, [batch, 1, 1, channels])
        feature_map = tf.multiply(feature_map, attention)  # [B, H, W, C]

        places = tf.stack(
            [tf.reduce_mean(feature_map, axis=3), tf.reduce_max(feature_map, axis=3)], axis=3
        )  # [B, H, W, 2]
        with tf.variable_scope("spatial_attention_conv"):
            # Existing code looks for this layer's variables, and not for the dense ones, in MODEL_VARIABLES.
            collections = [tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES]
            weights = tf.get_variable(
                "weights", [3, 3, 2, 1], feature_map.dtype, spatial_start, collections=collections
            )
            biases = tf.get_variable("biases", [1], feature_map.dtype, spatial_bias_start, collections=collections)
            attention = tf.nn.conv2d(places, weights, strides=[1, 1, 1, 1], padding="SAME")
            attention = tf.nn.sigmoid(tf.nn.bias_add(attention, biases), name="Sigmoid")  # [B, H, W, 1], 0 ... 1
        return tf.multiply(feature_map, attention)


def _dense(rows, units, start):
    """`rows` [N, C] times a kernel [C, units], plus a bias."""
    kernel = tf.get_variable("kernel", [rows.get_shape().as_list()[1], units], rows.dtype, start)
    bias = tf.get_variable("bias", [units], rows.dtype, tf.zeros_initializer())
    return tf.nn.bias_add(tf.matmul(rows, kernel), bias)
