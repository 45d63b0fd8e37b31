"""Reads weight files, without running anything that they may hold."""

import hashlib
import os
import stat

import numpy as np

from tensorflow_vgg._weights.error import WeightsError, shown
from tensorflow_vgg._weights.pickles import Source, unpickle

__all__ = ["file_digest", "read", "read_objects"]


def read(path):
    """Reads a weight dict, without running anything that the file may hold.

    NumPy reads such a file by unpickling it, which lets a file run any code. This reader builds arrays, lists,
    tuples, dicts, strings and numbers, and refuses everything else. It reads the files of Python 2 and 3 and of
    all NumPy versions.

    Args:
      path: a `.npy` file of a pickled dict.

    Returns:
      A dict: layer name -> `[kernel, biases]` or `{0: kernel, 1: biases}`, as the file has it.

    Raises:
      WeightsError: the file is no such dict, is cut short, or wants to run code.
      OSError: the file cannot be opened.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise WeightsError(f"{path}: expected a .npy file of a dict of layers, got a pipe or device")
    with open(path, "rb") as file:
        start = file.read(512)
        file.seek(0)
        _recognise(start, path)
        weights = read_objects(file, path)
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
        source = Source(file)
        if not bare:
            _read_header(source)
        return unpickle(source, keep_bytes)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except EOFError as error:
        size = f" at {os.path.getsize(path)} bytes" if os.path.isfile(path) else ""
        raise WeightsError(f"{path}: cut short{size}; get the file again") from error
    except MemoryError as error:
        raise WeightsError(f"{path}: needs more memory than there is") from error
    except Exception as error:  # a damaged or hostile file can make NumPy and Python raise anything
        reason = shown(str(error), 200) or type(error).__name__
        raise WeightsError(f"{path}: damaged, or no weight file: {reason}; get the file again") from error


def _read_header(source):
    """Reads what stands before the pickle in a `.npy` of objects."""
    version = np.lib.format.read_magic(source)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise WeightsError(f"damaged: there is no version {version} of .npy")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(source)
    if not dtype.hasobject:
        kind = f"an array of {shown(str(dtype))}, shape {shown(str(shape))}"
        raise WeightsError(f"expected a dict of layers, got {kind}")


def file_digest(path, kind="sha256"):
    """The SHA-256, or another digest that hashlib has, of a file's bytes, as hexadecimal digits."""
    found = hashlib.new(kind)
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            found.update(part)
    return found.hexdigest()


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
