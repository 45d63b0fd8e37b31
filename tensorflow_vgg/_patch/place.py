"""The rule by which the place for the attention block is found.

In source order: five poolings in one function, each made from the one before; then the first fully connected layer,
which reads the fifth by way of reshapes, dropout and the like alone. What it reads there shall be the block's result.
Where any of that is not sure, the network is left alone: the user can name the place.
"""

import ast
import collections
import itertools
import re

from tensorflow_vgg._patch.source import Doubt, key_of, literal_of
from tensorflow_vgg._patch.steps import Code, exclusive, in_loop, inside, strings_of

__all__ = ["find_places"]

_POOLINGS = 5
# How the order of channels before rows and columns is called, which is not the block's.
_CHANNELS_FIRST = ("NCHW", "NCDHW", "channels_first")
_ELSEWHERE = "; name the place with --after or --before"
_NOWHERE = (
    f"no function has five poolings and then a fully connected layer of TensorFlow 1{_ELSEWHERE}, or write by hand "
    "feature = convolutional_block_attention_module(feature, index=0) before the first fully connected layer"
)
_FOREIGN = "its layers are not TensorFlow 1's: the block cannot take what they give"

# `reads`: the expressions that shall read the block's result. `stmt`: the statement after which it is made, or `before`
# which.
Place = collections.namedtuple("Place", "reads stmt before")
# A pooling: the steps that make it, more than one where each is on a way of its own, and whether they name it.
_Pooling = collections.namedtuple("_Pooling", "steps named")


def find_places(tree, options, skim=False):
    """Where the block belongs.

    Args:
      tree: a file's syntax tree.
      options: has `after` and `before`, the names of layers, or None.
      skim: whether to say nothing of a file in which there is no fifth pooling.

    Returns:
      (places, present, doubts): `Place`s; the rows of blocks that are there already; `Doubt`s.
    """
    code, named = Code(tree), options.after or options.before
    places, present, doubts = [], [], []
    for function in code.steps:
        try:
            found, rows = _named(code, function, options) if named else _automatic(code, function, tree)
            places += found
            present += rows
        except Doubt as doubt:
            doubts.append(doubt)
    if named and not (places or present or doubts):
        missing = [name for name in (options.after, options.before) if name and not _with_name(code, code.every, name)]
        known = list(dict.fromkeys(word for step in code.every if _is_feature(code, step) for word in _names(step)))
        reason = f"no function has both {options.after} and {options.before}: give one of them alone"
        if missing:
            reason = (
                f"it has no layer {missing[0]} by a name of its own; the last that it has: {', '.join(known[-12:])}"
            )
        doubts.append(Doubt([], reason))
    layers = [call for step in code.every for call in code.calls(step, "pool", "fc")]
    if layers and not (places or present or doubts or skim):
        doubts.append(Doubt(_rows(layers[-4:]), _NOWHERE))
    return places, present, doubts


def _rows(nodes):
    return [getattr(node, "stmt", node).lineno for node in nodes]


# ----------------------------------------------------------------------------------------------------- by the rule


def _poolings(code, function):
    found = []
    for step in code.steps[function]:
        leaves = [leaf for value in step.values.values() for leaf in code.leaves(value)]
        calls = code.calls(step, "pool")
        inside = [call for call in calls if call not in leaves]
        found += [_Pooling([step], False) for _ in inside]
        if len(inside) < len(calls):
            last = found[-1].steps if found and found[-1].named else []
            if last and exclusive(last[-1].path, step.path) and last[-1].values.keys() == step.values.keys():
                last.append(step)
            else:
                found.append(_Pooling([step], True))
    return found


def _automatic(code, function, tree):
    """(places, present) in a function; raises a `Doubt` where it may be a VGG and the place is not sure."""
    poolings = _poolings(code, function)
    if not poolings:
        return [], []
    last = poolings[:_POOLINGS][-1]
    heads = _heads(code, last.steps)
    if len(poolings) < _POOLINGS and not heads:
        return [], []
    calls = [call for pooling in poolings for step in pooling.steps for call in code.calls(step, "pool")]
    rows = _rows(last.steps + [call for _, call in heads[:1] if last.named])
    looped = any(in_loop(pooling.steps[0].path) for pooling in poolings)
    paths = [pooling.steps[0].path for pooling in poolings if len(pooling.steps) == 1]
    channels_first = _rows(node for node in ast.walk(tree) if literal_of(node) in _CHANNELS_FIRST)
    reason = None
    if any(code.is_foreign(call, function) for call in calls):
        reason = _FOREIGN
    elif not any(name.split(".")[0] == "tensorflow" for name in code.imports.values()):
        reason = "the file does not import TensorFlow" + _ELSEWHERE
    elif looped:
        reason = "poolings are made in a loop, so that they cannot be counted" + _ELSEWHERE
    elif len(poolings) != _POOLINGS:
        count = "is 1 pooling" if len(poolings) == 1 else f"are {len(poolings)} poolings"
        reason = f"there {count} in this function, VGG has {_POOLINGS}" + _ELSEWHERE
        rows += _rows(poolings[-1].steps)
    elif not last.named:
        reason = "the pooling stands inside another call: give its result a name, on a line of its own"
    elif any(not inside(last.steps[0].path, path) for path in paths):
        reason = "a pooling is made on one of two ways only" + _ELSEWHERE
    elif not heads:
        reason = "no fully connected layer reads the fifth pooling; name the place with --after"
    elif channels_first:
        rows += channels_first
        reason = "channels may come before rows and columns here, and the block takes them last: if they do not, "
        reason += "name the place with --after or --before"
    if reason:
        raise Doubt(rows, reason, other_network=len(poolings) < _POOLINGS and not looped)
    for one, other in zip(poolings, poolings[1:]):
        if not all(code.comes_from(code.read_by(step), step, one.steps) for step in other.steps):
            raise Doubt(_rows(one.steps + other.steps), "the second is not made from the first" + _ELSEWHERE)
    return _from_heads(code, last.steps, heads)


def _heads(code, made):
    """The fully connected layers, (step, call), that come from these steps and no earlier of their kind."""
    calls = [(step, call) for step in code.every for call in code.calls(step, "fc")]
    return [(step, call) for step, call in calls if code.comes_from(code.reads(call), step, made)]


def _from_heads(code, fifth, heads):
    ways = [(step, call, *_way(code, step, call, fifth)) for step, call in heads]
    present = [row for *_, rows in ways for row in rows]
    if present:  # of two that come from the pooling, one has the block already: so it was meant
        return [], present
    ways = [(step, call, reads) for step, call, reads, _ in ways if reads]  # others only take what another gives
    for (step, call, reads), (other, other_call, other_reads) in itertools.combinations(ways, 2):
        if reads.keys() != other_reads.keys() and not exclusive(step.path, other.path):
            reason = (
                "more than one fully connected layer reads the pooling: name the one that shall take the block's "
                "result with --before"
            )
            raise Doubt(_rows([*fifth, call, other_call]), reason)
    return [_place(code, fifth, [read for _, _, reads in ways for read in reads.values()])], []


def _way(code, step, call, fifth):
    """What a fully connected layer reads: {id: (read, step)} of the pooling, and the rows of blocks between them."""
    found, present, between = {}, [], None
    waiting = [(argument, step) for argument in call.args + call.keywords]
    for leaf, at in ((leaf, at) for expr, at in waiting for leaf in code.leaves(expr)):
        made, sure = code.made(leaf, at) if key_of(leaf) else ([], True)
        if any(other in fifth for other in made) or (not sure and code.comes_from([leaf], at, fifth)):
            _check_made(code, leaf, at, fifth, call)
            found[id(leaf)] = (leaf, at)
            continue
        values = [(other.values.get(key_of(leaf)), other) for other in made]
        waiting += [pair for pair in values if pair not in waiting]  # two methods may give each other what they read
        ends = [(other.exprs[0], code.read_by(other), other) for value, other in values if value is None]
        if code.is_call(leaf, "attention"):
            present.append(leaf.lineno)
        elif not key_of(leaf) and not code.is_call(leaf, "fc"):
            ends.append((leaf, code.reads(leaf), at))
        between = next((end for end, reads, at in ends if code.comes_from(reads, at, fifth)), between)
    if between is not None and not present:
        reason = f"the first fully connected layer does not read a pooling, but line {between.lineno}" + _ELSEWHERE
        raise Doubt(_rows([*fifth, between, call]), reason)
    return found, present


def _check_made(code, read, step, made, reader):
    """Raises unless what is read is of the steps `made` on every way."""
    makers, sure = code.made(read, step)
    if not sure or any(maker not in made for maker in makers):
        raise Doubt(_rows([reader, *makers]), "what is read there is not made in one place: give it a name of its own")


def _place(code, made, reads, before=False):
    """The place for a block that takes what the steps `made` give to the reads, (read, step).

    It is made after them; where another method reads it, or `before`, right before the first that reads it.
    """
    looked_at = _rows(made + [read for read, _ in reads])
    function, (_, first) = made[0].function, reads[0]
    local = not before and all(step.function is function for _, step in reads)
    if any(in_loop(step.path) for step in ([] if before else made) + [step for _, step in reads]):
        raise Doubt(looked_at, "the layer is made or read in a loop, and a block can be made once: put it in by hand")
    again = code.made_elsewhere(key_of(reads[0][0]), function)
    again = [method for method in again if not local or len(_poolings(code, method)) < _POOLINGS]
    if again and not before:
        raise Doubt(looked_at + _rows(again), "another method assigns the layer again; give it another name there")
    if not local:
        if any(step.function is not first.function or not inside(step.path, first.path) for _, step in reads):
            raise Doubt(looked_at, "what reads the layer is in more than one place: name the one with --before")
        return Place([read for read, _ in reads], first.stmt, True)
    around = [part[0] for part in made[0].path if part not in first.path]
    return Place([read for read, _ in reads], (around or [made[0].stmt])[0], False)


# ------------------------------------------------------------------------------------------------------- by a name


def _names(step):
    return [re.split(r"[.\[]", key)[-1].strip("]'\"") for key in step.values]


def _is_feature(code, step):
    """Whether a step gives something that convolutions or poolings made."""
    made = step in code.layers or code.comes_from(code.read_by(step), step, code.layers)
    return made and any(step.values.values())


def _with_name(code, steps, name):
    """The steps of a layer: those whose result has the name, or those that call something with it as a string."""
    name = name.split(".")[-1]
    steps = [step for step in steps if _is_feature(code, step)]
    called = [step for step in steps if any(name in strings_of(call) for call in code.calls(step))]
    return [step for step in steps if name in _names(step)] or called


def _named(code, function, options):
    """(places, present) in a function, by the names of the layers around the place."""
    after, before = [
        _with_name(code, code.steps[function], name) if name else None for name in (options.after, options.before)
    ]
    if [] in (after, before):
        return [], []
    for name, found in ((options.after, after or []), (options.before, before or [])):
        if any(found is before or not exclusive(a.path, b.path) for a, b in itertools.combinations(found, 2)):
            reason = f"{name} stands for more than one layer: give --after or --before another, or each its own name"
            raise Doubt(_rows(found), reason)
        if any(code.is_foreign(call, function) for step in found for call in code.calls(step)):
            raise Doubt(_rows(found), _FOREIGN)
    return _before(code, before[0], after, options) if before else _after(code, after, options.after)


def _after(code, made, name):
    _check_map(code, made, name)
    heads = _heads(code, made)
    ways = [(code.reads(call), step) for step, call in heads] or [(code.read_by(step), step) for step in code.every]
    reads = {id(read): (read, step) for way in ways for read, step in code.sources(*way, made, bool(heads))}
    reads = list(reads.values())
    if not reads:
        reason = "return it or give it another name, for the block's result to go there"
        raise Doubt(_rows(made), f"nothing that follows reads {name}: {reason}")
    for read, step in reads:
        _check_made(code, read, step, made, read)
    present = [call.lineno for _, step in reads for call in code.calls(step, "attention")]
    if present:
        return [], present
    if not heads and len(reads) > 1:
        rows = _rows(made + [read for read, _ in reads])
        raise Doubt(rows, f"{name} is read in several places: name what shall read the block with --before")
    return [_place(code, made, reads)], []


def _before(code, named, after, options):
    leaves = [leaf for value in named.values.values() for leaf in code.leaves(value)]
    if leaves and all(map(key_of, leaves)):  # relu(fc): the layer is what it is made from; not so flatten(pool5)
        named = next((maker for maker in code.made(leaves[0], named)[0] if code.calls(maker, "conv", "fc")), named)
    found, waiting = [], [(read, named) for read in code.read_by(named)]
    for read, at in waiting:
        makers, sure = code.made(read, at)
        leaves = [leaf for maker in makers for leaf in code.leaves(maker.values.get(key_of(read)))]
        through = sure and len(makers) == 1 and not (after and makers[0] in after)
        if through and any(map(key_of, leaves)) and not any(isinstance(leaf, (ast.Call, ast.BinOp)) for leaf in leaves):
            pairs = [(leaf, makers[0]) for leaf in leaves if key_of(leaf)]
            waiting += [pair for pair in pairs if pair not in waiting]
        elif any(_is_feature(code, maker) for maker in makers):
            found.append((read, at, makers))
    present = [call.lineno for _, _, makers in found for maker in makers for call in code.calls(maker, "attention")]
    if present:
        return [], present
    if after:
        found = [(read, at, makers) for read, at, makers in found if all(maker in after for maker in makers)]
        if not found:
            raise Doubt(_rows([*after, named]), f"{options.before} does not read {options.after}")
    if len({(key_of(read), at) for read, at, _ in found}) != 1:
        reason = f"{options.before} reads no layer or more than one: name the one before it with --after"
        raise Doubt(_rows([named] + [read for read, _, _ in found]), reason)
    made = found[0][2]
    _check_map(code, made, options.before)
    return [_place(code, made, [(read, at) for read, at, _ in found], before=True)], []


def _check_map(code, made, name):
    """Raises unless a layer gives a feature map."""
    fc = [step for step in code.every if code.calls(step, "fc")]
    for step in made:
        maps = code.calls(step, "conv", "pool") or not code.comes_from(code.read_by(step), step, fc)
        if code.calls(step, "fc", "flat") or not maps:
            raise Doubt(_rows(made), f"at {name} there is no feature map [batch, height, width, channels] any more")
