"""Loads a script's own modules, however it asks for them, with the names that the script sees."""

import ast
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

__all__ = ["NAMES", "Loader", "compiled", "modules", "not_python_3"]

# The name, in a script's builtins, of what finds methods that NumPy's arrays have lost.
_METHOD = "__numpy_1_method__"
NAMES = {_METHOD: numpy_1.method}


def compiled(path, source):
    """The code of a file of the script's, in which methods that NumPy's arrays have lost are looked for elsewhere."""
    return compile(_OldMethods().visit(ast.parse(source, path)), path, "exec", dont_inherit=True)


class _OldMethods(ast.NodeTransformer):
    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr not in numpy_1.METHODS or not isinstance(node.ctx, ast.Load):
            return node
        call = ast.Call(ast.Name(_METHOD, ast.Load()), [node.value, ast.Constant(node.attr)], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))


def not_python_3(path, error):
    """The message, as a ValueError, for what Python's parser says of a file of the script's."""
    if getattr(error, "lineno", None) is None:
        return ValueError(f"{path}: expected a Python script, got something else: {error}")
    line = (error.text or "").strip()
    return ValueError(
        f"{path}:{error.lineno}: this line is not Python 3 ({error.msg}): {line}; a script for Python 2 must be "
        "converted first, for example with 2to3 or futurize"
    )


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of the script's own, with the script's builtins and so with its import."""

    def __init__(self, fullname, path, environment):
        super().__init__(fullname, path)
        self._builtins = environment.builtins

    def get_code(self, fullname):
        # Never from __pycache__, where what is compiled here would be in the way of everybody else.
        path = self.get_filename(fullname)
        return compiled(path, self.get_data(path))

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__builtins__ = self._builtins
        return module


def modules(environment):
    """The modules by which a script loads others, as it sees them: name -> module."""

    def own_loader(fullname, path):
        return Loader(fullname, os.fspath(path), environment)

    def spec_from_file_location(name, location=None, **options):
        if location is not None and "loader" not in options and not is_installed(location):
            options["loader"] = own_loader(name, location)
        return importlib.util.spec_from_file_location(name, location, **options)

    def load_module(name, file, pathname, description):
        return load_source(name, pathname if file else os.path.join(pathname, "__init__.py"))

    def load_source(name, pathname, file=None):
        spec = spec_from_file_location(name, pathname)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def run_path(path_name, init_globals=None, run_name="<run_path>"):
        names = {"__builtins__": environment.builtins, **(init_globals or {})}
        names.update(__name__=run_name, __file__=path_name)
        with open(path_name, "rb") as file:
            exec(compiled(os.path.abspath(path_name), file.read()), names)
        return names

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            imp = importlib.import_module("imp")
    except ImportError:
        imp = types.ModuleType("imp")  # Python 3.12 has none
    changed = {
        "imp": {"load_module": load_module, "load_source": load_source, "reload": importlib.reload},
        "importlib": {
            "import_module": environment.import_module,
            "machinery": Module("importlib.machinery", importlib.machinery, {"SourceFileLoader": own_loader}),
            "util": Module("importlib.util", importlib.util, {"spec_from_file_location": spec_from_file_location}),
        },
        "runpy": {"run_path": run_path},
    }
    return {base.__name__: Module(base.__name__, base, changed[base.__name__]) for base in (imp, importlib, runpy)}
