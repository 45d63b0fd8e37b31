"""Says what running a script would do and what will not work, before anything runs."""

import ast
import importlib
import os
import re
import types

from tensorflow_vgg._run import loading
from tensorflow_vgg._run.files_read import files_read
from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.imports import Environment
from tensorflow_vgg._run.source import attributes, dotted, imports, own_files, stored, tried, words

__all__ = ["check"]

# Names that Python 3 does not have.
_PYTHON_2 = {
    "basestring": "str", "execfile": "exec", "raw_input": "input", "reduce": "functools.reduce", "unichr": "chr",
    "unicode": "str", "xrange": "range",
}  # fmt: skip
_PYTHON_2_METHODS = {"has_key": "in", "iteritems": "items", "iterkeys": "keys", "itervalues": "values"}
# Of Keras, what is made of tensors; the rest works beside a session.
_KERAS_MODEL = re.compile(r"keras\.(Input|Model|Sequential|applications|backend|layers|models)\b")
_SESSIONS = {"InteractiveSession", "Session", "placeholder"}


def check(script, **options):
    """Says what `run` would do with a script, without running it. `options` are those of `imports.Environment`.

    Returns:
      (what would be done, what will not work): two lists of lines.

    Raises:
      OSError: the script cannot be read.
      ValueError: the script is no Python 3.
    """
    path = os.path.abspath(script)
    environment = Environment(os.path.dirname(os.path.realpath(script)), **options)
    done, problems = [], []
    environment.announce = done.append
    environment.weights.announce = lambda line: None  # what is found is said by files_read
    with environment:
        trees = own_files(path, environment)
        for file, tree in list(trees.items()):
            if isinstance(tree, Exception):
                error = loading.not_python_3(file, trees.pop(file))
                if file == path:
                    raise error
                problems.append(str(error).partition("; a script")[0])
                continue
            found = sorted((node.lineno, text) for node, text in _found(tree, environment) if text)
            problems += [f"{file}:{line}: {text}" for line, text in found]
        problems += _keras(trees)
        has_labels = any(re.match(r"(\w+\.)?utils: this package's", line) for line in done)
        told = files_read(trees, path, has_labels, environment)
    done += [line for line, works in told if works]
    problems += [line for line, works in told if not works]
    return list(dict.fromkeys(done)), list(dict.fromkeys(problems))


def _found(tree, environment):
    """Yields (node, what will not work or None) for a module of the script's."""
    guarded = tried(tree)
    for node, name, _ in imports(tree):
        if node not in guarded:
            yield node, _why_not(name, environment)
    for node, name in attributes(tree):
        # If the module itself is not there, its import tells.
        if node not in guarded and not _why_not(name.partition(".")[0], environment):
            yield node, _why_not(name, environment)
    for node, text in _python_2(tree):
        if node not in guarded:
            yield node, text


def _why_not(name, environment):
    """Why a dotted name cannot be had; None if it can, or if only running the script would tell."""
    top, *rest = name.split(".")
    if top == "__main__" or list(environment.specs(name)):
        return None
    try:
        module = environment.resolve(top) if environment.knows(name) else importlib.import_module(top)
        for part in rest:
            if not isinstance(module, types.ModuleType):
                return None
            module = environment.child(module, part)
    except (AttributeError, ImportError) as error:
        return str(error) if "; today" in str(error) else f"{error}{instead(name)}"
    return None


def _python_2(tree):
    """Yields (node, message) for the uses of what Python 2 had."""
    nodes = list(ast.walk(tree))
    aliases = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    imported = {alias.asname or alias.name for node in aliases for alias in node.names}
    own_names = stored(tree) | {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in nodes:
        name = getattr(node, "id", getattr(node, "attr", None))
        if isinstance(node, ast.Name) and name in _PYTHON_2 and name not in own_names | imported:
            yield node, f"{name} is Python 2's; today it is {_PYTHON_2[name]}"
        elif isinstance(node, ast.Attribute) and name in _PYTHON_2_METHODS and name not in own_names:
            if dotted(node.value) not in imported:  # as six.iteritems is
                yield node, f"{name} is Python 2's; today it is {_PYTHON_2_METHODS[name]}"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift) and dotted(node.left) == "print":
            yield node, "print >> is Python 2's; today it is print(..., file=...)"


def _keras(trees):
    """The problem that Keras 3's models are beside a session: a line, or none."""
    if not any(words(tree) & _SESSIONS for tree in trees.values()):
        return []
    for file, tree in trees.items():
        used = [(node, name) for node, name, _ in imports(tree)]
        for node, name in [*used, *attributes(tree)]:
            if _KERAS_MODEL.match(name) and node not in tried(tree):
                version = getattr(importlib.import_module("keras"), "__version__", "3")
                if int(version.partition(".")[0]) < 3:
                    return []
                return [
                    f"{file}:{node.lineno}: {name}: models of Keras {version} cannot live in the graph of a session; "
                    "take tf.keras, which is Keras 2 where tf-keras is installed"
                ]
    return []
