"""Runs a script written for TensorFlow 1."""

import contextlib
import os
import sys
import threading
import types
import warnings

import tensorflow.compat.v1 as tf
from absl import flags

from tensorflow_vgg._run import loading, numpy_1, weights
from tensorflow_vgg._run.imports import Environment
from tensorflow_vgg._run.own import is_installed

__all__ = ["run"]

_HERE = os.path.dirname(os.path.abspath(__file__))


def run(script, arguments=(), **options):
    """Runs a script as `python script arguments` would with TensorFlow 1, in the current folder.

    Args:
      script: path of the script.
      arguments: what follows it on the command line.
      **options: of `imports.Environment`.

    Returns:
      The script's exit status. What it raises is printed as Python would, and gives 1.

    Raises:
      OSError: the script cannot be read.
      ValueError: the script, or a module of it, is no Python 3.
    """
    path = os.path.abspath(script)
    with open(path, "rb") as file:
        source = file.read()
    try:
        code = loading.compiled(path, source)
    except (SyntaxError, ValueError) as error:
        raise loading.not_python_3(path, error) from None
    environment = Environment(os.path.dirname(os.path.realpath(script)), **options)
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=environment.builtins, __file__=path, __cached__=None)
    saved = sys.argv, sys.modules["__main__"]
    threads = set(threading.enumerate())
    with environment, _tensorflow_1(), weights.exporting_constants():
        sys.argv, sys.modules["__main__"] = [script] + list(arguments), main
        try:
            exec(code, main.__dict__)
            return 0
        except SystemExit as stop:
            return _status(stop.code)
        except KeyboardInterrupt as error:
            _show(error)
            return 130
        except SyntaxError as error:
            if is_installed(error.filename or "") or not os.path.isfile(error.filename or ""):
                return _show(error)
            raise loading.not_python_3(error.filename, error) from None
        except Exception as error:
            return _show(error)
        finally:
            for thread in set(threading.enumerate()) - threads:
                if not thread.daemon:
                    thread.join()  # as Python does before it ends
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            sys.argv, sys.modules["__main__"] = saved


@contextlib.contextmanager
def _tensorflow_1():
    """TensorFlow 1's behaviour and NumPy 1's way to print a number, for the time of a script."""
    tf.disable_v2_behavior()
    for name in flags.FLAGS:
        flags.FLAGS[name].allow_override = True  # of absl's own: log_dir is what many scripts call theirs
    with warnings.catch_warnings(), numpy_1.numpy_1_printing():
        # They tell the script to use what TensorFlow 1 does not have.
        warnings.filterwarnings("ignore", r"`(tf\.(layers|nn\.rnn_cell)\.|layer\.|Model\.)", UserWarning)
        yield


def _status(code):
    """The exit status that Python gives for SystemExit(code)."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)
    return 1


def _show(error):
    """Prints an exception as Python does, without our frames between the script and its libraries. Returns 1."""
    shown, seen = error, set()
    while shown is not None and id(shown) not in seen:
        seen.add(id(shown))
        shown.__traceback__ = _without_ours(shown.__traceback__)
        shown = shown.__cause__ or shown.__context__
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    sys.excepthook(type(error), error, error.__traceback__)
    if type(error).__name__ == "FailedPreconditionError" and "cbam/" in str(error):
        print(
            "tensorflow-vgg: the attention block's variables have no values yet: after build() run "
            "session.run(tf.global_variables_initializer())",
            file=sys.stderr,
        )
    return 1


def _without_ours(step):
    """A traceback without the frames of this folder's files."""
    steps = []
    while step is not None:
        steps.append(step)
        step = step.tb_next
    kept = None
    for step in reversed(steps):
        if os.path.dirname(os.path.abspath(step.tb_frame.f_code.co_filename)) != _HERE:
            step.tb_next = kept
            kept = step
    return kept
