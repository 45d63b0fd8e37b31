"""What the tests of train and evaluate share: images, weights, and processes that train."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
from benchmark import write_crops
from conftest import HERE, environment

from tensorflow_vgg import weights
from tensorflow_vgg._train.settings import read_metrics

CLASSES = ["coffee", "coins", "moon"]  # photographs that every scikit-image has


def make_images(folder):
    """Ten images a class to train on and four to validate on; returns the folder."""
    write_crops(str(folder), CLASSES, 10)
    for name in CLASSES:
        for number in range(4, 10):
            os.remove(os.path.join(str(folder), "validation", name, f"{name}{number:02}.png"))
    return str(folder)


def thin_start(seeded):
    """Thin weights, and thin.npy of them, with an fc8 of the three classes: a fresh one is too small to show much."""
    thin = seeded("vgg19", thin=True)
    thin["fc8"] = [np.ascontiguousarray(array[..., :3]) for array in thin["fc8"]]
    weights.write("thin.npy", thin)
    return thin


def command(images, run, *options):
    """The arguments that train on the fixture `images`."""
    folders = ["--validation", os.path.join(images, "validation")]
    return [
        "train",
        os.path.join(images, "training"),
        "-o",
        run,
        *folders,
        "--weights",
        "thin.npy",
        "--pictures",
        "0",
        *options,
    ]


def lines(run, of_epochs=False):
    """The lines of metrics.jsonl of steps or of epochs, without their seconds."""
    found = [line for line in read_metrics(f"{run}/metrics.jsonl") if "kept" not in line]
    return [
        {name: line[name] for name in line if name != "seconds"} for line in found if ("epoch" in line) == of_epochs
    ]


def kept(run):
    """The step that each file of weights is of, as the last line of metrics.jsonl tells."""
    return read_metrics(f"{run}/metrics.jsonl")[-1]["kept"]


def assert_same_weights(one, other):
    one, other = weights.read(one), weights.read(other)
    assert list(one) == list(other)
    for layer in one:
        for index in (0, 1):
            np.testing.assert_array_equal(one[layer][index], other[layer][index], err_msg=layer)


_FORKER = """
import json, os, sys
from tensorflow_vgg._command import evaluate, main, predict, train
import tensorflow_vgg._train.run
for line in sys.stdin:
    what, *rest = json.loads(line)
    if what == "start":
        number = os.fork()
        if not number:
            os.chdir(rest[0])
            os.environ["TENSORFLOW_VGG_HOME"] = rest[0]
            told = os.open(rest[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(told, 1), os.dup2(told, 2)
            os._exit(main.main(rest[2]))
        print(number, flush=True)
    else:
        number, status = os.waitpid(rest[0], os.WNOHANG)
        print(json.dumps([os.WTERMSIG(status), os.WEXITSTATUS(status)] if number else None), flush=True)
"""


class Forks:
    """Processes that run the command, forked from one that has TensorFlow loaded already."""

    def __init__(self):
        self._parent = subprocess.Popen(
            [sys.executable, "-c", _FORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(os.path.dirname(HERE)),
        )
        self._running = set()

    def _ask(self, *request):
        self._parent.stdin.write(json.dumps(request).encode() + b"\n")
        self._parent.stdin.flush()
        return json.loads(self._parent.stdout.readline())

    def start(self, arguments, told):
        """Starts the command in the current folder; what it prints goes to the file `told`. Returns its process id."""
        number = self._ask("start", os.getcwd(), told, arguments)
        self._running.add(number)
        return number

    def ended(self, number):
        """(signal, exit status) of a process that has ended, or None."""
        found = self._ask("ended", number)
        if found is not None:
            self._running.discard(number)
        return found

    def wait(self, number, seconds=60):
        """(signal, exit status) of a process, when it has ended."""
        found = []
        until(lambda: found.extend(self.ended(number) or ()) or found, seconds)
        return tuple(found)

    def end(self, number, how=signal.SIGKILL):
        """Sends a signal, and waits."""
        os.kill(number, how)
        return self.wait(number)

    def close(self):
        for number in list(self._running):
            self.end(number)
        self._parent.stdin.close()
        self._parent.wait()
        self._parent.stdout.close()


def until(condition, seconds=60):
    """Waits until the condition holds, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.02)
