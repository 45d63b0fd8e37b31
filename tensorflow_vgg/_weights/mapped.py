"""Weights laid out on disk, one file a tensor, for TensorFlow to map into memory instead of copying them.

TensorFlow's op ImmutableConst takes a tensor from a whole file. So a weight file is laid out once in a cache
folder; a network built from there needs neither the time nor the memory that 575 MB of constants in a graph cost.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
import warnings

import numpy as np

from tensorflow_vgg import weights

__all__ = ["MappedArray", "clear", "folder", "holds", "load", "region_of", "seeded"]

_VERSION = 1
_MANIFEST = "manifest.json"
_MAKING = ".making-"


class MappedArray(np.memmap):
    """A tensor of a mapped weight file: a read-only float32 array whose pages are read when they are needed."""

    @property
    def region(self):
        """The file that holds exactly this array, or None for a part or a rearrangement of one."""
        whole = self.flags.c_contiguous and self.dtype.isnative and self.nbytes == os.path.getsize(self.filename)
        return str(self.filename) if whole else None

    def __reduce_ex__(self, protocol):
        """Pickled as an ordinary array, for readers without this package."""
        return self.view(np.ndarray).__reduce_ex__(protocol)


def folder():
    """The cache folder, which need not exist yet."""
    home = os.environ.get("TENSORFLOW_VGG_HOME")
    if home:
        return os.path.join(os.path.abspath(home), "mapped")
    if sys.platform == "win32":
        base = weights.data_folder()
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches/tensorflow-vgg")
    else:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tensorflow-vgg")
    return os.path.join(base, "mapped")


def load(path, writable=False):
    """The weight dict of a file with mapped arrays, from the cache, which is made or made anew where need be.

    The cache is used only if it was made completely, by this version, from the file as it is now (size and
    modification time). Where it cannot be made (a full disk, a read-only home) a warning says so and the arrays are
    ordinary ones.

    Args:
      path: a `.npy` file of a pickled dict, as for `weights.read`.

    Returns:
      A dict: layer name -> `[kernel, biases]`, `MappedArray`s.

    Raises:
      As `weights.read`.
    """
    source = _source(path)
    entry = os.path.join(folder(), _key(source))
    found = _open(entry, source, writable)
    if found is not None:
        return found
    weight_dict = None
    try:
        with _lock(os.path.dirname(entry)):
            found = _open(entry, source)  # another process may have made it meanwhile
            if found is not None:
                return found
            digest = hashlib.sha256()
            weight_dict = weights.read(path, digest)
            if _source(path) != source:
                raise OSError(f"{path} changed while it was read")
            _make(entry, {**source, "sha256": digest.hexdigest()}, weight_dict)
            found = _open(entry, source, writable)
            if found is None:
                raise OSError(f"{entry} was changed by another program")
            return found
    except OSError as error:
        warnings.warn(f"weights are not mapped, they take more time and memory: {error}", RuntimeWarning, stacklevel=2)
    return weights.read(path) if weight_dict is None else weight_dict


def clear():
    """Removes the cache, never a weight file.

    Returns:
      How many bytes it took.
    """
    root = folder()
    freed = sum(os.path.getsize(os.path.join(base, name)) for base, _, names in os.walk(root) for name in names)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(root)
    return freed


def _source(path):
    status = os.stat(path)
    return {"path": os.path.realpath(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _key(source):
    """The entry's name: another state of the file is another entry, so that none is ever changed in place."""
    text = json.dumps([_VERSION, source["path"], source["size"], source["mtime_ns"]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _open(entry, source, writable=False):
    """The weight dict of a cache entry, or None if it is not there, not whole or not of this source."""
    try:
        with open(os.path.join(entry, _MANIFEST), encoding="utf-8") as file:
            manifest = json.load(file)
        if manifest["version"] != _VERSION or {key: manifest["source"][key] for key in source} != source:
            return None
        found = {}
        for tensor in manifest["tensors"]:
            file = os.path.join(entry, tensor["file"])
            shape = tuple(tensor["shape"])
            array = MappedArray(file, dtype=tensor["dtype"], mode="c" if writable else "r", shape=shape)
            if array.region is None:
                return None
            found.setdefault(tensor["layer"], {})[tensor["index"]] = array
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {layer: [arrays[0], arrays[1]] for layer, arrays in found.items()}


@contextlib.contextmanager
def _lock(root):
    """Lets one process at a time make something in the cache folder. The system frees it if the process dies."""
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, ".lock"), "w") as file:
        with contextlib.suppress(ImportError):  # Windows; there the slower process ends with constants
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(entry, source, weight_dict):
    """Lays the weights out in a folder of another name, and renames it when it is complete."""
    root = os.path.dirname(entry)
    _remove_others(root, entry, source["path"])
    making = tempfile.mkdtemp(prefix=_MAKING, dir=root)
    try:
        tensors = []
        for layer, arrays in weight_dict.items():
            if not _is_pair(arrays):
                raise OSError(f"{source['path']}: {layer} is not [kernel, biases] in float32")
            for index in (0, 1):
                array = np.ascontiguousarray(arrays[index], "<f4")
                name = f"{len(tensors):03d}.bin"
                _write(os.path.join(making, name), array.reshape(-1).data)
                tensors.append({"layer": layer, "index": index, "file": name, "shape": array.shape, "dtype": "<f4"})
        manifest = {"version": _VERSION, "source": source, "tensors": tensors}
        _write(os.path.join(making, _MANIFEST), json.dumps(manifest, indent=1).encode())
        os.rename(making, entry)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _is_pair(arrays):
    """Whether a layer of a weight dict is a kernel and biases, and nothing more, in float32."""
    try:
        return len(arrays) == 2 and all(arrays[index].dtype == np.float32 for index in (0, 1))
    except (AttributeError, KeyError, TypeError):
        return False


def _write(path, data):
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _remove_others(root, entry, source_path):
    """Removes what would be in the way: half-made or damaged entries, and earlier states of the source."""
    for name in os.listdir(root):
        other = os.path.join(root, name)
        useless = other == entry or name.startswith(_MAKING)
        try:
            with open(os.path.join(other, _MANIFEST), encoding="utf-8") as file:
                useless = useless or json.load(file)["source"]["path"] == source_path
        except (OSError, ValueError, KeyError, TypeError):
            pass  # no entry of ours
        if useless:
            shutil.rmtree(other, ignore_errors=True)


def region_of(value):
    """The path of the file that holds exactly a `MappedArray`, or None."""
    return value.region if value.base is not None and value.filename else None


def holds(value):
    """Whether a `MappedArray` still has the values of its file, bit by bit."""
    region = region_of(value)
    if region is None or not value.flags.writeable:
        return region is not None
    return np.array_equal(np.asarray(value), np.memmap(region, "<f4", "r", shape=value.shape))


def seeded(net, seed, thin=False, writable=False):
    """Seeded weights, see `weights.seeded`."""
    return weights.seeded(net, seed, thin)
