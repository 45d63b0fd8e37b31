"""Runs the tensorflow-vgg command in processes that need not import TensorFlow: each is forked from one that has.

As a program it is that process: it reads requests, a JSON object a line, and answers each with an exit status.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback

__all__ = ["Server"]

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Server:
    """A process with TensorFlow loaded, of which copies run commands."""

    def __init__(self):
        variables = dict(os.environ, PYTHONPATH=_ROOT, TF_CPP_MIN_LOG_LEVEL="3", PYTHONIOENCODING="utf-8")
        # TensorFlow 2 leaves it behind when imported, and with it TensorFlow 1 is not TensorFlow 1.
        variables.pop("TF2_BEHAVIOR", None)
        self._process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables
        )

    def __call__(self, arguments, folder, **variables):
        """Runs `tensorflow-vgg ARGUMENTS` in a folder, or `python -c CODE`, with more environment variables.

        Returns:
          A `subprocess.CompletedProcess` with text.
        """
        with tempfile.TemporaryDirectory() as outputs:
            files = [os.path.join(outputs, name) for name in ("stdout", "stderr")]
            request = {"arguments": arguments, "folder": str(folder), "variables": variables, "files": files}
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            status = int(self._process.stdout.readline())
            texts = []
            for path in files:
                with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                    texts.append(file.read())
        return subprocess.CompletedProcess(arguments, status, *texts)

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def _run(request):
    """What a copy of this process does: it becomes the command."""
    os.chdir(request["folder"])
    os.environ.update(request["variables"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in zip((1, 2), request["files"]):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
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


def _serve():
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import skimage.io
    import skimage.transform  # noqa: F401
    import tensorflow.compat.v1  # noqa: F401

    answers = os.dup(1)
    os.dup2(2, 1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        _, status = os.waitpid(child, 0)
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        os.write(answers, b"%d\n" % code)


if __name__ == "__main__":
    _serve()
