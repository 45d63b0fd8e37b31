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
    verbs = options.add_verbs(parser, "weights_verb", VERBS)
    for name in ("check", "attach", "detach"):
        verbs[name].add_argument("file", metavar="FILE")
    verbs["convert"].add_argument(
        "file", metavar="SOURCE", help="of keras.applications, with top: .h5, .weights.h5 or .keras"
    )
    for name in ("make", "convert", "attach", "detach"):
        verbs[name].add_argument("out", metavar="OUT")
    options.add(verbs["check"], "--net", default=None, help="default: the network whose layers the file has")
    options.add(verbs["convert"], "--net", default=None, help="default: the one that SOURCE fits")
    options.add(verbs["make"], "--net")
    options.add(verbs["fetch"], "--net")
    verbs["make"].add_argument("--seed", type=options.SEED, required=True, metavar="N")
    verbs["attach"].add_argument(
        "--start", choices=("pass-through", "open", "glorot"), default="pass-through", help="default: %(default)s"
    )
    verbs["attach"].add_argument(
        "--seed", type=options.SEED, default=0, metavar="N", help="of random starts; default: %(default)s"
    )


def run(args):
    """Does what the verb says."""
    if args.weights_verb in _TELLING:
        _TELLING[args.weights_verb](args)
        return 0
    if args.weights_verb == "fetch":  # to where the classes look
        folder = os.environ.get("TENSORFLOW_VGG_HOME") or tensorflow_vgg.weights.data_folder()
        args.out = os.path.join(folder, f"{args.net}.npy")
    options.expect_new(args.out)
    weight_dict = _made(args)
    os.makedirs(os.path.dirname(os.path.abspath(args.out)), exist_ok=True)
    tensorflow_vgg.weights.write(args.out, weight_dict)
    say(f"{args.out}: {os.path.getsize(args.out)} bytes written")
    return 0


def _made(args):
    """The weights that a verb makes."""
    weights = tensorflow_vgg.weights
    if args.weights_verb == "make":
        return weights.seeded(args.net, args.seed)
    if args.weights_verb in ("fetch", "convert"):
        tensorflow()
        fetching = args.weights_verb == "fetch"
        return weights.fetch_keras(args.net) if fetching else weights.load_keras(args.file, args.net)[1]
    weight_dict = weights.read(args.file)
    if args.weights_verb == "detach":
        if not weight_dict.keys() & set(weights.ATTENTION_LAYERS):
            raise ValueError(f"{args.file}: has no attention block")
        return {name: layer for name, layer in weight_dict.items() if name not in weights.ATTENTION_LAYERS}
    if weights.attention_layers(weight_dict, args.file):
        raise ValueError(f"{args.file}: has an attention block already; take it out with weights detach")
    weights.check(weight_dict, "vgg19", args.file, thin=True)
    channels = weight_dict["conv5_4"][0].shape[-1]
    return {**weight_dict, **weights.attention_start(channels, args.start, args.seed)}


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
    total = 0
    say(f"{'layer':28}{'kernel':20}{'biases':>8}{'parameters':>12}  range of the kernel")
    for name, layer in weight_dict.items():
        try:
            kernel, biases = layer[0], layer[1]
            count = kernel.size + biases.size
            shapes = f"{'x'.join(map(str, kernel.shape)):20}{'x'.join(map(str, biases.shape)):>8}"
            say(f"{name:28}{shapes}{count:12}  {kernel.min():.4g} ... {kernel.max():.4g}")
            total += count
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            say(f"{name!s:28}not [kernel, biases]")
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


_TELLING = {"check": _check, "cache": _cache, "clear": _clear}
