"""`tensorflow-vgg patch`: the attention block in somebody's source."""

import argparse
import keyword
import os
import re
import sys

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import complain, say
from tensorflow_vgg._patch import write
from tensorflow_vgg._patch.edit import Options
from tensorflow_vgg._patch.source import lines

__all__ = ["configure", "run"]

_EXAMPLE = """\
In a vgg19.py like this
  import numpy as np
  import tensorflow as tf
  ...
          self.pool5 = self.max_pool(self.conv5_4, 'pool5')

          self.fc6 = self.fc_layer(self.pool5, "fc6")
it makes
  import numpy as np
  import tensorflow as tf
  from attention import convolutional_block_attention_module  # tensorflow-vgg patch
  ...
          self.pool5 = self.max_pool(self.conv5_4, 'pool5')
          attention_feature = convolutional_block_attention_module(self.pool5, index=0)  # tensorflow-vgg patch

          self.fc6 = self.fc_layer(attention_feature, "fc6")
and puts attention.py beside it. --revert goes by the comments: leave them there.

Exit status: 0 done, 1 some network was left alone (with --check: something would change), 2 bad input."""
_ADVICE = """\
New variables, in the variable scope that the call is in:
  {scope}/fc_1/kernel  {scope}/fc_1/bias  {scope}/fc_2/kernel  {scope}/fc_2/bias
  {scope}/spatial_attention_conv/weights  {scope}/spatial_attention_conv/biases
They need an initialiser: session.run(tf.global_variables_initializer()) after build() and before the first result,
and before anything is restored from a checkpoint, which does not have them. Two such networks in one graph: build each
in a tf.variable_scope of its own.
The network has changed and must be trained again. With --start open it begins close to where it was."""
_COMPAT_ADVICE = """\
On TensorFlow 2 build it under `with tf.Graph().as_default():`, or call tf.disable_eager_execution() first. For what
else in your code needs changing see TensorFlow's own tf_upgrade_v2."""


def _is_module_name(text):
    parts = text.lstrip(".").split(".")
    named = text.isascii() and all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return named and not (len(parts) > 1 and parts[-1] == "py")


_LAYER = options.checked(bool, "a layer's name, such as pool4")
_SCOPE = options.checked(re.compile(r"[A-Za-z0-9.][A-Za-z0-9_./>-]*\Z").match, "letters, digits and ._-/")
_MODULE_NAME = options.checked(_is_module_name, "a module's name, as in an import")


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] PATH [PATH ...]"
    parser.description = (
        "Puts the attention block between the fifth block's pooling and the first fully connected\n"
        "layer of the VGG16 and VGG19 classes in Python files. Prints the change and makes none, unless told to."
    )
    parser.epilog = _EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    option("paths", nargs="+", metavar="PATH", help="a Python file, or a folder for all networks in it")
    doing = parser.add_mutually_exclusive_group().add_argument
    doing("--write", action="store_true", help="make the change, and keep the file as it was as FILE.orig")
    doing("--check", action="store_true", help="only say what would change: exit status 1 if anything would")
    option("--no-backup", action="store_true", help="with --write: keep no FILE.orig")
    option("--revert", action="store_true", help="take out again what --write put in, and nothing else")
    option("--after", type=_LAYER, metavar="NAME", help="put the block after this layer, such as pool4")
    option("--before", type=_LAYER, metavar="NAME", help="put the block before this layer, such as fc6")
    option("--index", type=options.WHOLE, metavar="N", help="the block's argument index; default: 0")
    option("--ratio", type=options.RATIO, metavar="R", help="its inner_units_ratio; the block's default is 0.5")
    option("--scope", type=_SCOPE, metavar="NAME", help="its variable scope; the block's default is cbam")
    option(
        "--start",
        choices=("glorot", "open", "pass-through"),
        help="how its variables start: glorot, at random (the block's own default, after the tutorial), open, "
        "close to letting everything through, pass-through, exactly so, but too saturated to train",
    )
    option(
        "--compat",
        action="store_true",
        help="also import tensorflow.compat.v1 as tf, and allow pickles where numpy.load has an encoding, so that the "
        "file runs on TensorFlow 2; for the rest of your code see TensorFlow's own tf_upgrade_v2",
    )
    option(
        "--attention-module",
        type=_MODULE_NAME,
        metavar="NAME",
        help="import the block from this module in place of attention; .NAME and PACKAGE.NAME are taken as they are",
    )


def run(args):
    """Puts the attention block into source files, or takes it out again."""
    plans, left_out = _plans(args)
    changes = [plan for plan in plans if plan.after != plan.before]
    writing = args.write or (args.revert and not args.check)
    if writing:
        write.check_writable(changes)
    done = []
    try:
        for plan in plans:
            _tell(plan, args)
            if plan in changes and args.check:
                say(f"{plan.path}: would change")
            elif plan in changes and writing:
                written = write.apply(plan, backup=not args.no_backup and not args.revert)
                done.append(plan.path)
                others = f" (new beside it: {', '.join(map(os.path.basename, written))})" if written else ""
                say(f"{plan.path}: {'reverted' if args.revert else 'patched'}{others}")
                sys.stdout.flush()
            elif plan in changes:
                _show(plan)
    except (OSError, ValueError, KeyboardInterrupt):
        if done:
            complain(f"changed before the error: {', '.join(done)}")
        raise
    if args.write and not args.revert:
        if any(plan.blocks for plan in changes):
            print(_ADVICE.format(scope=args.scope or "cbam"))
        if args.compat and changes:
            print(_COMPAT_ADVICE)
    return int(bool(changes) if args.check else left_out)


def _plans(args):
    """What would become of each file, once, and whether something was left alone. An error in any ends it."""
    settings = Options(**{name: getattr(args, name) for name in Options._fields})
    once, left_out = {}, False
    for path in args.paths:
        files = write.find(path)
        if args.revert:
            plans = [write.plan_revert(file) for file in files]
            if all(plan.after == plan.before for plan in plans):
                say(f"{path}: nothing to do: nothing in it was put in by this command")
        else:
            plans = [write.plan(file, settings, skim=os.path.isdir(path)) for file in files]
            if not any(plan.blocks or plan.present or plan.doubts for plan in plans):
                left_out = True
                complain(f"{path}: no network found: no function in it reads the pooling of a fifth block")
        for plan in plans:
            left_out = left_out or bool(plan.doubts)
            # A file can be named twice, or be found by a link, too, beside which the block's module is needed as well.
            first = once.setdefault(os.path.realpath(plan.path), plan)
            first.modules.extend(module for module in plan.modules if module not in first.modules)
    return list(once.values()), left_out


def _tell(plan, args):
    """Says what is known of a file beside its change."""
    for text in [f"left alone:\n{doubt}" for doubt in plan.doubts] + plan.notes:
        first, *others = text.splitlines()
        complain(f"{plan.path}: {first}")
        for line in others:
            say(line, sys.stderr)
    if plan.present:
        if plan.after == plan.before:
            say(f"{plan.path}: nothing to do: the block is there, {lines(plan.present)}")
        if not {args.index, args.ratio, args.scope, args.start} <= {None}:
            complain(f"{plan.path}: the block that is there keeps its arguments; --revert it first")


def _show(plan):
    """Prints a change: its very bytes, unless to a terminal."""
    change, encoding = write.diff(plan)
    if sys.stdout.isatty():
        for line in change.decode(encoding, "backslashreplace").expandtabs().splitlines():
            say(line)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(change)
        sys.stdout.buffer.flush()
    for module in plan.modules:
        complain(f"--write also puts {module} there")
