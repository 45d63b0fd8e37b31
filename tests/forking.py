"""Runs the tensorflow-vgg command in processes that need not import TensorFlow: each is forked from one that has.

As a program it is that process: it reads requests, a JSON object a line, and answers each with a number.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback

__all__ = ["Server", "environment"]

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def environment(*path):
    """The environment of a process whose modules come from `path`, whichever TensorFlow it has."""
    variables = dict(os.environ, PYTHONPATH=os.pathsep.join(path), TF_CPP_MIN_LOG_LEVEL="3", PYTHONIOENCODING="utf-8")
    # TensorFlow 2 leaves it behind when imported, and with it TensorFlow 1 is not TensorFlow 1.
    variables.pop("TF2_BEHAVIOR", None)
    return variables


class Server:
    """A process with TensorFlow loaded, of which copies run commands."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(_ROOT),
        )
        self._running = set()

    def __call__(self, arguments, folder, **variables):
        """Runs `tensorflow-vgg ARGUMENTS` in a folder, or `python -c CODE`, with more environment variables.

        Returns:
          A `subprocess.CompletedProcess` with text.
        """
        with tempfile.TemporaryDirectory() as outputs:
            files = [os.path.join(outputs, name) for name in ("stdout", "stderr")]
            status = self.wait(self.start(arguments, folder, files, **variables), seconds=600)
            texts = []
            for path in files:
                with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                    texts.append(file.read())
        return subprocess.CompletedProcess(arguments, status, *texts)

    def start(self, arguments, folder, files, **variables):
        """Starts what a call runs; stdout and stderr are added to the two `files`. Returns the process id."""
        number = self._ask(arguments=arguments, folder=str(folder), variables=variables, files=files)
        self._running.add(number)
        return number

    def wait(self, number, seconds=60):
        """The exit status of a process, or minus the signal that ended it, when it has ended."""
        status = self._ask(number=number, seconds=seconds)
        assert status is not None, f"it still runs after {seconds} s"
        self._running.remove(number)
        return status

    def end(self, number, how=signal.SIGKILL):
        """Sends a signal, and waits."""
        os.kill(number, how)
        return self.wait(number)

    def end_all(self):
        """Kills what runs."""
        for number in list(self._running):
            self.end(number)

    def close(self):
        self.end_all()
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, **request):
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline().decode())


def _run(request):
    """What a copy of this process does: it becomes the command."""
    os.chdir(request["folder"])
    os.environ.update(request["variables"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in zip((1, 2), request["files"]):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    sys.argv = ["tensorflow-vgg", *request["arguments"]]
    status = 1
    try:
        if request["arguments"][0] == "-c":
            exec(request["arguments"][1], {"__name__": "__main__"})
            status = 0
        else:
            from tensorflow_vgg._command.main import main

            status = main()
    except SystemExit as stop:
        status = stop.code
    except Exception:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status if isinstance(status, int) else 1)


def _wait(number, seconds):
    """The exit status of a copy, or minus its signal; None if it has not ended within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(number, os.WNOHANG)
        if ended:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        time.sleep(0.01)
    return None


def _serve():
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import skimage.io
    import skimage.transform  # noqa: F401
    import tensorflow.compat.v1  # noqa: F401

    answers = os.dup(1)
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        if "number" in request:
            answer = _wait(**request)
        else:
            answer = os.fork()
            if not answer:
                _run(request)
        os.write(answers, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    _serve()
