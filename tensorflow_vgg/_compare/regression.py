"""Records what a network computes, layer by layer, and compares recordings.

A recording is a plain `.npz`: `about`, JSON text as bytes (settings, versions, layers, weights, nodes), `pixels`, and
of each layer `layer/NAME`, or `sample/NAME` and `index/NAME` where only samples of it were kept.
"""

import ast
import collections
import contextlib
import hashlib
import importlib
import inspect
import itertools
import json
import math
import os
import platform
import re
import sys
import tempfile
import traceback
import types
import zipfile

import numpy as np

from tensorflow_vgg import session_config, weights

__all__ = ["Recording", "compare", "digest", "nodes", "plot", "record", "save", "surroundings", "text"]

_FORMAT = 1
_SEED = 19  # of the places that are sampled, and of weights that start at random
_PART = 1 << 16  # values that are compared at a time
_BORDER = 8  # pixels from the edge that scikit-image's resize may draw from outside of a small image
_ATTENTION = re.compile(r"(?:.*/)?(?:cbam|attention)[^/]*(?=/)")  # how scopes of attention are called
_REASONLESS = re.compile(r"(?s)\A.*\nNode: [^\n]*\n|\n\nOriginal stack trace.*")  # of what TensorFlow says
# How the argument for the weights is called, the likeliest first.
_WEIGHTS = ("npy|path|file", "weight", "param|data|model|ckpt|checkpoint|pretrained")
_ATTENTION_LAYERS = ("fc_1", "fc_2", "spatial_attention_conv")
_VARIABLES = ("VarHandleOp", "Variable", "VariableV2")
# What compare needs of `about`, and of its steps, as `_unlike` takes it.
_SIZES = [range(1 << 62)]
_STATISTICS = {"max": float, "mean": float, "min": float, "std": float}
_COLOUR = (range(3), type(None))
_FIT = {"colour": range(3), "mean": float, "scale": float}
_ABOUT = {
    "attention": {"state": str, "layer?": str},
    "images": [{"name": str}],
    "layers": [{"attention": bool, "name": str, "not_finite?": _SIZES, "shape": _SIZES, **_STATISTICS}],
    "nodes": [{"name": str}],
    "order": [str],
    "settings": {"net": str},
    "steps": [{"kind": str, "layer": str}],
    "surroundings": {"tensorflow": str},
    "top5?": [[int]],
    "weights": [{"attention": bool, "digest": str, "layer": str, "name": str, "shape": _SIZES}],
}
_STEP = {
    "preprocessing": {"error?": float, "fits?": [[_FIT]], "mean": [float], "order": [_COLOUR], "scale": [float]},
    "flattening": {"axes": [range(1, 4)]},
    "dropout": {"before": str, "kept": float, "units?": str},
    "pooling": {"how": str},
}


def record(net, given, pixels, modules=None, attention=True, layers=None, samples=None):
    """Builds a network with its weights as constants, as upstream does, runs it once and keeps what it computes.

    Args:
      net: "vgg16", "vgg19" or "vgg19_trainable". A class whose build takes train_mode runs with false. This package's
        trainable network takes weights of any widths here.
      given: a weight dict, or for `modules` also the path of a file.
      pixels: float32 array [batch, height, width, 3], RGB in [0, 1].
      modules: a folder, whose module `net` is taken in place of this package's, and whose other modules stand before
        this package's where that one imports them from `tensorflow_vgg`.
      attention: False leaves the attention block out, where the class knows how.
      layers: the names of the attributes to keep; None for all that are tensors.
      samples: how many values to keep of a layer that has more; None for all.

    Returns:
      (about, arrays): what is known of the network, ready for JSON, and the values as they are named in a file.
      `about["loaded"]` says whether the class took the weights, `about["unfed"]` which attributes are left out, and
      for want of which placeholder's value.

    Raises:
      ValueError: the class cannot be loaded, built or run, or has no such layers.
      OSError: the folder has no such module.
    """
    import tensorflow.compat.v1 as tf

    class_name = "Vgg16" if net == "vgg16" else "Vgg19"
    where = f"tensorflow_vgg.{net}" if modules is None else os.path.join(modules, f"{net}.py")
    if modules is not None and not os.path.isfile(where):
        raise FileNotFoundError(f"{where}: no such file; expected the module that has {class_name}")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_blaming(where))
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))  # what others' code prints, away from results
        source = given
        if modules is None:
            module = importlib.import_module(where)
        else:
            module = stack.enter_context(_module_of(net, modules, attention))
            if isinstance(given, dict):
                # Upstream's classes take no dict, but the path of a file.
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                source = os.path.join(folder, f"{class_name.lower()}.npy")
                weights.write(source, given)
        if not hasattr(module, class_name):
            raise ValueError(f"expected a class {class_name}, found none")
        graph = stack.enter_context(tf.Graph().as_default())
        tf.set_random_seed(_SEED)
        feed = {tf.placeholder(tf.float32, pixels.shape, name="images"): pixels}
        cls = getattr(module, class_name)
        if modules is None and net == "vgg19_trainable":
            cls = _of_any_width(cls)
        loaded, network = _build(cls, source, attention, feed)
        tensors, unfed = _tensors(network, graph, feed)
        missing = [layer for layer in layers or () if layer not in tensors]
        for layer in unfed if not tensors else missing:
            if layer in unfed:
                raise ValueError(
                    f"the layer {layer} needs a value for the placeholder {unfed[layer]}, which is not fed: give it "
                    "one with tf.placeholder_with_default"
                )
        if missing or not tensors:
            expected = f"the layers {', '.join(missing)}" if missing else "attributes that are tensors"
            raise ValueError(f"expected {expected}, got {', '.join(tensors) or 'none'}")

        parts = _Parts(graph, feed, tensors)
        listed = nodes(graph)  # now, since running adds some
        config = session_config()
        config.allow_soft_placement = True  # a class may name a GPU that is not here
        session = stack.enter_context(tf.Session(config=config))
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        session.run(tf.tables_initializer())
        _load_attention(session, given)
        digests = {node["name"]: node["attr"]["value"] for node in listed if node["op"] == "Const"}
        variables = {variable.op.name: _described(session.run(variable)) for variable in tf.global_variables()}
        digests.update(variables)
        values, entering = session.run([tensors, parts.entering], feed)

    found = parts.weights(digests)
    about = {
        "attention": parts.attention(found),
        "layers": [],
        "loaded": loaded,
        "nodes": listed,
        "order": list(tensors),
        "steps": _steps(pixels, values, entering, parts.first),
        "unfed": unfed,
        "variables": variables,
        "weights": found,
    }
    if "prob" in values and values["prob"].ndim == 2:
        about["top5"] = np.argsort(-values["prob"], axis=1, kind="mergesort")[:, :5].tolist()
    arrays = {"pixels": pixels}
    for layer, tensor in tensors.items():
        if layers is None or layer in layers:
            entry, kept = _kept(layer, values[layer], samples)
            entry["attention"] = layer == "attention_feature" or parts.in_attention(tensor.op.name)
            about["layers"].append(entry)
            arrays.update(kept)
    return about, arrays


@contextlib.contextmanager
def _blaming(where):
    """Turns what others' code raises into one line that names its file."""
    argv, sys.argv = sys.argv, [where]
    try:
        yield
    except (Exception, SystemExit) as error:
        reason = " ".join(_REASONLESS.sub("", str(error)).split())[:400]
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if os.path.realpath(frame.filename) == os.path.realpath(where)]
        if isinstance(error, SystemExit):
            reason = f"the module ends the program (SystemExit{f' {reason}' if reason else ''})"
        elif not isinstance(error, (AssertionError, OSError, ValueError)) or not reason:
            reason = f"{type(error).__name__}: {reason or (own or frames)[-1].line}"
        raise ValueError(f"{where}{f':{own[-1].lineno}' if own else ''}: {reason}") from error
    finally:
        sys.argv = argv


@contextlib.contextmanager
def _module_of(net, folder, attention):
    """A module of somebody's folder: as it is on TensorFlow 1, else under the import rules that `run` has."""
    import tensorflow

    folder = os.path.realpath(folder)
    base, name = _package_of(net, folder)
    if tensorflow.__version__.startswith("1."):
        with _importing_from(base, name, folder):
            yield importlib.import_module(name)
        return
    from tensorflow_vgg._run import legacy

    options = legacy.Options(attention=attention, constants=True)
    module = legacy.import_module(name, base, options, stands_for_package=folder)
    before = sys.modules.get(name)
    sys.modules[name] = module  # where inspect.getfile looks, by which classes find the folder that they are in
    try:
        yield module
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


def _package_of(net, folder):
    """The folder to import a module from, and its name there: in a package, if it imports its neighbours so."""
    with open(os.path.join(folder, f"{net}.py"), "rb") as file, contextlib.suppress(SyntaxError, ValueError):
        own = os.path.basename(folder)
        for node in ast.walk(ast.parse(file.read())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            above = own not in sys.modules and own in [imported.split(".")[0] for imported in names]
            level = getattr(node, "level", 0) or int(above)
            if level:
                parts = folder.split(os.sep)
                return os.sep.join(parts[:-level]) or os.sep, ".".join([*parts[-level:], net])
    return folder, net


@contextlib.contextmanager
def _importing_from(base, name, folder):
    """Has modules come from a folder, those of `tensorflow_vgg` too, and all loaded ones back afterwards."""
    import tensorflow_vgg

    installed = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    net = name.rpartition(".")[2]
    own = {file.partition(".")[0] for file in os.listdir(base)} | {"tensorflow_vgg"}
    importlib.import_module(f"tensorflow_vgg.{net}")
    before = {other: sys.modules.pop(other) for other in list(sys.modules) if other.partition(".")[0] in own}
    sys.path.insert(0, base)
    importlib.invalidate_caches()
    try:
        if base == folder:
            # Its modules but the one that is recorded, which may be made of this package's of that name.
            package = types.ModuleType("tensorflow_vgg")
            names = vars(tensorflow_vgg).items()
            package.__dict__.update((key, value) for key, value in names if not isinstance(value, types.ModuleType))
            package.__path__ = [folder, installed]
            setattr(package, net, before[f"tensorflow_vgg.{net}"])
            sys.modules["tensorflow_vgg"] = package
            sys.modules[f"tensorflow_vgg.{net}"] = before[f"tensorflow_vgg.{net}"]
        yield
    finally:
        sys.path.remove(base)
        for other in [other for other in sys.modules if other.partition(".")[0] in own]:
            del sys.modules[other]
        sys.modules.update(before)


def _of_any_width(cls):
    """This package's trainable network with layers of the sizes of its weights."""

    class Vgg19(cls):
        def conv_layer(self, bottom, in_channels, out_channels, name):
            shape = np.shape(self.data_dict[name][0]) if self.data_dict else (3, 3, in_channels, out_channels)
            return super().conv_layer(bottom, *shape[2:], name)

        def fc_layer(self, bottom, in_size, out_size, name):
            shape = np.shape(self.data_dict[name][0]) if self.data_dict else (in_size, out_size)
            return super().fc_layer(bottom, *shape, name)

    return Vgg19


def _build(cls, source, attention, feed):
    """A class that may be anybody's, built on the first placeholder of `feed`.

    Returns:
      (whether it took the weights, the object).
    """
    import tensorflow.compat.v1 as tf

    (images,) = feed
    parameters = list(inspect.signature(cls).parameters.values())
    plain = [item for item in parameters if item.kind not in (item.VAR_KEYWORD, item.VAR_POSITIONAL)]
    unlikely = {item.name: _unlikely(item) for item in plain}
    taking = sorted((name for name in unlikely if unlikely[name] is not None), key=unlikely.get)
    options = {"attention": False} if not attention and "attention" in [item.name for item in plain] else {}
    arguments = []
    loads = bool(taking) or any(item.kind is item.VAR_POSITIONAL for item in parameters)
    if loads:
        if source is None:
            raise ValueError("its class takes weights: give them with --weights FILE or seeded:N")
        if taking:
            wants_dict = "dict" in taking[0] and isinstance(source, str)
            options[taking[0]] = weights.read(source) if wants_dict else source
        else:
            arguments = [source]
    network = cls(*arguments, **options)
    if "train_mode" in inspect.signature(network.build).parameters:
        train_mode = tf.placeholder(tf.bool, [], name="train_mode")
        feed[train_mode] = False
        network.build(images, train_mode=train_mode)
    else:
        network.build(images)
    return loads, network


def _unlikely(parameter):
    """A sort key: how unlikely a parameter of a class is the one for its weights. None: it is not."""
    default = parameter.default
    rank = next((rank for rank, words in enumerate(_WEIGHTS) if re.search(words, parameter.name.lower())), None)
    if rank is None:
        return (False, len(_WEIGHTS)) if default is parameter.empty else None
    # data_format="NHWC" and train_weights=False have the words, and mean something else.
    other_text = isinstance(default, str) and default and not default.endswith(".npy")
    return isinstance(default, (bool, float, int)), rank + 2 * bool(other_text)


def _tensors(network, graph, feed):
    """The attributes that are tensors of numbers, by name, in the order in which the graph has them.

    Returns:
      (them, the placeholder that is not fed and that each of the others needs a value for).
    """
    import tensorflow.compat.v1 as tf

    attributes = dict(getattr(network, "__dict__", {}))
    own = {id(value) for value in attributes.values()}
    for name in dir(network):  # slots, properties and attributes of the class
        with contextlib.suppress(Exception):
            value = getattr(network, name)
            # The class's name for a tensor of the object is no other layer.
            if isinstance(value, tf.Tensor) and id(value) not in own:
                attributes.setdefault(name, value)
    fed = {tensor.op.name for tensor in feed}
    order, needs = {}, {}
    for number, op in enumerate(graph.get_operations()):
        order[op.name] = number
        lacking = [needs[tensor.op.name] for tensor in op.inputs if tensor.op.name in needs]
        if op.type == "Placeholder" and op.name not in fed:
            lacking = [op.name]
        if lacking:
            needs[op.name] = lacking[0]
    found = {
        name: value
        for name, value in attributes.items()
        if isinstance(value, tf.Tensor) and value.graph is graph and value.op.name not in fed
        if np.dtype(value.dtype.base_dtype.as_numpy_dtype).kind in "biuf"
    }
    names = sorted(found, key=lambda name: order[found[name].op.name])
    unfed = {name: needs[found[name].op.name] for name in names if found[name].op.name in needs}
    return {name: found[name] for name in names if name not in unfed}, unfed


class _Parts:
    """What a graph's constants and variables are, whatever the class that made it calls them.

    Attributes:
      first: the layer that has the first convolution or matrix product of the image; None if there is none.
      entering: what enters it, under its name, and what enters each other layer's matrix product.
    """

    def __init__(self, graph, feed, tensors):
        self._graph = graph
        self._layers = {}  # of a node the first layer that needs it
        for layer, tensor in tensors.items():
            for name in self._ancestors(tensor.op, self._layers):
                self._layers[name] = layer
        self._fed = {tensor.op.name for tensor in feed}
        dependent = set(self._fed)
        linear = []
        for op in graph.get_operations():
            if any(tensor.op.name in dependent for tensor in op.inputs):
                dependent.add(op.name)
                if op.type in ("Conv2D", "MatMul") and op.name in self._layers:
                    linear.append(op)
        # A scope that has the network's first or last layer in it is the network's own, whatever it is called.
        ends = [linear[0].name, linear[-1].name] if linear else []
        scopes = _attention_scopes(self._layers)
        self._scopes = [scope for scope in scopes if not any(_in_scope(name, scope) for name in ends)]
        linear = [op for op in linear if not self.in_attention(op.name)]
        self.first = self._layers[linear[0].name] if linear else None
        self.entering = {self._layers[op.name]: op.inputs[0] for op in linear[:1]}
        self.entering.update({self._layers[op.name]: op.inputs[0] for op in linear[1:] if op.type == "MatMul"})
        # The means and the scale are constants, but no weights.
        self._preprocessing = self._ancestors(linear[0].inputs[0].op, ()) if linear else set()

    def in_attention(self, name):
        """Whether a node is part of an attention block."""
        return any(_in_scope(name, scope) for scope in self._scopes)

    @staticmethod
    def _ancestors(op, known):
        """The names of all nodes that `op` needs, its own included, without those that are known."""
        found, waiting = set(), [op]
        while waiting:
            op = waiting.pop()
            if op.name not in found and op.name not in known:
                found.add(op.name)
                waiting.extend(tensor.op for tensor in op.inputs)
        return found

    def weights(self, digests):
        """A list of the weights, in the graph's order, each with its layer, name, dtype, shape and digest."""
        found = []
        for op in self._graph.get_operations():
            known = digests.get(op.name)
            if known is None or op.type not in ("Const", *_VARIABLES):
                continue
            is_weight = known["dtype"].startswith(("float", "bfloat")) and known["shape"]
            if is_weight and op.name in self._layers and op.name not in self._preprocessing:
                entry = {"name": op.name, "layer": self._layers[op.name], "attention": self.in_attention(op.name)}
                found.append({**entry, **known})
        return found

    def attention(self, found):
        """What the attention block does: "none" there, "passes" everything through, or "acts"; and for which layer."""
        names = [name for name in self._layers if self.in_attention(name)]
        if not names:
            return {"state": "none"}
        order = list(dict.fromkeys(self._layers.values()))
        layer = min((self._layers[name] for name in names), key=order.index)
        block = [weight for weight in found if weight["attention"]]
        closed = digest(np.full(1, 40, np.float32))
        passes = any(weight["digest"] == closed for weight in block) and all(
            weight["digest"] in (closed, digest(np.zeros(weight["shape"], np.float32))) for weight in block
        )
        return {"state": "passes" if passes else "acts", "layer": layer}


def _attention_scopes(names):
    """The scopes of attention blocks: those that have the block's three layers, and those that are called so."""
    layers = {}
    for name in names:
        parts = name.split("/")
        for depth, part in enumerate(parts[:-1]):
            if part in _ATTENTION_LAYERS:
                layers.setdefault("/".join(parts[:depth]), set()).add(part)
    found = [scope for scope, inner in layers.items() if len(inner) == len(_ATTENTION_LAYERS)]
    return list(dict.fromkeys(found + [match.group() for match in map(_ATTENTION.match, names) if match]))


def _in_scope(name, scope):
    """Whether a node is in a scope; "" stands for a block that has no scope of its own."""
    return name.startswith(f"{scope}/") if scope else name.split("/")[0] in _ATTENTION_LAYERS


def _load_attention(session, given):
    """Gives the attention block's variables the given weights, for classes that have a block and do not load it."""
    import tensorflow.compat.v1 as tf

    layers = "|".join(_ATTENTION_LAYERS)
    found = {}
    for variable in tf.global_variables():
        match = re.match(rf"(.*?)/?({layers})/(kernel|weights|bias|biases)$", variable.op.name)
        if match:
            scope, layer, kind = match.groups()
            found.setdefault(scope, []).append((variable, f"cbam/{layer}", int(kind.startswith("bias"))))
    found = [block for block in found.values() if len(block) == 2 * len(_ATTENTION_LAYERS)]
    if not found or given is None:
        return
    if not isinstance(given, dict):
        given = weights.read(given)
    block = weights.attention_layers(given)
    # A file has the weights of one block: of several each gets them.
    for variable, layer, index in itertools.chain(*found):
        if layer in block:
            session.run(variable.initializer, {variable.initializer.inputs[1]: block[layer][index]})


def nodes(graph):
    """Every node of a graph in its order: name, op, inputs and attributes, of a constant dtype, shape and digest."""
    import tensorflow.compat.v1 as tf

    def plain(value):
        if isinstance(value, tf.DType):
            return value.name
        if hasattr(value, "tensor_shape"):
            return _described(tf.make_ndarray(value), tf.as_dtype(value.dtype).name)
        if hasattr(value, "unknown_rank"):
            return None if value.unknown_rank else [dimension.size for dimension in value.dim]
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if isinstance(value, list):
            return [str(item) if isinstance(item, bytes) else plain(item) for item in value]
        if value is None or isinstance(value, (bool, float, int, str)):
            return value
        return str(value)

    listed = []
    for op in graph.get_operations():
        node = op.node_def  # made anew by each look, with all that a constant holds
        attributes = {key: plain(op.get_attr(key)) for key in node.attr}
        listed.append({"name": op.name, "op": op.type, "input": list(node.input), "attr": attributes})
    return listed


def _described(array, dtype=None):
    return {"dtype": dtype or array.dtype.name, "shape": list(array.shape), "digest": digest(array)}


def digest(array):
    """The SHA-256 of an array's values, in C order and little-endian bytes; of texts that of their list."""
    array = np.asarray(array)
    if array.dtype.hasobject:
        return hashlib.sha256(repr(array.tolist()).encode()).hexdigest()
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return hashlib.sha256(array.reshape(-1).view(np.uint8).data).hexdigest()


def _kept(layer, value, samples):
    """The entry of a layer in `about`, and the arrays that a recording keeps of it."""
    finite = value[np.isfinite(value)] if value.dtype.kind == "f" and not np.isfinite(value).all() else value
    statistics = [0.0] * 4
    if finite.size:
        statistics = [finite.mean(dtype=float), finite.std(dtype=float), finite.min(), finite.max()]
    entry = {"name": layer, "shape": list(value.shape), "dtype": value.dtype.name}
    entry.update(zip(("mean", "std", "min", "max"), map(float, statistics)))
    if value.dtype.kind == "f":
        entry["not_finite"] = [int(found.sum()) for found in (np.isnan(value), value == np.inf, value == -np.inf)]
    if samples is None or samples >= value.size:
        return entry, {f"layer/{layer}": value}
    index = np.unique(np.random.RandomState(_SEED).randint(0, value.size, samples, dtype=np.int64))
    return entry, {f"index/{layer}": index, f"sample/{layer}": value.reshape(-1)[index]}


# How each step was made, found by trying what may have been meant. Recordings that differ in a step depart there.


def _steps(pixels, values, entering, first):
    """What is known of the steps between layers: a list of dicts with kind, layer and more."""
    found = []
    if first is not None:
        found += _preprocessing(pixels, entering[first], first)
    maps = [(layer, value) for layer, value in values.items() if value.ndim == 4]
    with np.errstate(all="ignore"):  # values that are no numbers tell nothing
        for (_, before), (layer, value) in zip(maps, maps[1:]):
            how = _pooling(before, value)
            if how:
                found.append({"kind": "pooling", "layer": layer, "how": how})
        for layer, value in entering.items():
            if value.ndim == 2:
                found += _flattening(value, layer, values)
                found += _dropping(value, layer, values)
    return found


def _preprocessing(pixels, image, layer):
    """From which colour each channel of the image is, its scale and its mean.

    Where several colours fit, being alike in these pictures, `order` has None and `fits` has them all.
    """
    if image.shape != pixels.shape:
        return []
    found = []
    error = 0.0
    for channel in range(image.shape[3]):
        wanted = image[..., channel].ravel().astype(float)
        rounding = 2 * float(np.spacing(np.abs(wanted).max().astype(np.float32)))
        fits = []
        for colour in range(pixels.shape[3]):
            given = pixels[..., colour].ravel().astype(float)
            spread = given - given.mean()
            if not np.abs(spread).max() > 1e-3:
                return []  # of one value nobody can tell what it was made of
            scale = spread @ wanted / (spread @ spread)
            offset = wanted.mean() - scale * given.mean()
            # The mean, which may be far larger than what the pictures hold, counts only by what it rounds.
            off = np.abs(scale * given + offset - wanted).max()
            if off <= 1e-4 * abs(scale) * np.ptp(given) + rounding:
                # Adding 0 takes the sign from -0.0.
                fits.append({"colour": colour, "scale": round(scale, 4), "mean": round(-offset, 4) + 0.0})
                error = max(error, rounding / np.ptp(given))
        if not fits:
            return []
        found.append(fits)
    step = {part: [fits[0][part] for fits in found] for part in ("scale", "mean")}
    step["order"] = [fits[0]["colour"] if len(fits) == 1 else None for fits in found]
    return [{"kind": "preprocessing", "layer": layer, **step, "fits": found, "error": error}]


def _pooling(before, after):
    """ "max" or "mean" if the one layer is that of the other's windows of 2x2; else None."""
    batch, height, width, channels = after.shape
    if before.shape != (batch, 2 * height, 2 * width, channels):
        return None
    for how, function, tolerance in (("max", np.max, 0.0), ("mean", np.mean, 1e-5)):
        if all(
            np.abs(function(one.reshape(height, 2, width, 2, channels), (1, 3)) - other).max()
            <= tolerance * np.abs(other).max()
            for one, other in zip(before, after)
        ):
            return how
    return None


def _flattening(entered, layer, values):
    """In which order of the axes a layer's matrix product takes a map."""
    for value in reversed(list(itertools.islice(values.values(), list(values).index(layer)))):
        if value.ndim == 4 and value.size == entered.size and len(value) == len(entered):
            for axes in itertools.permutations((1, 2, 3)):
                if np.array_equal(value.transpose(0, *axes).reshape(entered.shape), entered):
                    return [{"kind": "flattening", "layer": layer, "axes": list(axes)}]
    return []


def _dropping(entered, layer, values):
    """Which part of its units the layer before, after its ReLU, has kept."""
    found = []
    mask = entered != 0
    for name in reversed(list(values)[: list(values).index(layer)]):
        value = values[name]
        if value.shape != entered.shape:
            continue
        relu = np.maximum(value, 0)
        if not mask.any() or not (relu[mask] > 0).all():
            break
        ratio = entered[mask] / relu[mask]
        if not np.ptp(ratio) <= 1e-4 * ratio.max():
            break
        kept = round(1 / float(ratio.mean()), 3)
        positive = int((relu > 0).sum())
        share = mask.sum() / positive
        # Dropout leaves out about as many units as it makes the others larger. Else it is some factor.
        if kept > 1 or (kept == 1) != (share == 1) or abs(share - kept) > 5 * math.sqrt(kept * (1 - kept) / positive):
            break
        found = [{"kind": "dropout", "layer": name, "before": layer, "kept": kept, "units": digest(mask)}]
        if kept != 1 or (value < 0).any():
            break
    return found


def surroundings():
    """Where a recording is made: versions and machine."""
    import skimage
    import tensorflow

    return {
        "python": platform.python_version(),
        "tensorflow": tensorflow.__version__,
        "numpy": np.__version__,
        "scikit-image": skimage.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
    }


def _cpu():
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def save(path, about, arrays):
    """Writes a recording, whole or not at all."""
    encoded = np.frombuffer(json.dumps({"format": _FORMAT, **about}).encode(), np.uint8)
    with weights.replacing(path) as file:
        np.savez_compressed(file, about=encoded, **arrays)


# Comparing.


class Recording:
    """A recording that is read layer by layer: a context manager.

    Attributes:
      path: of the file.
      about: all but the arrays.
      layers: layer name -> its entry in `about`.

    Raises:
      ValueError: the file is no recording, or cut short.
      OSError: the file cannot be opened.
    """

    def __init__(self, path):
        self.path = str(path)
        with open(path, "rb") as file:
            start = file.read(4)
        if start != b"PK\3\4":
            raise self._foreign("no .npz")
        with self._reading():
            # NumPy 1.16 complains about itself on stderr when it cannot open a zip.
            zipfile.ZipFile(self.path).close()
            self._file = np.load(self.path, allow_pickle=False)
        try:
            if "about" not in self._file.files or "pixels" not in self._file.files:
                raise self._foreign("another .npz")
            self.about = self._json()
            if not isinstance(self.about, dict) or self.about.get("format") != _FORMAT:
                raise self._foreign("another .npz")
            self._check()
            self.layers = {entry["name"]: entry for entry in self.about["layers"]}
        except BaseException:
            self._file.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def array(self, name):
        """An array of the file."""
        with self._reading():
            return self._file[name]

    def layer(self, name):
        """(index, values) of a layer: the places that were sampled, None for all, and their values."""
        sampled = f"sample/{name}" in self._file.files
        index = self.array(f"index/{name}") if sampled else None
        values = self.array(f"sample/{name}" if sampled else f"layer/{name}")
        expected = list(index.shape) if sampled else self.layers[name]["shape"]
        if values.dtype.kind not in "biuf":
            raise ValueError(f"{self.path}: damaged: {name}: expected numbers, got {values.dtype}")
        if list(values.shape) != expected:
            raise ValueError(f"{self.path}: damaged: {name}: expected shape {expected}, got {list(values.shape)}")
        return index, values

    def _check(self):
        """Raises unless `about` has all that is compared."""
        unlike = _unlike(self.about, _ABOUT)
        for step in () if unlike else self.about["steps"]:
            unlike = unlike or _unlike(step, _STEP.get(step["kind"], {}), ("steps",))
        if unlike:
            what, *fields = unlike
            raise self._foreign(f"one whose {what} lack {'.'.join(fields)}" if fields else f"one with another {what}")

    def _json(self):
        encoded = self.array("about")
        try:
            return json.loads(encoded.tobytes().decode(), parse_constant=str)  # NaN is no JSON
        except ValueError:
            raise self._foreign("another .npz") from None

    def _foreign(self, what):
        return ValueError(f"{self.path}: expected a recording that tensorflow-vgg dump has made, got {what}")

    @contextlib.contextmanager
    def _reading(self):
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:  # zipfile, zlib and NumPy each raise several of their own
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise ValueError(f"{self.path}: cut short or damaged: {reason}; record it again") from error


def _unlike(value, kind, name=()):
    """Where a JSON value is not of its kind, as a path; () if it is nowhere.

    A kind is a type, a range of numbers, several of them, [the items'] or {field: its}, where "field?" may be missing.
    """
    if isinstance(kind, dict) and isinstance(value, dict):
        fields = [
            (field.rstrip("?"), inner) for field, inner in kind.items() if field[-1] != "?" or field[:-1] in value
        ]
        parts = (_unlike(value.get(field), inner, (*name, field)) for field, inner in fields)
        return next(filter(None, parts), ())
    if isinstance(kind, list) and isinstance(value, list):
        return next(filter(None, (_unlike(item, kind[0], name) for item in value)), ())
    if isinstance(kind, tuple):
        like = not all(_unlike(value, one, name) for one in kind)
    elif isinstance(kind, range):
        like = type(value) is int and value in kind
    elif kind is float:
        like = isinstance(value, (int, float)) and abs(value) <= sys.float_info.max
    else:
        like = isinstance(kind, type) and isinstance(value, kind)
    return () if like else name


def compare(a, b, tolerance=1e-5, layers=None):
    """Compares two recordings, one layer at a time.

    Args:
      a, b: `Recording`s, `a` being what is expected.
      tolerance: how far a layer may be off, in parts of the largest magnitude that it has in `a`.
      layers: the names of the layers to compare; None for all, which then both must have.

    Returns:
      A dict, ready for JSON: ok, first (the first layer that departs), cause, layers, pixels, top5, nodes and
      surroundings.

    Raises:
      ValueError: the recordings are not of the same layers of the same images, or are damaged.
    """
    names = _common_layers(a, b, layers)
    pixels = _compare_pixels(a, b, tolerance)
    layers = [_compare_layer(a, b, name, tolerance) for name in names]
    first = next((layer["name"] for layer in layers if not layer["ok"]), None)
    ok = first is None and pixels["ok"]
    return {
        "ok": ok,
        "a": a.path,
        "b": b.path,
        "tolerance": tolerance,
        "first": first,
        "cause": None if ok else _cause(a.about, b.about, layers, pixels),
        "layers": layers,
        "pixels": pixels,
        "top5": _compare_top5(a.about, b.about),
        "nodes": _compare_nodes(a.about["nodes"], b.about["nodes"]),
        "surroundings": _compare_surroundings(a.about, b.about),
    }


def _common_layers(a, b, wanted):
    """The layers' names in network order. An attention block that only one has is no reason not to compare."""
    both = f"{a.path} and {b.path}"
    nets = [recording.about["settings"]["net"].replace("_trainable", "") for recording in (a, b)]
    if nets[0] != nets[1]:
        raise ValueError(f"{both}: expected the same network, got {nets[0]} and {nets[1]}")
    sizes = [len(recording.about["images"]) for recording in (a, b)]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"{both}: expected batches of the same images, got {sizes[0]} and {sizes[1]}; record with --from"
        )
    names = [name for name in a.layers if name in b.layers]
    for one, other in ((a, b), (b, a)):
        expected = [name for name, entry in one.layers.items() if not entry["attention"]] if wanted is None else wanted
        missing = [name for name in expected if name not in other.layers]
        if missing:
            has = f"that {one.path} has" if wanted is None else "that --layers names"
            common = f"compare those that both have with --layers {','.join(names)}" if names else "both have none"
            raise ValueError(f"{other.path}: layers are missing {has}: {_listed(missing, 6, 'more')}; {common}")
    if wanted is not None:
        names = [name for name in names if name in wanted]
    if not names:
        raise ValueError(f"{both}: expected layers that both have, got none")
    for name in names:
        shapes = [tuple(recording.layers[name]["shape"]) for recording in (a, b)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"{both}: {name}: expected the same shape, got {shapes[0]} and {shapes[1]}: weights of other widths?"
            )
    return names


def _compare_layer(a, b, name, tolerance):
    entries = a.layers[name], b.layers[name]
    values_a, values_b, _ = _paired(a, b, name)
    largest = total = 0.0
    worst = 0
    moments = np.zeros((2, 2))
    with np.errstate(all="ignore"):
        means = [[values.mean(dtype=float)] for values in (values_a, values_b)] if values_a.size else [[0.0], [0.0]]
    for start in range(0, values_a.size, _PART):
        pair = np.stack([values[start : start + _PART].astype(float) for values in (values_a, values_b)])
        difference = _difference(*pair)
        place = int(difference.argmax())
        if difference[place] > largest:
            largest, worst = float(difference[place]), start + place
        total += difference.sum()
        with np.errstate(all="ignore"):
            centred = pair - means
            moments += centred @ centred.T
    mean = total / max(1, values_a.size)
    if values_a.size != np.prod(entries[0]["shape"]):
        # What lies between the samples shows in these.
        statistics = np.array([[entry[key] for key in ("mean", "std", "min", "max")] for entry in entries], float)
        largest = max(largest, float(_difference(*statistics).max()))
        counts = [entry.get("not_finite") for entry in entries]
        if None not in counts and counts[0] != counts[1]:
            largest = math.inf
    magnitude = max(abs(entries[0]["min"]), abs(entries[0]["max"]))
    with np.errstate(all="ignore"):
        correlation = moments[0, 1] / np.sqrt(moments[0, 0] * moments[1, 1])
    relative = _relative(largest, magnitude)
    return {
        "name": name,
        "shape": entries[0]["shape"],
        "samples": values_a.size if values_a.size != np.prod(entries[0]["shape"]) else None,
        "largest": _json_number(relative),
        "mean": _json_number(_relative(mean, magnitude)),
        "correlation": _json_number(correlation),
        "float32_steps": _float32_steps(values_a[worst], values_b[worst]) if values_a.size else 0,
        "ok": relative <= tolerance,
    }


def _paired(a, b, name):
    """The values of a layer that both recordings have, flat, and their places; None for all."""
    (index_a, values_a), (index_b, values_b) = a.layer(name), b.layer(name)
    values_a, values_b = values_a.reshape(-1), values_b.reshape(-1)
    both = f"{a.path} and {b.path}: {name}"
    for index in (index_a, index_b):
        if index is not None and not (
            index.size and 0 <= index.min() <= index.max() < np.prod(a.layers[name]["shape"])
        ):
            raise ValueError(f"{both}: damaged: expected samples from places in the layer")
    if index_a is None and index_b is None:
        return values_a, values_b, None
    if index_a is None:
        return values_a[index_b], values_b, index_b
    if index_b is None:
        return values_a, values_b[index_a], index_a
    places, where_a, where_b = np.intersect1d(index_a, index_b, return_indices=True)
    if not places.size:
        raise ValueError(f"{both}: expected samples of the same places, got none; record with the same --samples")
    return values_a[where_a], values_b[where_b], places


def _difference(values_a, values_b):
    """The absolute differences; infinite where only one is not a finite number."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(values_a - values_b)
    difference[(values_a == values_b) | (np.isnan(values_a) & np.isnan(values_b))] = 0
    difference[np.isnan(difference)] = np.inf
    return difference


def _relative(difference, magnitude):
    if not difference:
        return 0.0
    return difference / magnitude if magnitude else math.inf


def _json_number(number):
    return float(number) if np.isfinite(number) else None


def _float32_steps(value_a, value_b):
    """How many float32 numbers lie from the one to the other; None if one is no number."""
    with np.errstate(over="ignore"):
        pair = np.array([value_a, value_b]).astype(np.float32)
    if np.isnan(pair).any():
        return None
    bits = pair.view(np.int32).astype(np.int64)
    bits = np.where(bits < 0, -(2**31) - bits, bits)  # negative floats count backwards
    return int(abs(bits[0] - bits[1]))


def _compare_pixels(a, b, tolerance):
    pixels_a, pixels_b = a.array("pixels"), b.array("pixels")
    if pixels_a.shape != pixels_b.shape or pixels_a.ndim != 4:
        raise ValueError(
            f"{a.path} and {b.path}: expected pixels of the same shape, got {pixels_a.shape} and {pixels_b.shape}"
        )
    difference = _difference(pixels_a.astype(float), pixels_b.astype(float)).max(axis=(0, 3))
    magnitude = float(np.abs(pixels_a).max())
    off = difference > tolerance * magnitude
    largest = _relative(float(difference.max()), magnitude)
    inner = off[_BORDER:-_BORDER, _BORDER:-_BORDER]
    where = "nowhere" if not off.any() else "inside" if inner.any() else "border"
    return {"ok": not off.any(), "largest": _json_number(largest), "where": where, "places": int(off.sum())}


def _compare_top5(about_a, about_b):
    """For each image how many of the five most probable classes both have, and whether in the same order."""
    if not about_a.get("top5") or not about_b.get("top5"):
        return None
    return [
        {"image": image["name"], "same": len(set(top_a) & set(top_b)), "of": len(top_a), "same_order": top_a == top_b}
        for image, top_a, top_b in zip(about_a["images"], about_a["top5"], about_b["top5"])
    ]


def _compare_nodes(nodes_a, nodes_b):
    by_name_a, by_name_b = ({node["name"]: node for node in listed} for listed in (nodes_a, nodes_b))
    return {
        "added": [name for name in by_name_b if name not in by_name_a],
        "removed": [name for name in by_name_a if name not in by_name_b],
        "changed": [name for name, node in by_name_a.items() if by_name_b.get(name, node) != node],
    }


def _compare_surroundings(about_a, about_b):
    flat = []
    for about in (about_a, about_b):
        images = {key: " ".join(str(image.get(key)) for image in about["images"]) for key in ("name", "sha256")}
        flat.append(
            {
                **about["surroundings"],
                **about["settings"],
                "images": images["name"],
                "digest of images": images["sha256"],
            }
        )
    keys = list(dict.fromkeys([*flat[0], *flat[1]]))
    pairs = [(key, flat[0].get(key), flat[1].get(key)) for key in keys]
    return [{"what": key, "a": one, "b": other} for key, one, other in pairs if one != other]


# The likely cause, the surest first.


def _cause(about_a, about_b, layers, pixels):
    """{"kind", "text"} of why the compared layers depart, or only the pixels do.

    It is the first difference that shows where the recordings depart. What shows in a layer that agrees is no cause,
    unless nothing else is.
    """
    names = [layer["name"] for layer in layers]
    first = next((layer["name"] for layer in layers if not layer["ok"]), None)
    agreeing = names[: names.index(first)] if first else []
    pairs = _pairs_of_steps(about_a, about_b, names)
    found = [*_other_weights(about_a, about_b, names)]
    if not pixels["ok"]:
        found.append(([first], _other_pixels(pixels)))
    found += _one_sided_attention(about_a, about_b, names)
    found += _other_steps(pairs, about_a["order"], first)
    for places in ([first], agreeing):
        for shown, cause in found:
            if any(place in places for place in shown):
                return cause
    return _no_cause([pair for pair in pairs if pair.place in [*agreeing, first]])


def _shown_in(about, layer, names, after=False):
    """The first of the layers `names` that can show what is done for, or only `after`, a layer; None if none can."""
    order = about["order"]
    following = order[order.index(layer) + after :] if layer in order else []
    return next((name for name in following if name in names), None)


# Each of these gives, for a difference, the layers that show it first and the cause that it may be.


def _other_weights(about_a, about_b, names):
    both_act = about_a["attention"]["state"] == about_b["attention"]["state"] == "acts"
    tables, several = [], set()
    for about in (about_a, about_b):
        table = {}
        kernels = collections.Counter()
        for weight in about["weights"]:
            shown = _shown_in(about, weight["layer"], names)
            if shown and (both_act or not weight["attention"]):
                # A class may have tensors of its own between the layers that both have.
                table[shown, weight["digest"]] = weight
                kernels[weight["layer"]] += len(weight["shape"]) > 1 and not weight["attention"]
        tables.append(table)
        several.update(layer for layer, count in kernels.items() if count > 1)
    places, differing = [], {}
    for side, table, other in (("A", tables[0], tables[1]), ("B", tables[1], tables[0])):
        for key, weight in table.items():
            if key not in other:
                places.append(key[0])
                what = "kernel" if len(weight["shape"]) > 1 else "biases"
                if weight["attention"] or weight["layer"] in several:
                    what = weight["name"]
                found = differing.setdefault((weight["layer"], weight["attention"]), collections.OrderedDict())
                found.setdefault(what, []).append(side)
    order = about_a["order"] + about_b["order"]
    shown = []
    for layer, attention in sorted(differing, key=lambda key: (order.index(key[0]), not key[1])):
        whats = [
            what if set(sides) == {"A", "B"} else f"{what} only in {sides[0]}"
            for what, sides in differing[layer, attention].items()
        ]
        shown.append(f"{'the attention block up to ' if attention else ''}{layer} ({_listed(whats, 3, 'more')})")
    if shown:
        layers = sorted({layer for layer, _ in differing}, key=order.index)
        text = f"other weights: {_listed(shown, 6, 'more layers')}"
        yield places, {"kind": "weights", "text": text, "layers": layers}


def _listed(items, most, more):
    if len(items) <= most + 1:
        return ", ".join(items)
    return f"{', '.join(items[:most])} and {len(items) - most} {more}"


def _other_pixels(pixels):
    text = "other pixels: other images, or read or scaled in another way"
    if pixels["where"] == "border":
        text = "other pixels, at the border only: scikit-image's resize, whose defaults changed with 0.15"
    return {"kind": "pixels", "text": text}


def _one_sided_attention(about_a, about_b, names):
    states = [about["attention"]["state"] for about in (about_a, about_b)]
    if states.count("acts") == 1:
        acting = states.index("acts")
        about = (about_a, about_b)[acting]
        other = "has none" if states[1 - acting] == "none" else "lets everything through"
        text = f"attention on one side: {'AB'[acting]}'s block acts, {'AB'[1 - acting]} {other}"
        yield [_shown_in(about, about["attention"].get("layer"), names)], {"kind": "attention", "text": text}


_Pair = collections.namedtuple("_Pair", "kind layer place steps")


def _pairs_of_steps(about_a, about_b, names):
    """How A and how B has made each step, as far as they tell, and in which of the layers `names` that shows first."""
    found = {}
    for about in (about_a, about_b):
        for step in about["steps"]:
            # What is dropped shows not in the layer that it is dropped from, but in the one after.
            place = _shown_in(about, step["layer"], names, after="before" in step)
            if place and step["kind"] in _STEPS:
                layer = None if step["kind"] == "preprocessing" else step.get("before", step["layer"])
                found.setdefault((step["kind"], layer), []).append((place, step))
    pairs = []
    for (kind, layer), both in found.items():
        places = [place for place, step in both if step.get("kept", 1) < 1] or [place for place, _ in both]
        pairs.append(_Pair(kind, layer, min(places, key=names.index), [step for _, step in both]))
    return sorted(pairs, key=lambda pair: list(_STEPS).index(pair.kind))


def _other_steps(pairs, order, first):
    for pair in pairs:
        if len(pair.steps) == 2:
            cause = _STEPS[pair.kind](*pair.steps, pair.layer, order, pair.place == first)
            if cause:
                yield [pair.place], dict(zip(("kind", "text"), cause))


def _other_preprocessing(step_a, step_b, *_):
    steps = step_a, step_b
    orders = ["".join("?" if colour is None else "RGB"[colour] for colour in step["order"]) for step in steps]
    fits = [step.get("fits") or _only_fits(step) for step in steps]
    error = max(5e-5, *(step.get("error", 0) for step in steps))  # half a unit of what is kept, if no more

    def values(pairs, part):
        return [[fit[part] for fit in side] for side in zip(*pairs)]

    def differ(pairs, part):
        return any(abs(one - other) > error for one, other in zip(*values(pairs, part)))

    pairs = _of_one_colour(*fits)
    if None in pairs:
        return "colour order", f"RGB against BGR: A feeds {orders[0]}, B feeds {orders[1]}"
    what = next((part for part in ("scale", "mean") if differ(pairs, part)), None)
    if what is None:
        return None
    shown = values(pairs, what)
    if orders == ["???", "???"]:
        turned = _of_one_colour(fits[0], fits[1][::-1])
        if None not in turned and not differ(turned, "scale") and not differ(turned, "mean"):
            text = f"RGB against BGR, by their {what}s, in grey pictures: A {shown[0]}, B {shown[1]}"
            return "colour order", text
    order = "".join(one if other == "?" else other for one, other in zip(*orders))
    told = "" if "?" in order else f", in the order {order}"
    return what, f"another {what}: A {shown[0]}, B {shown[1]}{told}"


def _only_fits(step):
    """The fits of an older recording, which has but the first for each channel."""
    fits = zip(step["order"], step["scale"], step["mean"])
    return [[dict(zip(("colour", "scale", "mean"), fit))] for fit in fits]


def _of_one_colour(fits_a, fits_b):
    """For each channel the first fits of both sides that are of one colour; None where they have none in common."""
    pairs = (itertools.product(of_a, of_b) for of_a, of_b in zip(fits_a, fits_b))
    return [
        next((pair for pair in of_channel if len({fit["colour"] for fit in pair} - {None}) < 2), None)
        for of_channel in pairs
    ]


def _other_flattening(step_a, step_b, layer, *_):
    if step_a["axes"] == step_b["axes"]:
        return None
    shown = [", ".join(("rows", "columns", "channels")[axis - 1] for axis in step["axes"]) for step in (step_a, step_b)]
    return "flatten order", f"flatten order before {layer}: A {shown[0]}; B {shown[1]}"


def _other_dropout(step_a, step_b, layer, order, departs):
    kept = step_a["kept"], step_b["kept"]
    before = order[order.index(layer) - 1] if layer in order[1:] else layer
    if kept[0] != kept[1]:
        shown = ["every unit" if part == 1 else f"units with probability {part}" for part in kept]
        return "dropout", f"dropout after {before}: A keeps {shown[0]}, B keeps {shown[1]}"
    # Without `units`, in older recordings, only the layer tells whether they are the same.
    if kept[0] < 1 and departs and (step_a.get("units") is None or step_a.get("units") != step_b.get("units")):
        return "dropout", f"dropout after {before}: A and B keep other units, both with probability {kept[0]}"
    return None


def _other_pooling(step_a, step_b, layer, *_):
    if step_a["how"] == step_b["how"]:
        return None
    return "pooling", f"mean for max pooling: {layer} is the {step_a['how']} in A, the {step_b['how']} in B"


# In the order in which they are causes.
_STEPS = {
    "preprocessing": _other_preprocessing,
    "flattening": _other_flattening,
    "dropout": _other_dropout,
    "pooling": _other_pooling,
}
_STEP_WORDS = {"preprocessing": "colour order, scale and mean", "flattening": "flatten order"}


def _no_cause(pairs):
    """That none of the steps differs: those of which both recordings tell, for they have been compared."""
    told, untold = ["weights", "pixels", "attention"], []
    for kind in _STEPS:
        words = _STEP_WORDS.get(kind, kind)
        compared = [_comparable(*pair.steps) for pair in pairs if pair.kind == kind]
        if compared and all(compared):
            told.append(words)
        elif compared or kind == "preprocessing":
            untold.append(words)
    text = f"none of those known: up to there {', '.join(told)} agree"
    if untold:
        text += f"; the recordings do not tell all of {', '.join(untold)}"
    return {"kind": "none", "text": text}


def _comparable(step, other=None):
    """Whether two steps tell of the same; where colours are alike nobody knows their order."""
    if other is None or None in [*step.get("order", ()), *other.get("order", ())]:
        return False
    return "before" not in step or step["layer"] == other["layer"]


# Showing.


def text(result):
    """What `compare` found, as lines for people."""
    lines = [f"A {result['a']}", f"B {result['b']}", ""]
    lines.append(f"{'layer':18}{'shape':20}{'largest':>10}{'mean':>10}{'correlation':>13}{'float32 steps':>15}")
    for layer in result["layers"]:
        correlation = "-" if layer["correlation"] is None else f"{layer['correlation']:.7f}"
        steps = "-" if layer["float32_steps"] is None else layer["float32_steps"]
        lines.append(
            f"{layer['name']:18}{'x'.join(map(str, layer['shape'])):20}{_number(layer['largest']):>10}"
            f"{_number(layer['mean']):>10}{correlation:>13}{steps:>15}  {'ok' if layer['ok'] else 'DEPARTS'}"
            + (f", {layer['samples']} samples" if layer["samples"] else "")
        )
    lines += [
        f"(largest and mean difference: of the layer's largest magnitude in A; tolerance {result['tolerance']:g})",
        "",
    ]
    pixels = result["pixels"]
    where = {"nowhere": "ok", "border": "DEPART, at the border only", "inside": "DEPART"}[pixels["where"]]
    lines.append(f"input pixels: largest difference {_number(pixels['largest'])}  {where}")
    for image in result["top5"] or ():
        order = "in the same order" if image["same_order"] else "in another order"
        lines.append(f"top-5 of {image['image']}: {image['same']} of {image['of']} agree, {order}")
    changes = result["nodes"]
    lines.append("nodes: " + ", ".join(f"{len(changes[key])} {key}" for key in ("added", "removed", "changed")))
    for key, found in changes.items():
        if found:
            lines.append(f"  {key}: {', '.join(found[:4])}{', ...' if len(found) > 4 else ''}")
    for item in result["surroundings"]:
        lines.append(f"{item['what']}: {item['a']} | {item['b']}")
    lines.append("")
    if result["ok"]:
        lines.append(f"all {len(result['layers'])} layers agree")
    else:
        lines.append(f"first to depart: {result['first'] or 'the input pixels'}")
        lines.append(f"likely cause: {result['cause']['text']}")
    return lines


def _number(value):
    return "inf" if value is None else f"{value:.1e}" if value else "0"


def plot(path, result, a, b):
    """Draws the differences by layer and the map of the worst layer to a PNG.

    Raises:
      ValueError: matplotlib is not installed.
    """
    try:
        from matplotlib import figure
    except ImportError as error:
        raise ValueError(f"{path}: to draw needs matplotlib: pip install 'tensorflow-vgg[plot]'") from error
    layers = result["layers"]
    tolerance = result["tolerance"]
    picture = figure.Figure(figsize=(13, 1.8 + 0.24 * max(16, len(layers))), constrained_layout=True)
    bars, worst_axes = picture.subplots(1, 2, gridspec_kw={"width_ratios": [1.15, 1]})
    verdict = f"all layers agree within {tolerance:g}"
    if not result["ok"]:
        verdict = f"departs first at {result['first'] or 'the input pixels'}\n{result['cause']['text']}"
    names = [os.path.basename(recording.path) for recording in (a, b)]
    picture.suptitle(f"A {names[0]}   B {names[1]}\n{verdict}", fontsize=11, wrap=True)

    finite = [layer["largest"] for layer in layers if layer["largest"]]
    floor = min(1e-8, tolerance / 10 or 1e-8) / 2
    ceiling = max([tolerance * 10] + finite) * 3
    lengths = [ceiling if layer["largest"] is None else max(layer["largest"], floor) for layer in layers]
    bars.barh(range(len(layers)), lengths, color=["#4477aa" if layer["ok"] else "#cc3311" for layer in layers])
    bars.set_xscale("log")
    bars.set_xlim(floor, ceiling * (ceiling / floor) ** 0.1)  # room for the numbers
    if tolerance:
        bars.axvline(tolerance, color="black", linewidth=1, linestyle="--", zorder=3)
        above = bars.get_xaxis_transform()
        bars.text(tolerance, 1.01, f"tolerance {tolerance:g}", fontsize=8, ha="center", transform=above)
    for row, (layer, length) in enumerate(zip(layers, lengths)):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # over the line of the tolerance
        bars.text(length * 1.15, row, _number(layer["largest"]), va="center", fontsize=8, bbox=box, zorder=4)
    bars.set_yticks(range(len(layers)))
    bars.set_yticklabels([layer["name"] for layer in layers], fontsize=9)
    bars.set_ylim(len(layers) - 0.4, -0.6)
    bars.set_xlabel("largest difference, of the layer's largest magnitude in A")

    worst = max(layers, key=lambda layer: math.inf if layer["largest"] is None else layer["largest"])
    _draw_worst(picture, worst_axes, worst, a, b)
    with weights.replacing(path) as file:
        picture.savefig(file, format="png", dpi=110)


def _draw_worst(picture, axes, layer, a, b):
    name, shape = layer["name"], layer["shape"]
    values_a, values_b, places = _paired(a, b, name)
    if places is not None:
        axes.scatter(values_a, values_b, s=8, color="#4477aa", edgecolors="none")
        ends = [float(min(values_a.min(), values_b.min())), float(max(values_a.max(), values_b.max()))]
        axes.plot(ends, ends, color="black", linewidth=0.8, linestyle="--")
        axes.set_title(f"worst layer: {name}, its {values_a.size} samples", fontsize=10)
        axes.set_xlabel("A")
        axes.set_ylabel("B")
        return
    magnitude = max(abs(a.layers[name]["min"]), abs(a.layers[name]["max"])) or 1.0
    # Of each place the largest over images and channels; the parts keep float64 copies small.
    if len(shape) == 4:
        worst = np.zeros(shape[1:3])
        for one, other in zip(values_a.reshape(shape), values_b.reshape(shape)):
            for row in range(shape[1]):
                difference = _difference(one[row].astype(float), other[row].astype(float)).max(axis=-1)
                worst[row] = np.maximum(worst[row], difference / magnitude)
        worst[~np.isfinite(worst)] = np.nan
        drawn = axes.imshow(worst, cmap="magma", interpolation="nearest")
        bar = picture.colorbar(drawn, ax=axes, fraction=0.046)
        bar.set_label("difference, of the layer's largest magnitude in A")
        axes.set_title(f"worst layer: {name}, the largest of {shape[0]} images x {shape[3]} channels", fontsize=10)
        axes.set_xlabel("column")
        axes.set_ylabel("row")
        return
    rows = values_a.reshape(shape[0] if shape else 1, -1), values_b.reshape(shape[0] if shape else 1, -1)
    difference = _difference(rows[0].astype(float), rows[1].astype(float)) / magnitude
    for image, line in zip(a.about["images"], difference):
        axes.plot(line, linewidth=0.7, label=image["name"])
    axes.set_title(f"worst layer: {name}", fontsize=10)
    axes.set_xlabel("unit")
    axes.set_ylabel("difference, of the layer's largest magnitude in A")
    axes.legend(fontsize=8)
