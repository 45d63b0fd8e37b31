"""The tensorflow-vgg command. Exit status: 0 done, 1 some input was left out or recordings depart, 2 bad input."""

import argparse
import contextlib
import hashlib
import itertools
import json
import keyword
import os
import re
import sys
import tempfile
import warnings

from tensorflow_vgg import __version__

__all__ = [
    "classify",
    "compare",
    "dump",
    "evaluate",
    "main",
    "patch",
    "run",
    "train",
    "weights_attach",
    "weights_check",
    "weights_clear",
    "weights_convert",
    "weights_detach",
    "weights_fetch",
    "weights_make",
]

_PATCH_EXAMPLE = """\
In a vgg19.py like this
  import numpy as np
  import tensorflow as tf
  ...
          self.pool5 = self.max_pool(self.conv5_4, 'pool5')

          self.fc6 = self.fc_layer(self.pool5, "fc6")
it makes
  import numpy as np
  import tensorflow as tf
  from attention import convolutional_block_attention_module  # tensorflow-vgg patch
  ...
          self.pool5 = self.max_pool(self.conv5_4, 'pool5')
          attention_feature = convolutional_block_attention_module(self.pool5, index=0)  # tensorflow-vgg patch

          self.fc6 = self.fc_layer(attention_feature, "fc6")
and puts attention.py beside it. --revert goes by the comments: leave them there.

Exit status: 0 done, 1 some network was left alone (with --check: something would change), 2 bad input."""
_PATCH_ADVICE = """\
New variables, in the variable scope that the call is in:
  {scope}/fc_1/kernel  {scope}/fc_1/bias  {scope}/fc_2/kernel  {scope}/fc_2/bias
  {scope}/spatial_attention_conv/weights  {scope}/spatial_attention_conv/biases
They need an initialiser: session.run(tf.global_variables_initializer()) after build() and before the first result,
and before anything is restored from a checkpoint, which does not have them. Two such networks in one graph: build each
in a tf.variable_scope of its own.
The network has changed and must be trained again. With --start open it begins close to where it was."""
_COMPAT_ADVICE = """\
On TensorFlow 2 build it under `with tf.Graph().as_default():`, or call tf.disable_eager_execution() first. For what
else in your code needs changing see TensorFlow's own tf_upgrade_v2."""


_CONSTANTS_HELP = (
    "make upstream's exact graph: all weights as constants, and no attention block unless the weights have one"
)
_LABELS_HELP = (
    "a label a line, for weights of other classes than ImageNet's; default: labels.txt beside the weights, if it fits"
)


def main(argv=None):
    """Runs the command with the arguments `argv`, by default the process's own, and returns its exit status."""
    args = _parser().parse_args(argv)
    if sys.stdout is None:  # closed by who started us
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    try:
        status = args.run(args)
        if not getattr(sys.stdout, "closed", True):
            sys.stdout.flush()  # here, not at Python's end, where who has stopped reading would go unnoticed
        return status
    except BrokenPipeError:
        # Who read our output has seen enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # as a shell has it for SIGPIPE: no verdict of ours
    except (ValueError, OSError) as error:
        print(f"tensorflow-vgg: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="tensorflow-vgg", description="VGG16 and VGG19 of machrisaa/tensorflow-vgg on today's TensorFlow."
    )
    parser.add_argument("--version", action="version", version=f"tensorflow-vgg {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", dest="verb")
    verbs.required = True

    verb = verbs.add_parser("classify", help="print the most probable labels of images")
    verb.set_defaults(run=classify)
    verb.add_argument("images", nargs="+", metavar="IMAGE", help="an image file, or a folder for all images in it")
    verb.add_argument("--net", choices=("vgg19", "vgg16"), default="vgg19", help="default: %(default)s")
    verb.add_argument(
        "--weights",
        metavar="FILE|seeded:N",
        help="the weight file, or random weights from seed N, to try the program without one. Default: vgg19.npy or "
        "vgg16.npy from $TENSORFLOW_VGG_HOME, the package, the current folder or your data folder",
    )
    verb.add_argument("--labels", metavar="FILE", help=_LABELS_HELP)
    verb.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    verb.add_argument("--top", type=_positive, default=5, metavar="N", help="labels per image; default: %(default)s")
    verb.add_argument("--batch", type=_positive, default=8, metavar="N", help="images per run; default: %(default)s")
    verb.add_argument(
        "--json", action="store_true", help="one JSON object a line for each label: file, wnid, label, probability"
    )
    verb.add_argument(
        "--constants",
        action="store_true",
        help="put the weights into the graph, as upstream does, instead of mapping them into memory from a cache",
    )

    verb = verbs.add_parser("run", help="run a script written for TensorFlow 1, as it is", allow_abbrev=False)
    verb.set_defaults(run=run)
    verb.add_argument("script", metavar="SCRIPT", help="the script, run in the current folder; options go before it")
    verb.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="what the script is given")
    verb.add_argument("--check", action="store_true", help="say what would be done and what will not work; run nothing")
    verb.add_argument(
        "--weights",
        metavar="FILE|seeded:N",
        help="what the original classes load in place of what the script says; seeded:N: random weights from seed N",
    )
    verb.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    verb.add_argument("--constants", action="store_true", help=_CONSTANTS_HELP)
    verb.add_argument(
        "--own", type=_modules, default=(), metavar="NAME[,NAME]", help="keep the script's vgg16, vgg19, ... as it is"
    )
    verb.add_argument(
        "--port", type=_modules, default=(), metavar="NAME[,NAME]", help="take this package's, even if it differs"
    )
    verb.add_argument("--new-resize", action="store_true", help="leave skimage.transform.resize its defaults of today")

    verb = verbs.add_parser(
        "dump",
        help="record what a network computes, layer by layer",
        description="Records what a network computes, layer by layer. The pixels come from one of IMAGE, --input and "
        "--from.",
    )
    verb.set_defaults(run=dump)
    verb.add_argument("images", nargs="*", metavar="IMAGE", help="an image file, or a folder for all images in it")
    verb.add_argument(
        "-o", dest="out", required=True, metavar="FILE.npz", help="the recording to write, where no file is yet"
    )
    verb.add_argument("--net", choices=("vgg16", "vgg19", "vgg19_trainable"), help="default: vgg19")
    verb.add_argument(
        "--weights",
        metavar="FILE|seeded:N[:thin]",
        help="the weight file, or random weights from seed N, thin: of a few channels. Default: as for classify",
    )
    verb.add_argument(
        "--modules", metavar="DIR", help="take the class from the module of this folder that is called as --net is"
    )
    verb.add_argument("--no-attention", action="store_true", default=None, help="leave the attention block out")
    verb.add_argument("--layers", type=_names, metavar="NAME[,NAME]", help="record these; default: all")
    verb.add_argument("--samples", type=_positive, metavar="N", help="record N values of each layer; default: all")
    verb.add_argument("--input", metavar="FILE.npy", help="feed these pixels, [batch, 224, 224, 3], in place of images")
    verb.add_argument(
        "--from",
        dest="recording",
        metavar="FILE.npz",
        help="take pixels from another recording, and --net, --weights, --no-attention, --layers and --samples, where "
        "they are not given",
    )

    verb = verbs.add_parser(
        "compare",
        help="compare two recordings and say where and why they depart",
        epilog="Exit status: 0 all layers and the pixels agree, 1 some depart, 2 the files cannot be compared.",
    )
    verb.set_defaults(run=compare)
    verb.add_argument("a", metavar="A.npz", help="what is expected")
    verb.add_argument("b", metavar="B.npz")
    verb.add_argument(
        "--layers",
        type=_names,
        metavar="NAME[,NAME]",
        help="compare these; default: all, which are told apart by their names and must be in both",
    )
    verb.add_argument(
        "--tolerance",
        type=_tolerance,
        default=1e-5,
        metavar="X",
        help="largest difference, as a part of a layer's largest magnitude; default: %(default)s",
    )
    verb.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    verb.add_argument(
        "--plot",
        metavar="FILE.png",
        help="draw the differences, where no file is yet; needs pip install 'tensorflow-vgg[plot]'",
    )

    _train_parser(
        verbs.add_parser(
            "train",
            help="fine-tune VGG19 with attention on a folder of images, or go on with a run",
            epilog="Settings of a run that exists are the run's: RUN alone, with its FOLDER, goes on where it stopped.",
        )
    )

    verb = verbs.add_parser("evaluate", help="tell how well weights classify a folder of images")
    verb.set_defaults(run=evaluate)
    verb.add_argument("folder", metavar="FOLDER", help="one subfolder a class, named by its label or WordNet id")
    verb.add_argument("--weights", metavar="FILE", help="default: as for classify")
    verb.add_argument("--net", choices=("vgg19", "vgg16"), default="vgg19", help="default: %(default)s")
    verb.add_argument("--labels", metavar="FILE", help=_LABELS_HELP)
    verb.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    verb.add_argument("--batch", type=_positive, default=8, metavar="N", help="images per run; default: %(default)s")
    verb.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    verb.add_argument(
        "--plot", metavar="FILE.png", help="draw the confusion matrix; needs pip install 'tensorflow-vgg[plot]'"
    )

    _weights_parser(verbs.add_parser("weights", help="check, make, convert and fetch weight files"))
    _patch_parser(
        verbs.add_parser(
            "patch",
            help="put the attention block into the source of your own VGG",
            description="Puts the attention block between the fifth block's pooling and the first fully connected\n"
            "layer of the VGG16 and VGG19 classes in Python files. Prints the change and makes none, unless told to.",
            epilog=_PATCH_EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    return parser


def _patch_parser(verb):
    verb.set_defaults(run=patch)
    verb.add_argument("paths", nargs="+", metavar="PATH", help="a Python file, or a folder for all networks in it")
    doing = verb.add_mutually_exclusive_group()
    doing.add_argument("--write", action="store_true", help="make the change, and keep the file as it was as FILE.orig")
    doing.add_argument(
        "--check", action="store_true", help="only say what would change: exit status 1 if anything would"
    )
    verb.add_argument("--no-backup", action="store_true", help="with --write: keep no FILE.orig")
    verb.add_argument("--revert", action="store_true", help="take out again what --write put in, and nothing else")
    verb.add_argument("--after", type=_layer, metavar="NAME", help="put the block after this layer, such as pool4")
    verb.add_argument("--before", type=_layer, metavar="NAME", help="put the block before this layer, such as fc6")
    verb.add_argument("--index", type=_whole, metavar="N", help="the block's argument index; default: 0")
    verb.add_argument("--ratio", type=_ratio, metavar="R", help="its inner_units_ratio; the block's default is 0.5")
    verb.add_argument("--scope", type=_scope, metavar="NAME", help="its variable scope; the block's default is cbam")
    verb.add_argument(
        "--start",
        choices=("glorot", "open", "pass-through"),
        help="how its variables start: glorot at random (the block's default), open close to letting everything "
        "through, pass-through exactly so, but too saturated to train",
    )
    verb.add_argument(
        "--compat",
        action="store_true",
        help="also import tensorflow.compat.v1 as tf, and allow pickles where numpy.load has an encoding, so that the "
        "file runs on TensorFlow 2; for the rest of your code see TensorFlow's own tf_upgrade_v2",
    )
    verb.add_argument(
        "--attention-module",
        type=_module_name,
        metavar="NAME",
        help="import the block from this module in place of attention; .NAME and PACKAGE.NAME are taken as they are",
    )


def _train_parser(verb):
    verb.set_defaults(run=train)
    verb.add_argument("folder", nargs="?", metavar="FOLDER", help="one subfolder of images a class")
    verb.add_argument(
        "-o", dest="out", metavar="RUN", help="the run's folder; one that exists goes on where it stopped"
    )
    verb.add_argument(
        "--validation",
        metavar="FOLDER|PART",
        help="another folder to validate on, or the part of the images that is kept from training for it, by a hash of "
        "their names; default: 0.2",
    )
    verb.add_argument(
        "--weights",
        metavar="FILE|seeded:N",
        help="the weights to start from, or random ones from seed N, to try the program. Default: as for classify",
    )
    attention = verb.add_mutually_exclusive_group()
    attention.add_argument(
        "--attention", action="store_true", default=None, help="train with the attention block; the default"
    )
    attention.add_argument("--no-attention", dest="attention", action="store_false", default=None, help="without it")
    verb.add_argument(
        "--attention-start",
        choices=("open", "glorot"),
        help="how the block starts if the weights have none: open, the default, close to letting everything through, "
        "glorot at random, as the tutorial has it",
    )
    verb.add_argument(
        "--train",
        dest="trained",
        choices=("head", "fc", "all"),
        help="what is trained: head: fc8 and attention; fc, the default: fc6, fc7, too; all: everything",
    )
    verb.add_argument("--epochs", type=_positive, metavar="N", help="default: 30")
    verb.add_argument("--batch", type=_positive, metavar="N", help="images per step; default: 16")
    verb.add_argument("--optimizer", choices=("adam", "momentum", "sgd"), help="default: adam")
    verb.add_argument(
        "--learning-rate",
        type=_ratio,
        metavar="X",
        help="at the start; it falls to zero in half a cosine. Default: adam 3e-5, momentum 1e-3, sgd 1e-2",
    )
    verb.add_argument(
        "--weight-decay", type=_tolerance, metavar="X", help="of the kernels trained (the VGG paper: 5e-4); default: 0"
    )
    verb.add_argument(
        "--dropout", type=_part, metavar="P", help="the probability to keep a unit of relu6 and relu7; default: 0.8"
    )
    verb.add_argument(
        "--augment",
        action="store_true",
        default=None,
        help="a random part of each image, maybe mirrored, in place of its centre",
    )
    verb.add_argument("--seed", type=_seed, metavar="N", help="of all that is random; default: 0")
    verb.add_argument(
        "--save-every", type=_ratio, default=60.0, metavar="SECONDS", help="between checkpoints; default: %(default)g"
    )
    verb.add_argument("--ps", metavar="HOST:PORT[,…]", help="parameter servers, to train on several machines")
    verb.add_argument("--workers", metavar="HOST:PORT[,…]", help="workers; the first is the chief, which writes RUN")
    verb.add_argument(
        "--task", metavar="ps:N|worker:N", help="which of them this process is; without the three, TF_CONFIG says"
    )


def _weights_parser(parser):
    verbs = parser.add_subparsers(metavar="VERB", dest="weights_verb")
    verbs.required = True
    net = {"choices": ("vgg19", "vgg16"), "help": "default: %(default)s"}

    verb = verbs.add_parser("check", help="list a weight file's layers and digests, and say what is wrong with it")
    verb.set_defaults(run=weights_check)
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("--net", choices=net["choices"], help="default: the network whose layers the file has")

    verb = verbs.add_parser("make", help="write random weights from a seed; they have learnt nothing")
    verb.set_defaults(run=weights_make)
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("--seed", type=_seed, required=True, metavar="N")
    verb.add_argument("--net", default="vgg19", **net)

    verb = verbs.add_parser("convert", help="turn a Keras weights file of VGG16 or VGG19 into upstream's format")
    verb.set_defaults(run=weights_convert)
    verb.add_argument("source", metavar="SOURCE", help="of keras.applications, with top: .h5, .weights.h5 or .keras")
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("--net", choices=net["choices"], help="default: the one that SOURCE fits")

    verb = verbs.add_parser("fetch", help="download the Oxford weights from Keras's host and convert them")
    verb.set_defaults(run=weights_fetch)
    verb.add_argument("--net", default="vgg19", **net)

    verb = verbs.add_parser("attach", help="add an attention block to a VGG19 weight file")
    verb.set_defaults(run=weights_attach)
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("out", metavar="OUT")
    verb.add_argument(
        "--start", choices=("pass-through", "open", "glorot"), default="pass-through", help="default: %(default)s"
    )
    verb.add_argument("--seed", type=_seed, default=0, metavar="N", help="of random starts; default: %(default)s")

    verb = verbs.add_parser("detach", help="take the attention block out of a weight file")
    verb.set_defaults(run=weights_detach)
    verb.add_argument("file", metavar="FILE")
    verb.add_argument("out", metavar="OUT")

    verb = verbs.add_parser(
        "clear", help="remove the cache of mapped weights, never a weight file; not while a program uses it"
    )
    verb.set_defaults(run=weights_clear)


def _modules(text):
    known = ("utils", "vgg16", "vgg19", "vgg19_trainable")
    names = text.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"expected names from {', '.join(known)}, got {name!r}")
    return names


def _positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text}")
    return int(text)


def _names(text):
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"expected names with commas between them, got {text!r}")
    return names


def _tolerance(text):
    try:
        if 0 <= float(text) < float("inf"):
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected a number from 0, got {text}")


def _seed(text):
    if not text.isdigit() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {2**32 - 1}, got {text}")
    return int(text)


def _whole(text):
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text}")
    return int(text)


def _ratio(text):
    with contextlib.suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"expected a number above 0, got {text}")


def _part(text):
    with contextlib.suppress(ValueError):
        if 0 < float(text) <= 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"expected a number above 0, at most 1, got {text}")


def _scope(text):
    if not re.match(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*\Z", text) or "\\" in text:
        raise argparse.ArgumentTypeError(f"expected letters, digits and ._-/, got {text}")
    return text


def _layer(text):
    if not text:
        raise argparse.ArgumentTypeError("expected a layer's name, such as pool4, got none")
    return text


def _module_name(text):
    parts = text.lstrip(".").split(".")
    named = text.isascii() and all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    if not named or (len(parts) > 1 and parts[-1] == "py"):
        raise argparse.ArgumentTypeError(f"expected a module's name, as in an import, got {text}")
    return text


def classify(args):
    """Prints the most probable labels of each image."""
    images = _image_files(args.images)
    source = _weights_source(args.weights, args.net)
    if args.labels and not os.path.isfile(args.labels):
        raise ValueError(f"--labels {args.labels}: expected a text file with a label a line, found no such file")
    _tensorflow()
    from tensorflow_vgg import _network as network
    from tensorflow_vgg import utils

    weight_dict = _weight_dict(source, args.net, not args.constants and not network.has_gpu())

    labels = _labels(args.labels, source, len(weight_dict["fc8"][1]))
    predict = _predictor(args, weight_dict)
    del weight_dict
    left_out = 0
    for path, probabilities in _classified(images, args.batch, predict):
        if probabilities is None:
            left_out += 1
        else:
            _print(path, utils.top_labels(probabilities, labels, args.top), args.json)
    return 1 if left_out else 0


def _predictor(args, weight_dict):
    """The network as a function from pixels to probabilities. It does not hold on to the weight dict."""
    import tensorflow.compat.v1 as tf

    from tensorflow_vgg import session_config

    with tf.Graph().as_default() as graph:
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
        vgg = _build(args.net, weight_dict, not args.no_attention, rgb)
    session = tf.Session(graph=graph, config=session_config())
    return lambda pixels: session.run(vgg.prob, {rgb: pixels})


def _classified(paths, batch, predict):
    """Yields (path, probabilities) of images in order; those that cannot be read are reported, and give None."""
    from tensorflow_vgg import utils

    with _Progress(len(paths), enabled=len(paths) > batch) as progress:
        decoded = utils.decoded(paths, 2 * batch)
        for chosen in iter(lambda: list(itertools.islice(decoded, batch)), []):
            values = [pixels for _, pixels in chosen if not isinstance(pixels, Exception)]
            probabilities = iter(predict(values) if values else ())
            progress.clear()
            for path, pixels in chosen:
                if isinstance(pixels, Exception):
                    print(f"tensorflow-vgg: {pixels}", file=sys.stderr)
                    yield path, None
                else:
                    yield path, next(probabilities)
            sys.stdout.flush()
            progress.advance(len(chosen))


class _Report:
    """Tells how training goes: what stays on stdout, what is wrong on stderr, and what passes on a terminal."""

    def line(self, text):
        self._clear()
        print(text, flush=True)

    def problem(self, text):
        self._clear()
        print(f"tensorflow-vgg: {text}", file=sys.stderr)

    def show(self, text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    def progress(self, total, what):
        return _Progress(total, what=f"{what} ")

    def _clear(self):
        self.show("")


def train(args):
    """Fine-tunes VGG19, alone or as one process of several, or holds their parameters."""
    _tensorflow()
    from tensorflow_vgg._train import training

    cluster = training.read_cluster(args.ps, args.workers, args.task)
    if cluster and cluster.job == "ps":
        print(f"tensorflow-vgg: holding parameters at {cluster.ps[cluster.index]}; stop with Ctrl-C", file=sys.stderr)
        training.serve_parameters(cluster)
    if args.folder is None or args.out is None:
        raise ValueError("train: expected FOLDER and -o RUN; only a parameter server (--task ps:N) goes without")
    given = {name: getattr(args, name) for name in training.DEFAULTS if name != "train"}
    given["train"] = args.trained
    for name in ("weights", "validation"):  # a run goes on from another folder, too
        if given[name] is not None and os.path.exists(given[name]):
            given[name] = os.path.abspath(given[name])
    done = training.train(
        args.folder,
        args.out,
        lambda source: _weight_dict(_weights_source(source, "vgg19"), "vgg19", use_mapped=True),
        given,
        _Report(),
        cluster,
        args.save_every,
    )
    if not done:
        print(f"tensorflow-vgg: {args.out}: stopped; the same command goes on", file=sys.stderr)
        return 130
    if cluster is None or cluster.number == 0:
        print(f"{os.path.join(args.out, 'weights.npy')}: the trained weights")
    return 0


def evaluate(args):
    """Prints how well weights classify the images of a folder."""
    if args.plot:
        _expect_new(args.plot)
    source = _weights_source(args.weights, args.net)
    _tensorflow()
    from tensorflow_vgg import _network as network
    from tensorflow_vgg._train import training

    weight_dict = _weight_dict(source, args.net, not network.has_gpu())
    labels = _labels(args.labels, source, len(weight_dict["fc8"][1]))
    names = [label.split(" ")[0] if re.match(r"n\d{8} ", label) else label for label in labels]
    by_id = os.path.isdir(args.folder) and not set(os.listdir(args.folder)) & set(labels)
    _, items = training.find_images(args.folder, names if by_id else labels)
    truths, ranked = [], []
    predict = _predictor(args, weight_dict)
    del weight_dict
    truth_of = dict(items)
    for path, probabilities in _classified(list(truth_of), args.batch, predict):
        if probabilities is not None:
            truths.append(truth_of[path])
            ranked.append(probabilities.argsort()[::-1][:5])
    if not truths:
        raise ValueError(f"{args.folder}: none of the {len(items)} images can be read")
    result = training.score(labels, truths, ranked)
    if args.plot:
        training.plot_confusion(args.plot, result)
    print(json.dumps(result) if args.json else "\n".join(training.text(result)))
    return 0 if len(truths) == len(items) else 1


def patch(args):
    """Puts the attention block into source files, or takes it out again."""
    from tensorflow_vgg._patch import patch as patching

    values = vars(args)
    options = patching.Options(**{name: values[name] for name in patching.Options._fields})
    plans, left_out = [], False
    # All files are looked at before the first is changed: an error in any leaves all as they are.
    for path in args.paths:
        files = patching.find(path)
        if args.revert:
            found = [patching.plan_revert(file) for file in files]
        else:
            found = [patching.plan(file, options, skim=os.path.isdir(path)) for file in files]
        plans += found
        left_out |= any(plan.doubts for plan in found)
        if not args.revert and not any(plan.blocks or plan.present or plan.doubts for plan in found):
            left_out = True
            print(
                f"tensorflow-vgg: {path}: no network found: no function in it reads the pooling of a fifth block",
                file=sys.stderr,
            )
    # A file can be named twice, or be found by its name and by a link, beside which the block's module is needed too.
    once = {}
    for plan in plans:
        first = once.setdefault(os.path.realpath(plan.path), plan)
        first.modules.extend(module for module in plan.modules if module not in first.modules)
    plans = list(once.values())
    changes = [plan for plan in plans if plan.after != plan.before]
    writing = args.write or (args.revert and not args.check)
    if writing:
        patching.check_writable(changes)

    done = []
    for plan in plans:
        for doubt in plan.doubts:
            print(f"tensorflow-vgg: {plan.path}: left alone:\n{doubt}", file=sys.stderr)
        for note in plan.notes:
            print(f"tensorflow-vgg: {plan.path}: {note}", file=sys.stderr)
        if plan.present and not {args.index, args.ratio, args.scope, args.start} <= {None}:
            print(
                f"tensorflow-vgg: {plan.path}: the block that is there keeps its arguments; --revert it first",
                file=sys.stderr,
            )
        if plan in changes:
            try:
                _patch_change(patching, plan, args, writing, done)
            except (OSError, ValueError):
                if done:
                    print(f"tensorflow-vgg: changed before the error: {', '.join(done)}", file=sys.stderr)
                raise
        elif plan.present:
            print(f"{plan.path}: nothing to do: the block is there, {patching.lines(plan.present)}")
        elif args.revert and len(plans) == len(args.paths):
            print(f"{plan.path}: nothing to do: nothing in it was put in by this command")
    if args.write and not args.revert:
        if any(plan.blocks for plan in changes):
            print(_PATCH_ADVICE.format(scope=args.scope or "cbam"))
        if args.compat and changes:
            print(_COMPAT_ADVICE)
    if args.check:
        return 1 if changes else 0
    return 1 if left_out else 0


def _patch_change(patching, plan, args, writing, done):
    """Makes or shows one file's change; what was made is added to `done`."""
    if args.check:
        print(f"{plan.path}: would change")
    elif not writing:
        change, file_encoding = patching.diff(plan)
        if sys.stdout.isatty():
            encoding = sys.stdout.encoding or "utf-8"
            text = change.decode(file_encoding, "backslashreplace")
            print(text.encode(encoding, "backslashreplace").decode(encoding), end="")
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(change)
            sys.stdout.buffer.flush()
        for module in plan.modules:
            print(f"tensorflow-vgg: --write also puts {module} there", file=sys.stderr)
    else:
        written = patching.apply(plan, backup=not args.no_backup and not args.revert)
        done.append(plan.path)
        others = f" (new beside it: {', '.join(map(os.path.basename, written))})" if written else ""
        print(f"{plan.path}: {'reverted' if args.revert else 'patched'}{others}", flush=True)


def _tensorflow():
    """TensorFlow 1's API, without the log lines that TensorFlow writes to the terminal by default."""
    with _unheard():
        import tensorflow.compat.v1 as tf

        tf.config.experimental.list_physical_devices()  # looks for GPUs, and complains where there is none
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


@contextlib.contextmanager
def _unheard():
    """Keeps what libraries write to stderr away from the terminal, unless it comes to an error.

    TensorFlow 2 logs while it loads, whatever the level; whoever sets the level wants to see it all.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    sys.stderr.flush()
    with tempfile.TemporaryFile() as heard:
        stderr = os.dup(2)
        os.dup2(heard.fileno(), 2)
        try:
            yield
        except BaseException:
            heard.seek(0)
            os.write(stderr, heard.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _image_files(paths):
    """The image files that `paths` name, a folder's sorted by name."""
    files = []
    for path in paths:
        if not os.path.isdir(path):
            files.append(path)
            continue
        from tensorflow_vgg import utils

        found = sorted(name for name in os.listdir(path) if name.lower().endswith(utils.IMAGE_ENDINGS))
        if not found:
            raise ValueError(f"{path}: expected a folder with images ({', '.join(utils.IMAGE_ENDINGS)}), found none")
        files += [os.path.join(path, name) for name in found]
    return files


def _labels(given, source, classes):
    """The labels of --labels, or else of labels.txt beside the weights, if it fits them, or ImageNet's."""
    from tensorflow_vgg import utils

    beside = os.path.join(os.path.dirname(os.path.abspath(source)), "labels.txt")
    if not given and os.path.isfile(beside):
        labels = utils.read_labels(beside)
        if len(labels) == classes:
            return labels
    path = given or utils.SYNSET
    labels = utils.read_labels(path)
    if len(labels) != classes:
        raise ValueError(
            f"{path}: expected a label for each of the {classes} classes of {source}, got {len(labels)}; "
            "give the right file with --labels"
        )
    return labels


def _say_seeded():
    print(
        "tensorflow-vgg: seeded weights have learnt nothing: the labels mean nothing until you give real weights, "
        "--weights FILE",
        file=sys.stderr,
    )


def _weights_source(given, net):
    """The weight file that --weights or the search order names, or seeded:N."""
    if _seeded(given, thin=True) is not None:
        _say_seeded()
        return given
    if given:
        return _existing_weights(given)
    from tensorflow_vgg import weights

    return weights.find(f"{net}.npy")


def _existing_weights(path):
    """The path of --weights, which fails now if it is none, not after the seconds that TensorFlow takes to load."""
    if not os.path.isfile(path):
        raise ValueError(f"--weights {path}: expected a weight file or seeded:N, found no such file")
    return path


def _seeded(given, thin=False):
    """(N, whether they are thin) of --weights seeded:N or, with `thin`, seeded:N:thin; None for a file."""
    if not given or not given.startswith("seeded:"):
        return None
    seed, _, width = given[len("seeded:") :].partition(":")
    try:
        if width not in (("", "thin") if thin else ("",)):
            raise argparse.ArgumentTypeError(f"what is {width}?")
        return _seed(seed), bool(width)
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"--weights {given}: expected seeded:N: {error}") from error


def _weight_dict(source, net, use_mapped):
    """The checked weight dict of `_weights_source`."""
    from tensorflow_vgg import weights
    from tensorflow_vgg._weights import mapped

    seeded = _seeded(source, thin=True)
    if seeded is not None:
        return weights.seeded(net, *seeded)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        weight_dict = mapped.load(source) if use_mapped else weights.read(source)
    for warning in caught:
        print(f"tensorflow-vgg: {warning.message}", file=sys.stderr)
    weights.check(weight_dict, net, source, thin=True)
    return weight_dict


def _build(net, weight_dict, attention, rgb):
    """The network, built on `rgb`. What upstream's classes print goes to stderr, away from the results."""
    with contextlib.redirect_stdout(sys.stderr):
        if net == "vgg16":
            from tensorflow_vgg import vgg16

            network = vgg16.Vgg16(weight_dict)
        else:
            from tensorflow_vgg import vgg19

            network = vgg19.Vgg19(weight_dict, attention=attention)
        network.build(rgb)
    return network


def _print(path, labels, as_json):
    if not as_json:
        from tensorflow_vgg import utils

        print(path)
        utils.print_labels(labels)
        return
    for text, probability in labels:
        wnid = re.match(r"(n\d{8}) (.*)", text)
        wnid, label = wnid.groups() if wnid else (None, text)
        print(json.dumps({"file": path, "wnid": wnid, "label": label, "probability": float(probability)}))


def weights_check(args):
    """Prints a weight file's layers and digests; fails with what is wrong."""
    from tensorflow_vgg import weights

    sha1, sha256 = hashlib.sha1(), hashlib.sha256()
    weight_dict = weights.read(args.file, sha1, sha256)
    net = args.net or ("vgg19" if "conv3_4" in weight_dict else "vgg16")
    _print_layers(weight_dict)
    print(f"SHA-1    {sha1.hexdigest()}")
    print(f"SHA-256  {sha256.hexdigest()}")
    weights.check(weight_dict, net, args.file)
    known = ": upstream's own vgg16.npy" if sha1.hexdigest() == weights.UPSTREAM_VGG16_SHA1 else ""
    block = " with an attention block" if weights.attention_layers(weight_dict) else ""
    print(f"{args.file}: complete weights of {net}{block}{known}")
    return 0


def _print_layers(weight_dict):
    import numpy as np

    total = 0
    print(f"{'layer':28}{'kernel':20}{'biases':>8}{'parameters':>12}  range of the kernel")
    for name, layer in weight_dict.items():
        try:
            kernel, biases = layer[0], layer[1]
            count = kernel.size + biases.size
            shapes = f"{'x'.join(map(str, kernel.shape)):20}{'x'.join(map(str, biases.shape)):>8}"
            print(f"{name:28}{shapes}{count:12}  {np.min(kernel):.4g} ... {np.max(kernel):.4g}")
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            print(f"{name!s:28}not [kernel, biases]")
        else:
            total += count
    print(f"{'total':56}{total:12}")


def weights_make(args):
    """Writes seeded weights."""
    from tensorflow_vgg import weights

    _write_new(args.file, lambda: weights.seeded(args.net, args.seed))
    return 0


def weights_convert(args):
    """Converts a Keras weights file."""
    _tensorflow()
    from tensorflow_vgg import weights

    _write_new(args.file, lambda: weights.load_keras(args.source, args.net)[1])
    return 0


def weights_fetch(args):
    """Downloads, converts and puts the weights where the classes look."""
    from tensorflow_vgg import weights

    folder = os.environ.get("TENSORFLOW_VGG_HOME") or weights.data_folder()
    path = os.path.join(folder, f"{args.net}.npy")
    _tensorflow()
    _write_new(path, lambda: weights.fetch_keras(args.net))
    return 0


def weights_attach(args):
    """Adds an attention block to a weight file."""
    from tensorflow_vgg import weights

    def attached():
        weight_dict = weights.read(args.file)
        if weights.attention_layers(weight_dict, args.file):
            raise ValueError(f"{args.file}: has an attention block already; take it out with weights detach")
        weights.check(weight_dict, "vgg19", args.file, thin=True)
        channels = weight_dict["conv5_4"][0].shape[-1]
        return {**weight_dict, **weights.attention_start(channels, args.start, args.seed)}

    _write_new(args.out, attached)
    return 0


def weights_detach(args):
    """Takes the attention block out of a weight file."""
    from tensorflow_vgg import weights

    def detached():
        weight_dict = weights.read(args.file)
        if not any(name in weight_dict for name in weights.ATTENTION_LAYERS):
            raise ValueError(f"{args.file}: has no attention block")
        return {name: layer for name, layer in weight_dict.items() if name not in weights.ATTENTION_LAYERS}

    _write_new(args.out, detached)
    return 0


def _expect_new(path):
    if os.path.lexists(path):
        raise ValueError(f"{path}: exists already; remove it or choose another name")


def _write_new(path, make):
    """Writes the weight dict that `make` gives to a file that is not there yet."""
    from tensorflow_vgg import weights

    _expect_new(path)
    weight_dict = make()
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    weights.write(path, weight_dict)
    print(f"{path}: {os.path.getsize(path)} bytes written")


def weights_clear(args):
    """Removes the cache of mapped weights."""
    from tensorflow_vgg._weights import mapped

    folder = mapped.folder()
    print(f"{folder}: {mapped.clear() / 1e6:.1f} MB freed")
    return 0


class _Progress:
    """A bar on stderr, if that is a terminal."""

    def __init__(self, total, enabled=True, what=""):
        self.total = total
        self.what = what
        self.done = 0
        self.enabled = enabled and sys.stderr.isatty()

    def __enter__(self):
        self.advance(0)
        return self

    def __exit__(self, *_):
        self.clear()

    def advance(self, count):
        self.done += count
        if self.enabled:
            filled = 30 * self.done // self.total
            bar = f"{self.what}[{'#' * filled}{'.' * (30 - filled)}] {self.done}/{self.total}"
            print(f"\r{bar}", end="", file=sys.stderr)
            sys.stderr.flush()

    def clear(self):
        if self.enabled:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def run(args):
    """Runs a script written for TensorFlow 1, or says what would be done."""
    seeded = _seeded(args.weights)
    override = seeded and seeded[0]
    if seeded is None and args.weights is not None:
        override = os.path.abspath(_existing_weights(args.weights))
    if not os.path.isfile(args.script):
        found = "a folder" if os.path.isdir(args.script) else "no such file"
        raise FileNotFoundError(f"{args.script}: expected a script, found {found}")
    if set(args.own) & set(args.port):
        raise ValueError(f"{min(set(args.own) & set(args.port))}: given to --own and --port; expected one of them")
    if seeded and not args.check:
        _say_seeded()
    with open(args.script, "rb") as file:
        source = file.read()
    for option in ("--check", "--constants", "--new-resize", "--no-attention", "--own", "--port", "--weights"):
        if option in args.arguments and option.encode() not in source:
            print(f"tensorflow-vgg: {option} goes to the script; options of run stand before its name", file=sys.stderr)
    # TensorFlow 1's arithmetic: oneDNN's moves a probability by 1e-4 of its value, and is faster by a quarter.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    _tensorflow()
    from tensorflow_vgg._run import legacy

    options = legacy.Options(
        own=frozenset(args.own),
        port=frozenset(args.port),
        weights=override,
        attention=not args.no_attention,
        constants=args.constants,
        new_resize=args.new_resize,
    )
    if not args.check:
        return legacy.run(args.script, args.arguments, options)
    done, problems = legacy.check(args.script, options)
    for line in done:
        print(line)
    for line in problems:
        print(f"will not work: {line}")
    return 1 if problems else 0


def dump(args):
    """Records what a network computes."""
    if [bool(args.images), args.input is not None, args.recording is not None].count(True) != 1:
        raise ValueError("dump: expected one of IMAGE, --input FILE.npy and --from FILE.npz")
    _expect_writable(args.out)
    from tensorflow_vgg import weights
    from tensorflow_vgg._compare import regression

    settings = {"net": "vgg19", "no_attention": False, "weights": None, "layers": None, "samples": None}
    if args.recording:
        with regression.Recording(args.recording) as recording:
            pixels, images = recording.array("pixels"), recording.about["images"]
            settings.update({key: recording.about["settings"].get(key) for key in settings})
    elif args.input:
        pixels = _input(args.input)
        images = [{"name": f"{os.path.basename(args.input)}[{number}]"} for number in range(len(pixels))]
    else:
        pixels, images = _pixels(_image_files(args.images))
    for image, values in zip(images, pixels):
        image.setdefault("sha256", regression.digest(values))
    settings.update({key: getattr(args, key) for key in settings if getattr(args, key) is not None})
    recorded = settings["weights"]
    if recorded and not args.weights and _seeded(recorded, thin=True) is None and not os.path.isfile(recorded):
        raise ValueError(
            f"{args.recording}: was recorded with the weights {recorded}, which are not there: give --weights FILE"
        )

    net = settings["net"].replace("_trainable", "")
    source = settings["weights"]
    seeded = _seeded(source, thin=True) is not None
    if not seeded:
        try:
            source = _weights_source(source, net)
        except FileNotFoundError:
            if not args.modules:
                raise
            source = None  # a class of somebody's may need none
    given = _weight_dict(source, net, use_mapped=False) if seeded or not args.modules else source
    if "tensorflow" not in sys.modules:
        # TensorFlow 1's arithmetic, as for `run`: oneDNN's alone moves the attention block's output by 2e-5.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    _tensorflow()
    about, arrays = regression.record(
        settings["net"],
        given,
        pixels,
        modules=args.modules,
        attention=not settings["no_attention"],
        layers=settings["layers"],
        samples=settings["samples"],
    )
    if about["unfed"] and not settings["layers"]:
        needed = ", ".join(sorted(set(about["unfed"].values())))
        print(
            f"tensorflow-vgg: left out {', '.join(about['unfed'])}: they need a value for {needed}, which is not fed",
            file=sys.stderr,
        )
    about["images"] = images
    about["surroundings"] = regression.surroundings()
    about["settings"] = {
        **settings,
        "weights": source if about["loaded"] else None,
        "weights_sha256": weights.file_digest(source) if about["loaded"] and not seeded else None,
        "modules": args.modules,
    }
    regression.save(args.out, about, arrays)
    print(
        f"{args.out}: {len(about['layers'])} layers of {len(images)} images, {os.path.getsize(args.out)} bytes written"
    )
    return 0


def _expect_writable(path):
    """Raises unless a new file can be written there, which would else show after the work is done."""
    _expect_new(path)
    folder, name = os.path.split(os.path.abspath(path))
    if not os.path.basename(path):
        raise ValueError(f"{path!r}: expected the name of a file")
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.NamedTemporaryFile(prefix=name, dir=folder).close()
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {folder}: {error.strerror}") from error


def _pixels(files):
    """The pixels of images, float32 [batch, 224, 224, 3], and for each its name and digest."""
    import numpy as np

    from tensorflow_vgg import utils, weights

    try:
        pixels = np.stack([utils.load_image(path) for path in files]).astype(np.float32)
    except AssertionError as error:
        raise ValueError(str(error)) from error
    return pixels, [{"name": os.path.basename(path), "sha256": weights.file_digest(path)} for path in files]


def _input(path):
    """The pixels of a `.npy`, float32 [batch, height, width, 3]."""
    import numpy as np

    try:
        pixels = np.load(path, allow_pickle=False)
    except (EOFError, ValueError) as error:
        raise ValueError(f"{path}: expected a .npy file of pixels: {error}") from error
    shape = getattr(pixels, "shape", None)
    if shape is not None and len(shape) == 3:
        pixels = pixels[np.newaxis]
    if shape is None or pixels.ndim != 4 or pixels.shape[3] != 3 or not pixels.size or pixels.dtype.kind != "f":
        found = "a .npz" if shape is None else f"{pixels.dtype} {shape}"
        raise ValueError(f"{path}: expected floats of shape (batch, 224, 224, 3), RGB in [0, 1], got {found}")
    with np.errstate(over="ignore"):
        pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise ValueError(f"{path}: expected values that are finite as float32")
    if pixels.min() < 0 or pixels.max() > 1:
        print(
            f"tensorflow-vgg: {path}: expected RGB in [0, 1], got values from {pixels.min():g} to {pixels.max():g}",
            file=sys.stderr,
        )
    return pixels


def compare(args):
    """Compares two recordings."""
    if args.plot is not None:
        _expect_writable(args.plot)
    from tensorflow_vgg._compare import regression

    with regression.Recording(args.a) as a, regression.Recording(args.b) as b:
        result = regression.compare(a, b, args.tolerance, args.layers)
        print(json.dumps(result) if args.json else "\n".join(regression.text(result)), flush=True)
        if args.plot:
            regression.plot(args.plot, result, a, b)
    return 0 if result["ok"] else 1
