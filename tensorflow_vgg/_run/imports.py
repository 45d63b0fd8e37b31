"""The import of a script of 2017.

The script and its own modules, that is those outside installed packages, are given an `import` of their own: for them
`tensorflow`, `numpy`, ... are as they were, and upstream's modules that the script lacks are this package's. Everybody
else's imports, and the modules themselves, stay as they are.
"""

import builtins
import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import itertools
import os
import sys
import types

from tensorflow_vgg._run import loading, moved, stand_ins
from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.module import Internals, Module
from tensorflow_vgg._run.numpy_1 import numpy_of
from tensorflow_vgg._run.own import HERE, all_installed, is_own
from tensorflow_vgg._run.scipy_misc import scipy_of
from tensorflow_vgg._run.skimage_0_14 import matplotlib_of, skimage_of
from tensorflow_vgg._run.tensorflow_1 import tensorflow_of
from tensorflow_vgg._run.weights import Weights

__all__ = ["MODULES", "Environment", "import_module"]

MODULES = ("utils", "vgg16", "vgg19", "vgg19_trainable")

# What the script's tensorflow_vgg is called in sys.modules, where this package has that name already.
_PACKAGE = "tensorflow_vgg_of_the_script"
# tensoflow_vgg: upstream's own tests once had it so.
_PACKAGES = (_PACKAGE, "tensoflow_vgg")


def import_module(name, folder, **options):
    """The module `name` of `folder`, imported under the rules that `run` has for a script's own modules.

    It is not left in `sys.modules`, so that modules of one name from several folders can be had. TensorFlow's behaviour
    is not switched: the caller builds in a graph. `options` are those of `Environment`.

    Raises:
      ImportError: there is no such module, or it imports what is not there.
      ValueError: it is no Python 3.
    """
    environment = Environment(folder, **options)
    with environment:
        try:
            module = environment.import_module(name)
        except SyntaxError as error:
            raise loading.not_python_3(error.filename, error) from None
    path = os.path.realpath(getattr(module, "__file__", None) or os.devnull)
    if not path.startswith(os.path.join(environment.folder, "")):
        raise ImportError(f"{folder}: expected a module {name}, found none", name=name)
    return module


class Environment:
    """The rules of import for one script: its builtins, the finder of its modules, and what they see.

    As a context: the script's folder is first on sys.path and its modules are found. After it all is as before.

    Args:
      folder: the script's.
      override, constants: as for `Weights`.
      new_resize: whether skimage.transform.resize keeps its defaults of today.
    """

    def __init__(self, folder, override=None, constants=False, new_resize=False):
        self.folder = os.path.realpath(folder)
        self.weights = Weights(override, constants, self.announce)
        self.builtins = types.ModuleType("builtins")
        self.builtins.__dict__.update(vars(builtins), __import__=self._import, **loading.NAMES)
        self._seen = {"builtins": self.builtins, **loading.modules(self)}
        self._makers = {
            **{name: functools.partial(moved.module_of, name) for name in moved.MODULES},
            "matplotlib": matplotlib_of,
            "numpy": functools.partial(numpy_of, self.weights.load),
            "scipy": functools.partial(scipy_of, self),
            "skimage": functools.partial(skimage_of, new_resize),
            "tensorflow": functools.partial(tensorflow_of, self),
        }
        self._announced = set()

    def __enter__(self):
        self._path = list(sys.path)
        self._modules = {name: sys.modules.pop(name) for name in list(sys.modules) if self._is_mine(name)}
        # As Python does with a script's folder: in place of what the command itself has there.
        if sys.path and sys.path[0] in ("", os.getcwd(), os.path.dirname(os.path.realpath(sys.argv[0] or "."))):
            del sys.path[0]
        sys.path.insert(0, self.folder)
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_):
        sys.meta_path.remove(self)
        sys.path[:] = self._path
        for name in [name for name in sys.modules if self._is_mine(name)]:
            del sys.modules[name]
        sys.modules.update(self._modules)

    def _is_mine(self, name):
        """Whether an entry of sys.modules is the script's, or has a name that the script needs."""
        names = getattr(sys.modules[name], "__dict__", {})
        return names.get("__builtins__") is self.builtins or name.partition(".")[0] in MODULES + _PACKAGES

    def announce(self, line):
        """Says on stderr what has not been said yet."""
        if line not in self._announced:
            self._announced.add(line)
            print(f"tensorflow-vgg: {line}", file=sys.stderr, flush=True)

    def line(self):
        """The line of the script, or of a module of it, that is being run: "train.py:12: "."""
        frame = sys._getframe()
        while frame is not None and frame.f_builtins is not self.builtins.__dict__:
            frame = frame.f_back
        return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}: "

    # The script's import.

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        top = name.partition(".")[0]
        if level == 0 and self.knows(name):
            module = self.resolve(name)
            for wanted in fromlist or ():
                if wanted != "*":
                    self.child(module, wanted)
            return module if fromlist else self._seen[top]
        if level == 0 and top == "tensorflow_vgg":
            name = name.replace(top, _PACKAGE, 1)
        # What a function imports after its module has been: the script's folder is not first on sys.path any more.
        with contextlib.nullcontext() if self in sys.meta_path else self:
            try:
                return builtins.__import__(name, globals, locals, fromlist, level)
            except ModuleNotFoundError as error:
                today = instead(error.name or "")
                if not str(error).endswith(today):  # as it does where the import of a module of the script's failed
                    error.msg = f"{error}{today}"
                raise

    def import_module(self, name, package=None):
        """importlib.import_module as the script sees it."""
        if name.startswith("."):
            return importlib.import_module(name, package)
        return self._import(name, fromlist=("__name__",))

    def knows(self, name):
        """Whether the first part of a dotted name is a module that the script sees in a way of its own."""
        top = name.partition(".")[0]
        return top in self._seen or top in self._makers

    def resolve(self, name):
        """The module of a dotted name as the script sees it."""
        top, *rest = name.split(".")
        if top not in self._seen:
            self._seen[top] = self._makers[top]()
        module, dotted = self._seen[top], top
        for part in rest:
            known = dotted if sys.modules.get(dotted) is module else module.__name__
            dotted = f"{dotted}.{part}"
            if isinstance(module, Internals) or not isinstance(module, Module):
                # An attribute of that name can be something else: tensorflow.python.ops is, in TensorFlow 1.
                with contextlib.suppress(ModuleNotFoundError):
                    module = self._within(module, f"{known}.{part}")
                    continue
            module = self.child(module, part)
        return module

    def child(self, module, name):
        """An attribute of a module, which may be a module of its own that is not loaded yet."""
        try:
            return getattr(module, name)
        except AttributeError as error:
            try:
                return self._within(module, f"{module.__name__}.{name}")
            except ModuleNotFoundError:
                raise ImportError(str(error), name=f"{module.__name__}.{name}") from None

    @staticmethod
    def _within(module, name):
        """The module of a dotted name, which lies in `module`, as the script sees it."""
        found = importlib.import_module(name)
        return module.wrapped(found) if isinstance(module, Internals) else found

    # The finder of the script's own modules, and of this package's where the script lacks upstream's.

    def find_spec(self, fullname, path=None, target=None):
        """As the import system wants it: where a module is, None for what is not the script's."""
        parent, _, last = fullname.rpartition(".")
        if fullname in _PACKAGES:
            spec = self._own_package(fullname)
        elif path is None or parent in _PACKAGES or not all_installed(path):
            spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        else:
            return None
        if spec is not None and is_own(spec) and not _is_python_2s(spec):
            if type(spec.loader) is importlib.machinery.SourceFileLoader:
                spec.loader = loading.Loader(fullname, spec.origin, self)
            return spec
        if fullname in _PACKAGES:
            place = os.path.join(HERE, "__init__.py")
            return importlib.util.spec_from_file_location(fullname, place, submodule_search_locations=[])
        if last not in MODULES or parent not in ("", *_PACKAGES):
            return None
        self.announce(f"{fullname.replace(_PACKAGE, 'tensorflow_vgg')}: this package's (the script has none)")
        place = os.path.join(HERE, f"{last}.py")
        loader = stand_ins.Loader(fullname, place, self)
        return importlib.util.spec_from_file_location(fullname, place, loader=loader)

    def specs(self, name):
        """Yields what the finder has for a dotted name and its packages, without importing any."""
        path = None
        if name.partition(".")[0] == "tensorflow_vgg":
            name = name.replace("tensorflow_vgg", _PACKAGE, 1)
        for found in itertools.accumulate(name.split("."), "{}.{}".format):
            spec = self.find_spec(found, path)
            if spec is not None:
                yield spec
            path = spec and spec.submodule_search_locations
            if path is None:
                return

    @staticmethod
    def _own_package(fullname):
        """The script's folder tensorflow_vgg, as the package `fullname`; None if there is none."""
        name = fullname.replace(_PACKAGE, "tensorflow_vgg")
        # One folder after the other: together, one without __init__.py would come after all that have one.
        for entry in sys.path:
            spec = importlib.machinery.PathFinder.find_spec(name, [entry])
            if spec is not None and spec.submodule_search_locations and is_own(spec):
                spec.name, spec.submodule_search_locations = fullname, list(spec.submodule_search_locations)
                return spec
        return None


def _is_python_2s(spec):
    """Whether a module is a compiled file alone, and not this Python's. It is as good as absent."""
    if not isinstance(spec.loader, importlib.machinery.SourcelessFileLoader):
        return False
    with open(spec.origin, "rb") as file:
        return file.read(4) != importlib.util.MAGIC_NUMBER
