"""What verbs share of their options: types of numbers, options by name, and the weights that they give."""

import argparse
import math
import os
import tempfile

from tensorflow_vgg import _pictures
from tensorflow_vgg._command.terminal import complain

__all__ = [
    "PART",
    "POSITIVE",
    "RATIO",
    "SEED",
    "TOLERANCE",
    "WHOLE",
    "add",
    "add_verbs",
    "checked",
    "expect_new",
    "expect_writable",
    "names",
    "number",
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

# Options that several verbs have, as argparse takes them.
_SHARED = {
    "images": {"nargs": "+", "metavar": "IMAGE", "help": "an image file, or a folder for all images in it and below"},
    "--net": {"choices": ("vgg19", "vgg16"), "default": "vgg19", "help": "default: %(default)s"},
    "--weights": {
        "metavar": "FILE|seeded:N",
        "help": "the weight file, or random weights from seed N, to try the program without one. Default: vgg19.npy or "
        "vgg16.npy from $TENSORFLOW_VGG_HOME, the package, the current folder or your data folder",
    },
    "--labels": {
        "metavar": "FILE",
        "help": "a label a line, for weights of other classes than ImageNet's; default: labels.txt beside the weights, "
        "if it fits",
    },
    "--no-attention": {"action": "store_true", "help": "leave VGG19's attention block out"},
    "--batch": {"type": POSITIVE, "default": 8, "metavar": "N", "help": "images per run; default: %(default)s"},
    "--no-exif": {"dest": "exif", "action": "store_false", "help": "do not turn pictures as their EXIF data says"},
    "--constants": {"action": "store_true", "help": "copy weights into the graph, as upstream does; do not map them"},
}


def add(parser, *wanted, **changes):
    """Adds options of `_SHARED`, the same `changes` made to each."""
    for name in wanted:
        parser.add_argument(name, **{**_SHARED[name], **changes})


def add_verbs(parser, dest, verbs):
    """Adds verbs, a dict of their names and of what --help says of them; gives the parser of each by its name."""
    subparsers = parser.add_subparsers(metavar="VERB", dest=dest)
    subparsers.required = True
    parsers = {}
    for name, text in verbs.items():
        parsers[name] = subparsers.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        parsers[name].set_defaults(parser=parsers[name])
    return parsers


def checked(fits, expected):
    """A type for argparse: a text for which the function `fits` is true."""

    def read(text):
        if not fits(text):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text or 'none'}")
        return text

    return read


def names(text):
    """A type for argparse: names with commas between them."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise argparse.ArgumentTypeError(f"expected names with commas between them, got {text!r}")
    return found


def weights_source(given, net, meaning="the labels mean nothing until you give real weights, --weights FILE"):
    """The weight file that --weights or the search order names, or seeded:N, of which it tells the `meaning`.

    It fails now, not after the seconds that TensorFlow takes to load.
    """
    from tensorflow_vgg import weights

    if given is None:
        return weights.find(f"{net}.npy")
    if weights.seed_of(given):
        complain(f"seeded weights have learnt nothing: {meaning}")
    elif os.path.isdir(given):
        raise ValueError(f"--weights {given}: expected a weight file, found a folder; give the file in it")
    elif not os.path.isfile(given):
        raise ValueError(f"--weights {given}: expected a weight file or seeded:N, found no such file")
    return given


def weight_dict_of(source, net, use_mapped):
    """The checked weight dict of `weights_source`."""
    from tensorflow_vgg import weights
    from tensorflow_vgg._weights import mapped

    weight_dict = mapped.from_source(source, net, use_mapped)
    if not weights.seed_of(source):
        weights.check(weight_dict, net, source, thin=True)
    return weight_dict


def expect_new(path, but_drawn=False):
    """Raises if there is something already; with `but_drawn`, something else than what this command has drawn."""
    if os.path.lexists(path) and not (but_drawn and _pictures.is_drawn(path)):
        raise ValueError(f"{path}: exists already; remove it or choose another name")


def expect_writable(path, but_drawn=False):
    """Raises unless a new file can be written there, which would else show after the work is done."""
    expect_new(path, but_drawn)
    folder, name = os.path.split(os.path.abspath(path))
    if not os.path.basename(path):
        raise ValueError(f"{path!r}: expected the name of a file")
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.NamedTemporaryFile(prefix=name, dir=folder).close()
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {folder}: {error.strerror}") from error
