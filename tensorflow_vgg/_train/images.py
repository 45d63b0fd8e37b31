"""The images of a run: which there are, of which class, and which of them are trained on."""

import collections
import hashlib
import itertools
import os
import typing
import unicodedata

from tensorflow_vgg import _images, utils
from tensorflow_vgg._train.settings import damaged, read_json

__all__ = [
    "Listing",
    "beside",
    "check_place",
    "expect_same",
    "find_images",
    "listed",
    "recorded",
    "split",
    "trained_on",
]

_FEW = 5  # a class of fewer images is warned of
_TOLD = 12  # classes that a line names


class Listing(typing.NamedTuple):
    """The images of a run."""

    classes: list  # their names
    training: list  # (path, class number)
    validation: list  # likewise
    counts: dict  # by class number how many images FOLDER has

    @property
    def items(self):
        return self.training + self.validation

    def names(self):
        """The classes, and the images by folder, name and size, as images.json has them."""
        training, validation = (
            [[_name(path), _size(path)] for path, _ in part] for part in (self.training, self.validation)
        )
        return {"classes": self.classes, "training": training, "validation": validation}

    def text(self):
        """The classes and how many images each has: `3 classes: brick 24, grass 25, gravel 24`."""
        counted = [f"{name} {self.counts[number]}" for number, name in enumerate(self.classes)]
        return f"{len(self.classes)} classes: {_few(counted)}"

    def doubts(self):
        """Lines on what makes the run's result worth less than it seems."""
        validated = {label for _, label in self.validation}
        unseen = [name for number, name in enumerate(self.classes) if number not in validated]
        if unseen and self.validation:
            yield f"no image to validate on: {_few(unseen)}: the validation says nothing about them"
        small = [name for number, name in enumerate(self.classes) if self.counts[number] < _FEW]
        if small:
            yield f"fewer than {_FEW} images: {_few(small)}: too few to learn from"


def _few(names):
    return ", ".join(names if len(names) <= _TOLD else [*names[: _TOLD - 2], "...", names[-1]])


def _name(path):
    """The class and the name of an image."""
    return "/".join(path.split(os.sep)[-2:])


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else None  # a link to nowhere cannot be read, no more


def find_images(folder, classes=None):
    """The images of a folder with one subfolder a class, sorted by name: (classes, [(path, class number)]).

    `classes` are the names that there may be; None: those that there are.

    Raises:
      ValueError: there are no such subfolders, one has no images, is a run, or has a name that no class can have.
    """
    if not os.path.isdir(folder):
        near = "" if os.path.exists(folder) else _images.near(folder)
        raise ValueError(f"{folder}: expected a folder with one subfolder a class, found no such folder{near}")
    names = sorted(name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name)) and name[0] != ".")
    if not names:
        raise ValueError(f"{folder}: expected a folder with one subfolder a class, found no subfolder")
    for place in (folder, *(os.path.join(folder, name) for name in names)):
        if os.path.exists(os.path.join(place, "config.json")) and os.path.exists(os.path.join(place, "labels.txt")):
            raise ValueError(f"{place}: is the folder of a run, not one of images; keep runs elsewhere")
    for name in names:
        _check_class(folder, name)
    classes = names if classes is None else classes
    items = []
    for name in names:
        if name not in classes:
            hint = _images.alike(name, classes)
            raise ValueError(f"{folder}: {name} is none of the {len(classes)} classes {_few(classes)}{hint}")
        place = os.path.join(folder, name)
        found = _image_names(place)
        if not found:
            raise ValueError(f"{place}: expected images ({', '.join(utils.IMAGE_ENDINGS)}), found none")
        items += [(os.path.join(place, file), classes.index(name)) for file in found]
    return classes, items


def beside(folder):
    """A line on images that lie in a folder itself, in none of its classes; None if there are none."""
    loose = _image_names(folder)
    return f"{folder}: images in no class's folder are left out: {len(loose)}, such as {loose[0]}" if loose else None


def _image_names(folder):
    """The names of the images in a folder itself, sorted."""
    names = os.listdir(folder)
    return sorted(name for name in names if name.lower().endswith(utils.IMAGE_ENDINGS) and name[0] != ".")


def _check_class(folder, name):
    """Raises if labels.txt, which has a class a line, could not give the name back as it is."""
    if name != name.strip():
        wrong = "begins or ends with a space"
    elif any(0xD800 <= ord(letter) < 0xE000 for letter in name):
        wrong = "is not UTF-8"
    elif any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        wrong = "has a control character"
    else:
        return
    raise ValueError(f"{folder}: {name!a}: the name of this class {wrong}; rename the folder")


def check_place(run, *folders):
    """Raises if the run would lie in a folder of images."""
    inner = os.path.realpath(run)
    for folder in folders:
        outer = os.path.realpath(folder)
        if os.path.isdir(outer) and os.path.commonpath([inner, outer]) == outer:
            raise ValueError(f"{run}: lies in {folder}, the folder of images; choose a place outside for the run")


def listed(run, folder, settings, before, report):
    """The `Listing` of a run, which must be that of `before`, of `recorded`; tells what there is to train on."""
    held_out = before and {name for name, _ in before["validation"]}
    listing = split(folder, settings["validation"], settings["seed"], held_out)
    if before:
        expect_same(before, listing.names(), folder, run)
    report.line(listing.text())
    for doubt in [*filter(None, [beside(folder)]), *listing.doubts()]:
        report.problem(doubt)
    return listing


def split(folder, validation, seed, held_out=None):
    """The `Listing` of a folder with one subfolder of images a class.

    `validation` is another such folder, or the part of each class, as text, that is not trained on. Which images that
    are a hash of `seed`, class and name decides, or for a run which is there `held_out`, with "class/name" of them.

    Raises:
      ValueError: there are no two classes, or no images to train on.
    """
    classes, items = find_images(folder)
    counts = collections.Counter(label for _, label in items)
    if len(classes) < 2:
        raise ValueError(f"{folder}: expected a subfolder for each of two classes or more, found {classes[0]} alone")
    try:
        part = float(validation)
    except ValueError:
        return Listing(classes, items, find_images(validation, classes)[1], counts)
    if not 0 <= part < 1:
        raise ValueError(f"--validation {validation}: expected a folder, or a part of the images from 0 to below 1")
    if held_out is None:
        held_out = set()
        for _, found in itertools.groupby(items, lambda item: item[1]):
            of_class = sorted((_name(path) for path, _ in found), key=lambda name: _hash(seed, name))
            held_out.update(of_class[: min(max(1, round(part * len(of_class))), len(of_class) - 1) if part else 0])
        if part and not held_out:
            raise ValueError(f"{folder}: --validation {validation} of {len(items)} images came to none; name a folder")
    parts = [], []
    for path, label in items:
        parts[_name(path) in held_out].append((path, label))
    return Listing(classes, *parts, counts)


def _hash(seed, name):
    return hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).digest()


def recorded(run, begun):
    """What images.json of a run says: a dict of classes, training, validation, left_out and pool5_sha256.

    Until the run has `begun`, that is before the first checkpoint, it may be missing: then None.

    Raises:
      ValueError: it is damaged.
    """
    path = os.path.join(run, "images.json")
    if not begun and not os.path.lexists(path):
        return None
    found = read_json(path)
    try:
        count = sum(len([name + "" for name, _ in found[part]]) for part in ("training", "validation"))
        left_out, digest = found.get("left_out"), found.get("pool5_sha256")
        whole = isinstance(found["classes"], list) and (digest is None or isinstance(digest, str))
        whole = whole and all(type(number) is int and 0 <= number < count for number in left_out or ())
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise damaged(path, "expected the images of a run")
    return found


def trained_on(run, paths):
    """How many of these images were trained on by what may be a run: those of the same class, name and size."""
    try:
        trained = {tuple(item) for item in (recorded(run, False) or {"training": []})["training"]}
    except (OSError, TypeError, ValueError):
        return 0
    return sum((_name(path), _size(path)) in trained for path in paths)


def expect_same(before, now, folder, run):
    """Raises unless the images of `folder` are those that a run began with; both as `Listing.names` gives them."""
    if all(before[part] == now[part] for part in now):
        return
    names = [{name for name, _ in some["training"] + some["validation"]} for some in (before, now)]
    differences = (("gone", names[0] - names[1]), ("new", names[1] - names[0]))
    told = [f"{what}: {len(some)}, such as {min(some)}" for what, some in differences if some]
    raise ValueError(
        f"{folder}: other images than {run} began with ({'; '.join(told) or 'other sizes or another order'}), see "
        f"{os.path.join(run, 'images.json')}; start another run for them"
    )
