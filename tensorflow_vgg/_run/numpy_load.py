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

    `weights_of` is asked first with every path that is read whole and with text as text: it gives what stands for the
    file, a dict of layers, or None. Of a dict the function gives what NumPy does: an object array of no axes.
    """

    @functools.wraps(numpy.load)
    def load(file, mmap_mode=None, allow_pickle=True, fix_imports=True, encoding="ASCII", **options):
        is_path = isinstance(file, (str, os.PathLike))
        whole = allow_pickle and mmap_mode is None
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
        # What is none of these holds no objects, and NumPy must not find one in it after all, and run it.
        loaded = numpy.load(file, mmap_mode, False, fix_imports, encoding, **options)
        if allow_pickle and isinstance(loaded, numpy.lib.npyio.NpzFile):
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
        first = numpy.lib.format.read_magic(file) == (1, 0)
        read = numpy.lib.format.read_array_header_1_0 if first else numpy.lib.format.read_array_header_2_0
        return "npy" if read(file)[2].hasobject else None
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
