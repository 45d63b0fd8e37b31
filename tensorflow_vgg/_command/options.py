"""What verbs share of their options: types of numbers, options by name, and the weights and labels that they give."""

import argparse
import math
import os
import tempfile
import warnings

from tensorflow_vgg._command.terminal import complain

__all__ = [
    "PART",
    "POSITIVE",
    "RATIO",
    "SEED",
    "TOLERANCE",
    "WHOLE",
    "add_batch",
    "add_images",
    "add_net",
    "add_no_exif",
    "add_weights",
    "existing_weights",
    "expect_new",
    "expect_writable",
    "names",
    "number",
    "say_seeded",
    "seeded_of",
    "weight_dict_of",
    "weights_source",
]


def number(kind, least=0, most=math.inf, above=False):
    """A type for argparse: an int or float from `least`, itself left out if `above`, to `most`, and finite."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if (value > least if above else value >= least) and value <= most and value < math.inf:
            return value
        what = "a whole number" if kind is int else "a number"
        limit = f", at most {most}" if above else f" to {most}"
        bounds = f"{'above' if above else 'from'} {least}{limit if most < math.inf else ''}"
        raise argparse.ArgumentTypeError(f"expected {what} {bounds}, got {text}")

    return read


WHOLE = number(int)
POSITIVE = number(int, 1)
SEED = number(int, 0, 2**32 - 1)
TOLERANCE = number(float)
RATIO = number(float, above=True)
PART = number(float, most=1, above=True)


def names(text):
    """A type for argparse: names with commas between them."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError(f"expected names with commas between them, got {text!r}")
    return found


def add_images(parser, nargs="+"):
    """IMAGE …: files and folders."""
    parser.add_argument(
        "images", nargs=nargs, metavar="IMAGE", help="an image file, or a folder for all images in it and below"
    )


def add_net(parser):
    """--net, VGG19 by default."""
    parser.add_argument("--net", choices=("vgg19", "vgg16"), default="vgg19", help="default: %(default)s")


def add_weights(parser):
    """--weights: a file or seeded:N."""
    parser.add_argument(
        "--weights",
        metavar="FILE|seeded:N",
        help="the weight file, or random weights from seed N, to try the program without one. Default: vgg19.npy or "
        "vgg16.npy from $TENSORFLOW_VGG_HOME, the package, the current folder or your data folder",
    )


def add_no_exif(parser):
    """--no-exif."""
    parser.add_argument(
        "--no-exif", dest="exif", action="store_false", help="do not turn pictures as their EXIF orientation says"
    )


def add_batch(parser):
    """--batch, 8 by default."""
    parser.add_argument("--batch", type=POSITIVE, default=8, metavar="N", help="images per run; default: %(default)s")


def say_seeded():
    """Tells that random weights know nothing."""
    complain("seeded weights have learnt nothing: the labels mean nothing until you give real weights, --weights FILE")


def weights_source(given, net):
    """The weight file that --weights or the search order names, or seeded:N."""
    if seeded_of(given, thin=True) is not None:
        say_seeded()
        return given
    if given:
        return existing_weights(given)
    from tensorflow_vgg import weights

    return weights.find(f"{net}.npy")


def existing_weights(path):
    """The path of --weights, which fails now if it is none, not after the seconds that TensorFlow takes to load."""
    if os.path.isdir(path):
        raise ValueError(f"--weights {path}: expected a weight file, found a folder; give the file in it")
    if not os.path.isfile(path):
        raise ValueError(f"--weights {path}: expected a weight file or seeded:N, found no such file")
    return path


def seeded_of(given, thin=False):
    """(N, whether they are thin) of --weights seeded:N or, with `thin`, seeded:N:thin; None for a file."""
    if not given or not given.startswith("seeded:"):
        return None
    seed, _, width = given[len("seeded:") :].partition(":")
    try:
        if width not in (("", "thin") if thin else ("",)):
            raise argparse.ArgumentTypeError(f"what is {width}?")
        return SEED(seed), bool(width)
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"--weights {given}: expected seeded:N: {error}") from error


def weight_dict_of(source, net, use_mapped):
    """The checked weight dict of `weights_source`."""
    import numpy as np

    from tensorflow_vgg import weights
    from tensorflow_vgg._weights import mapped

    seed, thin = seeded_of(source, thin=True) or (None, False)
    if thin:
        return weights.seeded(net, seed, thin)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        if seed is not None:
            weight_dict = mapped.seeded(net, seed, writable=not use_mapped)
        else:
            weight_dict = mapped.load(source) if use_mapped else weights.read(source)
    for warning in caught:
        complain(warning.message)
    if seed is not None and not use_mapped:  # made once all the same, which takes ten times as long as a copy
        return {name: [np.array(array) for array in layer] for name, layer in weight_dict.items()}
    weights.check(weight_dict, net, source, thin=True)
    return weight_dict


def expect_new(path):
    """Raises if there is something already."""
    if os.path.lexists(path):
        raise ValueError(f"{path}: exists already; remove it or choose another name")


def expect_writable(path):
    """Raises unless a new file can be written there, which would else show after the work is done."""
    expect_new(path)
    folder, name = os.path.split(os.path.abspath(path))
    if not os.path.basename(path):
        raise ValueError(f"{path!r}: expected the name of a file")
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.NamedTemporaryFile(prefix=name, dir=folder).close()
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {folder}: {error.strerror}") from error
