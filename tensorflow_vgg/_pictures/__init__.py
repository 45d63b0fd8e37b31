"""How pictures look: matplotlib's style and the HTML page that several verbs share."""

import os

__all__ = ["GENERATOR", "is_drawn"]

GENERATOR = "tensorflow-vgg"  # what pages and pictures say, near their beginning, that they were made by


def is_drawn(path):
    """Whether a file is a page or a PNG of this room's."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        start = file.read(400)
    marks = f'<meta name="generator" content="{GENERATOR}">', f"Software\0{GENERATOR}"
    return any(mark.encode() in start for mark in marks)
