"""`tensorflow-vgg evaluate`: how well weights classify a folder of images."""

import json
import os
import sys

from tensorflow_vgg._command import options, predict
from tensorflow_vgg._command.terminal import complain, say

__all__ = ["configure", "run"]


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] FOLDER"
    option("folder", metavar="FOLDER", help="one subfolder a class, named by its label or WordNet id")
    options.add(parser, *predict.OPTIONS)
    option("--json", action="store_true", help="one JSON object in place of the table")
    option("--plot", metavar="FILE.png", help="draw the confusion matrix; needs matplotlib")
    option("--wrong", action="store_true", help="also list the images that are taken for something else")
    option("--html", metavar="FILE.html", help="write a page of these images, in one file")


def run(args):
    """Prints how well weights classify the images of a folder."""
    if args.plot:
        from tensorflow_vgg._pictures import figure

        options.expect_writable(args.plot)
        figure.require(f"--plot {args.plot}")
    if args.html:
        options.expect_writable(args.html)
    source, labels, explain = predict.start(args)
    from tensorflow_vgg._explain import report
    from tensorflow_vgg._train import evaluation, images, pictures

    names = [report.wnid_and_name(label)[0] or label for label in labels]
    by_id = os.path.isdir(args.folder) and not set(os.listdir(args.folder)) & set(labels)
    _, items = images.find_images(args.folder, names if by_id else labels)
    loose = images.beside(args.folder)
    if loose:
        complain(loose)
    truth_of, found = dict(items), []
    for path, explained in predict.classified(list(truth_of), args.batch, explain):
        if explained is not None:
            found.append(evaluation.Classified(path, truth_of[path], explained.probabilities))
    if not found:
        raise ValueError(f"{args.folder}: none of the {len(items)} images can be read")
    result = evaluation.score(labels, found)
    wrong = evaluation.wrong(labels, found)
    if args.wrong:
        result["wrong"] = wrong
    table = evaluation.text(result, result.get("wrong", []))
    for line in [json.dumps(result)] if args.json else table:
        say(line)
    sys.stdout.flush()  # before anything else can go wrong
    trained = images.trained_on(os.path.dirname(os.path.abspath(source)), [one.path for one in found])
    if trained:
        complain(f"{trained} of these images were trained on; what the network makes of others tells more")
    if args.plot:
        pictures.draw_confusion(args.plot, result)
    if args.html:
        pictures.write_wrong(args.html, args.folder, len(found), wrong)
    return 0 if len(found) == len(items) else 1
