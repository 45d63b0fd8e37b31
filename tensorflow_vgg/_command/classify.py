"""`tensorflow-vgg classify`: the most probable labels of images."""

import json
import os
import re
import sys

from tensorflow_vgg import _images
from tensorflow_vgg._command import options, predict
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] IMAGE [IMAGE ...]"
    options.add_images(parser)
    predict.add_options(parser)
    parser.add_argument(
        "--top", type=options.POSITIVE, default=5, metavar="N", help="labels per image; default: %(default)s"
    )
    options.add_no_exif(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--upstream", action="store_true", help="print tuples, as upstream's print_prob does, on a terminal, too"
    )
    how.add_argument(
        "--json", action="store_true", help="one JSON object a line for each label: file, wnid, label, probability"
    )
    parser.add_argument(
        "--constants",
        action="store_true",
        help="put the weights into the graph, as upstream does, instead of mapping them into memory from a cache",
    )


def run(args):
    """Prints the most probable labels of each image."""
    images = _images.find(args.images)
    source = options.weights_source(args.weights, args.net)
    if args.labels and not os.path.isfile(args.labels):
        raise ValueError(f"--labels {args.labels}: expected a text file with a label a line, found no such file")
    tensorflow()
    from tensorflow_vgg import utils

    weight_dict, labels = predict.weights_and_labels(args, source, args.constants)
    network = predict.predictor(args.net, weight_dict, not args.no_attention)
    del weight_dict
    left_out = 0
    show = _json_lines if args.json else _table if sys.stdout.isatty() and not args.upstream else _tuples
    for path, probabilities in predict.classified(images, args.batch, network, args.exif):
        if probabilities is None:
            left_out += 1
            continue
        for line in show(path, utils.top_labels(probabilities, labels, args.top)):
            say(line)
    if len(images) > 1:
        complain(f"{len(images) - left_out} classified, {left_out} left out")
    return 1 if left_out else 0


def _table(path, labels):
    """For a reader."""
    return [path, *(f"{probability:8.2%}  {_split(text)[1]}" for text, probability in labels)]


def _tuples(path, labels):
    """As upstream prints, for a program that reads it."""
    from tensorflow_vgg import utils

    return [path, *utils.label_lines(labels)]


def _json_lines(path, labels):
    for text, probability in labels:
        wnid, label = _split(text)
        yield json.dumps({"file": path, "wnid": wnid, "label": label, "probability": float(probability)})


def _split(text):
    """(WordNet id or None, label) of a line of the label file."""
    wnid = re.match(r"(n\d{8}) (.*)", text)
    return wnid.groups() if wnid else (None, text)
