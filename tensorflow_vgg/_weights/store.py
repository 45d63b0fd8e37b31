"""The cache on disk: weights laid out one file a tensor, in a folder for each source.

    mapped/.lock                    held by who makes or clears
    mapped/KEY-xxxxxxxx/            an entry; KEY says which source in which state, so that none is changed in place
        manifest.json               source, layers, and of each tensor file, shape, digest and file status
        lock                        shared by all who map the entry, exclusive for who removes it
        000.bin 001.bin ...         the tensors, little-endian float32 in C order

What does not fit in any way is as if it were not there, and is made anew.
"""

import collections
import contextlib
import functools
import hashlib
import itertools
import json
import operator
import os
import re
import shutil
import stat
import tempfile
import uuid

import numpy as np

from tensorflow_vgg._weights import trust
from tensorflow_vgg._weights.find import cache_folders
from tensorflow_vgg._weights.read import file_digest

__all__ = ["Entry", "can_hold", "clear", "entries", "find", "folder", "make", "making", "source_of", "sweep"]

_VERSION = 2
_MANIFEST, _LOCK = "manifest.json", "lock"
_PART = ".part-"  # begins the name of a folder that is being made or removed
_LARGEST_MANIFEST = 1 << 24
_CONTAINERS = {kind.__name__: kind for kind in (collections.OrderedDict, dict, list, tuple)}

# What this process has mapped, (device, inode) of an entry's lock -> the open file. TensorFlow maps an entry's files by
# their paths when a session first runs, which can be long after the arrays are gone: so the locks stay.
_held = {}

Entry = collections.namedtuple("Entry", ["path", "source", "size", "useful"])
Entry.__doc__ = "A folder of the cache: its path, its source in words, its bytes, whether it can still be used."


def folder():
    """The folder in which entries are made, which need not exist yet.

    Raises:
      OSError: there is no place for one, as the user has no home folder.
    """
    return cache_folders()[-1]


def source_of(path):
    """What an entry made from a weight file says of it: another state of the file is another source."""
    return {"path": os.path.realpath(os.fsdecode(path)), **_status(os.stat(path))}


def _status(status):
    return {
        "inode": status.st_ino,
        "ctime_ns": status.st_ctime_ns,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


def find(source):
    """The layers of a whole entry of this source, which from now on is this process's to map; None without one.

    Returns:
      (the class of the weight dict, for each layer its name, its container's class, and (path, shape) of kernel and
      biases), or None.
    """
    for root in cache_folders():
        for path in _with_key(root, source):
            found = _opened(path, source)
            if found is not None:
                return found
    return None


def _with_key(root, source):
    """The paths of a source's entries, whole or not."""
    with contextlib.suppress(OSError):
        if trust.is_trusted(os.stat(root)):
            return [os.path.join(root, name) for name in sorted(os.listdir(root)) if name.startswith(_key(source))]
    return []


def _key(source):
    return hashlib.sha256(json.dumps([_VERSION, source], sort_keys=True).encode()).hexdigest()[:32]


def _opened(path, source):
    """What `find` returns, of one entry; None if it does not fit in any way."""
    try:
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode) or not trust.is_trusted(status):
            return None
        with contextlib.ExitStack() as stack:
            lock = os.path.join(path, _LOCK)
            file = stack.enter_context(trust.open_own(lock))
            status = os.fstat(file.fileno())
            if not trust.shared(file) or not os.path.samestat(status, os.stat(lock)):
                return None  # somebody is removing it
            found = _checked(path, source)
            if (status.st_dev, status.st_ino) not in _held:
                _held[status.st_dev, status.st_ino] = file
                stack.pop_all()
            return found
    except Exception:  # a damaged entry can make Python raise anything
        return None


def _manifest(path):
    """The manifest of an entry, which may be of another version, or damaged."""
    with trust.open_own(os.path.join(path, _MANIFEST)) as file:
        manifest = json.loads(file.read(_LARGEST_MANIFEST).decode())
    if not isinstance(manifest["source"], dict) or not isinstance(manifest["version"], int):
        raise ValueError("no manifest of the cache")
    return manifest


def _digest_of(manifest):
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _checked(path, source):
    """What `find` returns, of an entry that is what was written, by this version, from this source; else it raises."""
    manifest = _manifest(path)
    is_whole = manifest.pop("digest") == _digest_of(manifest)
    if not is_whole or manifest["version"] != _VERSION or manifest["source"] != source:
        raise ValueError("another entry")
    if not trust.is_trusted(os.lstat(os.path.join(path, _MANIFEST))):
        raise ValueError("not of this user's")
    layers = []
    for layer in manifest["layers"]:
        tensors = []
        for tensor in layer["tensors"]:
            _check_tensor(path, tensor)
            tensors.append((os.path.join(path, tensor["file"]), tuple(tensor["shape"])))
        layers.append((layer["name"], _CONTAINERS[layer["kind"]], tensors))
    return _CONTAINERS[manifest["kind"]], layers


def _check_tensor(path, tensor):
    """Raises ValueError or OSError unless a tensor's file holds what was written."""
    if not re.fullmatch(r"\d{3,9}\.bin", tensor["file"]):
        raise ValueError("no file of the cache")
    file = os.path.join(path, tensor["file"])
    status = os.lstat(file)
    size = functools.reduce(operator.mul, tensor["shape"], 4)
    if not stat.S_ISREG(status.st_mode) or not trust.is_trusted(status) or status.st_size != size:
        raise ValueError("no file of the cache")
    if _status(status) != tensor["status"] and file_digest(file) != tensor["sha256"]:
        raise ValueError("changed")


@contextlib.contextmanager
def making():
    """Lets one process at a time make or clear entries. The system frees the lock if the process dies.

    Yields:
      The folder for `make`.
    """
    root = folder()
    trust.private_folder(root)
    with trust.open_own(os.path.join(root, ".lock"), "ab") as lock:
        if trust.exclusive(lock, wait=True):
            for name in os.listdir(root):
                if name.startswith(_PART):  # of a process that died, or is about to remove it
                    _remove_folder(os.path.join(root, name))
        yield root


def can_hold(weight_dict, source):
    """Whether all layers of a weight dict are a kernel and biases, and nothing more, in float32.

    A file can have one array in many layers; the cache does not take more room than the file.
    """
    if not isinstance(weight_dict, dict) or type(weight_dict) not in _CONTAINERS.values():
        return False
    pairs = [isinstance(name, str) and _is_pair(layer) for name, layer in weight_dict.items()]
    if not pairs or not all(pairs):
        return False
    size = sum(layer[at].nbytes for layer in weight_dict.values() for at in (0, 1))
    return size <= source.get("size", size)


def _is_pair(layer):
    keys = set(layer) if isinstance(layer, dict) else {0, 1}
    if type(layer) not in _CONTAINERS.values() or len(layer) != 2 or keys != {0, 1}:
        return False
    return all(
        isinstance(array, np.ndarray) and array.dtype == np.float32 and array.size > 0 for array in (layer[0], layer[1])
    )


def make(root, source, weight_dict):
    """Makes an entry, within `making`, in place of those of the same source that do not fit.

    It is laid out in a folder of another name, which is renamed when it is complete.
    """
    for path in _with_key(root, source):
        _remove(path)
    folder = tempfile.mkdtemp(prefix=_PART, dir=root)
    try:
        trust.open_own(os.path.join(folder, _LOCK), "xb").close()
        layers, files = [], (f"{number:03d}.bin" for number in itertools.count())
        for name, layer in weight_dict.items():
            tensors = [_write_tensor(folder, next(files), layer[index]) for index in (0, 1)]
            layers.append({"name": name, "kind": type(layer).__name__, "tensors": tensors})
        manifest = {"version": _VERSION, "source": source, "kind": type(weight_dict).__name__, "layers": layers}
        manifest["digest"] = _digest_of(manifest)
        _write(os.path.join(folder, _MANIFEST), json.dumps(manifest, indent=1).encode())
        os.rename(folder, os.path.join(root, f"{_key(source)}-{uuid.uuid4().hex[:8]}"))
    finally:
        _remove_folder(folder)


def _write_tensor(folder, name, array):
    data = np.ascontiguousarray(array, "<f4").reshape(-1).data
    status = _status(_write(os.path.join(folder, name), data))
    return {"file": name, "shape": array.shape, "sha256": hashlib.sha256(data).hexdigest(), "status": status}


def _write(path, data):
    with trust.open_own(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return os.stat(path)


def entries():
    """What is in the cache, a list of `Entry`."""
    return [
        Entry(path, _in_words(manifest["source"]), _bytes(path), _is_useful(manifest))
        for root in cache_folders()
        for path, manifest in _ours(root)
    ]


def _in_words(source):
    thin = " thin" if source.get("thin") else ""
    return str(source.get("path") or f"seeded:{source.get('seeded')}:{source.get('seed')}{thin}")


def _ours(root):
    """Path and manifest of each folder that is an entry, also one of another version, or damaged."""
    found = []
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        path = os.path.join(root, name)
        with contextlib.suppress(Exception):  # no entry of ours
            if not name.startswith(".") and stat.S_ISDIR(os.lstat(path).st_mode):
                found.append((path, _manifest(path)))
    return found


def _is_useful(manifest):
    """Whether the source of an entry is as it was."""
    source = manifest["source"]
    if manifest["version"] != _VERSION:
        return False
    try:
        return "path" not in source or source_of(source["path"]) == source
    except (FileNotFoundError, NotADirectoryError, TypeError, ValueError):
        return False
    except OSError:
        return True  # on a disk that is not to be had now


def _bytes(path):
    return sum(os.lstat(os.path.join(base, name)).st_size for base, _, names in os.walk(path) for name in names)


def sweep():
    """Removes entries that nobody maps and whose source is gone, or is not as it was."""
    with contextlib.suppress(OSError):
        for path, manifest in _ours(folder()):
            if not _is_useful(manifest):
                _remove(path)


def clear():
    """Removes the entries that nobody maps, never a weight file nor what is not the cache's.

    Returns:
      (how many bytes they took, the paths of the entries that are left, as a program maps them)

    Raises:
      OSError: the folder is another user's.
    """
    freed, left = 0, []
    if os.path.isdir(folder()):
        with making() as root:
            for path, _ in _ours(root):
                size = _bytes(path)
                if _remove(path):
                    freed += size
                else:
                    left.append(path)
    return freed, left


def _remove(path):
    """Removes an entry unless a process maps it. Returns whether it is gone."""
    gone = os.path.join(os.path.dirname(path), f"{_PART}{uuid.uuid4().hex}")
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # a damaged entry may have none
            lock = stack.enter_context(trust.open_own(os.path.join(path, _LOCK), "r+b"))
            if not trust.exclusive(lock):
                return False
        try:
            os.rename(path, gone)  # at once, so that nobody finds a part of it
        except OSError:
            return False
        _remove_folder(gone)
    return True


def _remove_folder(path):
    if os.path.isdir(path):  # rmtree would wait for who writes into a pipe
        shutil.rmtree(path, ignore_errors=True)
