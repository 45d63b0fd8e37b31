"""What is raised for a weight file that cannot be used."""

__all__ = ["WeightsError", "shown"]


class WeightsError(ValueError):
    """A weight file or dict that cannot be used. The message names file, layer, expected and found."""


def shown(text, longest=80):
    """Text of a file as a message may have it: printable, on one line, and not longer than a name is."""
    text = " ".join(str(text[: longest + 1]).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= longest else text[:longest] + "..."
