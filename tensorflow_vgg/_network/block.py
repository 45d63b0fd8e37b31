"""The attention block within a network: where its weights come from, and what it weighed with."""

import contextlib
import functools
import importlib.util
import os
import sys

import tensorflow.compat.v1 as tf

from tensorflow_vgg._network.constants import constant

__all__ = ["attention_maps", "block_constant", "block_variables", "convolutional_block_attention_module"]


def _attention_module():
    """The module `attention` that is installed beside this package.

    Many codebases have an attention.py of their own, often first on sys.path: it must not stand in for this one.
    """
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "attention.py")
    loaded = sys.modules.get("attention")
    if getattr(loaded, "__file__", None) == path:
        return loaded
    spec = importlib.util.spec_from_file_location("tensorflow_vgg.attention", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


convolutional_block_attention_module = _attention_module().convolutional_block_attention_module


@contextlib.contextmanager
def block_variables(make):
    """Within the block, `make` decides what the attention block's `get_variable` calls give.

    Args:
      make: called as make(layer, index, name, create, options): the layer as in a weight file ("cbam/fc_1"), 0
        for its kernel or 1 for its biases, the variable's own name, TensorFlow's way to make it, to be called as
        create(**options), and the options that get_variable was called with.
    """
    scope = tf.get_variable_scope()
    prefix = f"{scope.name}/" if scope.name else ""

    def custom_getter(getter, name, **options):
        layer, variable = name[len(prefix) :].rsplit("/", 1)
        index = 0 if variable in ("kernel", "weights") else 1
        return make(layer, index, variable, functools.partial(getter, name), options)

    with tf.variable_scope(scope, custom_getter=custom_getter, auxiliary_name_scope=False):
        yield


def block_constant(value, name):
    """A constant in place of a variable of the attention block, named as the variable would be."""
    # get_variable leaves all name scopes before it asks; this goes back into the layer's.
    with tf.name_scope(tf.get_variable_scope().original_name_scope):
        return constant(value, name)


def attention_maps(attended):
    """What the attention block weighed with, found in the graph beside its result.

    Args:
      attended: what `convolutional_block_attention_module` returned.

    Returns:
      The channels' weights, float32 [batch, channels], 0 ... 2, and the places', [batch, height, width, 1], 0 ... 1.
    """
    scope = attended.op.name.rpartition("/")[0]  # the one that was really used, such as "content_vgg/cbam_1"
    names = ("channel_attention_sum", "spatial_attention_conv/Sigmoid")
    return tuple(attended.graph.get_tensor_by_name(f"{scope}/{name}:0") for name in names)
