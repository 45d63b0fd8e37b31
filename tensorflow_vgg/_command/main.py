"""The tensorflow-vgg command. Exit status: 0 done, 1 some input was left out or recordings depart, 2 bad input."""

import argparse
import contextlib
import importlib
import logging
import os
import re
import sys
import warnings

from tensorflow_vgg import __version__, _images
from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import complain, shown

__all__ = ["VERBS", "main"]

# A verb, which is a module of this folder with `configure(parser)` and `run(args)`, and what --help says of it.
VERBS = {
    "classify": "print the most probable labels of images",
    "index": "make a gallery of the images in folders, to search in",
    "search": "find the images of a gallery that are similar to others, or to each other",
    "run": "run a script written for TensorFlow 1, as it is",
    "dump": "record what a network computes, layer by layer",
    "compare": "compare two recordings and say where and why they depart",
    "train": "fine-tune VGG19 with attention on a folder of images, or go on with a run",
    "evaluate": "tell how well weights classify a folder of images",
    "explain": "draw what the network looks at in images",
    "weights": "check, make, convert and fetch weight files",
    "patch": "put the attention block into the source of your own VGG",
}


def main(argv=None):
    """Runs the command with the arguments `argv`, by default the process's own, and returns its exit status."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    try:
        args = _parse(sys.argv[1:] if argv is None else list(argv))
        if args.verb != "run":  # a script's warnings are its own
            _tame_warnings()
        status = args.run(args)
        _flush()  # here, not at Python's end, where who has stopped reading would go unnoticed
        return status
    except BrokenPipeError:
        return 128 + 13  # as a shell has it for SIGPIPE: who read our output has seen enough, and it is no verdict
    except (ValueError, OSError, MemoryError) as error:
        complain(error)
        return 2
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("numpy", "skimage", "tensorflow"):
            raise
        complain(f"{missing} is not installed in {sys.executable}: pip install . in a checkout of tensorflow-vgg")
        return 2
    except KeyboardInterrupt:
        return 130
    finally:  # also after --help and bad options
        with contextlib.suppress(OSError):
            _flush()


def _tame_warnings():
    """Makes warnings lines of ours, but for what Pillow and tifffile remark on a picture, which is read or told."""
    warnings.showwarning = lambda message, *_: complain(message)
    warnings.filterwarnings("ignore", module="PIL|tifffile|skimage")
    for name in ("PIL", "tifffile"):
        logging.getLogger(name).addHandler(logging.NullHandler())


def _flush():
    """Flushes stdout, or forgets what cannot be written, of which Python would complain once more at its end."""
    try:
        if not getattr(sys.stdout, "closed", True):
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


class _Parser(argparse.ArgumentParser):
    """A parser whose message about bad arguments can be shown on a terminal, whatever they are."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {shown(message)}\n")


def _parse(argv):
    """The arguments, by the parser of the verb that they name; other verbs' modules are not loaded."""
    parser = _Parser(
        prog="tensorflow-vgg", description="VGG16 and VGG19 of machrisaa/tensorflow-vgg on today's TensorFlow."
    )
    parser.add_argument("--version", action="version", version=f"tensorflow-vgg {__version__}")
    verbs = options.add_verbs(parser, "verb", VERBS)
    _expect_verb(argv[:1], VERBS)
    if argv and argv[0] in VERBS:
        module = importlib.import_module(f"{__package__}.{argv[0]}")
        verbs[argv[0]].set_defaults(run=module.run)
        module.configure(verbs[argv[0]])
        _expect_verb(argv[1:2], getattr(module, "VERBS", None))
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        there = re.findall(r"--[a-z-]+", args.parser.format_help())
        hint = _images.alike(unknown[0].partition("=")[0], there)
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return args


def _expect_verb(words, verbs):
    """Raises if `words` begins with what is none of `verbs` and no option."""
    for word in words[:1]:
        if verbs and word not in verbs and not word.startswith("-"):
            hint = _images.alike(word, verbs) or f"; expected one of {', '.join(verbs)}"
            raise ValueError(f"{word}: no such verb{hint}")
