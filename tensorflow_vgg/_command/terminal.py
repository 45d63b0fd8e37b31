"""What reaches the terminal: lines, progress, and nothing of TensorFlow's start."""

import contextlib
import gc
import os
import shutil
import sys
import tempfile
import time
import unicodedata

__all__ = ["Progress", "Report", "complain", "say", "shown", "tensorflow", "unheard"]

_QUIET_SECONDS = 30  # without a terminal a line tells at least so often that it goes on


_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def shown(text):
    """`text` on one line, with what a terminal would obey, or could not show, as escapes.

    That is control characters, such as may be in names of files and classes, marks that turn the direction of writing,
    and halves of characters, which stand for bytes of a name that are no UTF-8.
    """
    return "".join(
        char.encode("unicode_escape", "surrogatepass").decode("ascii") if _obeyed(char) else char for char in str(text)
    )


def _obeyed(char):
    # Cc: C0, C1 and DEL; Cs: surrogates; Zl, Zp: ends of line and paragraph.
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _DIRECTIONS


def say(text, file=None):
    """Prints a line to stdout or `file`; what its encoding lacks as escapes."""
    file = file or sys.stdout
    encoding = getattr(file, "encoding", None) or "utf-8"
    print(shown(text).encode(encoding, "backslashreplace").decode(encoding), file=file)


def complain(problem):
    """Prints a line about what is wrong, a text or an exception, to stderr."""
    if isinstance(problem, OSError) and problem.strerror:
        named = problem.filename is not None
        problem = f"{os.fsdecode(problem.filename)}: {problem.strerror}" if named else problem.strerror
    elif isinstance(problem, MemoryError):
        problem = "there is not enough memory"
    say(f"tensorflow-vgg: {problem}", sys.stderr)


class Report:
    """Tells how long work goes: what stays on stdout, what is wrong on stderr.

    What passes replaces itself on a terminal; where there is none it is a line when nothing was told for long.
    """

    def __init__(self):
        self._terminal = bool(sys.stderr) and sys.stderr.isatty()
        self._told = time.monotonic()

    def line(self, text):
        self.clear()
        say(text)
        sys.stdout.flush()

    def problem(self, text):
        self.clear()
        complain(text)

    def show(self, text):
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{shown(text)[:width]}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._told >= _QUIET_SECONDS:
            self.problem(text)

    def clear(self):
        self._told = time.monotonic()
        if self._terminal:
            self.show("")


class Progress(Report):
    """A bar on stderr, if that is a terminal."""

    def __init__(self, total, enabled):
        super().__init__()
        self._terminal = self._terminal and enabled
        self._total, self._done = total, 0

    def __enter__(self):
        self.advance(0)
        return self

    def __exit__(self, *_):
        self.clear()

    def advance(self, count):
        self._done += count
        if self._terminal:
            filled = 30 * self._done // self._total
            self.show(f"[{'#' * filled}{'.' * (30 - filled)}] {self._done}/{self._total}")


def tensorflow():
    """TensorFlow 1's API, without the log lines that TensorFlow writes to the terminal by default."""
    with unheard(), _kept():
        import tensorflow.compat.v1 as tf

        tf.config.experimental.list_physical_devices()  # looks for GPUs, and complains where there is none
    tf.logging.set_verbosity(tf.logging.ERROR)
    return tf


@contextlib.contextmanager
def _kept():
    """Keeps Python's garbage collector from what is imported: it would go through all of TensorFlow time and again.

    That takes as long as half of the import itself, and at the process's end as much again; no module becomes garbage.
    """
    collecting = gc.isenabled() and "tensorflow" not in sys.modules
    if not collecting:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def unheard():
    """Keeps what libraries write to stderr away from the terminal, unless it comes to an error.

    TensorFlow 2 logs while it loads, whatever the level; whoever sets the level wants to see it all.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    sys.stderr.flush()
    try:
        heard = tempfile.TemporaryFile()  # noqa: SIM115
    except OSError:  # nothing can be written anywhere
        heard = open(os.devnull, "r+b")  # noqa: SIM115
    with heard:
        stderr = os.dup(2)
        os.dup2(heard.fileno(), 2)
        try:
            yield
        except BaseException:
            heard.seek(0)
            os.write(stderr, heard.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
