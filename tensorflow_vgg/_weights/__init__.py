"""The `.npy` weight file: find, read, check, write and make it.

A weight dict maps a layer's name to `[kernel, biases]`, or to `{0: kernel, 1: biases}`, NumPy float32 arrays:
kernels [3, 3, in, out] and [in, out], biases [out]. Upstream's files are such dicts, pickled inside a `.npy`.
"""

import collections
import contextlib
import hashlib
import math
import os
import pickle
import re
import sys
import warnings

import numpy as np

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
    "seeded",
    "seeded_attention",
    "write",
]

_VGG19 = {
    "conv1_1": (3, 3, 3, 64),
    "conv1_2": (3, 3, 64, 64),
    "conv2_1": (3, 3, 64, 128),
    "conv2_2": (3, 3, 128, 128),
    "conv3_1": (3, 3, 128, 256),
    "conv3_2": (3, 3, 256, 256),
    "conv3_3": (3, 3, 256, 256),
    "conv3_4": (3, 3, 256, 256),
    "conv4_1": (3, 3, 256, 512),
    "conv4_2": (3, 3, 512, 512),
    "conv4_3": (3, 3, 512, 512),
    "conv4_4": (3, 3, 512, 512),
    "conv5_1": (3, 3, 512, 512),
    "conv5_2": (3, 3, 512, 512),
    "conv5_3": (3, 3, 512, 512),
    "conv5_4": (3, 3, 512, 512),
    "fc6": (25088, 4096),
    "fc7": (4096, 4096),
    "fc8": (4096, 1000),
}
KERNEL_SHAPES = {
    "vgg16": {name: shape for name, shape in _VGG19.items() if name not in ("conv3_4", "conv4_4", "conv5_4")},
    "vgg19": _VGG19,
}
UPSTREAM_VGG16_SHA1 = "6206897b35c2bfe5d9d16b83314e44fc3ea83b1c"
ATTENTION_LAYERS = ("cbam/fc_1", "cbam/fc_2", "cbam/spatial_attention_conv")

_THIN_WIDTHS = {64: 2, 128: 4, 256: 8, 512: 16}
_FC6_PLACES = 7 * 7  # places of pool5 that fc6 flattens


class WeightsError(ValueError):
    """A weight file or dict that cannot be used. The message names file, layer, expected and found."""


def data_folder():
    """The folder of this user's weight files on this platform, which need not exist yet."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(base, "tensorflow-vgg")


def search_folders():
    """The folders in which a weight file is looked for when no path is given, in this order."""
    home = os.environ.get("TENSORFLOW_VGG_HOME")
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return ([home] if home else []) + [here, os.getcwd(), data_folder()]


def find(file_name):
    """The path of a weight file, from the first of `search_folders` that has it.

    Args:
      file_name: "vgg16.npy" or "vgg19.npy".

    Raises:
      FileNotFoundError: none has it; the message says where it looked and how to get weights.
    """
    folders = search_folders()
    for folder in folders:
        path = os.path.join(folder, file_name)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(
        f"{file_name} not found in {', '.join(folders)}. Put the file there (set TENSORFLOW_VGG_HOME to add a "
        "folder), give its path, or download it with `tensorflow-vgg weights fetch`; with `--weights seeded:19` the "
        "command line tries out anything without it; the README says more"
    )


def read(path, *digests):
    """Reads a weight dict, without running anything that the file may hold.

    NumPy reads such a file by unpickling it, which lets a file run any code. This reader builds arrays, lists,
    tuples, dicts, strings and numbers, and refuses everything else. It reads the files of Python 2 and 3 and of
    all NumPy versions.

    Args:
      path: a `.npy` file of a pickled dict.
      *digests: hashlib objects, updated with every byte of the file while it is read.

    Returns:
      A dict: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`, as the file has it.

    Raises:
      WeightsError: the file is no such dict, is cut short, or wants to run code.
      OSError: the file cannot be opened.
    """
    with open(path, "rb") as file:
        start = file.read(512)
        file.seek(0)
        _recognise(start, path)
        if digests:
            file = _Digesting(file, digests)
        weights = read_objects(file, path)
        while digests and file.read(1 << 20):
            pass
    if isinstance(weights, np.ndarray) and weights.shape == ():
        weights = weights.item()
    if not isinstance(weights, dict):
        raise WeightsError(f"{path}: expected a dict of layers, got {type(weights).__name__}")
    return weights


def read_objects(file, path, bare=False, keep_bytes=False):
    """Reads a `.npy` of Python objects as `read` does, whatever plain containers and arrays it holds.

    Args:
      file: the file, open for reading bytes, at the start of the `.npy`.
      path: its name, for the messages.
      bare: whether it is a pickle without the header of a `.npy`.
      keep_bytes: whether the keys of Python 2's dicts stay bytes, as `numpy.load(path, encoding="bytes")` has them.

    Returns:
      What `numpy.load(path, allow_pickle=True)` would: mostly an object array.

    Raises:
      WeightsError: the file holds no objects, is cut short, or wants to run code.
    """
    try:
        if bare:
            return _unpickle(file, keep_bytes)
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise WeightsError(f"damaged: there is no version {version} of .npy")
        read_header = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read_header = np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if not dtype.hasobject:
            raise WeightsError(f"{path}: expected a dict of layers, got an array of {dtype}, shape {shape}")
        return _unpickle(file, keep_bytes)
    except WeightsError as error:
        raise WeightsError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    except EOFError as error:
        raise _truncated(path) from error
    except Exception as error:  # unpickling a damaged or hostile file can raise anything
        if "truncated" in str(error):
            raise _truncated(path) from error
        reason = " ".join(str(error).split()) or type(error).__name__
        raise WeightsError(f"{path}: damaged, or no weight file: {reason}; get the file again") from error


class _Digesting:
    """A file whose digests are taken while it is read, so that it is read once."""

    def __init__(self, file, digests):
        self._file = file
        self._digests = digests

    def read(self, size=-1):
        return self._digest(self._file.read(size))

    def readline(self):
        return self._digest(self._file.readline())

    def _digest(self, data):
        for digest in self._digests:
            digest.update(data)
        return data


def _recognise(start, path):
    """Raises for the things that people have in place of a weight file."""
    if start.startswith(np.lib.format.MAGIC_PREFIX):
        return
    text = start.lstrip().lower()
    if not start:
        found = "an empty file"
    elif text.startswith(b"version https://git-lfs"):
        found = "a Git LFS pointer, not the file it stands for; run `git lfs pull`"
    elif text.startswith((b"<!doctype", b"<html", b"<?xml")):
        found = "a web page: the download did not give the file"
    elif start.startswith(b"\x89HDF"):
        found = "an HDF5 file, Keras's format"
    elif start.startswith(b"PK"):
        found = "a zip archive or .npz"
    else:
        found = f"a file that begins with {start[:8]!r}"
    raise WeightsError(f"{path}: expected a .npy file of a dict of layers, got {found}")


def _truncated(path):
    size = f" at {os.path.getsize(path)} bytes" if os.path.isfile(path) else ""
    return WeightsError(f"{path}: cut short{size}; get the file again")


# The reader's allow-list. A pickle calls what it names and sets what it likes on the result, with NumPy's own
# dtype even the flag that says whether an array's bytes are pointers. So nothing of NumPy is handed to it: the
# names resolve to the stand-ins below, which take only what a plain array needs, and `_resolve` turns them into
# arrays when the pickle has ended.


class _Name:
    """Something a pickle may name and call. It holds nothing, so nothing can be changed on it."""

    __slots__ = ()

    def __setstate__(self, state):
        raise WeightsError("refused: the pickle wants to change one of NumPy's functions; do not use this file")


class _NdarrayName(_Name):
    __slots__ = ()

    def __call__(self, shape):
        return _Array()


class _ReconstructName(_Name):
    __slots__ = ()

    def __call__(self, kind, shape, code):
        if not isinstance(kind, _NdarrayName):
            raise WeightsError("refused: the pickle wants an array of an unknown class; do not use this file")
        return _Array()


class _DtypeName(_Name):
    __slots__ = ()

    def __call__(self, code, align=False, copy=False):
        return _Dtype(code)


class _EncodeName(_Name):
    __slots__ = ()

    def __call__(self, text, encoding):  # how protocol 2 of Python 3 spells bytes
        if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
            raise WeightsError(f"refused: the pickle wants the codec {encoding!r}; do not use this file")
        return text.encode("latin1")


class _ScalarName(_Name):
    __slots__ = ()

    def __call__(self, dtype, data):
        if not isinstance(dtype, _Dtype) or dtype.value.hasobject or not isinstance(data, bytes):
            raise WeightsError("refused: a number without dtype and value; do not use this file")
        (number,) = np.frombuffer(data, dtype.value)
        return number


class _ContainerName(_Name):
    """A class of Python's that only holds what it is given."""

    __slots__ = ("kind",)

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, *items):
        return self.kind(*(item.kind if isinstance(item, _ContainerName) else item for item in items))


_ALLOWED = {
    ("numpy", "ndarray"): _NdarrayName(),
    ("numpy", "dtype"): _DtypeName(),
    ("numpy.core.multiarray", "_reconstruct"): _ReconstructName(),
    ("numpy._core.multiarray", "_reconstruct"): _ReconstructName(),
    ("numpy.core.multiarray", "scalar"): _ScalarName(),
    ("numpy._core.multiarray", "scalar"): _ScalarName(),
    ("_codecs", "encode"): _EncodeName(),
    ("collections", "OrderedDict"): _ContainerName(collections.OrderedDict),
    ("collections", "defaultdict"): _ContainerName(collections.defaultdict),
}
for _kind in (complex, dict, float, frozenset, int, list, set):
    for _module in ("builtins", "__builtin__"):
        _ALLOWED[_module, _kind.__name__] = _ContainerName(_kind)


class _Dtype:
    __slots__ = ("code", "value")

    def __init__(self, code):
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not re.match(r"(b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,9}|O[48]?)\Z", code):
            raise WeightsError(f"expected arrays of numbers, got dtype {code!r}")
        self.code = code
        self.value = np.dtype(code[0] if code[0] == "O" else code)

    def __setstate__(self, state):
        _, order, subdtype, names, fields = state[:5]
        order = order.decode("latin1") if isinstance(order, bytes) else order
        if (subdtype, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise WeightsError("expected arrays of numbers, got a structured dtype")
        self.value = self.value.newbyteorder(order)


class _Array:
    __slots__ = ("data", "dtype", "fortran", "shape")

    def __setstate__(self, state):
        shape, dtype, fortran, data = state[-4:]
        if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple) or len(shape) > 32:
            raise WeightsError("refused: an array without shape and dtype; do not use this file")
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise WeightsError(f"refused: an array of shape {shape}; do not use this file")
        kind, size = (list, 1) if dtype.value.hasobject else (bytes, dtype.value.itemsize)
        for dimension in shape:
            size *= dimension
        if not isinstance(data, kind) or len(data) != size:
            raise WeightsError(f"an array of shape {shape} and dtype {dtype.value} has data of another size")
        self.shape, self.dtype, self.fortran, self.data = shape, dtype.value, bool(fortran), data


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise WeightsError(
                f"refused: the pickle wants to run {module}.{name}; a weight file needs only NumPy arrays in plain "
                "containers. Do not use this file"
            ) from None


def _unpickle(file, keep_bytes):
    """What the pickle at the file's position holds: arrays and plain containers, nothing else."""
    # "bytes" spares the copies that text of the size of a layer costs with Python 2's files.
    return _resolve(_Unpickler(file, encoding="bytes").load(), {}, 0, keep_bytes)


def _resolve(value, done, depth, keep_bytes):
    if id(value) in done:
        return done[id(value)]
    if depth > 16:
        raise WeightsError("refused: containers nested too deep, or holding themselves; do not use this file")
    if isinstance(value, _Array):
        data = value.data
        if isinstance(data, list):
            data = [_resolve(item, done, depth + 1, keep_bytes) for item in data]
        result = np.ndarray((0,), np.int8)
        # Shape, dtype and data are checked; of all ways only this one shares the bytes and stays writable.
        result.__setstate__((1, value.shape, value.dtype, value.fortran, data))
    elif isinstance(value, dict):
        result = type(value).copy(value)  # of its class, with a defaultdict's default
        result.clear()
        for key, item in value.items():
            key = key.decode("latin1") if isinstance(key, bytes) and not keep_bytes else key
            result[_resolve(key, done, depth + 1, keep_bytes)] = _resolve(item, done, depth + 1, keep_bytes)
    elif isinstance(value, (list, tuple, set, frozenset)):
        result = type(value)([_resolve(item, done, depth + 1, keep_bytes) for item in value])
    elif value is None or isinstance(value, (bool, int, float, complex, str, bytes, np.generic)):
        return value
    else:
        raise WeightsError(f"refused: expected arrays in plain containers, got {type(value).__name__}")
    done[id(value)] = result
    return result


def file_digest(path):
    """The SHA-256 of a file's bytes, as hexadecimal digits."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            found.update(part)
    return found.hexdigest()


@contextlib.contextmanager
def replacing(path):
    """Opens a new file for writing bytes that takes the place of `path` when the block ends without an error.

    Until then `path` is as it was; after an error it still is. A symbolic link stays, its target is replaced.
    """
    path = os.path.realpath(path)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = path  # a full disk says so without a name
        raise


def write(path, weights):
    """Writes a weight dict in upstream's format, atomically.

    `numpy.load(path, allow_pickle=True).item()` gives it back, with `encoding="latin1"` too, on Python 3 with any
    NumPy since 1.16: the pickle names only what all of them have.

    Args:
      path: the file; one that exists is replaced.
      weights: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`.
    """
    outer = np.empty((), dtype=object)
    outer[()] = weights
    with replacing(path) as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        pickler = pickle.Pickler(file, protocol=3)
        pickler.dispatch_table = _Reducers()
        pickler.dump(outer)


class _Reducers(dict):
    """How a pickle names arrays: also those of a subclass, such as mapped ones, as plain arrays."""

    def __missing__(self, kind):
        if issubclass(kind, np.ndarray):
            return _reduce_array
        raise KeyError(kind)


def _reduce_array(array):
    """A copy of ndarray.__reduce__ that does not name NumPy's private module, which differs between versions."""
    array = np.asarray(array, order="C")
    data = array.reshape(-1).tolist() if array.dtype.hasobject else array.tobytes()
    return np.ndarray, ((0,),), (1, array.shape, array.dtype, False, data)


def attention_layers(weights, source="weights", channels=None):
    """The attention block of a weight dict: its three layers, or an empty dict if it has none of them.

    Args:
      weights: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`.
      source: the name of the file, for the message.
      channels: channels of the feature map, where they are known.

    Raises:
      WeightsError: it has some of the three, or their shapes do not fit the feature map or each other.
    """
    found = {name: weights[name] for name in ATTENTION_LAYERS if name in weights}
    missing = [name for name in ATTENTION_LAYERS if name not in weights]
    if found and missing:
        raise WeightsError(
            f"{source}: expected all three layers of the attention block or none, got {', '.join(found)} "
            f"without {', '.join(missing)}"
        )
    if found:
        inputs, units = _kernel_shape(found["cbam/fc_1"], "cbam/fc_1", 2, source)
        channels = channels or inputs
        shapes = ((channels, units), (units, channels), (3, 3, 2, 1))
        for name, shape in zip(ATTENTION_LAYERS, shapes):
            _check_layer(found[name], name, shape, source)
    return found


def check(weights, net="vgg19", source="weights", thin=False):
    """Raises unless `weights` fits the network: every layer, shape, dtype, and all values finite.

    The number of classes (the width of fc8) is free, and the attention block may be there or not.

    Args:
      weights: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`.
      net: "vgg16" or "vgg19".
      source: the name of the file, for the message.
      thin: other widths than the network's own are taken too, as long as the layers fit each other.

    Raises:
      WeightsError: the first thing that is wrong.
    """
    inputs = 3
    for other, layers in KERNEL_SHAPES.items():
        if all(name in weights for name in layers) and len(layers) > len(KERNEL_SHAPES[net]):
            raise WeightsError(f"{source}: expected a file of {net}, got one of {other}")
    for name, shape in KERNEL_SHAPES[net].items():
        if name not in weights:
            have = [layer for layer in KERNEL_SHAPES[net] if layer in weights]
            hint = f"it has {len(have)} of the {len(KERNEL_SHAPES[net])} layers of {net}"
            others = [other for other, layers in KERNEL_SHAPES.items() if other != net and have == list(layers)]
            raise WeightsError(f"{source}: {name} is missing; {f'this is a file of {others[0]}' if others else hint}")
        outputs = shape[-1]
        if name == "fc8" or (thin and name != "fc6"):
            outputs = _kernel_shape(weights[name], name, len(shape), source)[-1]
        places = _FC6_PLACES if name == "fc6" else 1
        _check_layer(weights[name], name, shape[:-2] + (places * inputs, outputs), source)
        inputs = outputs
    attention_layers(weights, source, channels=np.shape(weights["fc6"][0])[0] // _FC6_PLACES)


def _kernel_shape(layer, name, rank, source):
    try:
        shape = np.shape(layer[0])
    except (KeyError, IndexError, TypeError, ValueError):
        raise WeightsError(f"{source}: {name}: expected [kernel, biases], got {type(layer).__name__}") from None
    if len(shape) != rank:
        raise WeightsError(f"{source}: {name} kernel: expected {rank} dimensions, got {shape}")
    return shape


def _check_layer(layer, name, kernel_shape, source):
    _kernel_shape(layer, name, len(kernel_shape), source)
    for index, what, shape in ((0, "kernel", kernel_shape), (1, "biases", kernel_shape[-1:])):
        try:
            array = layer[index]
        except (KeyError, IndexError):
            raise WeightsError(f"{source}: {name} {what}: missing; expected {shape}") from None
        if np.shape(array) != shape:
            raise WeightsError(f"{source}: {name} {what}: expected {shape}, got {np.shape(array)}")
        if getattr(array, "dtype", None) != np.float32:
            found = getattr(array, "dtype", type(array).__name__)
            raise WeightsError(f"{source}: {name} {what}: expected float32, got {found}")
        # A sum is finite only if every value is, and unlike isfinite() it makes no array of the same size.
        if not math.isfinite(array.sum(dtype=np.float64)):
            raise WeightsError(f"{source}: {name} {what}: expected finite values, got {_not_finite(array)}")


def _not_finite(array):
    bad = np.flatnonzero(~np.isfinite(array))
    place = tuple(int(index) for index in np.unravel_index(bad[0], array.shape))
    return f"{array.flat[bad[0]]} at {place} ({bad.size} such values)"


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
        places = _FC6_PLACES if name == "fc6" else 1
        gain = 0.05 if name == "fc8" else 1.0
        weights[name] = _seeded_layer(random, shape[:-2] + (places * inputs, outputs), gain)
        inputs = outputs
    if attention:
        weights.update(seeded_attention(weights["fc6"][0].shape[0] // _FC6_PLACES, seed))
    return weights


def seeded_attention(channels, seed=19, inner_units_ratio=0.5):
    """The attention block's three layers with random weights, by the recipe of `seeded`.

    Args:
      channels: channels of the feature map; 512 after pool5.
      seed: 0 ... 2**32 - 1.
      inner_units_ratio: size of the inner layer, as a part of `channels`.
    """
    random = np.random.RandomState(seed)
    units = int(channels * inner_units_ratio)
    shapes = ((channels, units), (units, channels), (3, 3, 2, 1))
    return {name: _seeded_layer(random, shape, 1.0) for name, shape in zip(ATTENTION_LAYERS, shapes)}


def _seeded_layer(random, kernel_shape, gain):
    gain *= math.sqrt(2.0 / np.prod(kernel_shape[:-1]))
    kernel = np.empty(int(np.prod(kernel_shape)), np.float32)
    # In parts: fc6 drawn at once would need 0.8 GB of float64 beside its 0.4 GB.
    for start in range(0, kernel.size, 1 << 20):
        part = kernel[start : start + (1 << 20)]
        part[:] = random.standard_normal(part.size) * gain
    return [kernel.reshape(kernel_shape), (random.standard_normal(kernel_shape[-1]) * 0.1).astype(np.float32)]


def pass_through(channels):
    """The attention block's three layers with which it gives its input, to the bit.

    Both sigmoids of the channel attention are 0.5 and add up to 1, and the spatial one, sigmoid(40), is 1.

    Args:
      channels: channels of the feature map.
    """
    shapes = ((channels, channels // 2), (channels // 2, channels), (3, 3, 2, 1))
    layers = {
        name: [np.zeros(shape, np.float32), np.zeros(shape[-1], np.float32)]
        for name, shape in zip(ATTENTION_LAYERS, shapes)
    }
    layers["cbam/spatial_attention_conv"][1][:] = 40.0
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
    layers["cbam/spatial_attention_conv"][1][:] = {"open": 4.0, "glorot": 0.0}[start]
    random = np.random.RandomState(seed)
    for name in ATTENTION_LAYERS[:1] if start == "open" else ATTENTION_LAYERS:
        shape = layers[name][0].shape
        limit = math.sqrt(6.0 / (np.prod(shape[:-2]) * sum(shape[-2:])))  # fan_in + fan_out
        layers[name][0][:] = random.uniform(-limit, limit, shape)
    return layers


def from_keras(model):
    """The weight dict of a VGG16 or VGG19 of `keras.applications`, with top.

    Keras's networks were converted from the same Oxford weights: layer by layer they are the same, with other names.

    Args:
      model: the Keras model.
    """
    weights = {}
    for layer in model.layers:
        if layer.weights:
            kernel, biases = layer.get_weights()
            weights[_upstreams_name(layer.name)] = [np.asarray(kernel), np.asarray(biases)]
    return weights


def _upstreams_name(keras_name):
    conv = re.match(r"block(\d)_conv(\d)\Z", keras_name)
    if conv:
        return "conv{}_{}".format(*conv.groups())
    return {"fc1": "fc6", "fc2": "fc7", "predictions": "fc8"}[keras_name]


def load_keras(path, net=None):
    """Reads a Keras weights file of VGG16 or VGG19, with top.

    Args:
      path: a file that Keras's own `load_weights` reads: `.h5`, `.weights.h5` or `.keras`.
      net: "vgg16" or "vgg19"; None tries both.

    Returns:
      (net, weight dict)

    Raises:
      WeightsError: Keras cannot load the file into such a network.
      OSError: the file cannot be opened.
    """
    with open(path, "rb") as file:
        if file.read(6) == np.lib.format.MAGIC_PREFIX:
            raise WeightsError(f"{path}: expected a Keras weights file, got a .npy, which needs no conversion")
    nets = [net] if net else list(KERNEL_SHAPES)
    for candidate in nets:
        model = _keras_applications()[candidate](weights=None)
        # Keras may load a part of a file that does not fit, and only warn. What it leaves is then not finite.
        model.set_weights([np.full(array.shape, np.nan, np.float32) for array in model.get_weights()])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.load_weights(str(path))
            weights = from_keras(model)
            check(weights, candidate, path)
            return candidate, weights
        except Exception as error:  # each of Keras's formats raises its own
            reason = " ".join(str(error).split())
    raise WeightsError(
        f"{path}: expected a Keras weights file of {' or '.join(nets)} with top (fc1, fc2, predictions): {reason[:200]}"
    )


def fetch_keras(net):
    """The Oxford weights as `keras.applications` hosts them: its download, checksum, cache and progress bar.

    Returns:
      The weight dict.

    Raises:
      WeightsError: they could not be downloaded.
    """
    try:
        model = _keras_applications()[net](weights="imagenet")
    except Exception as error:  # Keras raises Exception itself for a download that fails
        reason = " ".join(str(error).split())
        raise WeightsError(
            f"{net}: Keras could not download the weights: {reason}; fetch that file with another program, then "
            "`tensorflow-vgg weights convert SOURCE FILE`"
        ) from error
    return from_keras(model)


def _keras_applications():
    import tensorflow as tf

    applications = tf.keras.applications
    return {"vgg16": applications.VGG16, "vgg19": applications.VGG19}
