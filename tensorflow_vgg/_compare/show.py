"""Shows what `compare` found: a table for people, and a picture."""

import math
import os

import numpy as np

from tensorflow_vgg._compare.compare import difference, largest_by_place, paired
from tensorflow_vgg._pictures import figure

__all__ = ["plot", "text"]


def text(result):
    """What `compare` found, as lines for people."""
    lines = [f"A {result['a']}", f"B {result['b']}", ""]
    lines.append(f"{'layer':18}{'shape':20}{'largest':>10}{'mean':>10}{'correlation':>13}{'float32 steps':>15}")
    for layer in result["layers"]:
        correlation = "-" if layer["correlation"] is None else f"{layer['correlation']:.7f}"
        steps = "-" if layer["float32_steps"] is None else layer["float32_steps"]
        lines.append(
            f"{layer['name']:18}{'x'.join(map(str, layer['shape'])):20}{_number(layer['largest']):>10}"
            f"{_number(layer['mean']):>10}{correlation:>13}{steps:>15}  {'ok' if layer['ok'] else 'DEPARTS'}"
            + (f", {layer['samples']} samples" if layer["samples"] else "")
        )
    lines += [
        f"(largest and mean difference: of the layer's largest magnitude in A; tolerance {result['tolerance']:g})",
        "",
    ]
    pixels = result["pixels"]
    where = {"nowhere": "ok", "border": "DEPART, at the border only", "inside": "DEPART"}[pixels["where"]]
    lines.append(f"input pixels: largest difference {_number(pixels['largest'])}  {where}")
    for image in result["top5"] or ():
        order = "in the same order" if image["same_order"] else "in another order"
        lines.append(f"top-5 of {image['image']}: {image['same']} of {image['of']} agree, {order}")
    changes = result["nodes"]
    lines.append("nodes: " + ", ".join(f"{len(changes[key])} {key}" for key in ("added", "removed", "changed")))
    for key, found in changes.items():
        if found:
            lines.append(f"  {key}: {', '.join(found[:4])}{', ...' if len(found) > 4 else ''}")
    for item in result["surroundings"]:
        lines.append(f"{item['what']}: {_setting(item['a'])} | {_setting(item['b'])}")
    lines.append("")
    if result["ok"]:
        lines.append(f"all {len(result['layers'])} layers agree" if len(result["layers"]) > 1 else "the layer agrees")
    else:
        lines.append(f"first to depart: {result['first'] or 'the input pixels'}")
        lines.append(f"likely cause: {result['cause']['text']}")
    return lines


def _setting(value):
    return "-" if value is None else ",".join(map(str, value)) if isinstance(value, list) else value


def _number(value):
    return "inf" if value is None else f"{value:.1e}" if value else "0"


def plot(path, result, a, b):
    """Draws the differences by layer, and where the worst layer differs, if any does; needs matplotlib."""
    layers = result["layers"]
    worst = max(layers, key=lambda layer: math.inf if layer["largest"] is None else layer["largest"])
    differs = worst["largest"] != 0
    verdict = f"all layers agree within {result['tolerance']:g}" if differs else "no value of any layer differs"
    if not result["ok"]:
        verdict = f"departs first at {result['first'] or 'the input pixels'}\n{result['cause']['text']}"
    names = [os.path.basename(recording.path) for recording in (a, b)]
    with figure.drawing(path, 13 if differs else 7.5, 1.8 + 0.24 * max(16, len(layers))) as picture:
        title = figure.plain(f"A {names[0]}   B {names[1]}\n{verdict}")
        picture.suptitle(title, fontsize=11 if differs else 9, wrap=True)
        if differs:
            bars, map_axes = picture.subplots(1, 2, gridspec_kw={"width_ratios": [1.15, 1]})
            _draw_worst(picture, map_axes, worst, a, b)
        else:
            bars = picture.subplots()
        _draw_bars(bars, layers, result["tolerance"])


def _draw_bars(axes, layers, tolerance):
    """The largest difference of each layer, on a log axis."""
    finite = [layer["largest"] for layer in layers if layer["largest"]]
    floor = min(1e-8, tolerance / 10 or 1e-8) / 2
    ceiling = max([tolerance * 10] + finite) * 3
    lengths = [ceiling if layer["largest"] is None else max(layer["largest"], floor) for layer in layers]
    axes.barh(range(len(layers)), lengths, color=[figure.BLUE if layer["ok"] else figure.RED for layer in layers])
    axes.set_xscale("log")
    axes.set_xlim(floor, ceiling * (ceiling / floor) ** 0.1)  # room for the numbers
    if tolerance:
        axes.axvline(tolerance, color="black", linewidth=1, linestyle="--", zorder=3)
        above = axes.get_xaxis_transform()
        axes.text(tolerance, 1.01, f"tolerance {tolerance:g}", fontsize=8, ha="center", transform=above)
    for row, (layer, length) in enumerate(zip(layers, lengths)):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # over the line of the tolerance
        axes.text(length * 1.15, row, _number(layer["largest"]), va="center", fontsize=8, bbox=box, zorder=4)
    axes.set_yticks(range(len(layers)))
    axes.set_yticklabels([figure.plain(layer["name"]) for layer in layers])
    axes.set_ylim(len(layers) - 0.4, -0.6)
    axes.set_xlabel("largest difference, of the layer's largest magnitude in A")


def _draw_worst(picture, axes, layer, a, b):
    """Where a layer differs: a map of its rows and columns, a line over its units, or samples of A against B."""
    name, shape = layer["name"], layer["shape"]
    values_a, values_b = paired(a, b, name)
    told = f"worst layer: {name}"
    if layer["samples"]:
        axes.scatter(values_a, values_b, s=8, color=figure.BLUE, edgecolors="none")
        ends = [float(min(values_a.min(), values_b.min())), float(max(values_a.max(), values_b.max()))]
        axes.plot(ends, ends, color="black", linewidth=0.8, linestyle="--")
        axes.set(title=figure.plain(f"{told}, its {values_a.size} samples"), xlabel="A", ylabel="B")
        return
    magnitude = max(abs(a.layers[name].min), abs(a.layers[name].max)) or 1.0
    label = "difference, of the layer's largest magnitude in A"
    if len(shape) == 4:
        worst = largest_by_place(values_a.reshape(shape), values_b.reshape(shape)) / magnitude
        worst[~np.isfinite(worst)] = np.nan
        picture.colorbar(axes.imshow(worst, interpolation="nearest"), ax=axes, fraction=0.046).set_label(label)
        told += f", the largest of {shape[0]} images x {shape[3]} channels"
        axes.set(title=figure.plain(told), xlabel="column", ylabel="row")
        return
    rows = [values.reshape(shape[0] if shape else 1, -1).astype(float) for values in (values_a, values_b)]
    for image, line in zip(a.images, difference(*rows) / magnitude):
        axes.plot(line, linewidth=0.7, label=figure.plain(image["name"]))
    axes.set(title=figure.plain(told), xlabel="unit", ylabel=label)
    axes.legend()
