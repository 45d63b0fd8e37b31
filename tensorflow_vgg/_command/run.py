"""`tensorflow-vgg run`: a script written for TensorFlow 1, as it is."""

import argparse
import os

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]


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
        help="what the original classes load in place of what the script says; seeded:N: random weights from seed N",
    )
    parser.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    parser.add_argument(
        "--constants",
        action="store_true",
        help="make upstream's exact graph: all weights as constants, and no attention block unless the weights have "
        "one",
    )
    parser.add_argument(
        "--own", type=_modules, default=(), metavar="NAME[,NAME]", help="keep the script's vgg16, vgg19, ... as it is"
    )
    parser.add_argument(
        "--port", type=_modules, default=(), metavar="NAME[,NAME]", help="take this package's, even if it differs"
    )
    parser.add_argument(
        "--new-resize", action="store_true", help="leave skimage.transform.resize its defaults of today"
    )


def _modules(text):
    known = ("utils", "vgg16", "vgg19", "vgg19_trainable")
    names = text.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"expected names from {', '.join(known)}, got {name!r}")
    return names


def run(args):
    """Runs a script written for TensorFlow 1, or says what would be done."""
    seeded = options.seeded_of(args.weights)
    override = seeded and seeded[0]
    if seeded is None and args.weights is not None:
        override = os.path.abspath(options.existing_weights(args.weights))
    if not os.path.isfile(args.script):
        found = "a folder" if os.path.isdir(args.script) else "no such file"
        raise FileNotFoundError(f"{args.script}: expected a script, found {found}")
    if set(args.own) & set(args.port):
        raise ValueError(f"{min(set(args.own) & set(args.port))}: given to --own and --port; expected one of them")
    if seeded and not args.check:
        options.say_seeded()
    with open(args.script, "rb") as file:
        source = file.read()
    for option in ("--check", "--constants", "--new-resize", "--no-attention", "--own", "--port", "--weights"):
        if option in args.arguments and option.encode() not in source:
            complain(f"{option} goes to the script; options of run stand before its name")
    # TensorFlow 1's arithmetic: oneDNN's moves a probability by 1e-4 of its value, and is faster by a quarter.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    tensorflow()
    from tensorflow_vgg._run import legacy

    settings = legacy.Options(
        own=frozenset(args.own),
        port=frozenset(args.port),
        weights=override,
        attention=not args.no_attention,
        constants=args.constants,
        new_resize=args.new_resize,
    )
    if not args.check:
        return legacy.run(args.script, args.arguments, settings)
    done, problems = legacy.check(args.script, settings)
    for line in done:
        say(line)
    for line in problems:
        say(f"will not work: {line}")
    return 1 if problems else 0
