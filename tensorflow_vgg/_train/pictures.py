"""What a run and an evaluation draw."""

import io
import os

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import utils, weights
from tensorflow_vgg._pictures import attention, figure, page
from tensorflow_vgg._train.settings import best_epoch, read_metrics

__all__ = ["attention_images", "draw_attention", "draw_confusion", "draw_curves", "write_wrong"]


def draw_curves(run):
    """Draws loss and accuracy by epoch into the run's curves.png, with the best epoch marked."""
    path = os.path.join(run, "curves.png")
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
            validated = {line["epoch"]: line[f"validation_{name}"] for line in epochs if f"validation_{name}" in line}
            if validated:
                axes.plot(list(validated), list(validated.values()), "s-", label="validation")
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


def attention_images(listing, count):
    """Some validation images across the classes that can be read: [(path, class number, pixels)]."""
    items = listing.validation
    found = []
    for place in np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)):
        path, label = items[place]
        try:
            found.append((path, label, utils.load_image(path).astype(np.float32)))
        except (AssertionError, OSError, ValueError):
            continue  # as was told while training
    return found


def draw_attention(run, images, classes, explained, step):
    """Draws what the network looks at into the run's folder `attention`, and the same pictures for TensorBoard.

    `images` are those of `attention_images`, `explained` has an `Explained` for each.
    """
    folder = os.path.join(run, "attention")
    os.makedirs(folder, exist_ok=True)
    shown = []
    for (path, label, pixels), found in zip(images, explained):
        of_class, taken_for = classes[label], found.classes[0]
        name = os.path.splitext(os.path.basename(path))[0]
        title = f"{of_class}/{name}: {classes[taken_for]}, {found.probabilities[taken_for]:.4f}"
        drawn = io.BytesIO()
        attention.save(drawn, title, pixels, [("Grad-CAM", found.cams[0])], found.spatial, found.channels)
        with weights.replacing(os.path.join(folder, f"{of_class}-{name}.png")) as file:
            file.write(drawn.getvalue())
        image = tf.Summary.Image(encoded_image_string=drawn.getvalue())
        shown.append(tf.Summary.Value(tag=f"attention/{of_class}/{name}", image=image))
    with tf.Graph().as_default(), tf.summary.FileWriter(run) as writer:
        writer.add_summary(tf.Summary(value=shown), step)


def write_wrong(path, folder, count, rows):
    """Writes a page of what `evaluation.wrong` gave of `count` images, the surest first in each class."""
    sections = []
    for name in sorted({row["class"] for row in rows}):
        cards = []
        for row in sorted((row for row in rows if row["class"] == name), key=lambda row: -row["probability"]):
            file, probability = row["file"], row["probability"]
            told = [row["taken_for"], f"{probability:.4f}", os.path.basename(file)]
            cards.append(page.Card(file, told, file, probability))
        sections.append(page.Section(f"{name}: {len(cards)} taken for something else", cards))
    page.write(path, f"{folder}: {len(rows)} of {count} images taken for something else", sections)
