"""`tensorflow-vgg run`: a script written for TensorFlow 1, as it is."""

import argparse
import os

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]

_OWN_OPTIONS = ("--check", "--constants", "--new-resize", "--weights")


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] SCRIPT [ARGS ...]"
    parser.allow_abbrev = False
    option("script", metavar="SCRIPT", help="the script, run in the current folder; options go before it")
    option("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="what the script is given")
    option("--check", action="store_true", help="say what would be done and what will not work; run nothing")
    option(
        "--weights",
        metavar="FILE|seeded:N",
        help="what stands for each vgg16.npy and vgg19.npy that the script loads; seeded:N: random weights from seed N",
    )
    options.add(parser, "--constants")
    option("--new-resize", action="store_true", help="leave skimage.transform.resize its defaults of today")


def run(args):
    """Runs a script written for TensorFlow 1, or says what would be done."""
    if not os.path.isfile(args.script):
        found = "a folder" if os.path.isdir(args.script) else "no such file"
        raise FileNotFoundError(f"{args.script}: expected a script, found {found}")
    override = None
    if args.weights is not None:
        from tensorflow_vgg import weights

        source = options.weights_source(args.weights, None)
        override = weights.seed_of(source) or os.path.abspath(source)
    with open(args.script, "rb") as file:
        script = file.read()
    for option in _OWN_OPTIONS:
        if option in args.arguments and option.encode() not in script:
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
