"""`tensorflow-vgg run`: a script written for TensorFlow 1, as it is."""

import argparse
import os

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]

_OWN_OPTIONS = ("--check", "--constants", "--new-resize", "--weights")


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] SCRIPT [ARGS ...]"
    parser.allow_abbrev = False
    parser.add_argument("script", metavar="SCRIPT", help="the script, run in the current folder; options go before it")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="what the script is given")
    parser.add_argument(
        "--check", action="store_true", help="say what would be done and what will not work; run nothing"
    )
    parser.add_argument(
        "--weights",
        metavar="FILE|seeded:N",
        help="what stands for each vgg16.npy and vgg19.npy that the script loads; seeded:N: random weights from seed N",
    )
    parser.add_argument(
        "--constants",
        action="store_true",
        help="copy the weights into the graph, as TensorFlow 1 does, instead of mapping them into memory from a cache",
    )
    parser.add_argument(
        "--new-resize", action="store_true", help="leave skimage.transform.resize its defaults of today"
    )


def run(args):
    """Runs a script written for TensorFlow 1, or says what would be done."""
    seeded = options.seeded_of(args.weights)
    override = seeded and seeded[0]
    if seeded is None and args.weights is not None:
        override = os.path.abspath(options.existing_weights(args.weights))
    if not os.path.isfile(args.script):
        found = "a folder" if os.path.isdir(args.script) else "no such file"
        raise FileNotFoundError(f"{args.script}: expected a script, found {found}")
    if seeded and not args.check:
        options.say_seeded()
    with open(args.script, "rb") as file:
        source = file.read()
    for option in _OWN_OPTIONS:
        if option in args.arguments and option.encode() not in source:
            complain(f"{option} goes to the script; options of run stand before its name")
    # TensorFlow 1's arithmetic: oneDNN's moves a probability by 1e-4 of its value, and is faster by a quarter.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    tensorflow()
    settings = {"override": override, "constants": args.constants, "new_resize": args.new_resize}
    if not args.check:
        from tensorflow_vgg._run import run as running

        return running.run(args.script, args.arguments, **settings)
    from tensorflow_vgg._run.check import check

    done, problems = check(args.script, **settings)
    for line in done:
        say(line)
    for line in problems:
        say(f"will not work: {line}")
    return 1 if problems else 0
