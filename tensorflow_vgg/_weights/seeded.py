"""Weights that any machine can make from a seed, for tests and trials."""

import math
import re

import numpy as np

from tensorflow_vgg._weights.block import block_shapes
from tensorflow_vgg._weights.shapes import FC6_PLACES, KERNEL_SHAPES

__all__ = ["looks_seeded", "seed_of", "seeded", "seeded_attention"]

_THIN_WIDTHS = {64: 2, 128: 4, 256: 8, 512: 16}


def seed_of(source):
    """(N, whether they are thin) of the weights seeded:N or seeded:N:thin; None for a file's path or None.

    Raises:
      ValueError: N is no seed.
    """
    if source is None or not source.startswith("seeded:"):
        return None
    fits = re.fullmatch(r"seeded:(\d{1,10})(:thin)?", source)
    if not fits or int(fits.group(1)) >= 2**32:
        raise ValueError(f"--weights {source}: expected seeded:N, with N from 0 to {2**32 - 1}")
    return int(fits.group(1)), fits.group(2) is not None


def seeded(net="vgg19", seed=19, thin=False, attention=False):
    """Weights that any machine can make, for tests and trials. They have learnt nothing.

    Kernels are normal with deviation sqrt(2 / fan_in) (fc8: 0.05 of that), biases normal with deviation 0.1, from
    NumPy's legacy generator, whose stream never changes, layer by layer in network order.

    Args:
      net: "vgg16" or "vgg19".
      seed: 0 ... 2**32 - 1.
      thin: widths 2, 4, 8, 16, 16 and fc 4096, 64, 1000 instead of the network's own.
      attention: also the three layers of the attention block, from the same seed.

    Returns:
      layer name -> `[kernel, biases]`, float32.
    """
    random = np.random.RandomState(seed)
    weights = {}
    inputs = 3
    for name, shape in KERNEL_SHAPES[net].items():
        outputs = shape[-1]
        if thin:
            outputs = 64 if name == "fc7" else _THIN_WIDTHS.get(outputs, outputs)
        places = FC6_PLACES if name == "fc6" else 1
        weights[name] = _seeded_layer(random, shape[:-2] + (places * inputs, outputs), _gain(name))
        inputs = outputs
    if attention:
        weights.update(seeded_attention(weights["fc6"][0].shape[0] // FC6_PLACES, seed))
    return weights


def looks_seeded(weight_dict):
    """Whether all kernels of a whole network are spread as those of `seeded` are, which trained ones never are.

    Args:
      weight_dict: layer name -> `[kernel, biases]`, checked.
    """
    return all(_spread_as_seeded(name, weight_dict[name][0]) for name in KERNEL_SHAPES["vgg16"])


def _spread_as_seeded(name, kernel):
    values = kernel.reshape(-1)
    squares = 0.0
    for start in range(0, values.size, 1 << 20):  # in parts, since float32 cannot add up a hundred million
        part = values[start : start + (1 << 20)]
        squares += float(np.dot(part, part))
    found = math.sqrt(squares / values.size) / (_gain(name) * math.sqrt(2.0 / np.prod(kernel.shape[:-1])))
    return abs(found - 1) < 5 / math.sqrt(2 * values.size)  # five deviations of a deviation of so many normal values


def _gain(name):
    return 0.05 if name == "fc8" else 1.0


def seeded_attention(channels, seed=19, inner_units_ratio=0.5):
    """The attention block's three layers with random weights, by the recipe of `seeded`.

    Args:
      channels: channels of the feature map; 512 after pool5.
      seed: 0 ... 2**32 - 1.
      inner_units_ratio: size of the inner layer, as a part of `channels`.
    """
    random = np.random.RandomState(seed)
    units = int(channels * inner_units_ratio)
    return {name: _seeded_layer(random, shape, 1.0) for name, shape in block_shapes(channels, units).items()}


def _seeded_layer(random, kernel_shape, gain):
    gain *= math.sqrt(2.0 / np.prod(kernel_shape[:-1]))
    kernel = np.empty(int(np.prod(kernel_shape)), np.float32)
    # In parts: fc6 drawn at once would need 0.8 GB of float64 beside its 0.4 GB.
    for start in range(0, kernel.size, 1 << 20):
        part = kernel[start : start + (1 << 20)]
        part[:] = random.standard_normal(part.size) * gain
    return [kernel.reshape(kernel_shape), (random.standard_normal(kernel_shape[-1]) * 0.1).astype(np.float32)]
