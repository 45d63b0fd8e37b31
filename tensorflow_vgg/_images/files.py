"""Which files are images."""

import difflib
import os
import re
import shlex
import stat

__all__ = ["ENDINGS", "alike", "find", "near"]

ENDINGS = (
    ".bmp", ".gif", ".heic", ".heif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip


def find(paths):
    """The image files that `paths` name, in their order.

    These are files, which are taken whatever they are called, and folders, of which and of whose subfolders the files
    with one of `ENDINGS` are taken, sorted. Names that begin with a dot are left alone.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: a path is a URL, or neither a regular file nor a folder, or a folder without images.
    """
    files = []
    for path in paths:
        expect_file(path, folder=True)
        if os.path.isdir(path):
            found = sorted(_below(path))
            if not found:
                raise ValueError(f"{path}: expected a folder with images ({', '.join(ENDINGS)}), found none")
            files += found
        else:
            files.append(path)
    return files


def expect_file(path, folder=False):
    """Raises unless `path` is a regular file or, with `folder`, a folder: a pipe or a device is read without end."""
    what = "an image file or a folder" if folder else "an image file"
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", str(path)):
            raise ValueError(f"{path}: expected {what}, got a URL: download it first") from None
        raise FileNotFoundError(
            f"{path}: expected {what}, found none of that name{near(path) if folder else ''}"
        ) from None
    if stat.S_ISDIR(mode) and not folder:
        raise IsADirectoryError(f"{path}: expected {what}, found a folder")
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ValueError(f"{path}: expected {what}, found a device, a pipe or the like")


def alike(name, names, most=1, cutoff=0.6):
    """Those of `names` that are like a name that is none of them, as a question that ends a message; "" if none is."""
    found = difflib.get_close_matches(name, list(names), most, cutoff)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def near(path):
    """What is there of a similar name, or of one that goes on after a space, as a question; "" if nothing is."""
    folder, name = os.path.split(str(path).rstrip("/"))
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return ""
    found = [other for other in names if name and other.startswith(f"{name} ")]
    found = found or difflib.get_close_matches(name, names, 1)
    return f"; did you mean {shlex.quote(os.path.join(folder, found[0]))}?" if found else ""


def _below(top):
    """The image files in the folder `top` and below."""
    folders, seen = [top], set()
    while folders:
        folder = folders.pop()
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:  # links can make a loop
            continue
        seen.add((status.st_dev, status.st_ino))
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.startswith("."):
                continue
            if os.path.isdir(path):
                folders.append(path)
            elif name.lower().endswith(ENDINGS) and os.path.isfile(path):
                yield path
