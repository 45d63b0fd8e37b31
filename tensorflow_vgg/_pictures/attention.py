"""The picture of what a network looks at: the photo, Grad-CAM and spatial attention over it, and the channels."""

import io
import textwrap

import numpy as np

from tensorflow_vgg._pictures import figure

__all__ = ["draw", "extreme_channels", "nothing_to_see", "save", "thumbnails"]

_FLAT = 0.05  # a map of a smaller range tells places apart so little that colours would only show noise
_SHOWN = 10  # channels at either end
_GREY = (0.299, 0.587, 0.114)  # how bright red, green and blue are


def save(path, title, photo, cams, spatial=None, channels=None):
    """Draws the picture into a file. The arguments are those of `draw`, `path` that of `figure.drawing`."""
    panels = 1 + len(cams) + (spatial is not None)
    with figure.drawing(path, 3.3 * panels, 3.7 if channels is None else 5.4) as drawn:
        draw(drawn, title, photo, cams, spatial, channels)


def draw(drawn, title, photo, cams, spatial=None, channels=None):
    """Draws the picture.

    Args:
      drawn: a figure of `figure.drawing`.
      title: above all.
      photo: what the network saw, [height, width, 3], RGB in [0, 1].
      cams: (title, Grad-CAM [rows, columns]) of each class to be shown.
      spatial: the block's spatial attention [rows, columns], 0 ... 1, or None.
      channels: the block's weights of the channels, [channels], 0 ... 2, or None.
    """
    maps = [(text, cam, 0.0) for text, cam in cams]
    if spatial is not None:
        maps.append(("spatial attention", spatial, _FLAT))
    ratios = [3.4] if channels is None else [3.4, 1.2]
    grid = drawn.add_gridspec(len(ratios), 1 + len(maps), height_ratios=ratios)
    axes = drawn.add_subplot(grid[0, 0])
    axes.imshow(photo)
    _finish(axes, "as the network saw it")
    for column, (text, values, flat) in enumerate(maps, 1):
        _lay_over(drawn, drawn.add_subplot(grid[0, column]), photo, text, values, flat)
    drawn.suptitle(figure.plain(title), fontsize=11)
    if channels is not None:
        _draw_channels(drawn.add_subplot(grid[1, :]), channels, nothing_to_see(spatial, channels))


def thumbnails(photo, cams, spatial=None):
    """The photo, and each of the maps over it, as bytes of small JPEGs without numbers. The arguments are `draw`'s."""
    from PIL import Image

    maps = [(cam, 0.0) for _, cam in cams] + ([] if spatial is None else [(spatial, _FLAT)])
    made = []
    for values, flat in [(None, None), *maps]:
        file, jpeg = io.BytesIO(), io.BytesIO()
        with figure.drawing(file, 2, 2) as drawn:
            axes = drawn.add_axes([0, 0, 1, 1])
            axes.set_axis_off()
            axes.imshow(photo) if values is None else _over(axes, photo, values, flat)
        Image.open(file).convert("RGB").save(jpeg, "JPEG", quality=82)
        made.append(jpeg.getvalue())
    return made


def nothing_to_see(spatial, channels):
    """A sentence that says so where the block's maps have nothing to show, or None."""
    if np.abs(spatial - 1).max() < 1e-6 and np.abs(channels - 1).max() < 1e-6:
        return "the attention block lets everything through: there is nothing to see until it is trained"
    if np.ptp(spatial) < _FLAT:
        least, most = spatial.min(), spatial.max()
        return f"the spatial attention is nearly flat, {least:.3f} to {most:.3f}: it hardly tells places apart"
    return None


def extreme_channels(channels):
    """The channels that the block lowers most, the least first, and those that it raises most, the greatest last."""
    order = np.argsort(channels, kind="stable")
    count = min(_SHOWN, len(order) // 2)
    return order[:count], order[len(order) - count :]


def _lay_over(drawn, axes, photo, title, values, flat):
    """Lays a map over the grey photo, with a bar from its least to its greatest number; a flat one is not stretched."""
    laid = _over(axes, photo, values, flat)
    bar = drawn.colorbar(laid, ax=axes, orientation="horizontal", fraction=0.05, pad=0.03)
    ends = np.linspace(*laid.get_clim(), 5)
    bar.set_ticks(ends)
    bar.ax.set_xticklabels([f"{end:.3f}" if ends[-1] >= 0.1 else f"{end:.2g}" for end in ends])
    _finish(axes, f"{title}: all {values.min():.3g}" if values.min() == values.max() else title)


def _over(axes, photo, values, flat):
    """The map as matplotlib has it, over the grey photo."""
    least, most = float(values.min()), float(values.max())
    is_flat = most - least <= flat
    height, width = photo.shape[:2]
    axes.imshow(photo @ np.array(_GREY), cmap="gray", vmin=0, vmax=1)
    return axes.imshow(
        values,
        alpha=0.65,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="bilinear",
        vmin=0 if is_flat else least,
        vmax=1 if is_flat else most,
    )


def _finish(axes, title):
    axes.set_title("\n".join(textwrap.wrap(figure.plain(title), 40)))
    axes.set_axis_off()
    axes.set_anchor("N")  # in a line, though the photo has no bar below it


def _draw_channels(axes, channels, note):
    lowered, raised = extreme_channels(channels)
    shown = np.concatenate([lowered, raised])
    colours = [figure.BLUE] * len(lowered) + [figure.RED] * len(raised)
    axes.bar(range(len(shown)), channels[shown] - 1, bottom=1, color=colours)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_xticks(range(len(shown)))
    axes.set_xticklabels([str(channel) for channel in shown])
    axes.set_ylabel("weight")
    axes.set_title(f"of {len(channels)} channels those that the block lowers and raises most (1 leaves one as it is)")
    if note:
        axes.set_xlabel(note, color=figure.RED, fontsize=10)
