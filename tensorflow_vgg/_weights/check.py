"""Whether a weight dict fits its network: layers, shapes, dtypes, finite values."""

import math

import numpy as np

from tensorflow_vgg._weights.block import ATTENTION_LAYERS, block_shapes
from tensorflow_vgg._weights.error import WeightsError
from tensorflow_vgg._weights.shapes import FC6_PLACES, KERNEL_SHAPES

__all__ = ["attention_layers", "check"]


def attention_layers(weights, source="weights", channels=None):
    """The attention block of a weight dict: its three layers, or an empty dict if it has none of them.

    Args:
      weights: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`.
      source: the name of the file, for the message.
      channels: channels of the feature map, where they are known.

    Raises:
      WeightsError: it has some of the three, or their shapes do not fit the feature map or each other.
    """
    found = {name: weights[name] for name in ATTENTION_LAYERS if name in weights}
    missing = [name for name in ATTENTION_LAYERS if name not in weights]
    if found and missing:
        raise WeightsError(
            f"{source}: expected all three layers of the attention block or none, got {', '.join(found)} "
            f"without {', '.join(missing)}"
        )
    if found:
        inputs, units = _kernel_shape(found["cbam/fc_1"], "cbam/fc_1", 2, source)
        for name, shape in block_shapes(channels or inputs, units).items():
            _check_layer(found[name], name, shape, source)
    return found


def check(weights, net="vgg19", source="weights", thin=False):
    """Raises unless `weights` fits the network: every layer, shape, dtype, and all values finite.

    The number of classes (the width of fc8) is free, and the attention block may be there or not.

    Args:
      weights: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`.
      net: "vgg16" or "vgg19".
      source: the name of the file, for the message.
      thin: other widths than the network's own are taken too, as long as the layers fit each other.

    Raises:
      WeightsError: the first thing that is wrong.
    """
    inputs = 3
    if net == "vgg16" and all(name in weights for name in KERNEL_SHAPES["vgg19"]):
        raise WeightsError(f"{source}: expected a file of vgg16, got one of vgg19")
    for name, shape in KERNEL_SHAPES[net].items():
        if name not in weights:
            have = [layer for layer in KERNEL_SHAPES[net] if layer in weights]
            hint = f"it has {len(have)} of the {len(KERNEL_SHAPES[net])} layers of {net}"
            if have == list(KERNEL_SHAPES["vgg16"]):
                hint = "this is a file of vgg16"
            raise WeightsError(f"{source}: {name} is missing; {hint}")
        outputs = shape[-1]
        if name == "fc8" or (thin and name != "fc6"):
            outputs = _kernel_shape(weights[name], name, len(shape), source)[-1]
        places = FC6_PLACES if name == "fc6" else 1
        _check_layer(weights[name], name, shape[:-2] + (places * inputs, outputs), source)
        inputs = outputs
    attention_layers(weights, source, channels=np.shape(weights["fc6"][0])[0] // FC6_PLACES)


def _kernel_shape(layer, name, rank, source):
    try:
        shape = np.shape(layer[0])
    except (KeyError, IndexError, TypeError, ValueError):
        raise WeightsError(f"{source}: {name}: expected [kernel, biases], got {type(layer).__name__}") from None
    if len(shape) != rank:
        raise WeightsError(f"{source}: {name} kernel: expected {rank} dimensions, got {shape}")
    return shape


def _check_layer(layer, name, kernel_shape, source):
    _kernel_shape(layer, name, len(kernel_shape), source)
    for index, what, shape in ((0, "kernel", kernel_shape), (1, "biases", kernel_shape[-1:])):
        try:
            array = layer[index]
        except (KeyError, IndexError):
            raise WeightsError(f"{source}: {name} {what}: missing; expected {shape}") from None
        if np.shape(array) != shape:
            raise WeightsError(f"{source}: {name} {what}: expected {shape}, got {np.shape(array)}")
        if getattr(array, "dtype", None) != np.float32:
            found = getattr(array, "dtype", type(array).__name__)
            raise WeightsError(f"{source}: {name} {what}: expected float32, got {found}")
        # A sum is finite only if every value is, and unlike isfinite() it makes no array of the same size.
        if not math.isfinite(array.sum(dtype=np.float64)):
            raise WeightsError(f"{source}: {name} {what}: expected finite values, got {_not_finite(array)}")


def _not_finite(array):
    bad = np.flatnonzero(~np.isfinite(array))
    place = tuple(int(index) for index in np.unravel_index(bad[0], array.shape))
    return f"{array.flat[bad[0]]} at {place} ({bad.size} such values)"
