"""The block's own module beside a patched file: how it is imported there, and whether it can be put there."""

import ast
import contextlib
import os

from tensorflow_vgg._patch.source import BLOCK, Doubt, PatchError, tree_of

__all__ = ["block_module", "find_module", "is_block_module", "read"]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def block_module():
    """The bytes of this package's attention.py."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return read(os.path.join(root, "attention.py"))


def is_block_module(path):
    return read(path).replace(b"\r\n", b"\n") == block_module()


def find_module(source, given):
    """The name to import the block from, as the file would write it, and the paths at which it must be put for that.

    Args:
      source: a `Source`.
      given: the module that the user named, which is taken as it is if it is there; or None, for `attention`.

    Raises:
      PatchError: there is another module of the name.
      Doubt: it is not clear whether modules beside the file are imported with a dot.
    """
    name = (given or "attention").lstrip(".")
    prefix = (given or "")[: -len(name)]
    if "." in name or len(prefix) > 1:
        return prefix + name, []  # a module elsewhere
    prefix = prefix or _prefix(source, given)
    missing = []
    folders = [os.path.dirname(source.path), os.path.dirname(os.path.realpath(source.path))]
    for folder in {os.path.realpath(folder): folder for folder in reversed(folders)}.values():
        path = os.path.join(folder, name) + ".py"
        user = _user_of_other(source, folder, prefix + name)
        if not os.path.lexists(path) and not user:
            missing.append(path)
        elif given is None and not (os.path.isfile(path) and is_block_module(path)):
            is_other = "this is another module, and stays as it is" if os.path.lexists(path) else user
            raise PatchError(f"{path}: {is_other}. Import the block from another module with --attention-module NAME")
    return prefix + name, missing


def _user_of_other(source, folder, module):
    """A sentence on what has another module of a name that is not there; else None."""
    path = os.path.join(folder, module.lstrip("."))
    if os.path.isdir(path):
        return f"not there, but there is a folder {path}, which it would hide"
    for file, tree in [(source.path, source.tree), *_trees(folder, module.lstrip("."))]:
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] != [BLOCK]:
                names = ["." * node.level + (node.module or "")]
            if any(f"{name}.".startswith(module + ".") for name in names):
                return f"not there, but line {node.lineno} of {file} imports another {module}, which it would hide"
    return None


def _prefix(source, given):
    """What stands before the names of modules beside a file when it, or its neighbours, import them: "" or "."."""
    folder = os.path.dirname(os.path.abspath(source.path))
    found = _imported_with(source.tree, folder)
    for _, tree in [] if found else _trees(folder, ""):
        found.update(_imported_with(tree, folder))
    if len(found) > 1 and given is None:
        raise Doubt(
            [found["."], found[""]],
            "modules beside this file are imported with a dot and without: say which with --attention-module "
            ".attention or --attention-module attention",
        )
    if given is None and not found and os.path.isfile(os.path.join(folder, "__init__.py")):
        return "."
    return "" if "" in found else next(iter(found), "")


def _trees(folder, word):
    """(path, syntax tree) of the Python files of a folder in which a word occurs, as far as they can be read."""
    for name in sorted(os.listdir(folder or ".")):
        path = os.path.join(folder, name)
        if name.endswith(".py") and os.path.isfile(path) and os.fsencode(word) in read(path):
            with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
                yield path, tree_of(read(path))


def _imported_with(tree, folder):
    """How a file of a folder imports its neighbours: what stands before their names -> row."""
    found = {}
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [] if node.level else [node.module]
            found.update({".": node.lineno} if node.level else {})
        if any(os.path.isfile(os.path.join(folder, name.split(".")[0] + ".py")) for name in names):
            found.setdefault("", node.lineno)
    return found
