"""The file of a recording.

A plain `.npz`: `about`, JSON text as bytes (settings, versions, layers, weights, nodes), `pixels`, and of each layer
`layer/NAME`, or `sample/NAME` and `index/NAME` where only samples of it were kept. A file that does not fit is damaged
and has to be recorded again: nothing in it is mended, and nothing is read that is larger than it can be.
"""

import collections
import contextlib
import functools
import io
import json
import operator
import os
import zipfile

import numpy as np

from tensorflow_vgg import weights
from tensorflow_vgg._compare import steps

__all__ = ["Layer", "Recording", "Weight", "save", "size"]

_FORMAT = 1
_NETS = ("vgg16", "vgg19", "vgg19_trainable")
_MOST_ABOUT = 8 << 20  # bytes of JSON; those of a network of 1000 nodes are some 200,000
_MOST_HEADER = 1000  # bytes that say what an array is; NumPy writes 128
_MOST_ARRAY = 256 << 20  # bytes of an array in a small file, and in a larger one this many times its size:
_MOST_PACKED = 64
_LONGEST_NUMBER = 20  # digits; Python takes the square of their number to read more

Layer = collections.namedtuple("Layer", "name shape mean std min max not_finite attention")
Layer.__doc__ = "What a recording knows of a layer, whatever values it keeps."
Weight = collections.namedtuple("Weight", "name layer is_kernel digest attention")
Weight.__doc__ = "What a recording knows of a weight: its node, the first layer that needs it, its digest."


def save(path, about, arrays):
    """Writes a recording, whole or not at all."""
    encoded = np.frombuffer(json.dumps({"format": _FORMAT, **about}).encode(), np.uint8)
    # NumPy's own way to pack takes twice as long to make files smaller by a twentieth.
    with weights.replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, array in {"about": encoded, **arrays}.items():
            with packed.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), version=(1, 0), allow_pickle=False)


def size(shape):
    """How many values an array of that shape has."""
    return functools.reduce(operator.mul, shape, 1)


class Recording:
    """A recording that is read layer by layer: a context manager.

    Attributes:
      path: of the file.
      settings, surroundings: dicts, as they were recorded.
      images: a list of dicts, with the name and the digest of each.
      layers: layer name -> its `Layer`, those that were recorded.
      order: the names of all layers, recorded or not, in the graph's order.
      weights: a list of `Weight`s.
      attention: what its attention block does, {"state": "none"|"passes"|"acts", "layer"}.
      steps: how it went from layer to layer, see `steps`.
      nodes: node name -> what is known of it.
      top5: the five most probable classes of each image; None if there is no `prob`.

    Raises:
      ValueError: the file is no recording, or damaged.
      OSError: the file cannot be opened.
    """

    def __init__(self, path):
        self.path = str(path)
        if os.path.exists(path) and not os.path.isfile(path):
            raise self._foreign("something that is no file")
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(open(path, "rb"))
            if file.read(4) != b"PK\3\4":
                raise self._foreign("no .npz")
            with self._reading():
                self._zip = stack.enter_context(zipfile.ZipFile(file))
                self._members = {entry.filename: entry for entry in self._zip.infolist()}
                self._most = max(_MOST_ARRAY, _MOST_PACKED * os.fstat(file.fileno()).st_size)
                taken = sum(entry.file_size for entry in self._members.values())
                if taken > 4 * self._most:
                    raise ValueError(f"{taken} bytes in so small a file")
                about = self._json() if {"about.npy", "pixels.npy"} <= self._members.keys() else None
            if not isinstance(about, dict) or about.get("format") != _FORMAT:
                raise self._foreign("another .npz")
            with self._reading():
                self._take(about)
            self._close = stack.pop_all().close

    def _take(self, about):
        self.settings, self.surroundings = _settings(about["settings"]), dict(about["surroundings"])
        self.images = [dict(image, name=str(image["name"])) for image in about["images"]]
        self.layers = {entry["name"]: _layer(entry) for entry in about["layers"]}
        self.order = list(map(str, about["order"]))
        self.weights = list(map(_weight, about["weights"]))
        self.attention = {"state": about["attention"]["state"], "layer": str(about["attention"].get("layer"))}
        self.steps = steps.load(about["steps"])
        self.nodes = {node["name"]: node for node in about["nodes"]}
        self.top5 = [list(map(int, classes)) for classes in about.get("top5") or ()] or None
        if not all(isinstance(name, str) for name in (*self.layers, *self.nodes)):
            raise ValueError("a name is no text")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def pixels(self):
        """What the network was fed, float32 [batch, height, width, 3], RGB in [0, 1]."""
        with self._reading():
            values = self._array("pixels")
            if values.ndim != 4 or len(values) != len(self.images) or not values.size:
                raise ValueError(f"pixels of shape {values.shape} of {len(self.images)} images")
            return values

    def layer(self, name):
        """(index, values) of a layer, flat: the places that were sampled, None for all, and their values."""
        shape = self.layers[name].shape
        with self._reading():
            if f"sample/{name}.npy" not in self._members:
                return None, self._array(f"layer/{name}", shape).reshape(-1)
            index, values = self._array(f"index/{name}"), self._array(f"sample/{name}")
            inside = index.ndim == 1 and index.dtype.kind == "i" and index.size
            if not inside or index.shape != values.shape or index.min() < 0 or index.max() >= size(shape):
                raise ValueError(f"{name}: samples from places that are not in the layer")
            return index, values

    def _array(self, name, shape=None, most=None):
        """An array of the file, of that shape if it is given."""
        entry = self._members[f"{name}.npy"]
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name}: packed in another way")
        with self._zip.open(entry) as member:
            header = io.BytesIO(member.read(_MOST_HEADER))
        if np.lib.format.read_magic(header) != (1, 0):
            raise ValueError(f"{name}: another version of .npy")
        found, _, dtype = np.lib.format.read_array_header_1_0(header)
        if dtype.kind not in "biuf" or (shape is not None and found != shape):
            raise ValueError(f"{name}: {dtype} of shape {found}, expected numbers" + (f" of {shape}" if shape else ""))
        if size(found) * dtype.itemsize + header.tell() != entry.file_size or entry.file_size > (most or self._most):
            raise ValueError(f"{name}: {entry.file_size} bytes")
        with self._zip.open(entry) as member:
            return np.lib.format.read_array(member, allow_pickle=False)

    def _json(self):
        def number(text):
            if len(text) > _LONGEST_NUMBER:
                raise ValueError("a number of too many digits")
            return int(text)

        encoded = self._array("about", most=_MOST_ABOUT)
        return json.loads(encoded.tobytes().decode(), parse_constant=str, parse_int=number)  # NaN is no JSON

    def _foreign(self, what):
        return ValueError(f"{self.path}: expected a recording that tensorflow-vgg dump has made, got {what}")

    @contextlib.contextmanager
    def _reading(self):
        try:
            yield
        except Exception as error:  # zipfile, zlib, JSON and NumPy each raise several of their own
            reason = ascii(" ".join(str(error).split()))[1:-1][:200] or type(error).__name__
            raise ValueError(f"{self.path}: cut short or damaged: {reason}; record it again") from error


def _settings(given):
    """The settings; those that another recording is made with are what they have to be."""
    net, layers, samples, source = (given.get(key) for key in ("net", "layers", "samples", "weights"))
    if net not in _NETS or (samples is not None and int(samples) < 1):
        raise ValueError("settings that no recording is made with")
    layers = None if layers is None else list(map(str, layers))
    return {**given, "layers": layers, "samples": samples and int(samples), "weights": source and str(source)}


def _layer(entry):
    not_finite = entry.get("not_finite")  # older recordings do not know it
    return Layer(
        entry["name"],
        tuple(map(operator.index, entry["shape"])),
        *(float(entry[key]) for key in ("mean", "std", "min", "max")),
        None if not_finite is None else tuple(map(int, not_finite)),
        bool(entry["attention"]),
    )


def _weight(entry):
    return Weight(
        str(entry["name"]), str(entry["layer"]), len(entry["shape"]) > 1, str(entry["digest"]), bool(entry["attention"])
    )
