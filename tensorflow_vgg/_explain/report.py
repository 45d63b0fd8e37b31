"""What is told of an image: as numbers, as a line, as a picture, and in the contact sheet."""

import os
import re

from tensorflow_vgg import _images
from tensorflow_vgg._pictures import attention, page

__all__ = ["class_of", "draw", "line", "numbers", "section", "wnid_and_name"]


def class_of(text, labels):
    """The number of the class that `text` names: by its label, its WordNet id, a word of it or its number.

    Raises:
      ValueError: no class is named so, or several are.
    """
    wanted = text.strip().casefold()
    names = []
    for label in map(str.casefold, labels):  # ImageNet's are like "n02129604 tiger, panthera tigris"
        names.append([label, *label.split(" ", 1), *re.sub(r"^n\d{8} ", "", label).split(", ")])
    found = [number for number, of_class in enumerate(names) if wanted in of_class]
    exact = [number for number in found if names[number][0] == wanted]
    if len(exact or found) > 1:
        told = "; ".join(f"{number} {labels[number]}" for number in found)
        raise ValueError(f"--class {text}: several classes are named so; give the number: {told}")
    if found:
        return (exact or found)[0]
    if wanted.isdigit() and int(wanted) < len(labels):
        return int(wanted)
    hint = _images.alike(wanted, dict.fromkeys(name for of_class in names for name in of_class), 3)
    raise ValueError(f"--class {text}: expected a label or a number below {len(labels)}{hint}")


def wnid_and_name(label):
    """(WordNet id or None, the rest) of a label."""
    return re.fullmatch(r"(?:(n\d{8}) )?(.*)", label).groups()


def numbers(path, picture, explained, labels):
    """What the `Explained` of the image at `path` says, as JSON has it; `picture` is where its picture goes."""
    told = {"file": path, "picture": picture, "classes": []}
    for number, cam in zip(explained.classes, explained.cams):
        wnid, label = wnid_and_name(labels[number])
        probability = float(explained.probabilities[number])
        of_class = {"class": number, "wnid": wnid, "label": label, "probability": probability, "grad_cam": _of_map(cam)}
        told["classes"].append(of_class)
    if explained.spatial is not None:
        lowered, raised = attention.extreme_channels(explained.channels)
        told["spatial_attention"] = _of_map(explained.spatial)
        for name, channels in (("lowered", lowered), ("raised", raised[::-1])):
            told[name] = [[int(channel), float(explained.channels[channel])] for channel in channels]
        told["nothing_to_see"] = attention.nothing_to_see(explained.spatial, explained.channels)
    return told


def _of_map(values):
    row, column = divmod(int(values.argmax()), values.shape[1])
    found = {"least": values.min(), "most": values.max(), "mean": values.mean()}
    return {**{name: float(value) for name, value in found.items()}, "peak": [row, column], "size": list(values.shape)}


def line(told):
    """The same for people, without what is in the picture."""
    classes = ", ".join(f"{one['label']} {one['probability']:.4f}" for one in told["classes"])
    seen = ""
    if "spatial_attention" in told:
        spatial = told["spatial_attention"]
        seen = f"; spatial attention {spatial['least']:.3f} to {spatial['most']:.3f}"
    return f"{told['picture']}: {classes}{seen}"


def draw(told, explained):
    """Draws an image's picture to where `told` says it is."""
    cams = list(zip(_titles(told), explained.cams))
    attention.save(told["picture"], _heading(told), explained.pixels, cams, explained.spatial, explained.channels)


def section(told, explained):
    """What the contact sheet shows of an image: a card for each map, which opens the picture."""
    titles = ["as the network saw it", *_titles(told), "spatial attention"]
    small = attention.thumbnails(explained.pixels, [(None, cam) for cam in explained.cams], explained.spatial)
    notes = {"spatial attention": [told["nothing_to_see"]] if told.get("nothing_to_see") else []}
    cards = [page.Card(jpeg, [title, *notes.get(title, [])], told["picture"]) for title, jpeg in zip(titles, small)]
    return page.Section(_heading(told), cards)


def _heading(told):
    """The image, and its class if only one is shown."""
    name = os.path.basename(told["file"])
    return f"{name}: {_label(told['classes'][0])}" if len(told["classes"]) == 1 else name


def _titles(told):
    """What stands above each Grad-CAM."""
    if len(told["classes"]) == 1:
        return ["Grad-CAM"]
    return [f"Grad-CAM: {_label(of_class)}" for of_class in told["classes"]]


def _label(of_class):
    return f"{of_class['label']}, {of_class['probability']:.4f}"
