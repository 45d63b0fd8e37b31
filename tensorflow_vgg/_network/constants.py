"""Weights in a graph: as constants of its own, or mapped into memory from the cache's files."""

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg._weights import mapped

__all__ = ["constant", "deep_copy", "guarded", "has_gpu", "initial_value", "portable", "region_of"]

# What `guarded` makes beside the tensor itself, in the tensor's name scope.
_SOURCE = "mapped"
_HELPERS = (_SOURCE, "array", "array/size", "write", "write/index", "index")


def has_gpu():
    """Whether TensorFlow sees a GPU, to which it would copy mapped weights in every run."""
    return bool(tf.config.experimental.list_physical_devices("GPU"))


def constant(value, name):
    """An array as a constant in the graph; a mapped one stays in its file, from where TensorFlow maps it."""
    region = region_of(value)
    return tf.constant(value, name=name) if region is None else guarded(region, value.shape, name)


def region_of(value):
    """The file that holds exactly this array, or None: for one that was never mapped, or has been changed since."""
    return mapped.region_of(value) if isinstance(value, mapped.MappedArray) and mapped.holds(value) else None


def guarded(region, shape, name):
    """The float32 tensor that a file holds, named as a constant would be.

    ImmutableConst's output has one reference, so that an operation that follows may write its result into it: into
    pages that cannot be written. The array holds a second one for the length of a step, and no operation does.
    """
    shape = list(shape)
    with tf.name_scope(name) as scope:
        source = tf.raw_ops.ImmutableConst(dtype=tf.float32, shape=shape, memory_region_name=region, name=_SOURCE)
        handle, flow = tf.raw_ops.TensorArrayV3(
            size=1,
            dtype=tf.float32,
            element_shape=shape,
            identical_element_shapes=True,
            clear_after_read=False,
            name="array",
        )
        flow = tf.raw_ops.TensorArrayWriteV3(handle=handle, index=0, value=source, flow_in=flow, name="write")
        tensor = tf.raw_ops.TensorArrayReadV3(handle=handle, index=0, flow_in=flow, dtype=tf.float32, name=scope)
    tensor.set_shape(shape)
    return tensor


def deep_copy(region, shape, name):
    """The float32 tensor that a file holds, in memory of its own.

    A variable keeps the buffer that it starts from, and the first update of a mapped one would kill the process.
    """
    with tf.name_scope(name) as scope:
        source = tf.raw_ops.ImmutableConst(dtype=tf.float32, shape=list(shape), memory_region_name=region, name=_SOURCE)
        return tf.raw_ops.DeepCopy(x=source, name=scope)


def initial_value(value, name):
    """An array as the initial value of the variable `name`."""
    region = region_of(value)
    if region is None:
        return value
    # Where the variable would put a constant.
    scope = f"{name}/Initializer" if tf.resource_variables_enabled() else name
    return deep_copy(region, value.shape, f"{scope}/initial_value")


def portable(graph_def):
    """Makes constants of a GraphDef's mapped weights, in place, for processes without the files, and returns it."""
    sources = {
        node.name[: -len(_SOURCE) - 1]: node
        for node in graph_def.node
        if node.op == "ImmutableConst" and node.name.endswith(f"/{_SOURCE}")
    }
    if not sources:
        return graph_def
    kept = []
    for node in graph_def.node:
        parent = next((node.name[: -len(end) - 1] for end in _HELPERS if node.name.endswith(f"/{end}")), None)
        if node.name in sources:
            kept.append(_constant_node(node, sources[node.name]))
        elif parent not in sources:
            kept.append(node)
    rest = type(graph_def)()
    rest.node.extend(kept)
    del graph_def.node[:]
    graph_def.MergeFrom(rest)
    return graph_def


def _constant_node(node, source):
    """The constant that stands for `node`, a tensor whose values come from the file that `source` maps."""
    shape = [dimension.size for dimension in source.attr["shape"].shape.dim]
    values = np.fromfile(source.attr["memory_region_name"].s.decode(), "<f4").reshape(shape)
    made = tf.NodeDef(name=node.name, op="Const", device=node.device)
    made.input.extend(name for name in source.input if name.startswith("^"))
    made.attr["dtype"].type = tf.float32.as_datatype_enum
    made.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    for key in ("_class", "_output_shapes"):
        if key in node.attr:
            made.attr[key].CopyFrom(node.attr[key])
    return made
