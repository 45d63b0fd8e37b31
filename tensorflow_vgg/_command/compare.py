"""`tensorflow-vgg compare`: two recordings, and where and why they depart."""

import json
import sys

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import say

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] A.npz B.npz"
    parser.epilog = "Exit status: 0 all layers and the pixels agree, 1 some depart, 2 the files cannot be compared."
    parser.add_argument("a", metavar="A.npz", help="what is expected")
    parser.add_argument("b", metavar="B.npz")
    parser.add_argument(
        "--layers",
        type=options.names,
        metavar="NAME[,NAME]",
        help="compare these; default: all, which are told apart by their names and must be in both",
    )
    parser.add_argument(
        "--tolerance",
        type=options.TOLERANCE,
        default=1e-5,
        metavar="X",
        help="largest difference, as a part of a layer's largest magnitude; default: %(default)s",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    parser.add_argument(
        "--plot",
        metavar="FILE.png",
        help="draw the differences, where no file is yet; needs matplotlib",
    )


def run(args):
    """Compares two recordings."""
    if args.plot is not None:
        options.expect_writable(args.plot)
        from tensorflow_vgg._pictures import figure

        figure.require(f"--plot {args.plot}")
    from tensorflow_vgg._compare import show
    from tensorflow_vgg._compare.compare import compare
    from tensorflow_vgg._compare.recording import Recording

    with Recording(args.a) as a, Recording(args.b) as b:
        result = compare(a, b, args.tolerance, args.layers)
        for line in [json.dumps(result)] if args.json else show.text(result):
            say(line)
        sys.stdout.flush()
        if args.plot:
            show.plot(args.plot, result, a, b)
    return 0 if result["ok"] else 1
