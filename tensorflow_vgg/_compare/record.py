"""Records what a network computes, layer by layer."""

import contextlib
import os
import platform

import numpy as np

from tensorflow_vgg import _images, session_config
from tensorflow_vgg._compare import modules as networks
from tensorflow_vgg._compare import steps
from tensorflow_vgg._compare.graph import Parts, ancestors, described, nodes

__all__ = ["record", "surroundings"]

_SEED = 19  # of the places that are sampled, and of weights that start at random


def record(net, given, pixels, modules=None, attention=True, top=True, layers=None, samples=None):
    """Builds a network with its weights as constants, as upstream does, runs it once and keeps what it computes.

    Args:
      net: "vgg16", "vgg19" or "vgg19_trainable". A class whose build takes train_mode runs with false.
      given: a weight dict, or for `modules` also the path of a file.
      pixels: float32 array [batch, height, width, 3], RGB in [0, 1].
      modules: a folder, whose module `net` is taken in place of this package's.
      attention: False leaves the attention block out, where the class knows how.
      top: False builds the class with include_top=False.
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

    where = f"tensorflow_vgg.{net}" if modules is None else os.path.join(modules, f"{net}.py")
    if modules is not None and os.path.isfile(modules):
        raise NotADirectoryError(f"{modules}: expected the folder that has {net}.py, found a file")
    if modules is not None and not os.path.isfile(where):
        raise FileNotFoundError(f"{where}: no such file; expected the module that has the class of {net}")
    options = {name: False for name, kept in (("attention", attention), ("include_top", top)) if not kept}
    with networks.blaming(where), networks.class_of(net, modules) as cls, tf.Graph().as_default() as graph:
        tf.set_random_seed(_SEED)
        feed = {tf.placeholder(tf.float32, pixels.shape, name="images"): pixels}
        loaded, network = networks.build(cls, given, feed, modules is not None, **options)
        tensors, unfed = _tensors(network, graph, feed)
        _expect(layers, tensors, unfed)
        parts = Parts(graph, feed, tensors)
        listed = nodes(graph)  # now, since running adds some
        variables, values, entering = _run(tensors, parts.entering, feed, given)

    known = {node["name"]: node["attr"]["value"] for node in listed if node["op"] == "Const"}
    found = parts.weights({**known, **variables})
    about = {
        "attention": parts.attention(found),
        "layers": [],
        "loaded": loaded,
        "nodes": listed,
        "order": list(tensors),
        "steps": steps.seen(steps.Run(pixels, values, entering, parts.first)),
        "top5": _top5(values.get("prob")),
        "unfed": unfed,
        "weights": found,
    }
    arrays = {"pixels": pixels}
    for layer in tensors if layers is None else [layer for layer in tensors if layer in layers]:
        entry, kept = _kept(layer, values[layer], samples)
        entry["attention"] = layer == "attention_feature" or parts.in_attention(tensors[layer].op.name)
        about["layers"].append(entry)
        arrays.update(kept)
    return about, arrays


def _tensors(network, graph, feed):
    """The attributes that are tensors of numbers, in the graph's order, and the placeholders that others lack."""
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
    operations = graph.get_operations()
    order = {op.name: number for number, op in enumerate(operations)}
    empty = [op.name for op in operations if op.type == "Placeholder" and op.name not in fed]
    found = {
        name: value
        for name, value in attributes.items()
        if isinstance(value, tf.Tensor) and value.graph is graph and value.op.name not in fed
        if np.dtype(value.dtype.base_dtype.as_numpy_dtype).kind in "biuf"
    }
    tensors, unfed = {}, {}
    for name, tensor in sorted(found.items(), key=lambda item: order[item[1].op.name]):
        needed = ancestors(tensor.op) if empty else ()
        lacking = [placeholder for placeholder in empty if placeholder in needed]
        if lacking:
            unfed[name] = lacking[0]
        else:
            tensors[name] = tensor
    return tensors, unfed


def _expect(layers, tensors, unfed):
    """Raises unless the network has the layers, and any at all, and they can be computed."""
    missing = [layer for layer in layers or () if layer not in tensors]
    for layer in unfed if not tensors else missing:
        if layer in unfed:
            raise ValueError(
                f"the layer {layer} needs a value for the placeholder {unfed[layer]}, which is not fed: give it one "
                "with tf.placeholder_with_default"
            )
    if missing or not tensors:
        expected = f"the layers {', '.join(missing)}" if missing else "attributes that are tensors"
        hint = _images.alike(missing[0], tensors, 3, 0.75) if missing else ""
        raise ValueError(f"expected {expected}{hint or ', got ' + (', '.join(tensors) or 'none')}")


def _run(tensors, entering, feed, given):
    """What is known of the variables, and the values of two dicts of tensors."""
    import tensorflow.compat.v1 as tf

    config = session_config()
    config.allow_soft_placement = True  # a class may name a GPU that is not here
    with tf.Session(config=config) as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        session.run(tf.tables_initializer())
        networks.load_attention(session, given)
        variables = {variable.op.name: described(session.run(variable)) for variable in tf.global_variables()}
        return (variables, *session.run([tensors, entering], feed))


def _top5(prob):
    """The five most probable classes of each image; None without probabilities."""
    if prob is None or prob.ndim != 2:
        return None
    return np.argsort(-prob, axis=1, kind="mergesort")[:, :5].tolist()


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
