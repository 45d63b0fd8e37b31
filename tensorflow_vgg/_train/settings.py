"""The settings of a run, and its files of JSON."""

import json
import math
import os
import platform

from tensorflow_vgg import __version__, weights

__all__ = ["DEFAULTS", "best_epoch", "choose", "damaged", "read_json", "read_metrics", "write_config", "write_text"]

_LEARNING_RATES = {"adam": 3e-5, "momentum": 1e-3, "sgd": 1e-2}
_BEFORE = {"keep": "last"}  # of runs whose config.json is from before there was the setting
_MOST = 2**31

# The default of each setting, and what config.json may say of it.
_SETTINGS = {
    "weights": (None, lambda value: isinstance(value, str)),
    "validation": ("0.2", lambda value: isinstance(value, str)),
    "attention": (True, lambda value: isinstance(value, bool)),
    "attention_start": ("open", lambda value: value in ("open", "glorot")),
    "train": ("fc", lambda value: value in ("head", "fc", "all")),
    "epochs": (30, lambda value: type(value) is int and 1 <= value < _MOST),
    "batch": (16, lambda value: type(value) is int and 1 <= value < _MOST),
    "optimizer": ("adam", lambda value: value in tuple(_LEARNING_RATES)),
    "learning_rate": (None, lambda value: type(value) in (int, float) and 0 < value < float("inf")),
    "weight_decay": (0.0, lambda value: type(value) in (int, float) and 0 <= value < float("inf")),
    "dropout": (0.8, lambda value: type(value) in (int, float) and 0 < value <= 1),
    "augment": (False, lambda value: isinstance(value, bool)),
    "seed": (0, lambda value: type(value) is int and 0 <= value < 2**32),
    "keep": ("both", lambda value: value in ("best", "last", "both")),
}
DEFAULTS = {name: default for name, (default, _) in _SETTINGS.items()}


def choose(run, given):
    """The settings of a run, and the number of epochs that it had until now, None for a new one.

    Of the settings `given`, None and absent ones are the run's, or for a new one the default.

    Raises:
      ValueError: config.json is damaged, or other settings are given than the run's.
    """
    if os.path.lexists(run) and not os.path.isdir(run):
        raise ValueError(f"{run}: expected a folder for the run, found a file")
    given = {name: value for name, value in given.items() if value is not None}
    path = os.path.join(run, "config.json")
    if not os.path.lexists(path):
        if os.path.isdir(run) and any(name != ".lock" and not name.endswith(".tmp") for name in os.listdir(run)):
            raise ValueError(f"{run}: expected a new folder or that of a run, found a folder of other files")
        settings = {**DEFAULTS, **given}
        if settings["learning_rate"] is None:
            settings["learning_rate"] = _LEARNING_RATES[settings["optimizer"]]
        if settings["weights"] is None:
            settings["weights"] = weights.find("vgg19.npy")
        return settings, None

    found = read_json(path).get("settings")
    recorded = {**_BEFORE, **found} if isinstance(found, dict) else {}
    wrong = [name for name, (_, fits) in _SETTINGS.items() if not fits(recorded.get(name))]
    if wrong or set(recorded) != set(_SETTINGS):
        raise damaged(path, f"expected the settings of a run, not those of {', '.join(wrong) or 'another version'}")
    epochs = recorded["epochs"]
    other = [
        f"{name.replace('_', '-')}: {recorded[name]} in the run, {value} given"
        for name, value in given.items()
        if recorded[name] != value and not (name == "epochs" and value > epochs)
    ]
    if other:
        raise ValueError(
            f"{run}: other settings than the run's: {'; '.join(other)}. To go on leave them out (more --epochs may be "
            "given); for another run choose another folder"
        )
    return {**recorded, "epochs": given.get("epochs", epochs)}, epochs


def damaged(path, why):
    """The error that tells of a file that is not as it was written."""
    return ValueError(f"{path}: damaged: {why}; put back a copy of the file, or start another run in another folder")


def read_json(path):
    """The object in a file of the run."""
    if not os.path.isfile(path):
        raise damaged(path, "expected a file" if os.path.lexists(path) else "it is missing")
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (RecursionError, ValueError) as error:
        raise damaged(path, f"expected JSON: {error}") from error
    if not isinstance(found, dict):
        raise damaged(path, f"expected a JSON object, got {type(found).__name__}")
    return found


def write_config(run, settings):
    """Writes config.json, or checks that the weights are still those that the run began with."""
    import numpy as np
    import tensorflow.compat.v1 as tf

    source = settings["weights"]
    digest = None if source.startswith("seeded:") else weights.file_digest(source)
    path = os.path.join(run, "config.json")
    config = {
        "weights_sha256": digest,
        "tensorflow_vgg": __version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    if os.path.exists(path):
        config = read_json(path)
    recorded = config.get("weights_sha256")
    if recorded != digest:
        raise ValueError(f"{source}: not the file that {run} began with: expected SHA-256 {recorded}, got {digest}")
    if config.get("settings") != settings:
        write_text(path, json.dumps({**config, "settings": settings}, indent=1) + "\n")


def write_text(path, text):
    """Puts a text in the place of a file."""
    with weights.replacing(path) as file:
        file.write(text.encode("utf-8", "surrogateescape"))


def read_metrics(path):
    """The lines of a metrics.jsonl, a dict each, but for those that are cut short or damaged; none without a file.

    A line has `step`; that of an epoch `epoch`, too, and that of an end `kept`.
    """
    if not os.path.isfile(path):
        return []
    found = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                values = json.loads(line)
            except (RecursionError, ValueError):
                continue
            if isinstance(values, dict) and _is_metric(values):
                found.append(values)
    return found


def _is_metric(values):
    needed = {"step"} if "kept" in values else {"step", "loss", "accuracy", "epoch" if "epoch" in values else "images"}
    return needed <= set(values) and all(
        type(value) is int and value >= 0 if name in ("step", "epoch", "images") else type(value) in (int, float)
        for name, value in values.items()
        if name not in ("best", "kept")
    )


def best_epoch(history):
    """The line of metrics.jsonl of the first epoch with the least validation loss, or None."""
    validated = [line for line in history if "epoch" in line and math.isfinite(line.get("validation_loss", math.nan))]
    return min(validated, key=lambda line: line["validation_loss"], default=None)
