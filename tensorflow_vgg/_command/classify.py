"""`tensorflow-vgg classify`: the most probable labels of images."""

import json
import sys

from tensorflow_vgg import _images
from tensorflow_vgg._command import options, predict
from tensorflow_vgg._command.terminal import complain, say

__all__ = ["configure", "run"]


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] IMAGE [IMAGE ...]"
    options.add(parser, "images", *predict.OPTIONS, "--no-exif", "--constants")
    option("--top", type=options.POSITIVE, default=5, metavar="N", help="labels per image; default: %(default)s")
    form = parser.add_mutually_exclusive_group().add_argument
    form("--upstream", action="store_true", help="print tuples, as upstream's print_prob does, on a terminal, too")
    form("--json", action="store_true", help="one JSON object a line for each label: file, wnid, label, probability")


def run(args):
    """Prints the most probable labels of each image."""
    images = _images.find(args.images)
    _, labels, explain = predict.start(args, args.constants)
    from tensorflow_vgg import utils

    left_out = 0
    for path, found in predict.classified(images, args.batch, explain, args.exif):
        if found is None:
            left_out += 1
            continue
        for line in _lines(args, path, utils.top_labels(found.probabilities, labels, args.top)):
            say(line)
    if len(images) > 1:
        complain(f"{len(images) - left_out} classified, {left_out} left out")
    return 1 if left_out else 0


def _lines(args, path, labels):
    """An image's labels as upstream prints them, for a program that reads it, as JSON, or as a table for a reader."""
    from tensorflow_vgg import utils
    from tensorflow_vgg._explain import report

    if not args.json and (args.upstream or not sys.stdout.isatty()):
        return [path, *utils.label_lines(labels)]
    rows = [(path, *report.wnid_and_name(text), float(probability)) for text, probability in labels]
    if args.json:
        return [json.dumps(dict(zip(("file", "wnid", "label", "probability"), row))) for row in rows]
    return [path, *(f"{probability:8.2%}  {label}" for _, _, label, probability in rows)]
