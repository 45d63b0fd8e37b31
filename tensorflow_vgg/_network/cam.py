"""Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391) as a tensor in a network's graph."""

import tensorflow.compat.v1 as tf

__all__ = ["grad_cam"]


def grad_cam(network, layer, classes):
    """Where in a layer is what speaks for a class: the layer's channels, weighed by their mean gradient, summed.

    With A the layer's output and y a class's output before the softmax (fc8), channel k weighs the mean over all places
    of dy/dA_k, and the map is the weighted sum of A's channels, less what is negative.

    Args:
      network: a `Vgg16` or `Vgg19`, frozen or trainable, that has been built with its fully connected layers. Dropout
        makes the map random: build a trainable one with a `train_mode` that is false here.
      layer: one of its layers, [batch, height, width, channels], or the name of one, such as "conv5_4".
      classes: the class of each image, int [batch], or one for all, int: numbers, array or tensor.

    Returns:
      A float32 tensor [batch, height, width] of the layer's height and width, from 0 on; its unit is fc8's.

    Raises:
      ValueError: the network has no fc8 yet, there is no such layer, it has no height and width, or fc8 does not
        depend on it.
    """
    fc8 = getattr(network, "fc8", None)
    if fc8 is None:
        raise ValueError(f"{type(network).__name__} has no fc8: expected a network that is built, with include_top")
    if isinstance(layer, str):
        if not isinstance(getattr(network, layer, None), tf.Tensor):
            raise ValueError(f"{layer}: {type(network).__name__} has no such layer; expected one such as conv5_3")
        layer = getattr(network, layer)
    if layer.get_shape().ndims != 4:
        raise ValueError(f"{layer.name}: expected a layer [batch, height, width, channels], got {layer.get_shape()}")
    with fc8.graph.as_default(), tf.name_scope("grad_cam"):
        score = tf.reduce_sum(fc8 * tf.one_hot(classes, fc8.get_shape().as_list()[1]))  # no image sees another's
        (gradient,) = tf.gradients(score, layer)  # [batch, height, width, channels]
        if gradient is None:
            raise ValueError(f"{layer.name}: fc8 does not depend on it")
        channels = tf.reduce_mean(gradient, axis=[1, 2], keepdims=True)  # [batch, 1, 1, channels]
        return tf.nn.relu(tf.reduce_sum(layer * channels, axis=3))
