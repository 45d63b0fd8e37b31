"""`tensorflow-vgg evaluate`: how well weights classify a folder of images."""

import json
import os
import re
import sys

from tensorflow_vgg._command import options, predict
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] FOLDER"
    parser.add_argument("folder", metavar="FOLDER", help="one subfolder a class, named by its label or WordNet id")
    predict.add_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the confusion matrix; needs matplotlib")
    parser.add_argument("--wrong", action="store_true", help="also list the images that are taken for something else")
    parser.add_argument("--html", metavar="FILE.html", help="write a page of these images, in one file")


def run(args):
    """Prints how well weights classify the images of a folder."""
    if args.plot:
        from tensorflow_vgg._pictures import figure

        options.expect_writable(args.plot)
        figure.require(f"--plot {args.plot}")
    if args.html:
        options.expect_writable(args.html)
    source = options.weights_source(args.weights, args.net)
    tensorflow()
    from tensorflow_vgg._train import evaluation, images, pictures

    weight_dict, labels = predict.weights_and_labels(args, source)
    names = [label.split(" ")[0] if re.match(r"n\d{8} ", label) else label for label in labels]
    by_id = os.path.isdir(args.folder) and not set(os.listdir(args.folder)) & set(labels)
    _, items = images.find_images(args.folder, names if by_id else labels)
    found = []
    network = predict.predictor(args.net, weight_dict, not args.no_attention)
    del weight_dict
    truth_of = dict(items)
    for path, probabilities in predict.classified(list(truth_of), args.batch, network):
        if probabilities is not None:
            found.append(evaluation.Classified(path, truth_of[path], probabilities))
    if not found:
        raise ValueError(f"{args.folder}: none of the {len(items)} images can be read")
    result = evaluation.score(labels, found)
    wrong = evaluation.wrong(labels, found) if args.wrong else []
    if args.json:
        say(json.dumps({**result, "wrong": wrong} if args.wrong else result))
    else:
        for line in evaluation.text(result, wrong):
            say(line)
    sys.stdout.flush()  # before anything else can go wrong
    trained = images.trained_on(os.path.dirname(os.path.abspath(source)), [one.path for one in found])
    if trained:
        complain(f"{trained} of these images were trained on; what the network makes of others tells more")
    if args.plot:
        pictures.draw_confusion(args.plot, result)
    if args.html:
        pictures.write_wrong(args.html, args.folder, len(found), evaluation.wrong(labels, found))
    return 0 if len(found) == len(items) else 1
