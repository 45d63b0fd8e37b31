"""How well weights tell the classes of a folder of images apart."""

import numpy as np

__all__ = ["Classified", "score", "text", "wrong"]

_CLASSES_FOR_TOP5 = 6


class Classified:
    """An image and what it was taken for, by the probabilities of the classes, float array [classes]."""

    def __init__(self, path, truth, probabilities):
        self.path = path
        self.truth = truth
        self.ranked = probabilities.argsort()[::-1][:5]  # all probabilities of many images would be many
        self.probability = float(probabilities[self.ranked[0]])


def score(labels, found):
    """How well a network tells classes apart, by a list of `Classified`.

    Returns:
      A dict: images, top1; top5, unless there are so few classes that it says nothing; classes: a list of dicts of
      label, images, right and accuracy for each class that occurs; confusion: a row for each class that has images,
      by label the number of its images that were taken for that class.
    """
    truths = np.array([image.truth for image in found])
    ranked = np.array([image.ranked for image in found])
    first = ranked[:, 0]
    classes, confusion = [], {}
    for number in np.unique(truths):
        of_class = first[truths == number]
        count, right = len(of_class), int((of_class == number).sum())
        classes.append({"label": labels[number], "images": count, "right": right, "accuracy": right / count})
        taken, counts = np.unique(of_class, return_counts=True)
        confusion[labels[number]] = {labels[other]: int(count) for other, count in zip(taken, counts)}
    tops = {"top1": float((first == truths).mean())}
    if len(labels) >= _CLASSES_FOR_TOP5:
        tops["top5"] = float((ranked == truths[:, np.newaxis]).any(axis=1).mean())
    return {"images": len(truths), **tops, "classes": classes, "confusion": confusion}


def wrong(labels, found):
    """The images that were taken for something else, a list of dicts: file, class, taken_for and its probability."""
    return [
        {
            "file": image.path,
            "class": labels[image.truth],
            "taken_for": labels[image.ranked[0]],
            "probability": image.probability,
        }
        for image in found
        if image.ranked[0] != image.truth
    ]


def text(result, wrong=()):
    """The lines of a table of what `score` gave, and of what `wrong` gave."""
    width = max(len(row["label"]) for row in result["classes"])
    lines = [f"{'class':{width}}  images  accuracy  taken for"]
    for row in result["classes"]:
        taken = result["confusion"][row["label"]]
        others = sorted(((count, name) for name, count in taken.items() if name != row["label"]), reverse=True)
        told = ", ".join(f"{name} {count}" for count, name in others[:3]) + (" ..." if len(others) > 3 else "")
        lines.append(f"{row['label']:{width}}  {row['images']:6}  {row['accuracy']:8.4f}  {told}".rstrip())
    top5 = f", top-5 {result['top5']:.4f}" if "top5" in result else ""
    lines += ["", f"{result['images']} images: top-1 {result['top1']:.4f}{top5}"]
    told = "{file}: {class}, taken for {taken_for} ({probability:.4f})"
    return lines + [told.format_map(row) for row in wrong]
