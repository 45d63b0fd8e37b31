"""A network as a function from pixels to probabilities, and images through it, for verbs that classify."""

import contextlib
import itertools
import os
import sys

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Progress, complain

__all__ = ["add_options", "classified", "predictor", "weights_and_labels"]


def add_options(parser):
    """--net, --weights, --labels, --no-attention and --batch."""
    options.add_net(parser)
    options.add_weights(parser)
    parser.add_argument(
        "--labels",
        metavar="FILE",
        help="a label a line, for weights of other classes than ImageNet's; default: labels.txt beside the weights, "
        "if it fits",
    )
    parser.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    options.add_batch(parser)


def weights_and_labels(args, source, constants=False):
    """The weight dict of `options.weights_source`, mapped unless it makes `constants`, and a label for each class."""
    from tensorflow_vgg import _network

    weight_dict = options.weight_dict_of(source, args.net, not constants and not _network.has_gpu())
    return weight_dict, _labels(args.labels, source, len(weight_dict["fc8"][1]))


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


def predictor(net, weight_dict, attention):
    """The network as a function from pixels to probabilities. It does not hold on to the weight dict."""
    import tensorflow.compat.v1 as tf

    from tensorflow_vgg import session_config, vgg16, vgg19

    # What upstream's classes print goes to stderr, away from the results.
    with tf.Graph().as_default() as graph, contextlib.redirect_stdout(sys.stderr):
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
        network = vgg16.Vgg16(weight_dict) if net == "vgg16" else vgg19.Vgg19(weight_dict, attention=attention)
        network.build(rgb)
    session = tf.Session(graph=graph, config=session_config())
    return lambda pixels: session.run(network.prob, {rgb: pixels})


def classified(paths, batch, predict, exif=True):
    """Yields (path, probabilities) of images in order; those that cannot be read are reported, and give None."""
    from tensorflow_vgg import utils

    decoded = utils.decoded(paths, 2 * batch, exif)
    with contextlib.closing(decoded), Progress(len(paths), enabled=len(paths) > batch) as progress:
        for chosen in iter(lambda: list(itertools.islice(decoded, batch)), []):
            values = [pixels for _, pixels in chosen if not isinstance(pixels, Exception)]
            probabilities = iter(predict(values) if values else ())
            progress.clear()
            for path, pixels in chosen:
                if isinstance(pixels, Exception):
                    complain(pixels)
                    yield path, None
                else:
                    yield path, next(probabilities)
            sys.stdout.flush()
            progress.advance(len(chosen))
