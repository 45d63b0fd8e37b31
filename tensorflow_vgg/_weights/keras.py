"""Weights from `keras.applications`, whose VGG16 and VGG19 were converted from the same Oxford weights."""

import warnings

import numpy as np

from tensorflow_vgg._weights.check import check
from tensorflow_vgg._weights.error import WeightsError
from tensorflow_vgg._weights.shapes import KERNEL_SHAPES

__all__ = ["fetch_keras", "from_keras", "load_keras"]

_UPSTREAMS_NAMES = {
    **{"block{}_conv{}".format(*name[4:].split("_")): name for name in KERNEL_SHAPES["vgg19"] if name[:4] == "conv"},
    "fc1": "fc6",
    "fc2": "fc7",
    "predictions": "fc8",
}


def from_keras(model):
    """The weight dict of a VGG16 or VGG19 of `keras.applications`, with top.

    Keras's networks were converted from the same Oxford weights: layer by layer they are the same, with other names.

    Args:
      model: the Keras model.
    """
    weights = {}
    for layer in model.layers:
        if layer.weights:
            kernel, biases = layer.get_weights()
            weights[_UPSTREAMS_NAMES[layer.name]] = [np.asarray(kernel), np.asarray(biases)]
    return weights


def load_keras(path, net=None):
    """Reads a Keras weights file of VGG16 or VGG19, with top.

    Args:
      path: a file that Keras's own `load_weights` reads: `.h5`, `.weights.h5` or `.keras`.
      net: "vgg16" or "vgg19"; None tries both.

    Returns:
      (net, weight dict)

    Raises:
      WeightsError: Keras cannot load the file into such a network.
      OSError: the file cannot be opened.
    """
    with open(path, "rb") as file:
        if file.read(6) == np.lib.format.MAGIC_PREFIX:
            raise WeightsError(f"{path}: expected a Keras weights file, got a .npy, which needs no conversion")
    nets = [net] if net else list(KERNEL_SHAPES)
    for candidate in nets:
        model = _application(candidate)(weights=None)
        # Keras may load a part of a file that does not fit, and only warn. What it leaves is then not finite.
        model.set_weights([np.full(array.shape, np.nan, np.float32) for array in model.get_weights()])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.load_weights(str(path))
            weights = from_keras(model)
            check(weights, candidate, path)
            return candidate, weights
        except Exception as error:  # each of Keras's formats raises its own
            reason = " ".join(str(error).split())
    raise WeightsError(
        f"{path}: expected a Keras weights file of {' or '.join(nets)} with top (fc1, fc2, predictions): {reason[:200]}"
    )


def fetch_keras(net):
    """The Oxford weights as `keras.applications` hosts them: its download, checksum, cache and progress bar.

    Returns:
      The weight dict.

    Raises:
      WeightsError: they could not be downloaded.
    """
    try:
        model = _application(net)(weights="imagenet")
    except Exception as error:  # Keras raises Exception itself for a download that fails
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{net}: Keras could not download the weights: {reason}; fetch that file with another program, then "
            "`tensorflow-vgg weights convert SOURCE FILE`"
        ) from error
    return from_keras(model)


def _application(net):
    import tensorflow as tf

    return {"vgg16": tf.keras.applications.VGG16, "vgg19": tf.keras.applications.VGG19}[net]
