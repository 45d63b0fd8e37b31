"""Loads a script's own modules, however it asks for them, with the names that the script sees."""

import ast
import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import runpy
import sys
import types
import warnings

from tensorflow_vgg._run import numpy_1
from tensorflow_vgg._run.module import Module
from tensorflow_vgg._run.own import is_installed

__all__ = ["NAMES", "Loader", "compiled", "is_this_pythons", "makers", "not_python_3", "parse", "read"]

# The name, in a script's builtins, of what finds methods that NumPy's arrays have lost.
_METHOD = "__numpy_1_method__"
NAMES = {_METHOD: numpy_1.method}


def read(script):
    """The absolute path of a script, and its source in bytes."""
    with open(script, "rb") as file:
        return os.path.abspath(script), file.read()


def parse(path, source):
    """The syntax tree of a file of the script's. Raises ValueError with the line if it is no Python 3."""
    try:
        return ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        raise not_python_3(path, error) from None


def compiled(path, tree):
    """The code of a file of the script's, in which methods that NumPy's arrays have lost are looked for elsewhere."""
    return compile(_OldMethods().visit(tree), path, "exec", dont_inherit=True)


class _OldMethods(ast.NodeTransformer):
    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr not in numpy_1.METHODS or not isinstance(node.ctx, ast.Load):
            return node
        name = ast.copy_location(ast.Str(node.attr) if sys.version_info < (3, 8) else ast.Constant(node.attr), node)
        function = ast.copy_location(ast.Name(_METHOD, ast.Load()), node)
        return ast.copy_location(ast.Call(function, [node.value, name], []), node)


def not_python_3(path, error):
    """The message, as a ValueError, for what Python's parser says of a file of the script's."""
    if not isinstance(error, SyntaxError):
        return ValueError(f"{path}: expected a Python script, got something else: {error}")
    if error.lineno is None:
        return ValueError(f"{path}: expected a Python script, got something else: {error.msg}")
    line = (error.text or "").strip()
    return ValueError(
        f"{path}:{error.lineno}: this line is not Python 3 ({error.msg}): {line}; a script for Python 2 must be "
        "converted first, for example with 2to3 or futurize"
    )


def is_this_pythons(path):
    """Whether this Python can read a compiled file. One of Python 2 beside no source is as good as absent."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(4) == importlib.util.MAGIC_NUMBER
    return False


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of the script's own, with the script's builtins and so with its import."""

    def __init__(self, fullname, path, environment):
        super().__init__(fullname, path)
        self._builtins = environment.builtins

    def get_code(self, fullname):
        # Never from __pycache__, where what is compiled here would be in the way of everybody else.
        path = self.get_filename(fullname)
        return compiled(path, ast.parse(self.get_data(path), path))

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__builtins__ = self._builtins
        return module


def makers(environment):
    """How to make the modules by which a script loads others by their paths, name -> function."""

    def own_loader(fullname, path):
        return Loader(fullname, os.fspath(path), environment)

    def spec_from_file_location(name, location=None, **options):
        if location is not None and "loader" not in options and not is_installed(location):
            options["loader"] = own_loader(name, location)
        return importlib.util.spec_from_file_location(name, location, **options)

    def load_source(name, pathname, file=None):
        spec = importlib.util.spec_from_file_location(name, pathname, loader=own_loader(name, pathname))
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def run_path(path_name, init_globals=None, run_name="<run_path>"):
        names = {"__builtins__": environment.builtins, **(init_globals or {})}
        names.update(__name__=run_name, __file__=path_name)
        _, source = read(path_name)
        exec(compiled(path_name, ast.parse(source, path_name)), names)
        return names

    def util():
        values = {"spec_from_file_location": spec_from_file_location}
        return Module("importlib.util", importlib.util, {}, values=values)

    def machinery():
        return Module("importlib.machinery", importlib.machinery, {}, values={"SourceFileLoader": own_loader})

    def imp():
        with warnings.catch_warnings(), contextlib.suppress(ImportError):
            warnings.simplefilter("ignore", DeprecationWarning)
            return Module("imp", importlib.import_module("imp"), {}, values={"load_source": load_source})
        # Python 3.12 has none.
        values = {"load_source": load_source, "reload": importlib.reload}
        return Module("imp", types.ModuleType("imp"), {}, values=values)

    return {
        "imp": imp,
        "importlib": lambda: Module(
            "importlib",
            importlib,
            {"util": util, "machinery": machinery},
            values={"import_module": environment.import_module},
        ),
        "runpy": lambda: Module("runpy", runpy, {}, values={"run_path": run_path}),
    }
