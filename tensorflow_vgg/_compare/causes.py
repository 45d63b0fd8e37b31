"""Why recordings depart: one class a cause, the surest first.

Of two recordings a cause can `tell` where they differ in it: it gives the layers that show it first, and what to say
of it, a dict with kind and text. Whether the two `agree` in it is said where no cause is found. How a network goes from
layer to layer has to be `seen` while it is recorded: those causes are in `steps`.
"""

import collections

from tensorflow_vgg._compare.steps import STEPS

__all__ = ["Sides", "likely", "listed"]


class Sides:
    """Two recordings, A and B, and the layers of them that are compared.

    Attributes:
      a, b: the `Recording`s.
      first: the one that departs first; None if only the pixels do.
      where: where the pixels differ: "nowhere", at the "border" only, or "inside".
      agreeing: the compared layers before `first`.
      rank: compared layer -> its place among them.
      previous: layer -> the one before it in A.
    """

    def __init__(self, a, b, names, first, where):
        self.a, self.b, self.first, self.where = a, b, first, where
        self.rank = {name: number for number, name in enumerate(names)}
        self.agreeing = set(names[: self.rank[first]] if first else ())
        self.previous = dict(zip(a.order[1:], a.order))
        self._showing = [self._shows(recording.order) for recording in (a, b)]

    def _shows(self, order):
        """Of each layer the first compared one from there on, and after it."""
        from_there, after, following = {}, {}, None
        for layer in reversed(order):
            after[layer] = following
            following = from_there[layer] = layer if layer in self.rank else following
        return from_there, after

    def shown(self, side, layer, after=False):
        """The first of the compared layers that can show what A (0) or B (1) does for, or only `after`, a layer."""
        return self._showing[side][after].get(layer)


class _Cause:
    def agree(self, sides):
        """Whether both sides tell of it, and agree, up to where they depart; None if there is nothing to tell of."""
        return True  # what differs there has been told


class Weights(_Cause):
    """Other weights in a layer."""

    words = "weights"

    def tell(self, sides):
        tables = [self._table(sides, side) for side in (0, 1)]
        kernels = collections.Counter(
            (recording, weight.layer)
            for recording in (sides.a, sides.b)
            for weight in recording.weights
            if weight.is_kernel and not weight.attention
        )
        several = {layer for (_, layer), count in kernels.items() if count > 1}
        places, differing = [], {}
        for side, table in enumerate(tables):
            for key, weight in table.items():
                if key not in tables[1 - side]:
                    places.append(key[0])
                    by_name = weight.attention or weight.layer in several
                    what = weight.name if by_name else "kernel" if weight.is_kernel else "biases"
                    having = differing.setdefault((weight.layer, weight.attention), {}).setdefault(what, set())
                    having.add("AB"[side])
        if not differing:
            return
        order = {layer: number for number, layer in reversed(list(enumerate(sides.a.order + sides.b.order)))}
        shown = []
        for layer, attention in sorted(differing, key=lambda key: (order[key[0]], not key[1])):
            whats = [
                what if len(having) == 2 else f"{what} only in {having.pop()}"
                for what, having in differing[layer, attention].items()
            ]
            block = "the attention block up to " if attention else ""
            shown.append(f"{block}{layer} ({listed(whats, 3, 'more')})")
        layers = sorted({layer for layer, _ in differing}, key=order.get)
        text = f"other weights: {listed(shown, 6, 'more layers')}"
        yield places, {"kind": "weights", "text": text, "layers": layers}

    @staticmethod
    def _table(sides, side):
        """The weights of A (0) or B (1) by the layer that shows them and their digest.

        A class may have tensors of its own between the layers that both have.
        """
        both_act = sides.a.attention["state"] == sides.b.attention["state"] == "acts"
        shown = ((sides.shown(side, weight.layer), weight) for weight in (sides.a, sides.b)[side].weights)
        return {
            (layer, weight.digest): weight for layer, weight in shown if layer and (both_act or not weight.attention)
        }


class Pixels(_Cause):
    """Other pixels."""

    words = "pixels"

    def tell(self, sides):
        text = "other pixels: other images, or read or scaled in another way"
        if sides.where == "border":
            text = "other pixels, at the border only: scikit-image's resize, whose defaults changed with 0.15"
        if sides.where != "nowhere":
            yield [sides.first], {"kind": "pixels", "text": text}


class Attention(_Cause):
    """An attention block that acts on one side."""

    words = "attention"

    def tell(self, sides):
        blocks = sides.a.attention, sides.b.attention
        states = [block["state"] for block in blocks]
        if states.count("acts") == 1:
            acting = states.index("acts")
            other = "has none" if states[1 - acting] == "none" else "lets everything through"
            text = f"attention on one side: {'AB'[acting]}'s block acts, {'AB'[1 - acting]} {other}"
            yield [sides.shown(acting, blocks[acting]["layer"])], {"kind": "attention", "text": text}


def likely(sides):
    """{"kind", "text"} of why the compared layers depart, or only the pixels do.

    It is the first difference that shows where the recordings depart. What shows in a layer that agrees is no cause,
    unless nothing else is.
    """
    causes = [Weights(), Pixels(), Attention(), *STEPS]
    found = [told for cause in causes for told in cause.tell(sides)]
    for places in ([sides.first], sides.agreeing):
        for shown, cause in found:
            if any(place in places for place in shown):
                return cause
    agree = [(cause.words, cause.agree(sides)) for cause in causes]
    text = f"none of those known: up to there {', '.join(words for words, both in agree if both)} agree"
    untold = [words for words, both in agree if both is False]
    if untold:
        text += f"; the recordings do not tell all of {', '.join(untold)}"
    return {"kind": "none", "text": text}


def listed(items, most, more):
    """At most so many of some words, as one text."""
    if len(items) <= most + 1:
        return ", ".join(items)
    return f"{', '.join(items[:most])} and {len(items) - most} {more}"
