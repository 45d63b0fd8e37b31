"""The files: what each would be, the difference as a diff, and writing it whole or not at all."""

import collections
import contextlib
import difflib
import itertools
import os
import shutil
import stat

from tensorflow_vgg._patch.edit import MARK, compat, put_in, take_out
from tensorflow_vgg._patch.module import block_module, find_module, is_block_module, read
from tensorflow_vgg._patch.place import find_places
from tensorflow_vgg._patch.source import BLOCK, Doubt, PatchError, Source

__all__ = ["Plan", "apply", "check_writable", "diff", "find", "plan", "plan_revert"]


class Plan(collections.namedtuple("Plan", "path before after modules blocks present doubts notes")):
    """What would become of one file.

    Attributes:
      path: the file, as it was named.
      before, after: its bytes. They are the same if there is nothing to do.
      modules: paths at which the block's own module must be put.
      blocks: how many blocks would be new.
      present: the numbers of the lines that have the block already where it should be.
      doubts: texts of several lines: the lines looked at and why nothing was done there.
      notes: further lines for the user.
    """


def find(path):
    """The Python files that `path` names: itself, or those of a folder and its subfolders, sorted.

    Hidden folders and virtual environments are left out.

    Raises:
      FileNotFoundError: there is no such file or folder.
      PatchError: it is neither.
    """
    if not os.path.isdir(path):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise PatchError(f"{path}: expected a Python file or a folder, found neither")
        return [path]
    files = []
    for folder, folders, names in os.walk(path):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in ("__pycache__", "node_modules", "site-packages")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        files += [os.path.join(folder, name) for name in names if name.endswith(".py")]
    return sorted(file for file in files if os.path.isfile(file))


def plan(path, options, skim=False):
    """What patching a file would make of it. Nothing is changed.

    Args:
      path: a Python file, or a symbolic link to one.
      options: `edit.Options`.
      skim: say nothing of a file in which nothing looks like a VGG, and pass over one in which the word "pool" does
        not occur, though it may be no Python at all, and the block's own module.

    Returns:
      A `Plan`. A file without a network has no blocks, nothing present and no doubts.

    Raises:
      PatchError: there is no syntax tree, or another module has the name of the block's.
      OSError: the file cannot be read.
    """
    data = read(path)
    if skim and (b"pool" not in data.lower() or f"def {BLOCK}(".encode() in data):
        return Plan(path, data, data, [], 0, [], [], [])
    source = Source(data, path)
    try:
        places, present, doubts = find_places(source.tree, options, skim)
    except RecursionError:
        raise PatchError(f"{path}: nested too deep to be followed; nothing was changed") from None
    if not all(doubt.other_network for doubt in doubts):
        # A network that may be a VGG and is not understood: the whole file is left alone.
        places, present, doubts = [], [], [doubt for doubt in doubts if not doubt.other_network]
    patched, modules, notes = source, [], []
    try:
        if places:
            module, modules = find_module(source, options.attention_module)
            patched = put_in(source, places, options, module)
        if options.compat and (places or present):
            patched, notes = compat(patched)
            own = os.path.join(os.path.dirname(path), "attention.py")
            if present and os.path.isfile(own) and not is_block_module(own):
                notes.append(f"{own} is another than this package's, and stays as it is: does it run on TensorFlow 2?")
        if patched.text != source.text:
            _check_way_back(source, patched)
    except Doubt as doubt:
        doubts.append(doubt)
        patched, places, modules, notes = source, [], [], []
    texts = ["\n".join([source.quote(row) for row in doubt.rows[-6:]] + [f"  {doubt.reason}"]) for doubt in doubts]
    after = patched.encode(patched.text)
    if (places or present) and all(doubt.other_network for doubt in doubts):
        texts, notes = [], notes + [f"another network in it left alone:\n{text}" for text in texts]
    return Plan(path, data, after, modules, len(places), sorted(set(present)), texts, notes + _links(path, data, after))


def _check_way_back(source, patched):
    """Raises unless what was put in can be taken out, and nothing else with it."""
    try:
        if take_out(patched) == take_out(source):
            return
    except PatchError as error:
        raise Doubt([], f"what would be put in could not be taken out again: {error}") from error
    raise Doubt([], "what would be put in could not be taken out again")


def plan_revert(path):
    """What a file would be without what `plan` put in. Nothing is changed.

    Raises:
      PatchError: there is no syntax tree, or the lines that were put in, or what reads them, have been edited.
      OSError: the file cannot be read.
    """
    data = read(path)
    after = take_out(Source(data, path)) if MARK.encode("ascii") in data else data
    return Plan(path, data, after, [], 0, [], [], _links(path, data, after))


def _links(path, data, after):
    """A note, if a file that changes has hard links: a new file takes the place of this name alone."""
    others = os.stat(path).st_nlink - 1
    if after == data or not others:
        return []
    return [f"has {others} more name{'' if others == 1 else 's'} (hard links), which keep the file as it is"]


def diff(plan):
    """The change as a unified diff, for `patch` and `git apply`: bytes with the file's own line ends, its encoding."""
    texts = []
    for data in (plan.before, plan.after):
        source = Source(data, plan.path)
        lines = [line.encode(source.encoding) for line in source.lines]
        texts.append([source.bom + lines[0]] + lines[1:] if lines else [])
    name = os.fsencode(plan.path)
    name += b"\t" if b" " in name else b""  # by which `patch` knows where the name ends
    lines = difflib.diff_bytes(difflib.unified_diff, texts[0], texts[1], name, name, lineterm=b"\n")
    whole = (line if line.endswith((b"\n", b"\r")) else line + b"\n\\ No newline at end of file\n" for line in lines)
    return b"".join(whole), source.encoding


def check_writable(plans):
    """Raises for the first of the files that its mode bits protect, before anything is written.

    Root may write to such a file, and a rename gets past it: neither is meant here.
    """
    for plan in plans:
        path = os.path.realpath(plan.path)
        for protected in [path, os.path.dirname(path)] + [os.path.dirname(module) or "." for module in plan.modules]:
            if not os.stat(protected).st_mode & stat.S_IWUSR or not os.access(protected, os.W_OK):
                raise PatchError(f"{protected}: read-only; make it writable first (chmod u+w). Nothing was changed")


def apply(plan, backup=True):
    """Writes what was planned: the backup and the block's module first, the file, whole or not at all, last.

    A symbolic link stays, its target is changed, and the backup is beside that. Mode and owner stay.

    Args:
      plan: a `Plan` whose `after` is not its `before`.
      backup: whether to keep the file as it was, with `.orig` after its name (`.orig.1` if there is another).

    Returns:
      The paths of the other files that were written.

    Raises:
      PatchError: the file has changed since it was planned. It is as it was, as after any other error.
      OSError: something cannot be written.
    """
    from tensorflow_vgg import _weights

    path = os.path.realpath(plan.path)
    made = []
    try:
        if backup:
            _create(_backup_name(path, plan.before), plan.before, made, mode_of=path)
        for module in plan.modules:
            _create(module, block_module(), made)
        with _weights.replacing(path) as file:
            file.write(plan.after)
            shutil.copymode(path, file.name)
            owner = os.stat(path)
            with contextlib.suppress(OSError, AttributeError):  # not the owner, or no such thing here
                os.chown(file.name, owner.st_uid, owner.st_gid)
            now = read(path)
            if now == plan.after:
                return made  # another run of this command was faster
            if now != plan.before:
                raise PatchError(f"{plan.path}: changed while this command ran; nothing was changed, run it again")
    except BaseException:
        if not os.path.isfile(path) or read(path) != plan.after:  # else only the way back was interrupted
            for name in made:
                with contextlib.suppress(OSError):
                    os.remove(name)
        raise
    return made


def _backup_name(path, data):
    for number in itertools.count():
        name = f"{path}.orig{f'.{number}' if number else ''}"
        if not os.path.lexists(name) or (os.path.isfile(name) and read(name) == data):
            return name


def _create(path, data, made, mode_of=None):
    """Writes a new file, and adds it to `made`; one of the same content may be there."""
    if os.path.isfile(path) and read(path) in (data, data.replace(b"\n", b"\r\n")):
        return
    with open(path, "xb") as file:
        made.append(path)
        file.write(data)
    if mode_of:
        shutil.copymode(mode_of, path)
