"""What is there when a run ends or is stopped: the weights, and which epoch they are of."""

import json
import os

import tensorflow.compat.v1 as tf

from tensorflow_vgg import weights
from tensorflow_vgg._pictures import figure
from tensorflow_vgg._train import checkpoints, pictures
from tensorflow_vgg._train.network import TRAINED, trained_name
from tensorflow_vgg._train.settings import best_epoch, read_metrics

__all__ = ["write"]


def write(run, weight_dict):
    """Writes weights.npy, last.npy and curves.png, and tells which epochs they are of, in metrics.jsonl, too.

    The layers that a run does not train are those of `weight_dict`, from which it started.
    """
    metrics = os.path.join(run.path, "metrics.jsonl")
    history = read_metrics(metrics)
    step = checkpoints.last_step(run.path)
    epochs = [line["epoch"] for line in history if "epoch" in line and line["step"] == step]
    told = f"epoch {epochs[-1]}, the last" if epochs else f"step {step}, the last"
    last = _last(run.path, weight_dict, run.settings["train"]), step, told
    line = best_epoch(history) if run.settings["keep"] != "last" else None
    best = line and _best(run, line["step"])
    files = {"weights.npy": last}
    if best:
        told = f"epoch {line['epoch']}, the best: validation loss {line['validation_loss']:.4f}"
        files = {"weights.npy": (best, line["step"], told)}
        if run.settings["keep"] == "both":
            files["last.npy"] = last
    for name, (layers, _, told) in files.items():
        path = os.path.join(run.path, name)
        run.report.show(f"writing {path}")
        weights.write(path, {**weight_dict, **layers})
        run.report.line(f"{path}: {told}")
    if run.draws:
        try:
            figure.require(os.path.join(run.path, "curves.png"))
        except ValueError as error:
            run.report.problem(str(error))
            run.draws = False
        else:
            pictures.draw_curves(run.path)
    with open(metrics, "a") as file:
        file.write(json.dumps({"step": step, "kept": {name: of for name, (_, of, _) in files.items()}}) + "\n")


def _last(run, weight_dict, trained):
    """The trained layers as the last checkpoint has them."""
    reader = tf.train.load_checkpoint(checkpoints.last(run))
    return {
        layer: [reader.get_tensor(trained_name(layer, index)) for index in (0, 1)]
        for layer in weight_dict
        if layer in TRAINED[trained]
    }


def _best(run, step):
    """The trained layers after the best epoch, or None if they are not there any more."""
    path = os.path.join(run.path, f"best-{step}.npy")
    try:
        return weights.read(path)
    except (OSError, ValueError) as error:
        run.report.problem(f"{path}: the best epoch's weights cannot be read, the last ones stand in: {error}")
        return None
