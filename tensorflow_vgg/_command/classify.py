"""`tensorflow-vgg classify`: the most probable labels of images."""

import json
import os
import re

from tensorflow_vgg import _images
from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import say, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] IMAGE [IMAGE ...]"
    options.add_images(parser)
    options.add_net(parser)
    options.add_weights(parser)
    options.add_labels(parser)
    options.add_no_attention(parser)
    parser.add_argument(
        "--top", type=options.POSITIVE, default=5, metavar="N", help="labels per image; default: %(default)s"
    )
    options.add_batch(parser)
    parser.add_argument(
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
    from tensorflow_vgg import _network, utils
    from tensorflow_vgg._command import predict

    weight_dict = options.weight_dict_of(source, args.net, not args.constants and not _network.has_gpu())
    labels = options.labels_of(args.labels, source, len(weight_dict["fc8"][1]))
    network = predict.predictor(args.net, weight_dict, not args.no_attention)
    del weight_dict
    left_out = 0
    for path, probabilities in predict.classified(images, args.batch, network):
        if probabilities is None:
            left_out += 1
        else:
            _print(path, utils.top_labels(probabilities, labels, args.top), args.json)
    return 1 if left_out else 0


def _print(path, labels, as_json):
    if not as_json:
        from tensorflow_vgg import utils

        say(path)
        utils.print_labels(labels)
        return
    for text, probability in labels:
        wnid = re.match(r"(n\d{8}) (.*)", text)
        wnid, label = wnid.groups() if wnid else (None, text)
        print(json.dumps({"file": path, "wnid": wnid, "label": label, "probability": float(probability)}))
