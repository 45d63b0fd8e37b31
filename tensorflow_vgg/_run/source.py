"""Reads a script and its own modules without running them: what they import, and the paths that they name."""

import ast
import os
import sys

from tensorflow_vgg._run.loading import Loader

__all__ = ["attributes", "dotted", "imports", "known_texts", "own_files", "stored", "text_of", "tried", "words"]

# By these a script looks what it can use.
_LOOKS = frozenset(
    ["PY2", "PY3", "VERSION", "__version__", "dir", "getattr", "hasattr", "python_version", "version_info"]
)
# What a script makes a path of.
_OF_PATHS = (os.path.abspath, os.path.dirname, os.path.expanduser, os.path.join, os.path.normpath, os.path.realpath)
_PATH_FUNCTIONS = {function.__name__: function for function in (*_OF_PATHS, os.getcwd)}


def own_files(path, environment):
    """The script and all its own modules that it imports: path -> syntax tree, or what Python's parser raises.

    `environment` is its `imports.Environment`, entered. What they add to sys.path by name is there afterwards.
    """
    waiting, trees = [path], {}
    for file in waiting:
        with open(file, "rb") as opened:
            try:
                trees[file] = ast.parse(opened.read(), file)
            except (SyntaxError, ValueError) as error:
                trees[file] = error
                continue
        sys.path += _added_to_path(trees[file], file)
        for _, name, _ in imports(trees[file]):
            for spec in environment.specs(name):
                if isinstance(spec.loader, Loader) and spec.origin not in waiting:
                    waiting.append(spec.origin)
    return trees


def imports(tree):
    """Yields (node, dotted name, name in the module) for all that a module imports by an absolute name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, alias.asname or alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                name = node.module if alias.name == "*" else f"{node.module}.{alias.name}"
                yield node, name, alias.asname or alias.name


def attributes(tree):
    """Yields (node, dotted name) for the uses of what a module imports under a name that is nothing else in it."""
    names, others = {}, stored(tree)
    for _, name, own in imports(tree):
        top = own.partition(".")[0]
        names.setdefault(top, set()).add(name if top == own else top)
    inner = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node not in inner:
            first, _, rest = (dotted(node) or "").partition(".")
            if first not in others and len(names.get(first, ())) == 1:
                yield node, f"{min(names[first])}.{rest}"


def stored(tree):
    """The names that a module gives to values and arguments."""
    nodes = list(ast.walk(tree))
    found = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return found | {node.arg for node in nodes if isinstance(node, ast.arg)}


def tried(tree, looks=_LOOKS):
    """The nodes that run only where they work: in `try`, or where a look says so.

    `looks` are the names by which a script looks; by default at versions and names.
    """
    names, found = set(looks), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and words(node.value) & names:
            names |= words(ast.Tuple(node.targets, ast.Store()))
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) or (isinstance(node, (ast.If, ast.IfExp)) and words(node.test) & names):
            found.update(ast.walk(node))
    return found


def words(tree):
    """All names and attributes in an expression."""
    return {getattr(node, "id", getattr(node, "attr", None)) for node in ast.walk(tree)} - {None}


def dotted(node):
    """The text of a dotted name: "sys.path.append"; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return base and f"{base}.{node.attr}"
    return None


def known_texts(tree, file):
    """The names of a module that are given one text, and that once: name -> text. `file` is the module's path."""
    texts, seen = {"__file__": file, "os.pardir": os.pardir}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            texts[name] = None if name in seen else text_of(node.value, texts)
            seen.add(name)
    return texts


def text_of(node, known):
    """The text that an expression gives, if it is made of literals, known names and functions of os.path."""
    if isinstance(node, (ast.Attribute, ast.Name)):
        return known.get(dotted(node))
    try:
        if isinstance(node, ast.Call):
            function = _PATH_FUNCTIONS[(dotted(node.func) or "").rpartition(".")[2]]
            return function(*(text_of(argument, known) for argument in node.args))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return text_of(node.left, known) + text_of(node.right, known)
        value = ast.literal_eval(node)
    except (KeyError, TypeError, ValueError):  # a part of it is something else
        return None
    return value if isinstance(value, str) else None


def _added_to_path(tree, file):
    """The folders that a module adds to sys.path, as far as it makes them of plain text and its own place."""
    known, adding = known_texts(tree, file), {"sys.path.append", "sys.path.insert"}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    adding |= {node.name for node in functions if adding & set(map(dotted, ast.walk(node)))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in adding and node.args:
            folder = text_of(node.args[-1], known)
            if folder is not None:
                yield os.path.abspath(folder)
