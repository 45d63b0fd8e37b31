"""Weights for TensorFlow to map into memory instead of copying them.

TensorFlow's op ImmutableConst takes a tensor from a whole file. So weights are laid out once in a cache, see `store`;
a network built from there needs neither the time nor the memory that 575 MB of constants in a graph cost.
"""

import warnings

import numpy as np

from tensorflow_vgg._weights import store
from tensorflow_vgg._weights.read import read
from tensorflow_vgg._weights.seeded import seed_of
from tensorflow_vgg._weights.seeded import seeded as _seeded
from tensorflow_vgg._weights.store import clear, entries, folder

__all__ = ["MappedArray", "clear", "entries", "folder", "from_source", "holds", "load", "region_of", "seeded"]


class MappedArray(np.memmap):
    """A tensor of the cache: a float32 array whose pages are read when they are needed.

    Views keep the class, and know the file; what is computed from it is an ordinary array.
    """

    def __array_wrap__(self, array, context=None, return_scalar=False):
        if array is self:  # what was computed in place
            return self
        array = np.asarray(array)
        return array[()] if array.ndim == 0 else array

    def __reduce_ex__(self, protocol):
        """Pickled as an ordinary array, for readers without this package."""
        return self.view(np.ndarray).__reduce_ex__(protocol)

    def __repr__(self):
        return repr(self.view(np.ndarray))


def region_of(array):
    """The file that holds exactly this array, or None: for any other array, for parts and rearrangements.

    A map that may be written can have other values by now: see `holds`.
    """
    if not isinstance(array, MappedArray) or array.filename is None:
        return None
    # What is in one piece, and as long as the map, is all of it.
    is_whole = array.dtype == np.float32 and array.flags.c_contiguous and array.nbytes == len(array._mmap)
    return array.filename if is_whole else None


def holds(array):
    """Whether an array still holds, bit for bit, what its file holds. For all weights it takes about 0.1 s."""
    path = region_of(array)
    if path is None:
        return False
    if array.mode == "r":
        return True
    ours = array.view(np.ndarray).reshape(-1).view(np.uint32)
    try:
        file = np.memmap(path, np.uint32, "r", shape=ours.shape)
    except (OSError, ValueError):
        return False
    step = 1 << 20
    return all(np.array_equal(ours[at : at + step], file[at : at + step]) for at in range(0, ours.size, step))


def load(path, writable=False):
    """The weight dict of a file with mapped arrays, from the cache, which is made or made anew where need be.

    The cache is used only if it was made completely, by this version, from the file as it is now (inode, change and
    modification time, size). Where it cannot be made (a full disk, a read-only home) a warning says so and the arrays
    are ordinary ones. They are so, without a warning, where a layer is not a pair of float32 arrays.

    Args:
      path: a `.npy` file of a pickled dict, as for `weights.read`.
      writable: whether arrays can be changed in place, each process for itself: the file stays as it is.

    Returns:
      A dict: layer name -> kernel and biases, `MappedArray`s in containers as the file has them.

    Raises:
      As `weights.read`.
    """
    return _mapped(lambda: store.source_of(path), lambda: read(path), writable)


def seeded(net="vgg19", seed=19, thin=False, writable=False):
    """The weights of `weights.seeded` with mapped arrays, as `load`; they are made once into the cache.

    Args:
      net: "vgg16" or "vgg19".
      seed: 0 ... 2**32 - 1.
      thin: as for `weights.seeded`.
      writable: as for `load`.

    Returns:
      layer name -> `[kernel, biases]`.
    """
    source = {"seeded": net, "seed": int(seed), "thin": bool(thin)}
    return _mapped(lambda: source, lambda: _seeded(net, seed, thin), writable)


def from_source(source, net, use_mapped=True):
    """The weight dict of a file, of seeded:N or of seeded:N:thin, with mapped arrays or ordinary ones; not checked."""
    seed, thin = seed_of(source) or (None, False)
    if seed is None:
        return load(source) if use_mapped else read(source)
    if thin:
        return _seeded(net, seed, thin)
    weight_dict = seeded(net, seed)  # made once, also where it is copied, which takes a tenth of the time
    if use_mapped:
        return weight_dict
    return {name: [np.array(array) for array in layer] for name, layer in weight_dict.items()}


def _mapped(source_of, make, writable):
    """What `load` returns of the dict that `make` makes. If `source_of` changes meanwhile nothing is cached."""
    source, weight_dict = source_of(), None
    try:
        found = store.find(source)
        if found is None:
            with store.making() as root:
                found = store.find(source)  # another process may have made it meanwhile
                if found is None:
                    weight_dict = make()
                    if not store.can_hold(weight_dict, source):
                        return weight_dict
                    if source_of() != source:
                        raise OSError(f"{source['path']} changed while it was read")
                    store.make(root, source, weight_dict)
                    found = store.find(source)
                    if found is None:
                        raise OSError(f"{root} was changed by another program")
        store.sweep()
        return _arrays(*found, writable)
    except OSError as error:
        reason = error
    if weight_dict is None:
        weight_dict = make()
    if store.can_hold(weight_dict, source):
        message = f"weights are not mapped, they take more time and memory: {reason}"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    return weight_dict


def _arrays(kind, layers, writable):
    weight_dict = kind()
    for name, container, tensors in layers:
        pair = [MappedArray(path, "<f4", "c" if writable else "r", shape=shape) for path, shape in tensors]
        weight_dict[name] = container(enumerate(pair) if issubclass(container, dict) else pair)
    return weight_dict
