"""Compares two recordings, one layer at a time."""

import math

import numpy as np

from tensorflow_vgg import _images
from tensorflow_vgg._compare import causes
from tensorflow_vgg._compare.recording import size

__all__ = ["compare", "difference", "largest_by_place", "paired"]

_PART = 1 << 16  # values that are compared at a time
_BORDER = 8  # pixels from the edge that scikit-image's resize may draw from outside of a small image


def compare(a, b, tolerance=1e-5, layers=None):
    """Compares two recordings.

    Args:
      a, b: `Recording`s, `a` being what is expected.
      tolerance: how far a layer may be off, in parts of the largest magnitude that it has in `a`.
      layers: the names of the layers to compare; None for all, which then both must have.

    Returns:
      A dict, ready for JSON: ok, first (the first layer that departs), cause, layers, pixels, top5, nodes and
      surroundings.

    Raises:
      ValueError: the recordings are not of the same layers of the same images, or are damaged.
    """
    names = _common_layers(a, b, layers)
    pixels = _compare_pixels(a, b, tolerance)
    compared = [_compare_layer(a, b, name, tolerance) for name in names]
    first = next((layer["name"] for layer in compared if not layer["ok"]), None)
    ok = first is None and pixels["ok"]
    return {
        "ok": ok,
        "a": a.path,
        "b": b.path,
        "tolerance": tolerance,
        "first": first,
        "cause": None if ok else causes.likely(causes.Sides(a, b, names, first, pixels["where"])),
        "layers": compared,
        "pixels": pixels,
        "top5": _compare_top5(a, b),
        "nodes": _compare_nodes(a.nodes, b.nodes),
        "surroundings": _compare_surroundings(a, b),
    }


def _common_layers(a, b, wanted):
    """The layers' names in network order. An attention block that only one has is no reason not to compare."""
    both = f"{a.path} and {b.path}"
    nets = [recording.settings["net"].replace("_trainable", "") for recording in (a, b)]
    if nets[0] != nets[1]:
        raise ValueError(f"{both}: expected the same network, got {nets[0]} and {nets[1]}")
    if len(a.images) != len(b.images):
        found = f"{len(a.images)} and {len(b.images)}"
        raise ValueError(f"{both}: expected batches of the same images, got {found}; record with --from")
    names = [name for name in a.layers if name in b.layers]
    for one, other in ((a, b), (b, a)):
        expected = [name for name, layer in one.layers.items() if not layer.attention] if wanted is None else wanted
        missing = [name for name in expected if name not in other.layers]
        if missing:
            has = f"that {one.path} has" if wanted is None else "that --layers names"
            common = f"compare those that both have with --layers {','.join(names)}" if names else "both have none"
            hint = _images.alike(missing[0], names, 3, 0.75) if wanted is not None else ""
            listed = causes.listed(missing, 6, "more")
            raise ValueError(f"{other.path}: layers are missing {has}: {listed}{hint or '; ' + common}")
    if wanted is not None:
        names = [name for name in names if name in wanted]
    if not names:
        raise ValueError(f"{both}: expected layers that both have, got none")
    for name in names:
        shapes = a.layers[name].shape, b.layers[name].shape
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"{both}: {name}: expected the same shape, got {shapes[0]} and {shapes[1]}: weights of other widths?"
            )
    return names


def _compare_layer(a, b, name, tolerance):
    layers = a.layers[name], b.layers[name]
    values_a, values_b = paired(a, b, name)
    largest, mean, worst, correlation = _differences(values_a, values_b)
    sampled = values_a.size != size(layers[0].shape)
    if sampled:
        # What lies between the samples shows in these.
        statistics = np.array([[layer.mean, layer.std, layer.min, layer.max] for layer in layers])
        largest = max(largest, float(difference(*statistics).max()))
        counts = [layer.not_finite for layer in layers]
        if None not in counts and counts[0] != counts[1]:
            largest = math.inf
    magnitude = max(abs(layers[0].min), abs(layers[0].max))
    relative = _relative(largest, magnitude)
    return {
        "name": name,
        "shape": list(layers[0].shape),
        "samples": values_a.size if sampled else None,
        "largest": _json_number(relative),
        "mean": _json_number(_relative(mean, magnitude)),
        "correlation": _json_number(correlation),
        "float32_steps": _float32_steps(values_a[worst], values_b[worst]) if values_a.size else 0,
        "ok": relative <= tolerance,
    }


def _differences(values_a, values_b):
    """The largest and the mean absolute difference, the place of the largest, and the correlation of two arrays."""
    largest = total = 0.0
    worst = 0
    moments = np.zeros((2, 2))
    with np.errstate(all="ignore"):
        means = [[values.mean(dtype=float)] for values in (values_a, values_b)] if values_a.size else [[0.0], [0.0]]
        for start in range(0, values_a.size, _PART):
            pair = np.stack([values[start : start + _PART].astype(float) for values in (values_a, values_b)])
            part = difference(*pair)
            place = int(part.argmax())
            if part[place] > largest:
                largest, worst = float(part[place]), start + place
            total += part.sum()
            centred = pair - means
            moments += centred @ centred.T
        correlation = moments[0, 1] / np.sqrt(moments[0, 0] * moments[1, 1])
    return largest, total / max(1, values_a.size), worst, correlation


def paired(a, b, name):
    """The values of a layer that both recordings have, flat."""
    (index_a, values_a), (index_b, values_b) = a.layer(name), b.layer(name)
    if index_a is None:
        return values_a if index_b is None else values_a[index_b], values_b
    if index_b is None:
        return values_a, values_b[index_a]
    _, where_a, where_b = np.intersect1d(index_a, index_b, return_indices=True)
    if not where_a.size:
        expected = "expected samples of the same places, got none; record with the same --samples"
        raise ValueError(f"{a.path} and {b.path}: {name}: {expected}")
    return values_a[where_a], values_b[where_b]


def difference(values_a, values_b):
    """The absolute differences; infinite where only one is not a finite number."""
    with np.errstate(invalid="ignore"):
        found = np.abs(values_a - values_b)
    found[(values_a == values_b) | (np.isnan(values_a) & np.isnan(values_b))] = 0
    found[np.isnan(found)] = np.inf
    return found


def largest_by_place(maps_a, maps_b):
    """Of each row and column the largest difference over images and channels; the parts keep float64 copies small."""
    worst = np.zeros(maps_a.shape[1:3])
    for one, other in zip(maps_a, maps_b):
        for row, found in enumerate(worst):
            np.maximum(found, difference(one[row].astype(float), other[row].astype(float)).max(axis=-1), out=found)
    return worst


def _relative(found, magnitude):
    if not found:
        return 0.0
    return found / magnitude if magnitude else math.inf


def _json_number(number):
    return float(number) if np.isfinite(number) else None


def _float32_steps(value_a, value_b):
    """How many float32 numbers lie from the one to the other; None if one is no number."""
    with np.errstate(over="ignore"):
        pair = np.array([value_a, value_b]).astype(np.float32)
    if np.isnan(pair).any():
        return None
    bits = pair.view(np.int32).astype(np.int64)
    bits = np.where(bits < 0, -(2**31) - bits, bits)  # negative floats count backwards
    return int(abs(bits[0] - bits[1]))


def _compare_pixels(a, b, tolerance):
    """How far the images are apart, and where."""
    pixels_a, pixels_b = a.pixels(), b.pixels()
    if pixels_a.shape != pixels_b.shape:
        shapes = f"{pixels_a.shape} and {pixels_b.shape}"
        raise ValueError(f"{a.path} and {b.path}: expected pixels of the same shape, got {shapes}")
    largest = largest_by_place(pixels_a, pixels_b)
    magnitude = float(np.abs(pixels_a).max())
    off = largest > tolerance * magnitude
    inner = off[_BORDER:-_BORDER, _BORDER:-_BORDER]
    where = "nowhere" if not off.any() else "inside" if inner.any() else "border"
    relative = _json_number(_relative(float(largest.max()), magnitude))
    return {"ok": not off.any(), "largest": relative, "where": where, "places": int(off.sum())}


def _compare_top5(a, b):
    """For each image how many of the five most probable classes both have, and whether in the same order."""
    if not a.top5 or not b.top5:
        return None
    return [
        {"image": image["name"], "same": len(set(top_a) & set(top_b)), "of": len(top_a), "same_order": top_a == top_b}
        for image, top_a, top_b in zip(a.images, a.top5, b.top5)
    ]


def _compare_nodes(nodes_a, nodes_b):
    return {
        "added": [name for name in nodes_b if name not in nodes_a],
        "removed": [name for name in nodes_a if name not in nodes_b],
        "changed": [name for name, node in nodes_a.items() if nodes_b.get(name, node) != node],
    }


def _compare_surroundings(a, b):
    """Settings, versions and images that differ."""
    flat = []
    for recording in (a, b):
        images = {key: " ".join(str(image.get(key)) for image in recording.images) for key in ("name", "sha256")}
        told = {"images": images["name"], "digest of images": images["sha256"]}
        flat.append({**recording.surroundings, **recording.settings, **told})
    keys = list(dict.fromkeys([*flat[0], *flat[1]]))
    pairs = [(key, flat[0].get(key), flat[1].get(key)) for key in keys]
    return [{"what": key, "a": one, "b": other} for key, one, other in pairs if one != other]
