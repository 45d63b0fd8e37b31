"""One style for the pictures of all verbs, drawn without pyplot, which would change figures and windows of the user's.

matplotlib is an extra: `require` says so before any work is done, and nothing else here may be called without it.
"""

import contextlib
import os
import warnings

from tensorflow_vgg import _pictures, weights

__all__ = ["BLUE", "GREY", "MAP", "RED", "drawing", "plain", "require"]

# Of Okabe and Ito's colours, which nearly everybody can tell apart. The first lines of a plot have them anyway.
BLUE, RED = "#0072b2", "#d55e00"
GREY = "#999999"
MAP = "inferno"  # perceptually even: what is brighter is more, and equal steps look equal

_STYLE = {
    "axes.axisbelow": True,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "grid.alpha": 0.3,
    "image.cmap": MAP,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "savefig.dpi": 120,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


def require(wanted):
    """Raises a ValueError, which says how to get it, unless matplotlib is there for what is `wanted`."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ValueError(f"{wanted} needs matplotlib: pip install '.[plot]' in a checkout of tensorflow-vgg") from error


@contextlib.contextmanager
def drawing(path, width, height):
    """A figure in the house style, saved when the block ends without an error.

    Args:
      path: the file, whole in the end or as it was before: a PDF or SVG by its ending, else a PNG. Or a file that is
        open for writing bytes, which gets a PNG.
      width, height: in inches, of 120 pixels.

    Yields:
      A `matplotlib.figure.Figure` without axes, which lays out by itself what `subplots` makes in it.
    """
    import cycler
    import matplotlib
    from matplotlib import figure
    from matplotlib.backends import backend_agg

    colours = cycler.cycler(color=[BLUE, RED, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", GREY])
    with matplotlib.rc_context({**_STYLE, "axes.prop_cycle": colours}), warnings.catch_warnings():
        # Matplotlib 3.11 says so of a grid that it has made itself, and lays it out all the same.
        warnings.filterwarnings("ignore", "There are no gridspecs with layoutgrids", UserWarning)
        drawn = figure.Figure(figsize=(width, height))
        backend_agg.FigureCanvasAgg(drawn)  # matplotlib before 3.1 gives a figure no canvas
        yield drawn
        if hasattr(path, "write"):
            drawn.savefig(path, format="png")
            return
        with weights.replacing(path) as file:
            ending = os.path.splitext(path)[1][1:].lower()
            if ending in ("pdf", "svg"):
                drawn.savefig(file, format=ending)
            else:
                drawn.savefig(file, format="png", metadata={"Software": _pictures.GENERATOR})


def plain(text):
    """A text as matplotlib must be given it, which else takes what is between two dollars for a formula."""
    return text.replace("$", r"\$")
