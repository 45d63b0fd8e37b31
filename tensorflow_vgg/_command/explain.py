"""`tensorflow-vgg explain`: pictures of what the network looks at."""

import itertools
import json
import os

from tensorflow_vgg import _images
from tensorflow_vgg._command import options, predict
from tensorflow_vgg._command.terminal import complain, say

__all__ = ["configure", "run"]


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] IMAGE [IMAGE ...]"
    options.add(parser, "images", *predict.OPTIONS)
    option(
        "-o",
        "--out",
        default="explained",
        metavar="FOLDER",
        help="where the pictures go; those of an earlier run are replaced; default: %(default)s",
    )
    option(
        "--class", dest="chosen", metavar="LABEL|N", help="show this class: a label, a word of it, a WordNet id or N"
    )
    option("--top", type=options.POSITIVE, default=1, metavar="N", help="show so many, the most probable; default: 1")
    option("--json", action="store_true", help="one JSON object a line for each image: the maps in numbers")


def run(args):
    """Draws what the network looks at in each image."""
    from tensorflow_vgg._pictures import figure, page

    figure.require("explain")
    images = _images.find(args.images)
    pictures = _pictures_of(images, args.out)
    sheet = os.path.join(args.out, "index.html") if len(images) > 1 else None
    if sheet:
        options.expect_new(sheet, but_drawn=True)
    _, labels, explain = predict.start(args, chosen=args.chosen, top=args.top)
    from tensorflow_vgg._explain import report

    os.makedirs(args.out, exist_ok=True)
    count, sections, notes = 0, [], set()
    for (path, explained), picture in zip(predict.classified(images, args.batch, explain), pictures):
        if explained is not None:
            told = report.numbers(path, picture, explained, labels)
            report.draw(told, explained)
            say(json.dumps(told) if args.json else report.line(told))
            count += 1
            note = told.get("nothing_to_see")
            if note and note not in notes and not args.json:
                notes.add(note)
                complain(f"{path}: {note}")
            if sheet:
                sections.append(report.section(told, explained))
    if sections:
        page.write(sheet, "What the network looks at", sections, note="A picture opens with its numbers.")
        if not args.json:
            say(f"{sheet}: all of them")
    return 0 if count == len(images) else 1


def _pictures_of(images, folder):
    """Where the picture of each image goes: a file of its name, with a number if several have it."""
    paths = {}  # in order
    for image in images:
        stem = os.path.splitext(os.path.basename(image))[0]
        names = (os.path.join(folder, f"{stem}{count or ''}.png") for count in itertools.count())
        path = next(path for path in names if path not in paths)
        options.expect_new(path, but_drawn=True)
        paths[path] = None
    options.expect_writable(path, but_drawn=True)  # and with it the others
    return list(paths)
