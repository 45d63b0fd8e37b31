"""The import of a script of 2017.

The script and its own modules, that is those outside installed packages, are given an `import` of their own: for them
`tensorflow`, `numpy`, ... are as they were, and upstream's modules that the script lacks are this package's. Everybody
else's imports, and the modules themselves, stay as they are.
"""

import builtins
import contextlib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import types

from tensorflow_vgg._run import loading, seen, stand_ins
from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.own import HERE, all_installed, is_own
from tensorflow_vgg._run.weights import Weights

__all__ = ["MODULES", "Environment", "import_module"]

MODULES = ("utils", "vgg16", "vgg19", "vgg19_trainable")

# What the script's tensorflow_vgg is called in sys.modules, where this package has that name already.
_PACKAGE = "tensorflow_vgg_of_the_script"
# tensoflow_vgg: upstream's own tests once had it so.
_PACKAGES = (_PACKAGE, "tensoflow_vgg")


def import_module(name, folder, **options):
    """Imports a module of somebody's TensorFlow 1 code, under the rules that `run` has for a script's own modules.

    The module is not left in `sys.modules`, so that modules of one name from several folders can be had. TensorFlow's
    behaviour is not switched: the caller builds in a graph.

    Args:
      name: the module's name, dots for a module in a package.
      folder: the folder it is in.
      **options: of `Environment`.

    Returns:
      The module.

    Raises:
      ImportError: there is no such module, or it imports what is not there.
      ValueError: it is no Python 3.
    """
    environment = Environment(folder, **options)
    with environment:
        try:
            module = environment.builtins.__import__(name, {}, {}, ("*",))
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
        self.new_resize = new_resize
        self.weights = Weights(override, constants, self.announce)
        self.builtins = types.ModuleType("builtins")
        self.builtins.__dict__.update(vars(builtins), __import__=self._import, **loading.NAMES)
        self._makers = {**seen.makers(self), **loading.makers(self)}
        self._seen = {"builtins": self.builtins}
        self._announced = set()
        self._active = False

    def __enter__(self):
        self._active = True
        self._path = list(sys.path)
        self._modules = {name: sys.modules.pop(name) for name in list(sys.modules) if self._is_mine(name)}
        # As Python does with a script's folder: in place of what the command itself has there.
        if sys.path and sys.path[0] in ("", os.getcwd(), os.path.dirname(os.path.realpath(sys.argv[0] or "."))):
            del sys.path[0]
        sys.path.insert(0, self.folder)
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_):
        self._active = False
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
        if level == 0:
            top, _, rest = name.partition(".")
            if top in self._makers or top in self._seen:
                return self._import_seen(name, fromlist)
            if top == "tensorflow_vgg":
                name = f"{_PACKAGE}.{rest}" if rest else _PACKAGE
        # What a function imports after its module has been: the script's folder is not first on sys.path any more.
        with contextlib.nullcontext() if self._active else self:
            try:
                return builtins.__import__(name, globals, locals, fromlist, level)
            except ModuleNotFoundError as error:
                absent = error.name or ""
                if not instead(absent):
                    raise
                message = f"{error}{instead(absent)}"
            raise ModuleNotFoundError(message, name=absent)

    def import_module(self, name, package=None):
        """importlib.import_module as the script sees it."""
        if name.startswith("."):
            return importlib.import_module(name, package)
        return self._import(name, fromlist=("__name__",))

    def _import_seen(self, name, fromlist):
        module = self.resolve(name)
        if not fromlist:
            return self._seen[name.partition(".")[0]]
        for wanted in fromlist:
            if wanted != "*":
                self.child(module, wanted)
        return module

    def resolve(self, name):
        """The module of a dotted name as the script sees it."""
        top, *rest = name.split(".")
        if top not in self._seen:
            self._seen[top] = self._makers[top]()
        module, dotted = self._seen[top], top
        for part in rest:
            known = dotted if sys.modules.get(dotted) is module else module.__name__
            dotted = f"{dotted}.{part}"
            if seen.is_plain(module):
                # An attribute of that name can be something else: tensorflow.python.ops is, in TensorFlow 1.
                with contextlib.suppress(ModuleNotFoundError):
                    module = seen.wrapped(module, importlib.import_module(f"{known}.{part}"))
                    continue
            module = self.child(module, part)
        return module

    def child(self, module, name):
        """An attribute of a module, which may be a module of its own that is not loaded yet."""
        try:
            return getattr(module, name)
        except AttributeError as error:
            try:
                return seen.wrapped(module, importlib.import_module(f"{module.__name__}.{name}"))
            except ModuleNotFoundError:
                raise ImportError(str(error), name=f"{module.__name__}.{name}") from None

    def knows(self, name):
        """Whether the first part of a dotted name is a module that the script sees in a way of its own."""
        return name.partition(".")[0] in self._makers

    # The finder of the script's own modules, and of this package's where the script lacks upstream's.

    def find_spec(self, fullname, path=None, target=None):
        """As the import system wants it: where a module is, None for what is not the script's."""
        parent, _, last = fullname.rpartition(".")
        if fullname in _PACKAGES:
            return self._package_spec(fullname)
        if fullname == "tensorflow_vgg" or (path is not None and parent not in _PACKAGES and all_installed(path)):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourcelessFileLoader):
            spec = spec if loading.is_this_pythons(spec.origin) else None
        if is_own(spec):
            if type(spec.loader) is importlib.machinery.SourceFileLoader:
                spec.loader = loading.Loader(fullname, spec.origin, self)
            return spec
        if last in MODULES and parent in ("", *_PACKAGES):
            return stand_ins.spec(fullname, os.path.join(HERE, f"{last}.py"), self)
        return None

    def specs(self, name):
        """Yields what the finder has for a dotted name and its packages, without importing any."""
        if name.partition(".")[0] == "tensorflow_vgg":
            name = _PACKAGE + name[len("tensorflow_vgg") :]
        path, found = None, ""
        for part in name.split("."):
            found = f"{found}.{part}" if found else part
            try:
                spec = self.find_spec(found, path)
            except (ImportError, ValueError):
                return
            if spec is None:
                return
            yield spec
            path = spec.submodule_search_locations
            if path is None:
                return

    def _package_spec(self, fullname):
        """The script's folder tensorflow_vgg, or this package under another name."""
        name, found = fullname.replace(_PACKAGE, "tensorflow_vgg"), None
        for entry in sys.path:
            # One after the other: together a folder without __init__.py would come after all that have one.
            if found is None and not all_installed([os.path.join(entry, "tensorflow_vgg")]):
                found = importlib.machinery.PathFinder.find_spec(name, [entry])
        if found is None or found.submodule_search_locations is None:
            path = os.path.join(HERE, "__init__.py")
            return importlib.util.spec_from_file_location(fullname, path, submodule_search_locations=[])
        folders = list(found.submodule_search_locations)
        if found.origin in (None, "namespace"):
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = folders
            return spec
        return importlib.util.spec_from_file_location(
            fullname,
            found.origin,
            loader=loading.Loader(fullname, found.origin, self),
            submodule_search_locations=folders,
        )
