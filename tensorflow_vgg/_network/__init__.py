"""What the three networks share: the image's way in, layers, constants and the attention block in a network."""

from tensorflow_vgg._network.block import (
    attention_maps,
    block_constant,
    block_variables,
    convolutional_block_attention_module,
)
from tensorflow_vgg._network.constants import constant, has_gpu, initial_value
from tensorflow_vgg._network.layers import Frozen, Layers, control_flow_v1
from tensorflow_vgg._network.preprocessing import VGG_MEAN, preprocess

__all__ = [
    "VGG_MEAN",
    "Frozen",
    "Layers",
    "attention_maps",
    "block_constant",
    "block_variables",
    "constant",
    "control_flow_v1",
    "convolutional_block_attention_module",
    "has_gpu",
    "initial_value",
    "preprocess",
]
