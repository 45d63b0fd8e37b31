"""What reaches the terminal: lines, progress, and nothing of TensorFlow's start."""

import contextlib
import gc
import os
import re
import shutil
import sys
import tempfile
import time

__all__ = ["Report", "complain", "say", "shown", "tensorflow"]

_QUIET_SECONDS = 30  # without a terminal a line tells at least so often that it goes on

# C0, DEL and C1; marks that turn the direction of writing; ends of line and paragraph; surrogates.
_OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text):
    """`text` on one line, with what a terminal would obey, or could not show, as escapes.

    That is control characters, such as may be in names of files and classes, marks that turn the direction of writing,
    and halves of characters, which stand for bytes of a name that are no UTF-8.
    """
    return _OBEYED.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), str(text))


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
        self._terminal = sys.stderr.isatty()
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

    @contextlib.contextmanager
    def progress(self, total, what, done=0):
        """Yields the Report, whose `advance` then tells how many of `total` are done: `done` before it began."""
        self._what, self._total, self._before, self._done = what, total, done, done
        self._began = time.monotonic()
        try:
            yield self
        finally:
            self.clear()

    def advance(self, count):
        self._done += count
        rate = (self._done - self._before) / max(time.monotonic() - self._began, 1e-3)
        minutes, seconds = divmod((self._total - self._done) / rate, 60)
        self.show(f"{self._what}: {self._done}/{self._total}, {rate:.1f}/s, {minutes:.0f} min {seconds:.0f} s left")


def tensorflow():
    """Imports TensorFlow, without the log lines that it writes to the terminal by default."""
    # Python's garbage collector would go through all of TensorFlow time and again: half of the import's time, and as
    # much at the process's end. No module becomes garbage.
    collecting = gc.isenabled() and "tensorflow" not in sys.modules
    if collecting:
        gc.disable()
    try:
        with contextlib.nullcontext() if "TF_CPP_MIN_LOG_LEVEL" in os.environ else _unheard():
            import tensorflow.compat.v1 as tf

            tf.config.experimental.list_physical_devices()  # looks for GPUs, and complains where there is none
    finally:
        if collecting:
            gc.freeze()
            gc.enable()
    tf.logging.set_verbosity(tf.logging.ERROR)


@contextlib.contextmanager
def _unheard():
    """Keeps what libraries write to stderr away from the terminal, unless it comes to an error.

    TensorFlow 2 logs while it loads, whatever the level; whoever sets the level wants to see it all.
    """
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
