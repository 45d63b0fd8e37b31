"""The image as it enters a network: what `build` accepts, and what VGG was trained on."""

import tensorflow.compat.v1 as tf

__all__ = ["SMALLEST", "VGG_MEAN", "dtype_of", "preprocess"]

VGG_MEAN = [103.939, 116.779, 123.68]  # blue, green, red
SMALLEST = 32  # pixels, of which the five poolings leave one place; Keras has the same bound


def preprocess(rgb, mean, caller):
    """Turns RGB in [0, 1] into what VGG was trained on: BGR in [0, 255], the mean of each channel subtracted.

    Args:
      rgb: float32 tensor [batch, 224, 224, 3]; of any size from 32x32, known or not, if the caller has no top.
      mean: the means of blue, green and red.
      caller: the network that builds; its `include_top` decides about the size, its name is for the messages.

    Returns:
      A float32 tensor of the shape of `rgb`.

    Raises:
      AssertionError: another size or channel count, as upstream.
      TypeError: another dtype.
      RuntimeError: called eagerly.
    """
    where = f"{type(caller).__name__}.build"
    if tf.executing_eagerly():
        raise RuntimeError(
            f"{where} builds a graph: call it under `with tf.Graph().as_default():`, or call "
            "tf.compat.v1.disable_eager_execution() first"
        )
    dtype = dtype_of(rgb)
    if dtype != tf.float32:
        found = type(rgb).__name__ if dtype is None else dtype.name
        raise TypeError(f"{where}: rgb: expected a float32 tensor of RGB in [0, 1], got {found}")
    _check_shape(tf.TensorShape(rgb.shape), where, caller.include_top)
    rgb_scaled = rgb * 255.0
    red, green, blue = tf.split(axis=3, num_or_size_splits=3, value=rgb_scaled)
    return tf.concat(axis=3, values=[blue - mean[0], green - mean[1], red - mean[2]])


def _check_shape(shape, where, include_top):
    if include_top:
        if shape.ndims != 4 or shape.as_list()[1:] != [224, 224, 3]:
            raise AssertionError(
                f"{where}: rgb: expected shape (batch, 224, 224, 3), got {shape}; utils.load_image makes an image that "
                "size, set_shape() tells TensorFlow a size it cannot see, include_top=False takes any size"
            )
    elif shape.ndims != 4 or shape.as_list()[3] != 3 or any(size and size < SMALLEST for size in shape.as_list()[1:3]):
        raise AssertionError(
            f"{where}: rgb: expected shape (batch, height, width, 3) of {SMALLEST}x{SMALLEST} or larger, got {shape}"
        )


def dtype_of(value):
    """The TensorFlow dtype of a tensor, variable or array; None for what has none."""
    return tf.as_dtype(value.dtype).base_dtype if hasattr(value, "dtype") else None
