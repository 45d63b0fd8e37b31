"""What a run and an evaluation draw."""

import os

import numpy as np

from tensorflow_vgg._pictures import figure
from tensorflow_vgg._train.hooks import best_epoch
from tensorflow_vgg._train.settings import read_metrics

__all__ = ["draw_confusion", "draw_curves"]


def draw_curves(run, report):
    """Draws loss and accuracy by epoch into the run's curves.png, with the best epoch marked."""
    path = os.path.join(run, "curves.png")
    try:
        figure.require(path)
    except ValueError as error:
        report.problem(str(error))
        return
    lines = read_metrics(os.path.join(run, "metrics.jsonl"))
    steps = [line for line in lines if "epoch" not in line and "kept" not in line]
    epochs = [line for line in lines if "epoch" in line]
    best = best_epoch(lines)
    per_epoch = epochs[-1]["step"] / epochs[-1]["epoch"] if epochs else 1
    with figure.drawing(path, 9, 3.6) as drawn:
        for axes, name in zip(drawn.subplots(1, 2), ("loss", "accuracy")):
            places = [line["step"] / per_epoch for line in steps]
            axes.plot(places, [line[name] for line in steps], color=figure.GREY, alpha=0.5, linewidth=0.8, label="step")
            axes.plot([line["epoch"] for line in epochs], [line[name] for line in epochs], "o-", label="training")
            validated = [line for line in epochs if f"validation_{name}" in line]
            values = [line[f"validation_{name}"] for line in validated]
            if validated:
                axes.plot([line["epoch"] for line in validated], values, "s-", label="validation")
            if best:
                axes.axvline(best["epoch"], color="black", linestyle=":", label=f"best: epoch {best['epoch']}")
            axes.set_xlabel("epoch" if epochs else "step")
            axes.set_title(name)
            axes.grid(True)
            axes.legend()
            if name == "loss" and any(line["loss"] > 0 for line in steps):
                axes.set_yscale("log")


def draw_confusion(path, result):
    """Draws the confusion matrix of what `evaluation.score` gave."""
    rows = list(result["confusion"])
    columns = rows + sorted({name for taken in result["confusion"].values() for name in taken} - set(rows))
    counts = np.array([[result["confusion"][row].get(column, 0) for column in columns] for row in rows])
    parts = counts / counts.sum(axis=1, keepdims=True)
    with figure.drawing(path, 2.5 + 0.5 * len(columns), 2 + 0.5 * len(rows)) as drawn:
        axes = drawn.subplots()
        image = axes.imshow(parts, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(columns)))
        axes.set_xticklabels([figure.plain(name) for name in columns], rotation=45, ha="right")
        axes.set_yticks(range(len(rows)))
        axes.set_yticklabels([figure.plain(name) for name in rows])
        axes.set_xlabel("taken for")
        axes.set_ylabel("class")
        for row, column in np.argwhere(counts):
            colour = "white" if parts[row, column] > 0.5 else "black"
            axes.text(column, row, counts[row, column], ha="center", va="center", color=colour)
        drawn.colorbar(image, label="part of the class")
