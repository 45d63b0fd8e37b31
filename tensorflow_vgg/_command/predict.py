"""A network and its labels, and images through it, for verbs that classify."""

import contextlib
import itertools
import os
import sys

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Report, tensorflow

__all__ = ["OPTIONS", "classified", "start"]

OPTIONS = ("--net", "--weights", "--labels", "--no-attention", "--batch")  # of each of these verbs


def start(args, constants=False, chosen=None, top=0):
    """The weights' source, a label for each class, and the network as `explainer` gives it, by `OPTIONS`.

    With `constants` the weights go into the graph, in place of being mapped; `chosen` is the text that names a class.
    """
    source = options.weights_source(args.weights, args.net)
    if args.labels and not os.path.isfile(args.labels):
        raise ValueError(f"--labels {args.labels}: expected a text file with a label a line, found no such file")
    tensorflow()
    from tensorflow_vgg import _network
    from tensorflow_vgg._explain import explainer, report

    weight_dict = options.weight_dict_of(source, args.net, not constants and not _network.has_gpu())
    labels = _labels(args.labels, source, len(weight_dict["fc8"][1]))
    number = None if chosen is None else report.class_of(chosen, labels)
    return source, labels, explainer.explainer(args.net, weight_dict, not args.no_attention, number, top)


def _labels(given, source, classes):
    """The labels of --labels, or else of labels.txt beside the weights, if it fits them, or ImageNet's."""
    from tensorflow_vgg import utils

    beside = os.path.join(os.path.dirname(os.path.abspath(source)), "labels.txt")
    for path in [given] if given else filter(os.path.isfile, (beside, utils.SYNSET)):
        labels = utils.read_labels(path)
        if len(labels) == classes:
            return labels
    raise ValueError(
        f"{path}: expected a label for each of the {classes} classes of {source}, got {len(labels)}; "
        "give the right file with --labels"
    )


def classified(paths, batch, explain, exif=True):
    """Yields (path, Explained) of images in order; those that cannot be read are reported, and give None."""
    from tensorflow_vgg import utils

    decoded, report = utils.decoded(paths, 2 * batch, exif), Report()
    with contextlib.closing(decoded), report.progress(len(paths), "images"):
        for chosen in iter(lambda: list(itertools.islice(decoded, batch)), []):
            values = [pixels for _, pixels in chosen if not isinstance(pixels, Exception)]
            explained = iter(explain(values) if values else ())
            report.clear()
            for path, pixels in chosen:
                if isinstance(pixels, Exception):
                    report.problem(pixels)
                    yield path, None
                else:
                    yield path, next(explained)
            sys.stdout.flush()
            report.advance(len(chosen))
