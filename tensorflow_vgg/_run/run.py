"""Runs a script written for TensorFlow 1."""

import contextlib
import importlib
import os
import sys
import threading
import types
import warnings

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
    path, source = loading.read(script)
    code = loading.compiled(path, loading.parse(path, source))
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
    tf = importlib.import_module("tensorflow.compat.v1")
    tf.disable_v2_behavior()
    # absl, which TensorFlow's flags are of, has some of its own: log_dir is what many scripts call theirs.
    importlib.import_module("absl.logging")
    flags = importlib.import_module("absl.flags").FLAGS
    for name in flags:
        flags[name].allow_override = True
    numpy = importlib.import_module("numpy")
    with warnings.catch_warnings(), numpy_1.numpy_1_printing(numpy):
        # They tell the script to use what TensorFlow 1 does not have.
        warnings.filterwarnings("ignore", r"`(tf\.(layers|nn\.rnn_cell)\.|layer\.|Model\.)", UserWarning)
        yield


def _status(code):
    """The exit status that Python gives for SystemExit(code)."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    print(code, file=sys.stderr)
    return 1


def _show(error):
    """Prints an exception as Python does, without the frames of what is between the script and its libraries."""
    shown, seen = error, set()
    while shown is not None and id(shown) not in seen:
        seen.add(id(shown))
        frames = []
        step = shown.__traceback__
        while step is not None:
            if os.path.dirname(os.path.abspath(step.tb_frame.f_code.co_filename)) != _HERE:
                frames.append(step)
            step = step.tb_next
        kept = None
        for step in reversed(frames):
            step.tb_next = kept
            kept = step
        shown.__traceback__ = kept
        shown = shown.__cause__ or shown.__context__
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    sys.excepthook(type(error), error, error.__traceback__)
    return _hint(error)


def _hint(error):
    """Says what to add where the attention block's variables were not initialised. Returns the exit status, 1."""
    if type(error).__name__ == "FailedPreconditionError" and "cbam/" in str(error):
        print(
            "tensorflow-vgg: the attention block's variables have no values yet: after build() run "
            "session.run(tf.global_variables_initializer())",
            file=sys.stderr,
        )
    return 1
