"""`tensorflow-vgg compare`: two recordings, and where and why they depart."""

import json
import sys

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import say

__all__ = ["configure", "run"]


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] A.npz B.npz"
    parser.epilog = "Exit status: 0 all layers and the pixels agree, 1 some depart, 2 the files cannot be compared."
    option("a", metavar="A.npz", help="what is expected")
    option("b", metavar="B.npz")
    option("--layers", type=options.names, metavar="NAME[,NAME]", help="compare these; default: all, by their names")
    option(
        "--tolerance",
        type=options.TOLERANCE,
        default=1e-5,
        metavar="X",
        help="largest difference, as a part of a layer's largest magnitude; default: %(default)s",
    )
    option("--json", action="store_true", help="one JSON object in place of the table")
    option("--plot", metavar="FILE.png", help="draw the differences, where no file is yet; needs matplotlib")


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
