"""Says what running a script would do and what will not work, before anything runs."""

import ast
import importlib
import os
import types

from tensorflow_vgg._run import loading, own
from tensorflow_vgg._run.files_read import files_read
from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.source import attributes, dotted, imports, own_files, tried, words

__all__ = ["check"]

# Names that Python 3 does not have.
_PYTHON_2 = {
    "basestring": "str",
    "execfile": "exec",
    "raw_input": "input",
    "reduce": "functools.reduce",
    "unichr": "chr",
    "unicode": "str",
    "xrange": "range",
}
_PYTHON_2_METHODS = {"has_key": "in", "iteritems": "items", "iterkeys": "keys", "itervalues": "values"}
# Of Keras, what is made of tensors; the rest works beside a session.
_KERAS_MODELS = {"Input", "Model", "Sequential", "applications", "backend", "layers", "models"}
_SESSIONS = {"InteractiveSession", "Session", "placeholder"}


def check(script, environment):
    """Says what `run` would do, without running the script.

    Args:
      script: its path.
      environment: `imports.Environment` of its folder.

    Returns:
      (what would be done, what will not work): two lists of lines.

    Raises:
      OSError: the script cannot be read.
      ValueError: the script is no Python 3.
    """
    path, source = loading.read(script)
    loading.parse(path, source)
    done, problems = [], []
    environment.weights.announce = lambda line: None  # what is found is said here
    with environment:
        trees = own_files(path, environment)
        for file, tree in trees.items():
            if isinstance(tree, Exception):
                problems.append(str(loading.not_python_3(file, tree)).partition("; a script")[0])
                continue
            found = sorted((node.lineno, text) for node, text in _found(tree, environment) if text)
            problems += [f"{file}:{line}: {text}" for line, text in found]
        trees = {file: tree for file, tree in trees.items() if not isinstance(tree, Exception)}
        problems += _keras(trees)
        stand_ins = _stand_ins(trees, environment)
        done += [f"{name}: this package's (the script has none)" for name in stand_ins]
        told = files_read(trees, path, stand_ins, environment)
    done += [line for line, works in told if works]
    problems += [line for line, works in told if not works]
    return list(dict.fromkeys(done)), list(dict.fromkeys(problems))


def _stand_ins(trees, environment):
    """The names of the modules of upstream's that the script imports and lacks."""
    specs = [spec for tree in trees.values() for _, name in imports(tree) for spec in environment.specs(name)]
    places = [(spec.name, spec.origin) for spec in specs if spec.origin and os.path.dirname(spec.origin) == own.HERE]
    found = [name.replace("_of_the_script", "") for name, origin in places if not origin.endswith("__init__.py")]
    return list(dict.fromkeys(found))


def _found(tree, environment):
    """Yields (node, what will not work or None) for a module of the script's."""
    guarded = tried(tree)
    for node, name in imports(tree):
        if id(node) not in guarded:
            yield node, _why_not(name, environment)
    for node, name in attributes(tree):
        # If the module itself is not there, its import tells.
        if id(node) not in guarded and not _why_not(name.partition(".")[0], environment):
            yield node, _why_not(name, environment)
    for node, text in _python_2(tree):
        if id(node) not in guarded:
            yield node, text


def _why_not(name, environment):
    """Why a dotted name cannot be had; None if it can, or if only running the script would tell."""
    top = name.partition(".")[0]
    if top == "__main__" or list(environment.specs(name)):
        return None
    try:
        module = environment.resolve(top) if environment.knows(name) else importlib.import_module(top)
        for part in name.split(".")[1:]:
            if not isinstance(module, types.ModuleType):
                return None
            module = environment.child(module, part)
    except (AttributeError, ImportError) as error:
        return str(error) if "; today" in str(error) else f"{error}{instead(name)}"
    return None


def _python_2(tree):
    """Yields (node, message) for the uses of what Python 2 had."""
    nodes = list(ast.walk(tree))
    own_names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own_names |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    own_names |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    imported = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
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
        for node, name in [*imports(tree), *attributes(tree)]:
            parts = name.split(".")
            if parts[0] == "keras" and set(parts[1:2]) & _KERAS_MODELS and id(node) not in tried(tree):
                version = getattr(importlib.import_module("keras"), "__version__", "3")
                if int(version.partition(".")[0]) < 3:
                    return []
                return [
                    f"{file}:{node.lineno}: {name}: models of Keras {version} cannot live in the graph of a session; "
                    "take tf.keras, which is Keras 2 where tf-keras is installed"
                ]
    return []
