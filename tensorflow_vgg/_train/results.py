"""What a run keeps: its checkpoints with the best epoch beside them, and at every end the weights."""

import json
import os
import re

import tensorflow.compat.v1 as tf

from tensorflow_vgg import weights
from tensorflow_vgg._pictures import figure
from tensorflow_vgg._train import checkpoints, pictures
from tensorflow_vgg._train.network import TRAINED
from tensorflow_vgg._train.settings import best_epoch, read_metrics

__all__ = ["NotFinite", "Saver", "write"]


class NotFinite(ValueError):
    """The loss or a weight is no finite number any more: a text, and the step whose weights give that."""


class Saver(tf.train.Saver):
    """Makes checkpoints, with relative paths, of weights that are finite, each with best-STEP.npy beside it.

    That has the layers trained as they were after `best`, the step at which the best epoch ended. They are `held` in
    memory until the next checkpoint: their file is written before the checkpoint that knows of it, and an older one
    is removed after, so that it is there whenever a process is killed. `trained` is {(layer, 0 or 1): variable}.
    """

    def __init__(self, run, trained):
        variables = tf.global_variables()
        super().__init__(variables, max_to_keep=2, save_relative_paths=True)
        sums = [tf.reduce_sum(variable) for variable in variables if variable.dtype.is_floating]
        self._all_finite = tf.reduce_all(tf.is_finite(tf.stack(sums)))
        self._run = run
        self._trained = trained if run.settings["keep"] != "last" else {}
        self.best = None
        self.held = {}

    def hold(self, session, step):
        """Holds the layers as those of the best epoch."""
        self.best, self.held = step, {}
        for (layer, index), value in session.run(self._trained).items():
            self.held.setdefault(layer, {})[index] = value

    def keep(self, session, step):
        """Makes a checkpoint."""
        if not session.run(self._all_finite):  # which only the loss of the next step would tell
            raise NotFinite(f"the weights are not finite any more after step {step}", step)
        self._run.report.show("writing a checkpoint")
        best = f"best-{self.best}.npy"
        if self.held:
            weights.write(os.path.join(self._run.path, best), self.held)
            self.held = {}
        self.save(session, os.path.join(os.path.abspath(self._run.path), "model.ckpt"), step)
        for name in os.listdir(self._run.path):
            if re.fullmatch(r"best-\d+\.npy", name) and name != best:
                os.remove(os.path.join(self._run.path, name))


def write(run, weight_dict):
    """Writes weights.npy, last.npy and curves.png, and tells which epochs they are of, in metrics.jsonl, too.

    The layers that a run does not train are those of `weight_dict`, from which it started.
    """
    metrics = os.path.join(run.path, "metrics.jsonl")
    history = read_metrics(metrics)
    step = checkpoints.last_step(run.path)
    ended = [line["epoch"] for line in history if "epoch" in line and line["step"] == step]
    told = f"epoch {ended[-1]}, the last" if ended else f"step {step}, the last"
    files = {"weights.npy": (_last(run, weight_dict), step, told)}
    best = best_epoch(history) if run.settings["keep"] != "last" else None
    layers = best and _best(run, best["step"])
    if layers:
        told = f"epoch {best['epoch']}, the best: validation loss {best['validation_loss']:.4f}"
        last = {"last.npy": files["weights.npy"]} if run.settings["keep"] == "both" else {}
        files = {"weights.npy": (layers, best["step"], told), **last}
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


def _last(run, weight_dict):
    """The trained layers as the last checkpoint has them."""
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(run.path))
    found = {layer: [None, None] for layer in weight_dict if layer in TRAINED[run.settings["train"]]}
    for name in reader.get_variable_to_shape_map():
        layer, _, own = name.rpartition("/")
        if layer in found:  # what the optimiser keeps of a variable is below the variable's name
            found[layer][1 if "bias" in own else 0] = reader.get_tensor(name)
    return found


def _best(run, step):
    """The trained layers after the best epoch, or None if they are not there any more."""
    path = os.path.join(run.path, f"best-{step}.npy")
    try:
        return weights.read(path)
    except (OSError, ValueError) as error:
        run.report.problem(f"{path}: the best epoch's weights cannot be read, the last ones stand in: {error}")
        return None
