"""How a network goes from one layer to the next: found by trying what may have been meant, and compared."""

import collections
import itertools
import math

import numpy as np

from tensorflow_vgg._compare.graph import digest

__all__ = ["STEPS", "Run", "load", "seen"]

Run = collections.namedtuple("Run", "pixels values entering first")
Run.__doc__ = "What a network was fed, its layers' values, what enters its matrix products, its first such layer."


# What the axes of a map are called, in each order that a matrix product may take them in.
_ORDERS = {
    axes: ", ".join(("rows", "columns", "channels")[axis - 1] for axis in axes)
    for axes in itertools.permutations((1, 2, 3))
}


# A colour that a channel of the image may be made of, one of "RGB" or, where several are alike, "?"; how it is made.
_Fit = collections.namedtuple("_Fit", "colour scale mean")


class _Step:
    """How a network goes from one layer to the next.

    `seen(run)` gives the steps of this kind of a network that has been run, as a recording keeps them. `other(step_a,
    step_b, sides, departs)` gives the kind of what differs and how to say it, or None; `departs` tells whether it shows
    where the sides depart.

    Attributes:
      kind: what a recording calls it.
      words: what people call it.
      after: whether it shows only after its layer.
      parts: what else a recording has of a step, and what makes it what it has to be, or raises.
    """

    after = False
    parts = ()

    def key(self, step):
        """What tells this step from others of its kind."""
        return step["layer"]

    def load(self, step):
        """The step as a recording has it, with values made what they have to be; raises if they cannot be."""
        return {**step, "layer": str(step["layer"]), **{key: make(step[key]) for key, make in self.parts}}

    def tell(self, sides):
        """The layers that show what differs, and what to say of it, for each step."""
        for place, steps in self._pairs(sides):
            cause = self.other(*steps, sides, place == sides.first) if len(steps) == 2 else None
            if cause:
                yield [place], dict(zip(("kind", "text"), cause))

    def agree(self, sides):
        """Whether both sides tell of all steps up to where they depart; None if there is none."""
        upto = {sides.first, *sides.agreeing}
        pairs = [steps for place, steps in self._pairs(sides) if place in upto]
        compared = [len(steps) == 2 and self.comparable(*steps) for steps in pairs]
        return all(compared) if compared else None

    def comparable(self, step_a, step_b):
        """Whether two steps tell of the same."""
        return True

    def _pairs(self, sides):
        """Of each step the layer in which it shows first, and how A and how B has made it, as far as they tell."""
        found = {}
        for side, recording in enumerate((sides.a, sides.b)):
            for step in recording.steps:
                place = sides.shown(side, step["layer"], self.after)
                if place and step["kind"] == self.kind:
                    found.setdefault(self.key(step), []).append((place, step))
        for both in found.values():
            places = [place for place, step in both if step.get("kept", 1) < 1] or [place for place, _ in both]
            yield min(places, key=sides.rank.get), [step for _, step in both]


class Preprocessing(_Step):
    """From which colour each channel of the image is made, its scale and its mean; several where they are alike."""

    kind = "preprocessing"
    words = "colour order, scale and mean"

    def key(self, step):
        return None

    def seen(self, run):
        image = None if run.first is None else run.entering[run.first]
        if image is None or image.shape != run.pixels.shape:
            return []
        colours = [run.pixels[..., colour].ravel().astype(float) for colour in range(run.pixels.shape[3])]
        if not all(np.abs(given - given.mean()).max() > 1e-3 for given in colours):
            return []  # of one value nobody can tell what it was made of
        fits, error = [], 0.0
        for channel in range(image.shape[3]):
            found = self._fits(colours, image[..., channel].ravel().astype(float))
            if not found:
                return []
            fits.append([fit for fit, _ in found])
            error = max([error, *(rounding for _, rounding in found)])
        return [{"kind": self.kind, "layer": run.first, "fits": fits, "error": error}]

    @staticmethod
    def _fits(colours, wanted):
        """The colours that a channel of the image may be, with scale and mean, each with what rounding leaves open."""
        rounding = 2 * float(np.spacing(np.abs(wanted).max().astype(np.float32)))
        fits = []
        for colour, given in enumerate(colours):
            spread = np.ptp(given)
            covariance = np.cov(given, wanted)
            scale = covariance[0, 1] / covariance[0, 0]
            offset = wanted.mean() - scale * given.mean()
            # The mean, which may be far larger than what the pictures hold, counts only by what it rounds.
            off = np.abs(scale * given + offset - wanted).max()
            if off <= 1e-4 * abs(scale) * spread + rounding:
                # Adding 0 takes the sign from -0.0.
                fit = {"colour": colour, "scale": round(scale, 4), "mean": round(-offset, 4) + 0.0}
                fits.append((fit, rounding / spread))
        return fits

    def load(self, step):
        # An older recording has but the first fit for each channel.
        fits = step.get("fits") or [
            [dict(zip(_Fit._fields, fit))] for fit in zip(step["order"], step["scale"], step["mean"])
        ]
        colours = {None: "?", 0: "R", 1: "G", 2: "B"}
        fits = [
            [_Fit(colours[fit["colour"]], float(fit["scale"]), float(fit["mean"])) for fit in found] for found in fits
        ]
        order = "".join(found[0].colour if len(found) == 1 else "?" for found in fits)
        return dict(super().load(step), order=order, fits=fits, error=float(step.get("error", 0)))

    def agree(self, sides):
        return super().agree(sides) or False  # what every network has, and neither recording tells of

    def comparable(self, step_a, step_b):
        return "?" not in step_a["order"] + step_b["order"]  # where colours are alike nobody knows their order

    def other(self, step_a, step_b, *_):
        orders = step_a["order"], step_b["order"]
        error = max(5e-5, step_a["error"], step_b["error"])  # half a unit of what is kept, if no more

        def differing(pairs):
            for part in ("scale", "mean"):
                if any(abs(getattr(one, part) - getattr(other, part)) > error for one, other in pairs):
                    return part
            return None

        pairs = self._of_one_colour(step_a["fits"], step_b["fits"])
        if None in pairs:
            return "colour order", f"RGB against BGR: A feeds {orders[0]}, B feeds {orders[1]}"
        what = differing(pairs)
        if what is None:
            return None
        shown = [[getattr(fit, what) for fit in side] for side in zip(*pairs)]
        if orders == ("???", "???"):
            turned = self._of_one_colour(step_a["fits"], step_b["fits"][::-1])
            if None not in turned and differing(turned) is None:
                text = f"RGB against BGR, by their {what}s, in grey pictures: A {shown[0]}, B {shown[1]}"
                return "colour order", text
        order = "".join(one if other == "?" else other for one, other in zip(*orders))
        told = "" if "?" in order else f", in the order {order}"
        return what, f"another {what}: A {shown[0]}, B {shown[1]}{told}"

    @staticmethod
    def _of_one_colour(fits_a, fits_b):
        """For each channel the first fits of both sides that are of one colour; None where they have none in common."""
        pairs = (itertools.product(of_a, of_b) for of_a, of_b in zip(fits_a, fits_b))
        return [
            next((pair for pair in of_channel if len({fit.colour for fit in pair} - {"?"}) < 2), None)
            for of_channel in pairs
        ]


def _products(run):
    """Of each matrix product its layer, what enters, and the layers before with their values, the nearest first."""
    names = list(run.values)
    for layer, entered in run.entering.items():
        if entered.ndim == 2:
            yield layer, entered, [(name, run.values[name]) for name in reversed(names[: names.index(layer)])]


class Flattening(_Step):
    """In which order of the axes a layer's matrix product takes a map."""

    kind = "flattening"
    words = "flatten order"
    parts = (("axes", lambda axes: _ORDERS[tuple(axes)]),)

    def seen(self, run):
        found = []
        for layer, entered, before in _products(run):
            maps = [value for _, value in before if value.ndim == 4 and value.size == entered.size]
            for value, axes in itertools.product(maps, _ORDERS):
                if np.array_equal(value.transpose(0, *axes).reshape(entered.shape), entered):
                    found.append({"kind": self.kind, "layer": layer, "axes": list(axes)})
                    break
        return found

    def other(self, step_a, step_b, *_):
        if step_a["axes"] == step_b["axes"]:
            return None
        return "flatten order", f"flatten order before {step_a['layer']}: A {step_a['axes']}; B {step_b['axes']}"


class Dropout(_Step):
    """Which part of its units the layer before a matrix product, after its ReLU, has kept."""

    kind = words = "dropout"
    after = True  # not in the layer that it is dropped from
    parts = (("before", str), ("kept", float))

    def key(self, step):
        return step["before"]

    def seen(self, run):
        found = []
        for layer, entered, before in _products(run):
            last = []
            for name, value in before:
                if value.shape == entered.shape:
                    kept = self._kept(entered, value)
                    if kept is None:
                        break
                    units = digest(entered != 0)
                    last = [{"kind": self.kind, "layer": name, "before": layer, "kept": kept, "units": units}]
                    if kept != 1 or (value < 0).any():
                        break
            found += last
        return found

    @staticmethod
    def _kept(entered, value):
        """With which probability a unit was kept; None if what entered is not of that layer's."""
        mask, relu = entered != 0, np.maximum(value, 0)
        if not mask.any() or not (relu[mask] > 0).all():
            return None
        ratio = entered[mask] / relu[mask]
        if not np.ptp(ratio) <= 1e-4 * ratio.max():
            return None
        kept = round(1 / float(ratio.mean()), 3)
        positive = int((relu > 0).sum())
        share = mask.sum() / positive
        # Dropout leaves out about as many units as it makes the others larger. Else it is some factor.
        if kept > 1 or (kept == 1) != (share == 1) or abs(share - kept) > 5 * math.sqrt(kept * (1 - kept) / positive):
            return None
        return kept

    def comparable(self, step_a, step_b):
        return step_a["layer"] == step_b["layer"]

    def other(self, step_a, step_b, sides, departs):
        kept, layer = (step_a["kept"], step_b["kept"]), step_a["before"]
        before = sides.previous.get(layer, layer)
        if kept[0] != kept[1]:
            shown = ["every unit" if part == 1 else f"units with probability {part}" for part in kept]
            return "dropout", f"dropout after {before}: A keeps {shown[0]}, B keeps {shown[1]}"
        # Without `units`, in older recordings, only the layer tells whether they are the same.
        if kept[0] < 1 and departs and (step_a.get("units") is None or step_a["units"] != step_b.get("units")):
            return "dropout", f"dropout after {before}: A and B keep other units, both with probability {kept[0]}"
        return None


class Pooling(_Step):
    """Whether a layer is the largest, or the mean, of each window of 2x2 of the one before."""

    kind = words = "pooling"
    parts = (("how", str),)

    def seen(self, run):
        maps = [(layer, value) for layer, value in run.values.items() if value.ndim == 4]
        pairs = [(layer, self._how(before, value)) for (_, before), (layer, value) in zip(maps, maps[1:])]
        return [{"kind": self.kind, "layer": layer, "how": how} for layer, how in pairs if how]

    @staticmethod
    def _how(before, after):
        batch, height, width, channels = after.shape
        if before.shape != (batch, 2 * height, 2 * width, channels):
            return None
        for how, function, tolerance in (("max", np.max, 0.0), ("mean", np.mean, 1e-5)):
            if all(
                np.abs(function(one.reshape(height, 2, width, 2, channels), (1, 3)) - other).max()
                <= tolerance * np.abs(other).max()
                for one, other in zip(before, after)
            ):
                return how
        return None

    def other(self, step_a, step_b, *_):
        if step_a["how"] == step_b["how"]:
            return None
        layer = step_a["layer"]
        return "pooling", f"mean for max pooling: {layer} is the {step_a['how']} in A, the {step_b['how']} in B"


STEPS = [Preprocessing(), Flattening(), Dropout(), Pooling()]


def seen(run):
    """The steps of a network, in what a recording keeps of them: a list of dicts with kind, layer and more."""
    with np.errstate(all="ignore"):  # values that are no numbers tell nothing
        return [found for step in STEPS for found in step.seen(run)]


def load(steps):
    """What `seen` gave, from a file; raises what Python raises where it does not fit."""
    kinds = {step.kind: step for step in STEPS}
    return [kinds[step["kind"]].load(step) for step in steps if step["kind"] in kinds]
