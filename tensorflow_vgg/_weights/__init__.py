"""The `.npy` weight file: find, read, check, write and make it.

A weight dict maps a layer's name to `[kernel, biases]`, or to `{0: kernel, 1: biases}`, NumPy float32 arrays:
kernels [3, 3, in, out] and [in, out], biases [out]. Upstream's files are such dicts, pickled inside a `.npy`.
"""

from tensorflow_vgg._weights.block import ATTENTION_LAYERS, attention_start, pass_through
from tensorflow_vgg._weights.check import attention_layers, check
from tensorflow_vgg._weights.error import WeightsError
from tensorflow_vgg._weights.find import data_folder, find, search_folders
from tensorflow_vgg._weights.keras import fetch_keras, from_keras, load_keras
from tensorflow_vgg._weights.read import file_digest, read, read_objects
from tensorflow_vgg._weights.seeded import seed_of, seeded, seeded_attention
from tensorflow_vgg._weights.shapes import KERNEL_SHAPES, UPSTREAM_VGG16_SHA1
from tensorflow_vgg._weights.write import replacing, write

__all__ = [
    "ATTENTION_LAYERS",
    "KERNEL_SHAPES",
    "UPSTREAM_VGG16_SHA1",
    "WeightsError",
    "attention_layers",
    "attention_start",
    "check",
    "data_folder",
    "fetch_keras",
    "file_digest",
    "find",
    "from_keras",
    "load_keras",
    "pass_through",
    "read",
    "read_objects",
    "replacing",
    "search_folders",
    "seed_of",
    "seeded",
    "seeded_attention",
    "write",
]
