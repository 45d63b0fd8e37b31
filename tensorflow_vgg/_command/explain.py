"""`tensorflow-vgg explain`: pictures of what the network looks at."""

import itertools
import json
import os

from tensorflow_vgg import _images
from tensorflow_vgg._command import options, predict
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] IMAGE [IMAGE ...]"
    options.add_images(parser)
    parser.add_argument(
        "-o",
        "--out",
        default="explained",
        metavar="FOLDER",
        help="where a PNG of each image goes, made if need be; default: %(default)s",
    )
    predict.add_options(parser)
    parser.add_argument(
        "--class",
        dest="chosen",
        metavar="LABEL|N",
        help="show where this class is seen, by its label, a word of it, its WordNet id or its number",
    )
    parser.add_argument(
        "--top",
        type=options.POSITIVE,
        default=1,
        metavar="N",
        help="show that of the N most probable classes; default: %(default)s",
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line for each image: the maps in numbers"
    )


def run(args):
    """Draws what the network looks at in each image."""
    from tensorflow_vgg._pictures import figure, page

    figure.require("explain")
    images = _images.find(args.images)
    pictures = _pictures_of(images, args.out)
    sheet = os.path.join(args.out, "index.html") if len(images) > 1 else None
    if sheet:
        options.expect_new(sheet)
    source = options.weights_source(args.weights, args.net)
    tensorflow()
    from tensorflow_vgg._explain import explainer, report

    weight_dict, labels = predict.weights_and_labels(args, source)
    chosen = None if args.chosen is None else report.class_of(args.chosen, labels)
    explain = explainer.explainer(args.net, weight_dict, not args.no_attention, chosen, args.top)
    del weight_dict
    os.makedirs(args.out, exist_ok=True)
    every, sections = [], []
    for (path, explained), picture in zip(predict.classified(images, args.batch, explain), pictures):
        if explained is not None:
            told = report.numbers(path, picture, explained, labels)
            report.draw(told, explained)
            say(json.dumps(told) if args.json else report.line(told))
            every.append(told)
            if sheet:
                sections.append(report.section(told, explained))
    if sections:
        page.write(sheet, "What the network looks at", sections, note="A picture opens with its numbers.")
        if not args.json:
            say(f"{sheet}: all of them")
    if not args.json:
        notes = [told.get("nothing_to_see") for told in every]
        alike = len(set(notes)) == 1  # as those of a block that lets everything through are
        for told, note in list(zip(every, notes))[: 1 if alike else None]:
            if note:
                complain(note if alike else f"{told['file']}: {note}")
    return 0 if len(every) == len(images) else 1


def _pictures_of(images, folder):
    """Where the picture of each image goes: a file of its name, with a number if several have it."""
    paths = {}  # in order
    for image in images:
        stem = os.path.splitext(os.path.basename(image))[0]
        names = (os.path.join(folder, f"{stem}{count or ''}.png") for count in itertools.count())
        path = next(path for path in names if path not in paths)
        options.expect_new(path)
        paths[path] = None
    options.expect_writable(path)  # and with it the others
    return list(paths)
