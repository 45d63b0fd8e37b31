"""The attention block in a weight file: its layers' names, their shapes and how they start.

`attention.py` says the same in a file that stands alone; a test holds that both agree.
"""

import math

import numpy as np

__all__ = ["ATTENTION_LAYERS", "OPEN", "PASS_THROUGH", "attention_start", "block_shapes", "pass_through"]

ATTENTION_LAYERS = ("cbam/fc_1", "cbam/fc_2", "cbam/spatial_attention_conv")

# What the spatial bias starts at: sigmoid(4) is 0.982, close to open yet trainable, and sigmoid(40) is 1 exactly.
OPEN, PASS_THROUGH = 4.0, 40.0


def block_shapes(channels, units=None):
    """The shapes of the three kernels.

    Args:
      channels: channels of the feature map.
      units: size of the inner layer; None: half of the channels, as `attention.py` has it.

    Returns:
      layer name -> shape.
    """
    units = channels // 2 if units is None else units
    return dict(zip(ATTENTION_LAYERS, ((channels, units), (units, channels), (3, 3, 2, 1))))


def pass_through(channels):
    """The attention block's three layers with which it gives its input, to the bit.

    Both sigmoids of the channel attention are 0.5 and add up to 1, and the spatial one, sigmoid(40), is 1.

    Args:
      channels: channels of the feature map.
    """
    layers = {
        name: [np.zeros(shape, np.float32), np.zeros(shape[-1], np.float32)]
        for name, shape in block_shapes(channels).items()
    }
    layers["cbam/spatial_attention_conv"][1][:] = PASS_THROUGH
    return layers


def attention_start(channels, start="pass-through", seed=0):
    """The attention block's three layers as its variables start, see `attention.py`.

    Args:
      channels: channels of the feature map; 512 after pool5.
      start: "pass-through", "open" or "glorot".
      seed: of the Glorot uniform kernels, 0 ... 2**32 - 1.
    """
    layers = pass_through(channels)
    if start == "pass-through":
        return layers
    layers["cbam/spatial_attention_conv"][1][:] = {"open": OPEN, "glorot": 0.0}[start]
    random = np.random.RandomState(seed)
    for name in ATTENTION_LAYERS[:1] if start == "open" else ATTENTION_LAYERS:
        shape = layers[name][0].shape
        limit = math.sqrt(6.0 / (np.prod(shape[:-2]) * sum(shape[-2:])))  # fan_in + fan_out
        layers[name][0][:] = random.uniform(-limit, limit, shape)
    return layers
