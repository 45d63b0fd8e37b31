"""`tensorflow-vgg weights`: weight files, checked, made, converted and fetched."""

import os

import tensorflow_vgg
from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import say, tensorflow

__all__ = ["VERBS", "configure", "run"]

# A verb and what --help says of it.
VERBS = {
    "check": "list a weight file's layers and digests, and say what is wrong with it",
    "make": "write random weights from a seed; they have learnt nothing",
    "convert": "turn a Keras weights file of VGG16 or VGG19 into upstream's format",
    "fetch": "download the Oxford weights from Keras's host and convert them",
    "attach": "add an attention block to a VGG19 weight file",
    "detach": "take the attention block out of a weight file",
    "cache": "list what the cache of mapped weights holds, with sizes and sources",
    "clear": "remove the cache of mapped weights, never a weight file nor what a running program uses",
}


def configure(parser):
    """Adds the verbs and their options."""
    verbs = parser.add_subparsers(metavar="VERB", dest="weights_verb")
    verbs.required = True
    parsers = {}
    for name, text in VERBS.items():
        parsers[name] = verb = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        verb.set_defaults(parser=verb)
    nets = ("vgg19", "vgg16")

    verb = parsers["check"]
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("--net", choices=nets, help="default: the network whose layers the file has")

    verb = parsers["make"]
    verb.add_argument("out", metavar="FILE")
    verb.add_argument("--seed", type=options.SEED, required=True, metavar="N")
    options.add_net(verb)

    verb = parsers["convert"]
    verb.add_argument("file", metavar="SOURCE", help="of keras.applications, with top: .h5, .weights.h5 or .keras")
    verb.add_argument("out", metavar="FILE")
    verb.add_argument("--net", choices=nets, help="default: the one that SOURCE fits")

    verb = parsers["fetch"]
    verb.set_defaults(out=None)
    options.add_net(verb)

    verb = parsers["attach"]
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("out", metavar="OUT")
    verb.add_argument(
        "--start", choices=("pass-through", "open", "glorot"), default="pass-through", help="default: %(default)s"
    )
    verb.add_argument(
        "--seed", type=options.SEED, default=0, metavar="N", help="of random starts; default: %(default)s"
    )

    verb = parsers["detach"]
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("out", metavar="OUT")


def run(args):
    """Does what the verb says."""
    if args.weights_verb in _TELLING:
        _TELLING[args.weights_verb](args)
        return 0
    out = args.out
    if out is None:  # where the classes look
        folder = os.environ.get("TENSORFLOW_VGG_HOME") or tensorflow_vgg.weights.data_folder()
        out = os.path.join(folder, f"{args.net}.npy")
    options.expect_new(out)
    weight_dict = _MAKING[args.weights_verb](args)
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    tensorflow_vgg.weights.write(out, weight_dict)
    say(f"{out}: {os.path.getsize(out)} bytes written")
    return 0


def _check(args):
    """Prints a weight file's layers and digests; fails with what is wrong."""
    from tensorflow_vgg._weights.seeded import looks_seeded

    weights = tensorflow_vgg.weights
    path = args.file
    if not os.path.exists(path) and path in ("vgg16.npy", "vgg19.npy"):
        path = weights.find(path)
    weight_dict = weights.read(path)
    net = args.net or ("vgg19" if "conv3_4" in weight_dict else "vgg16")
    _print_layers(weight_dict)
    sha1 = weights.file_digest(path, "sha1")
    say(f"SHA-1    {sha1}")
    say(f"SHA-256  {weights.file_digest(path)}")
    weights.check(weight_dict, net, path)
    known = ": upstream's own vgg16.npy" if sha1 == weights.UPSTREAM_VGG16_SHA1 else ""
    block = " with an attention block" if weights.attention_layers(weight_dict) else ""
    say(f"{args.file}: complete weights of {net}{block}{known}")
    if looks_seeded(weight_dict):
        say(f"{args.file}: random numbers, as weights make writes them: they have learnt nothing")


def _print_layers(weight_dict):
    import numpy as np

    total = 0
    say(f"{'layer':28}{'kernel':20}{'biases':>8}{'parameters':>12}  range of the kernel")
    for name, layer in weight_dict.items():
        try:
            kernel, biases = layer[0], layer[1]
            count = kernel.size + biases.size
            shapes = f"{'x'.join(map(str, kernel.shape)):20}{'x'.join(map(str, biases.shape)):>8}"
            say(f"{name:28}{shapes}{count:12}  {np.min(kernel):.4g} ... {np.max(kernel):.4g}")
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            say(f"{name!s:28}not [kernel, biases]")
        else:
            total += count
    say(f"{'total':56}{total:12}")


def _cache(_):
    """Lists the cache of mapped weights."""
    from tensorflow_vgg._weights import mapped

    entries = mapped.entries()
    say(f"{'size':>10}  source")
    for entry in entries:
        say(f"{_megabytes(entry.size):>10}  {entry.source}{'' if entry.useful else ' (gone or changed since)'}")
    say(f"{_megabytes(sum(entry.size for entry in entries)):>10}  in {mapped.folder()}")


def _clear(_):
    """Removes the cache of mapped weights."""
    from tensorflow_vgg._weights import mapped

    freed, left = mapped.clear()
    in_use = f"; {len(left)} of its folders in use by a program, and left" if left else ""
    say(f"{mapped.folder()}: {_megabytes(freed)} freed{in_use}")


def _megabytes(size):
    return f"{size / 1e6:.1f} MB"


def _make(args):
    """Seeded weights."""
    return tensorflow_vgg.weights.seeded(args.net, args.seed)


def _convert(args):
    """The weights of a Keras file."""
    tensorflow()
    return tensorflow_vgg.weights.load_keras(args.file, args.net)[1]


def _fetch(args):
    """The Oxford weights."""
    tensorflow()
    return tensorflow_vgg.weights.fetch_keras(args.net)


def _attach(args):
    """A file's weights with an attention block."""
    weights = tensorflow_vgg.weights
    weight_dict = weights.read(args.file)
    if weights.attention_layers(weight_dict, args.file):
        raise ValueError(f"{args.file}: has an attention block already; take it out with weights detach")
    weights.check(weight_dict, "vgg19", args.file, thin=True)
    channels = weight_dict["conv5_4"][0].shape[-1]
    return {**weight_dict, **weights.attention_start(channels, args.start, args.seed)}


def _detach(args):
    """A file's weights without its attention block."""
    weights = tensorflow_vgg.weights
    weight_dict = weights.read(args.file)
    if not any(name in weight_dict for name in weights.ATTENTION_LAYERS):
        raise ValueError(f"{args.file}: has no attention block")
    return {name: layer for name, layer in weight_dict.items() if name not in weights.ATTENTION_LAYERS}


_TELLING = {"check": _check, "cache": _cache, "clear": _clear}
_MAKING = {"make": _make, "convert": _convert, "fetch": _fetch, "attach": _attach, "detach": _detach}
