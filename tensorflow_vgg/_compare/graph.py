"""What is in a graph, whatever the class that made it calls its nodes: weights, the attention block, every node."""

import hashlib
import re

import numpy as np

__all__ = ["ATTENTION_LAYERS", "Parts", "ancestors", "described", "digest", "nodes"]

ATTENTION_LAYERS = ("fc_1", "fc_2", "spatial_attention_conv")

_ATTENTION = re.compile(r"(?:.*/)?(?:cbam|attention)[^/]*(?=/)")  # how scopes of attention are called
_WEIGHTS = ("Const", "VarHandleOp", "Variable", "VariableV2")


class Parts:
    """The layers of a graph, of which `tensors` has the tensors in the graph's order, and what each is made of.

    Attributes:
      first: the layer that has the first convolution or matrix product of what is `fed`; None if there is none.
      entering: what enters it, under its name, and what enters each other layer's matrix product.
    """

    def __init__(self, graph, fed, tensors):
        self._graph = graph
        self._layers = {}  # of a node the first layer that needs it
        for layer, tensor in tensors.items():
            for name in ancestors(tensor.op, self._layers):
                self._layers[name] = layer
        dependent = {tensor.op.name for tensor in fed}
        linear = []
        for op in graph.get_operations():
            if any(tensor.op.name in dependent for tensor in op.inputs):
                dependent.add(op.name)
                if op.type in ("Conv2D", "MatMul") and op.name in self._layers:
                    linear.append(op)
        # A scope that has the network's first or last layer in it is the network's own, whatever it is called. The
        # block's own layers are the last where there is no top.
        own = [op.name for op in linear if not set(op.name.split("/")) & set(ATTENTION_LAYERS)]
        scopes = _attention_scopes(self._layers)
        self._scopes = [scope for scope in scopes if not any(_in_scope(name, scope) for name in own[:1] + own[-1:])]
        linear = [op for op in linear if not self.in_attention(op.name)]
        self.first = self._layers[linear[0].name] if linear else None
        self.entering = {self._layers[op.name]: op.inputs[0] for op in linear[:1]}
        self.entering.update({self._layers[op.name]: op.inputs[0] for op in linear[1:] if op.type == "MatMul"})
        # The means and the scale are constants, but no weights.
        self._preprocessing = ancestors(linear[0].inputs[0].op) if linear else set()

    def in_attention(self, name):
        """Whether a node is part of an attention block."""
        return any(_in_scope(name, scope) for scope in self._scopes)

    def weights(self, known):
        """The weights in the graph's order, each with its layer, name, and what is `known` of its node's value."""
        found = []
        for op in self._graph.get_operations():
            value = known.get(op.name)
            is_one = value and value["shape"] and value["dtype"].startswith(("float", "bfloat"))
            if is_one and op.type in _WEIGHTS and op.name in self._layers and op.name not in self._preprocessing:
                entry = {"name": op.name, "layer": self._layers[op.name], "attention": self.in_attention(op.name)}
                found.append({**entry, **value})
        return found

    def attention(self, found):
        """What the attention block does: "none" there, "passes" everything through, or "acts"; and for which layer."""
        layers = {layer for name, layer in self._layers.items() if self.in_attention(name)}
        if not layers:
            return {"state": "none"}
        layer = next(layer for layer in self._layers.values() if layer in layers)
        block = [weight for weight in found if weight["attention"]]
        closed = digest(np.full(1, 40, np.float32))
        passes = any(weight["digest"] == closed for weight in block) and all(
            weight["digest"] in (closed, digest(np.zeros(weight["shape"], np.float32))) for weight in block
        )
        return {"state": "passes" if passes else "acts", "layer": layer}


def ancestors(op, known=()):
    """The names of all nodes that `op` needs, its own included, without those that are known."""
    found, waiting = set(), [op]
    while waiting:
        op = waiting.pop()
        if op.name not in found and op.name not in known:
            found.add(op.name)
            waiting.extend(tensor.op for tensor in op.inputs)
    return found


def _attention_scopes(names):
    """The scopes of attention blocks: those that have the block's three layers, and those that are called so."""
    layers = {}
    for name in names:
        parts = name.split("/")
        for depth, part in enumerate(parts[:-1]):
            if part in ATTENTION_LAYERS:
                layers.setdefault("/".join(parts[:depth]), set()).add(part)
    found = [scope for scope, inner in layers.items() if len(inner) == len(ATTENTION_LAYERS)]
    return list(dict.fromkeys(found + [match.group() for match in map(_ATTENTION.match, names) if match]))


def _in_scope(name, scope):
    """Whether a node is in a scope; "" stands for a block that has no scope of its own."""
    return name.startswith(f"{scope}/") if scope else name.split("/")[0] in ATTENTION_LAYERS


def nodes(graph):
    """Every node of a graph in its order: name, op, inputs and attributes, of a constant dtype, shape and digest."""
    listed = []
    for op in graph.get_operations():
        node = op.node_def  # made anew by each look, with all that a constant holds
        attributes = {key: _plain(op.get_attr(key)) for key in node.attr}
        listed.append({"name": op.name, "op": op.type, "input": list(node.input), "attr": attributes})
    return listed


def _plain(value):
    """The value of a node's attribute as JSON has it."""
    import tensorflow.compat.v1 as tf

    if isinstance(value, tf.DType):
        return value.name
    if hasattr(value, "tensor_shape"):
        return described(tf.make_ndarray(value), tf.as_dtype(value.dtype).name)
    if hasattr(value, "unknown_rank"):
        return None if value.unknown_rank else [dimension.size for dimension in value.dim]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [str(item) if isinstance(item, bytes) else _plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, float, int, str)) else str(value)


def described(array, dtype=None):
    """What a recording keeps of a weight: dtype, shape and digest."""
    return {"dtype": dtype or array.dtype.name, "shape": list(array.shape), "digest": digest(array)}


def digest(array):
    """The SHA-256 of an array's values, in C order and little-endian bytes; of texts that of their list."""
    array = np.asarray(array)
    if array.dtype.hasobject:
        return hashlib.sha256(repr(array.tolist()).encode()).hexdigest()
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()
