"""`numpy.load` for a script: object arrays and pickles are read by this package's reader, which runs no code."""

import contextlib
import functools
import io
import os

import numpy

from tensorflow_vgg import weights

__all__ = ["NpzFile", "load_of"]


def load_of(weights_of):
    """The `numpy.load` that a script sees, which allows pickles as in 2017.

    Args:
      weights_of: is asked first with every path that is read whole and with text as text. It gives what stands for
        the file, a dict of layers, or None.

    Returns:
      The function. Of a dict from `weights_of` it gives what NumPy does: an object array of no axes.
    """

    @functools.wraps(numpy.load)
    def load(file, mmap_mode=None, *args, **kwargs):
        allowed = args[0] if args else kwargs.get("allow_pickle", True)
        encoding = args[2] if len(args) > 2 else kwargs.get("encoding")
        is_path = isinstance(file, (str, os.PathLike))
        whole = allowed and mmap_mode is None
        found = weights_of(os.fspath(file)) if whole and is_path and encoding != "bytes" else None
        if found is not None:
            array = numpy.empty((), object)
            array[()] = found
            return array
        with contextlib.ExitStack() as stack:
            opened = stack.enter_context(open(file, "rb")) if is_path and os.path.isfile(file) else file
            holds = _holds_objects(opened) if whole and hasattr(opened, "seek") else None
            if holds:
                name = getattr(opened, "name", file)
                return weights.read_objects(opened, name, bare=holds == "pickle", keep_bytes=encoding == "bytes")
        loaded = numpy.load(file, mmap_mode, *args, **kwargs)
        if allowed and isinstance(loaded, numpy.lib.npyio.NpzFile):
            loaded.__class__ = NpzFile
        return loaded

    return load


def _holds_objects(file):
    """ "npy" for a `.npy` of Python objects, "pickle" for a pickle, else None. The file's position stays as it was."""
    position = file.tell()
    try:
        start = file.read(6)
        file.seek(position)
        if not start.startswith(numpy.lib.format.MAGIC_PREFIX):
            return None if not start or start.startswith(b"PK") else "pickle"
        version = numpy.lib.format.read_magic(file)
        read = {(1, 0): numpy.lib.format.read_array_header_1_0, (2, 0): numpy.lib.format.read_array_header_2_0}
        return "npy" if version in read and read[version](file)[2].hasobject else None
    except (ValueError, EOFError):
        return None
    finally:
        file.seek(position)


class NpzFile(numpy.lib.npyio.NpzFile):
    """A `.npz` file, whose arrays of Python objects this package's reader reads."""

    def __getitem__(self, key):
        name = key if key in self.zip.namelist() else f"{key}.npy"
        if name in self.zip.namelist():
            with self.zip.open(name) as file:
                member = io.BytesIO(file.read(1 << 16))
            if _holds_objects(member) == "npy":
                with self.zip.open(name) as file:
                    return weights.read_objects(file, name)
        return super().__getitem__(key)
