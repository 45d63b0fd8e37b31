"""What the tests of train and evaluate share: images, weights, and what a run wrote."""

import os
import time

import numpy as np
from benchmark import write_crops

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
    training, validation = os.path.join(images, "training"), os.path.join(images, "validation")
    given = ["--validation", validation, "--weights", "thin.npy", "--pictures", "0"]
    return ["train", training, "-o", run, *given, *options]


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


def until(condition, seconds=60):
    """Waits until the condition holds, and returns it."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.02)
