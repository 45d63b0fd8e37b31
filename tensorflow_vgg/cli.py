"""The tensorflow-vgg command. Exit status: 0 done, 1 some input was left out, 2 bad input or usage."""

import argparse
import collections
import concurrent.futures
import contextlib
import json
import os
import re
import sys

from tensorflow_vgg import __version__

__all__ = ["main"]

_IMAGE_ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def main(argv=None):
    """Runs the command with the arguments `argv`, by default the process's own, and returns its exit status."""
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except BrokenPipeError:
        # Who read our output has seen enough. Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
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
    verb.add_argument("--labels", metavar="FILE", help="a label a line, for weights of other classes than ImageNet's")
    verb.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    verb.add_argument("--top", type=_positive, default=5, metavar="N", help="labels per image; default: %(default)s")
    verb.add_argument("--batch", type=_positive, default=8, metavar="N", help="images per run; default: %(default)s")
    verb.add_argument(
        "--json", action="store_true", help="one JSON object a line for each label: file, wnid, label, probability"
    )

    verb = verbs.add_parser("run", help="run a script written for TensorFlow 1, as it is")
    verb.set_defaults(run=run)
    verb.add_argument("script", metavar="SCRIPT", help="the script, run in the current folder")
    verb.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="what the script is given")
    verb.add_argument("--check", action="store_true", help="say what would be done and what will not work; run nothing")
    verb.add_argument(
        "--weights",
        metavar="FILE|seeded:N",
        help="what the original classes load in place of what the script says; seeded:N: random weights from seed N",
    )
    verb.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    verb.add_argument("--constants", action="store_true", help="make upstream's exact graph, all weights as constants")
    verb.add_argument(
        "--own", type=_modules, default=(), metavar="NAME[,NAME]", help="keep the script's vgg16, vgg19, ... as it is"
    )
    verb.add_argument(
        "--port", type=_modules, default=(), metavar="NAME[,NAME]", help="take this package's, even if it differs"
    )
    verb.add_argument("--new-resize", action="store_true", help="leave skimage.transform.resize its defaults of today")
    return parser


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


def classify(args):
    """Prints the most probable labels of each image."""
    images = _image_files(args.images)
    weight_dict, source = _weights(args.weights, args.net)
    tf = _tensorflow()
    from tensorflow_vgg import utils

    labels_file = args.labels or os.path.join(os.path.dirname(os.path.abspath(__file__)), "synset.txt")
    labels = utils.read_labels(labels_file)
    classes = len(weight_dict["fc8"][1])
    if len(labels) != classes:
        raise ValueError(
            f"{labels_file}: expected a label for each of the {classes} classes of {source}, got {len(labels)}; "
            "give the right file with --labels"
        )

    left_out = 0
    with tf.Graph().as_default():
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
        network = _build(args.net, weight_dict, not args.no_attention, rgb)
        del weight_dict
        with tf.Session() as session, _Progress(len(images), enabled=len(images) > args.batch) as progress:
            for batch, failures in _batches(_decoded(images, 2 * args.batch), args.batch):
                for error in failures:
                    progress.clear()
                    print(f"tensorflow-vgg: {error}", file=sys.stderr)
                left_out += len(failures)
                if batch:
                    prob = session.run(network.prob, {rgb: [pixels for _, pixels in batch]})
                    progress.clear()
                    for (path, _), probabilities in zip(batch, prob):
                        _print(path, utils.top_labels(probabilities, labels, args.top), args.json)
                    sys.stdout.flush()
                progress.advance(len(batch) + len(failures))
    return 1 if left_out else 0


def _tensorflow():
    """TensorFlow 1's API, without the log lines that TensorFlow writes to the terminal by default."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow.compat.v1 as tf

    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


def _image_files(paths):
    """The image files that `paths` name, a folder's sorted by name."""
    files = []
    for path in paths:
        if not os.path.isdir(path):
            files.append(path)
            continue
        found = sorted(name for name in os.listdir(path) if name.lower().endswith(_IMAGE_ENDINGS))
        if not found:
            raise ValueError(f"{path}: expected a folder with images ({', '.join(_IMAGE_ENDINGS)}), found none")
        files += [os.path.join(path, name) for name in found]
    return files


def _weights(given, net):
    """The checked weight dict that --weights names, and its name for messages."""
    from tensorflow_vgg import weights

    seed = _seed(given)
    if seed is not None:
        print(
            "tensorflow-vgg: seeded weights have learnt nothing: the labels mean nothing until you give real "
            "weights, --weights FILE",
            file=sys.stderr,
        )
        return weights.seeded(net, seed), given
    path = given or weights.find(f"{net}.npy")
    weight_dict = weights.read(path)
    weights.check(weight_dict, net, path, thin=True)
    return weight_dict, path


def _seed(given):
    """The N of --weights seeded:N; None for a file."""
    if not given or not given.startswith("seeded:"):
        return None
    seed = given[len("seeded:") :]
    if not seed.isdigit() or int(seed) >= 2**32:
        raise ValueError(f"--weights {given}: expected seeded:N with N from 0 to {2**32 - 1}")
    return int(seed)


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


def _decoded(paths, ahead):
    """Yields (path, float32 pixels or the exception) in order, read by threads, at most `ahead` images ahead."""
    from tensorflow_vgg import utils

    def read(path):
        try:
            return path, utils.load_image(path).astype("float32")
        except (AssertionError, OSError, ValueError) as error:
            return path, error

    waiting = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for path in paths:
            waiting.append(pool.submit(read, path))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _batches(decoded, size):
    """Yields (images, failures): up to `size` of (path, pixels), and the exceptions of unreadable files."""
    images, failures = [], []
    for path, pixels in decoded:
        if isinstance(pixels, Exception):
            failures.append(pixels)
        else:
            images.append((path, pixels))
        if len(images) == size:
            yield images, failures
            images, failures = [], []
    if images or failures:
        yield images, failures


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


class _Progress:
    """A bar on stderr, if that is a terminal."""

    def __init__(self, total, enabled=True):
        self.total = total
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
            print(f"\r[{'#' * filled}{'.' * (30 - filled)}] {self.done}/{self.total}", end="", file=sys.stderr)
            sys.stderr.flush()

    def clear(self):
        if self.enabled:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def run(args):
    """Runs a script written for TensorFlow 1, or says what would be done."""
    override = _seed(args.weights)
    if override is None and args.weights is not None:
        if not os.path.isfile(args.weights):
            raise FileNotFoundError(f"--weights {args.weights}: no such file")
        override = os.path.abspath(args.weights)
    if not os.path.isfile(args.script):
        raise FileNotFoundError(f"{args.script}: expected a script, found no such file")
    # TensorFlow 1's arithmetic: oneDNN's moves a probability by 1e-4 of its value, and is faster by a quarter.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    _tensorflow()
    from tensorflow_vgg import legacy

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
