"""Runs scripts written for TensorFlow 1 and upstream's modules as they are.

The script and its own modules, that is those outside installed packages, are given an `import` of their own: for
them `tensorflow` is TensorFlow 1's API, `numpy` and `skimage` are as they were, and upstream's modules are this
package's. Everybody else's imports, and the modules themselves, stay as they are.
"""

import ast
import builtins
import collections
import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import inspect
import os
import site
import sys
import sysconfig
import threading
import time
import types
import warnings

from tensorflow_vgg import weights
from tensorflow_vgg._run import numpy_1, skimage_0_14, upstream
from tensorflow_vgg._run.gone import instead
from tensorflow_vgg._run.module import Internals as _Internals
from tensorflow_vgg._run.module import Module as _Module
from tensorflow_vgg._run.tensorflow_1 import tensorflow_of

__all__ = ["MODULES", "Options", "check", "import_module", "run"]

MODULES = upstream.NAMES

_HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# What the script's tensorflow_vgg is called in sys.modules, where this package has that name already.
_PACKAGE = "tensorflow_vgg_of_the_script"
# tensoflow_vgg: upstream's own tests once had it so.
_PACKAGES = (_PACKAGE, "tensoflow_vgg")

# What takes a graph out of the process, where mapped weights, which are files of a cache, stay behind.
_EXPORTS = {
    "SavedModelBuilder",
    "as_graph_def",
    "convert_variables_to_constants",
    "export_meta_graph",
    "extract_sub_graph",
    "freeze_graph",
    "simple_save",
    "write_graph",
}
# What a script makes a folder's name of, to add it to sys.path.
_PATH_FUNCTIONS = {
    "abspath": os.path.abspath,
    "dirname": os.path.dirname,
    "expanduser": os.path.expanduser,
    "getcwd": os.getcwd,
    "join": os.path.join,
    "normpath": os.path.normpath,
    "realpath": os.path.realpath,
}
# The name, in a script's builtins, of what finds methods that NumPy's arrays have lost.
_METHOD = "__numpy_1_method__"
# What upstream's modules import, where the script has no file of the name.
_NETWORKS_IMPORTS = "import inspect, os, time\nimport numpy as np\nimport tensorflow as tf"
_UPSTREAMS_IMPORTS = {
    "utils": "import skimage, skimage.io, skimage.transform\nimport numpy as np",
    "vgg16": _NETWORKS_IMPORTS,
    "vgg19": _NETWORKS_IMPORTS,
    "vgg19_trainable": "import numpy as np\nimport tensorflow as tf\nfrom functools import reduce",
}
# By these a script looks what it can use.
_LOOKS = {"PY2", "PY3", "VERSION", "__version__", "getattr", "hasattr", "python_version", "version_info"}
# Names that Python 3 does not have.
_PYTHON_2_METHODS = {"has_key", "iteritems", "iterkeys", "itervalues"}
_PYTHON_2 = {"basestring", "execfile", "raw_input", "reduce", "unichr", "unicode", "xrange"}


class Options(
    collections.namedtuple(
        "Options",
        "own port weights attention constants new_resize",
        defaults=(frozenset(), frozenset(), None, True, False, False),
    )
):
    """How a script is run.

    Attributes:
      own: names of `MODULES` that the script keeps, whatever they are.
      port: names of `MODULES` that are this package's, whatever the script's folder has.
      weights: a file, or the seed of random weights, that the classes load in place of what the script says.
      attention: False leaves VGG19's attention block out.
      constants: True makes upstream's exact graph: weights as constants, also where they could be mapped, and no
        attention block unless the weights have one.
      new_resize: True leaves skimage.transform.resize its defaults of today.
    """

    __slots__ = ()


def run(script, arguments=(), options=None):
    """Runs a script as `python script arguments` would with TensorFlow 1, in the current folder.

    Args:
      script: path of the script.
      arguments: what follows it on the command line.
      options: `Options`.

    Returns:
      The script's exit status. What it raises is printed as Python would, and gives 1.

    Raises:
      OSError: the script cannot be read.
      ValueError: the script, or a module of it, is no Python 3.
    """
    path, source = _read(script)
    code = _compiled(path, _parse(path, source))
    environment = _Environment(os.path.dirname(os.path.realpath(script)), options)
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=environment.builtins, __file__=path, __cached__=None)
    saved = sys.argv, sys.modules["__main__"]
    threads = set(threading.enumerate())
    with environment, _tensorflow_1():
        search_path = list(sys.path)
        reasons = environment.prefer_constants(_own_files(path, environment))
        environment.announce([found.line for found in environment.decisions()] + reasons)
        sys.path[:] = search_path
        sys.argv, sys.modules["__main__"] = [script] + list(arguments), main
        try:
            exec(code, main.__dict__)
            return 0
        except SystemExit as stop:
            return _status(stop.code)
        except KeyboardInterrupt as error:
            _show(error)
            return 130
        except SyntaxError as error:
            if _is_installed(error.filename or "") or not os.path.isfile(error.filename or ""):
                return _show(error)
            raise _not_python_3(error.filename, error) from None
        except Exception as error:
            return _show(error)
        finally:
            for thread in set(threading.enumerate()) - threads:
                if not thread.daemon:
                    thread.join()  # as Python does before it ends
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
            sys.argv, sys.modules["__main__"] = saved


def import_module(name, folder, options=None, stands_for_package=None):
    """Imports a module of somebody's TensorFlow 1 code, under the rules that `run` has for a script's own modules.

    The module itself is always that of `folder`; what it imports is decided as for a script. The module is not left
    in `sys.modules`, so that modules of one name from several folders can be had. TensorFlow's behaviour is not
    switched: the caller builds in a graph, and gives upstream's classes the path of their weights.

    Args:
      name: the module's name, dots for a module in a package.
      folder: the folder it is in.
      options: `Options`.
      stands_for_package: a folder whose modules stand before this package's where they are imported from
        `tensorflow_vgg`, all but the one that is imported, which may be made of this package's.

    Returns:
      The module.

    Raises:
      ImportError: there is no such module, or it imports what is not there.
      ValueError: it is no Python 3.
    """
    options = options or Options()
    last = name.rpartition(".")[2]
    environment = _Environment(os.path.realpath(folder), options._replace(own=frozenset(options.own) | {last}))
    environment.stands_for_package = stands_for_package
    environment.not_from_there = last
    with environment:
        try:
            module = environment.builtins.__import__(name, {}, {}, ("*",))
        except SyntaxError as error:
            raise _not_python_3(error.filename, error) from None
    path = os.path.realpath(getattr(module, "__file__", None) or os.devnull)
    if not path.startswith(os.path.join(environment.folder, "")):
        raise ImportError(f"{folder}: expected a module {name}, found none", name=name)
    return module


def check(script, options=None):
    """Says what `run` would do, without running the script.

    Returns:
      (what would be done, what will not work): two lists of lines.

    Raises:
      OSError: the script cannot be read.
      ValueError: the script is no Python 3.
    """
    path, source = _read(script)
    _parse(path, source)
    environment = _Environment(os.path.dirname(os.path.realpath(script)), options)
    done, problems = [], []
    with environment:
        files = _own_files(path, environment)
        for file in files:
            problems += _problems(file, environment)
        for found in environment.decisions():
            done.append(found.line)
            if found.ours and found.name != "utils":
                done.append(f"{found.name}: weights: {environment.weights_line(found)}")
        done += environment.prefer_constants(files)
    return done, list(dict.fromkeys(problems))


def _status(code):
    """The exit status that Python gives for SystemExit(code)."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    print(code, file=sys.stderr)
    return 1


def _show(error):
    """Prints an exception as Python does, without the frames of what is between the script and its libraries."""
    shown, seen = error, set()
    while shown is not None and id(shown) not in seen:
        seen.add(id(shown))
        frames = []
        step = shown.__traceback__
        while step is not None:
            if os.path.dirname(step.tb_frame.f_code.co_filename) != os.path.dirname(_show.__code__.co_filename):
                frames.append(step)
            step = step.tb_next
        kept = None
        for step in reversed(frames):
            step.tb_next = kept
            kept = step
        shown.__traceback__ = kept
        shown = shown.__cause__ or shown.__context__
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    sys.excepthook(type(error), error, error.__traceback__)
    return 1


def _read(script):
    with open(script, "rb") as file:
        return os.path.abspath(script), file.read()


def _parse(path, source):
    try:
        return ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        raise _not_python_3(path, error) from None


def _compiled(path, tree):
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


def _not_python_3(path, error):
    """The message for what Python's parser says of a file of the script's."""
    if not isinstance(error, SyntaxError):
        return ValueError(f"{path}: expected a Python script, got something else: {error}")
    if error.lineno is None:
        return ValueError(f"{path}: expected a Python script, got something else: {error.msg}")
    line = (error.text or "").strip()
    return ValueError(
        f"{path}:{error.lineno}: this line is not Python 3 ({error.msg}): {line}\n"
        "A script for Python 2 must be converted first, for example with 2to3 or futurize."
    )


@contextlib.contextmanager
def _tensorflow_1():
    """TensorFlow 1's behaviour and NumPy 1's way to print a number, for the time of a script."""
    tf = importlib.import_module("tensorflow.compat.v1")
    tf.disable_v2_behavior()
    # absl, which TensorFlow's flags are of, has some of its own: log_dir is what many scripts call theirs.
    importlib.import_module("absl.logging")
    flags = importlib.import_module("absl.flags").FLAGS
    for name in flags:
        flags[name].allow_override = True
    numpy = importlib.import_module("numpy")
    with warnings.catch_warnings(), numpy_1.numpy_1_printing(numpy):
        # They tell the script to use what TensorFlow 1 does not have.
        warnings.filterwarnings("ignore", r"`(tf\.(layers|nn\.rnn_cell)\.|layer\.|Model\.)", UserWarning)
        yield


def _load_settings(source, constants):
    """The arguments with which the script's call of one of this package's classes is completed.

    `source` is what the class will load. Weights are mapped where there is a file to map, and no GPU.
    """
    from tensorflow_vgg import _network as network

    return {"mapped": not constants and not isinstance(source, dict) and not network.has_gpu()}


# What is decided about a module of the script: whether it is ours, where the script's is, and a line that says so.
_Decision = collections.namedtuple("_Decision", "name ours path folder line")


class _Environment:
    """The rules of import for one script: its builtins, the finder of its modules, and what they see.

    As a context: the script's folder is first on sys.path and its modules are found. After it all is as before.
    """

    def __init__(self, folder, options):
        self.folder = folder
        self.options = options or Options()
        self.constants = self.options.constants
        self.started = time.time()
        self.builtins = types.ModuleType("builtins")
        self.builtins.__dict__.update(vars(builtins), __import__=self._import)
        self.builtins.__dict__[_METHOD] = numpy_1.method
        self._seen = {"builtins": self.builtins}
        self._makers = {
            "imp": self._imp,
            "importlib": self._importlib,
            "matplotlib": skimage_0_14.matplotlib_of,
            "numpy": self._numpy,
            "runpy": self._runpy,
            "scipy": self._scipy,
            "skimage": self._skimage,
            "tensorflow": self._tensorflow,
        }
        self.stands_for_package = None  # as `import_module` says
        self.not_from_there = None
        self._decided = {}
        self._announced = set()
        self._active = False

    def __enter__(self):
        self._active = True
        self._path = list(sys.path)
        self._modules = {name: sys.modules.pop(name) for name in list(sys.modules) if self._is_mine(name)}
        # As Python does with a script's folder: in place of what the command itself has there.
        if sys.path and _is_command_folder(sys.path[0]):
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
                if not instead(error.name or ""):
                    raise
                message, absent = f"{error}{instead(error.name)}", error.name
            raise ModuleNotFoundError(message, name=absent)

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
            if isinstance(module, _Internals) or not isinstance(module, _Module):
                # An attribute of that name can be something else: tensorflow.python.ops is, in TensorFlow 1.
                with contextlib.suppress(ModuleNotFoundError):
                    found = importlib.import_module(f"{known}.{part}")
                    module = module.wrapped(found) if isinstance(module, _Internals) else found
                    continue
            module = self.child(module, part)
        return module

    def child(self, module, name):
        """An attribute of a module, which may be a module of its own that is not loaded yet."""
        try:
            return getattr(module, name)
        except AttributeError as error:
            try:
                found = importlib.import_module(f"{module.__name__}.{name}")
                return module.wrapped(found) if isinstance(module, _Internals) else found
            except ModuleNotFoundError:
                raise ImportError(str(error), name=f"{module.__name__}.{name}") from None

    def knows(self, name):
        """Whether the first part of a dotted name is a module that the script sees in a way of its own."""
        return name.partition(".")[0] in self._makers

    def line(self):
        """The line of the script, or of a module of it, that is being run: "train.py:12: "."""
        frame = sys._getframe()
        while frame is not None and frame.f_builtins is not self.builtins.__dict__:
            frame = frame.f_back
        return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}: "

    # What the script sees of TensorFlow, NumPy and scikit-image.

    def _tensorflow(self):
        return tensorflow_of(self)

    def _numpy(self):
        return numpy_1.numpy_of(lambda path: None)

    def _scipy(self):
        return importlib.import_module("tensorflow_vgg._run.scipy_misc").scipy_of(self)

    def _skimage(self):
        return skimage_0_14.skimage_of(self.options.new_resize)

    def _importlib(self):
        def import_module(name, package=None):
            if name.startswith("."):
                return importlib.import_module(name, package)
            return self._import(name, fromlist=("__name__",))

        def spec_from_file_location(name, location=None, **options):
            if location is not None and "loader" not in options and not _is_installed(location):
                options["loader"] = self._own_loader(name, location)
            return importlib.util.spec_from_file_location(name, location, **options)

        def util():
            return _Module(
                "importlib.util", importlib.util, {}, values={"spec_from_file_location": spec_from_file_location}
            )

        def machinery():
            values = {"SourceFileLoader": self._own_loader}
            return _Module("importlib.machinery", importlib.machinery, {}, values=values)

        replaced = {"util": util, "machinery": machinery}
        return _Module("importlib", importlib, replaced, values={"import_module": import_module})

    def _own_loader(self, fullname, path):
        return _Loader(fullname, os.fspath(path), self)

    def _imp(self):
        def load_source(name, pathname, file=None):
            spec = importlib.util.spec_from_file_location(name, pathname, loader=self._own_loader(name, pathname))
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module

        with warnings.catch_warnings(), contextlib.suppress(ImportError):
            warnings.simplefilter("ignore", DeprecationWarning)
            return _Module("imp", importlib.import_module("imp"), {}, values={"load_source": load_source})
        # Python 3.12 has none.
        values = {"load_source": load_source, "reload": importlib.reload}
        return _Module("imp", types.ModuleType("imp"), {}, values=values)

    def _runpy(self):
        def run_path(path_name, init_globals=None, run_name="<run_path>"):
            names = {"__builtins__": self.builtins, **(init_globals or {})}
            names.update(__name__=run_name, __file__=path_name)
            _, source = _read(path_name)
            exec(_compiled(path_name, ast.parse(source, path_name)), names)
            return names

        return _Module("runpy", importlib.import_module("runpy"), {}, values={"run_path": run_path})

    # The finder of the script's own modules and of those that stand in for upstream's.

    def find_spec(self, fullname, path=None, target=None):
        """As the import system wants it: where a module is, None for what is not the script's."""
        if self._is_upstreams(fullname) and fullname.rpartition(".")[2] != self.not_from_there:
            self.announce([self.decide(fullname, path).line])
        return self.look(fullname, path)

    def look(self, fullname, path=None):
        """Does what `find_spec` does, without a word."""
        parent, _, last = fullname.rpartition(".")
        if fullname in _PACKAGES:
            return self._package_spec(fullname)
        if fullname == "tensorflow_vgg":
            return None
        if path is not None and parent not in _PACKAGES and all(map(_is_installed, path)):
            return None
        if parent in _PACKAGES and last == self.not_from_there and path == [self.stands_for_package]:
            return self._port_spec(fullname, self.folder)
        if self._is_upstreams(fullname):
            decision = self.decide(fullname, path)
            if decision.ours:
                return self._port_spec(fullname, decision.folder)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None and parent in _PACKAGES and os.path.isfile(os.path.join(_HERE, f"{last}.py")):
            return self._port_spec(fullname, self.folder)
        if not _is_own(spec):
            return None
        if type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(fullname, spec.origin, self)
        return spec

    def _is_upstreams(self, fullname):
        parent, _, last = fullname.rpartition(".")
        return last in MODULES and (not parent or parent in _PACKAGES)

    def decisions(self):
        """What has been decided so far about upstream's modules."""
        return list(self._decided.values())

    def decide(self, fullname, path=None):
        """The `_Decision` about one of upstream's modules."""
        name = fullname.rpartition(".")[2]
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        own = _is_own(spec)
        # Python 3.7 gives paths as relative as sys.path has them.
        file = os.path.abspath(spec.origin) if own and spec.origin else None
        if (fullname, file) in self._decided:
            return self._decided[fullname, file]
        shown = fullname.replace(_PACKAGE, "tensorflow_vgg")
        if own and name in self.options.own:
            ours, line = False, f"{shown}: {file}, as --own says"
        elif name in self.options.port or not own:
            instead = f"in place of {file}, as --port says" if own else "(the script has none)"
            ours, line = True, f"{shown}: this package's {instead}"
        else:
            reason = _difference(name, file)
            ours = reason is None
            line = f"{shown}: " + (f"this package's in place of {file}" if ours else f"{file}, which differs: {reason}")
            if not ours and self.options.weights is not None and name != "utils":
                line += f" (so --weights does not reach it; --port {name} takes this package's)"
        folders = [] if file else [entry for entry in path or () if not _is_installed(entry)]
        folder = os.path.dirname(file) if file else (folders or [self.folder])[0]
        decision = self._decided[fullname, file] = _Decision(name, ours, file, folder, line)
        return decision

    def announce(self, lines):
        """Says on one line what has not been said yet."""
        lines = [line for line in lines if line not in self._announced]
        self._announced.update(lines)
        if lines:
            print(f"tensorflow-vgg: {'; '.join(lines)}", file=sys.stderr, flush=True)

    def _package_spec(self, fullname):
        """The script's folder tensorflow_vgg, or this package under another name."""
        found = importlib.machinery.PathFinder.find_spec(fullname.replace(_PACKAGE, "tensorflow_vgg"))
        if not _is_own(found) or found.submodule_search_locations is None:
            path = os.path.join(_HERE, "__init__.py")
            folders = [self.stands_for_package] if self.stands_for_package else []
            return importlib.util.spec_from_file_location(fullname, path, submodule_search_locations=folders)
        folders = list(found.submodule_search_locations)
        if found.origin is None:
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = folders
            return spec
        loader = _Loader(fullname, found.origin, self)
        return importlib.util.spec_from_file_location(
            fullname, found.origin, loader=loader, submodule_search_locations=folders
        )

    def _port_spec(self, fullname, folder):
        path = os.path.join(_HERE, f"{fullname.rpartition('.')[2]}.py")
        own = os.path.join(folder, os.path.basename(path))
        return importlib.util.spec_from_file_location(fullname, path, loader=_PortLoader(fullname, path, self, own))

    # How this package's classes load their weights for the script.

    def prefer_constants(self, files):
        """Has weights as constants if one of the script's files needs them so. Returns the reason: a line, or none."""
        ours = any(found.ours and found.name != "utils" for found in self.decisions())
        reason = next(filter(None, map(_needs_constants, files)), None)
        if self.constants or not ours or reason is None:
            return []
        self.constants = True
        return [f"weights are constants in the graph, since {reason}"]

    def weights_line(self, decision):
        """Where a class loads its weights from, for --check."""
        file_name = decision.name.replace("_trainable", "") + ".npy"
        if isinstance(self.options.weights, int):
            return f"random, from seed {self.options.weights}"
        if self.options.weights is not None:
            return self.options.weights
        for folder in [decision.folder] + weights.search_folders():
            if os.path.isfile(os.path.join(folder, file_name)):
                return os.path.join(folder, file_name)
        return f"{file_name} is in no folder looked in: give --weights, unless the script itself names a file"

    def set_up(self, module, own):
        """Makes a copy of one of this package's modules what the script's module `own` is to it.

        Its classes load as the options say, and it has the names that the script's imports, for `from vgg19 import *`.
        """
        folder, file = os.path.split(own)
        tree = ast.parse(_UPSTREAMS_IMPORTS[file[: -len(".py")]])
        with contextlib.suppress(OSError, SyntaxError, ValueError), open(own, "rb") as opened:
            tree = ast.parse(opened.read())
        tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        names = {"__builtins__": self.builtins, "__name__": module.__name__, "__package__": module.__package__}
        with contextlib.suppress(ImportError):  # ours does without
            exec(compile(tree, own, "exec", dont_inherit=True), names)
        vars(module).update((name, value) for name, value in names.items() if not name.startswith("__"))
        vars(module).pop("__all__")
        if hasattr(module, "print_prob"):
            module.print_prob = self._finding_labels(module)
        for class_name, net in (("Vgg16", "vgg16"), ("Vgg19", "vgg19")):
            cls = getattr(module, class_name, None)
            if cls is not None:
                if not self.options.attention and hasattr(cls, "attention"):
                    cls.attention = False
                cls.__init__ = self._loading(cls, net, os.path.join(folder, f"{net}.npy"))

    def _finding_labels(self, utils):
        """`print_prob` that finds upstream's labels, which lie beside the modules that the script may not have."""
        original = utils.print_prob

        @functools.wraps(original)
        def print_prob(prob, file_path):
            if os.path.basename(file_path) == "synset.txt" and not os.path.exists(file_path):
                self.announce([f"{file_path}: this package's (the script has none)"])
                file_path = utils.SYNSET
            return original(prob, file_path)

        return print_prob

    def _loading(self, cls, net, default):
        original = cls.__init__
        signature = inspect.signature(original)
        argument = f"{net}_npy_path"
        starts_blank = "trainable" in signature.parameters  # without a path this class loads nothing

        @functools.wraps(original)
        def __init__(*args, **kwargs):
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError:
                return original(*args, **kwargs)  # for Python's own message, with the name of the class
            source = self._source(bound.arguments.get(argument), net, default, starts_blank)
            bound.arguments[argument] = source
            for name, value in _load_settings(source, self.constants).items():
                bound.arguments.setdefault(name, value)
            original(*bound.args, **bound.kwargs)
            network = args[0]
            if self.constants and not (network.data_dict and weights.attention_layers(network.data_dict)):
                network.attention = False  # upstream's exact graph has no block
            return None

        return __init__

    def _source(self, given, net, default, starts_blank):
        """What a class loads when the script gives it the path `given`."""
        override = self.options.weights
        if given is None:
            if starts_blank or (override is None and not os.path.isfile(default)):
                return None
            # Upstream prints the path that it found itself.
            print(override if isinstance(override, str) else default)
            given = default
        elif isinstance(given, dict) or (os.path.isfile(given) and os.path.getmtime(given) >= self.started):
            return given  # the script's own: made or written by it, like what save_npy saved
        if override is None:
            return given
        return weights.seeded(net, override) if isinstance(override, int) else override


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of the script's own, with the script's builtins and so with its import."""

    def __init__(self, fullname, path, environment):
        super().__init__(fullname, path)
        self._environment = environment

    def get_code(self, fullname):
        # Never from __pycache__, where what is compiled here would be in the way of everybody else.
        path = self.get_filename(fullname)
        return _compiled(path, ast.parse(self.get_data(path), path))

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__builtins__ = self._environment.builtins
        return module


class _PortLoader(importlib.machinery.SourceFileLoader):
    """Loads a copy of one of this package's modules, that a script's settings can change."""

    def __init__(self, fullname, path, environment, own):
        super().__init__(fullname, path)
        self._environment = environment
        self._own = own

    def exec_module(self, module):
        super().exec_module(module)
        if module.__name__.rpartition(".")[2] in MODULES:
            self._environment.set_up(module, self._own)
            if os.path.isfile(self._own):
                module.__file__ = self._own  # beside which scripts look for weights and labels


@functools.lru_cache(maxsize=None)
def _is_installed(path):
    """Whether a file or folder belongs to Python, to an installed package or to this one."""
    if path in ("built-in", "frozen"):
        return True
    path = os.path.realpath(path)
    roots = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    roots += [site.getusersitepackages()] if hasattr(site, "getusersitepackages") else []
    roots = [os.path.realpath(root) for root in roots if root] + [
        _HERE,
        os.path.join(os.path.dirname(_HERE), "attention.py"),
    ]
    if any(path == root or path.startswith(root + os.sep) for root in roots):
        return True
    return bool({"site-packages", "dist-packages"} & set(path.split(os.sep)))


def _is_own(spec):
    """Whether what PathFinder found lies outside installed packages."""
    if spec is None:
        return False
    if spec.origin not in (None, "namespace"):
        return not _is_installed(spec.origin)
    return not all(map(_is_installed, spec.submodule_search_locations or [_HERE]))


def _is_command_folder(folder):
    """Whether an entry of sys.path is what Python put there for the tensorflow-vgg command."""
    return folder in ("", os.getcwd(), os.path.dirname(os.path.realpath(sys.argv[0] or ".")))


def _difference(name, file):
    """In what a module differs from upstream's; None if in nothing that counts."""
    if file is None or not file.endswith(".py") or os.path.basename(file) == "__init__.py":
        return "it is a package"
    with open(file, "rb") as opened:
        return upstream.difference(name, opened.read())


# Reading a script without running it.


def _imports(tree):
    """Yields (node, dotted name) for all that a module imports by an absolute name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield node, node.module if alias.name == "*" else f"{node.module}.{alias.name}"


def _own_files(path, environment):
    """The files of the script and of all its own modules that it imports, itself first.

    What they add to sys.path by name is there afterwards.
    """
    files = [path]
    for file in files:
        with open(file, "rb") as opened, contextlib.suppress(SyntaxError, ValueError):
            tree = ast.parse(opened.read())
            sys.path += _added_to_path(tree, file)
            for _, name in _imports(tree):
                for spec in _specs(name, environment):
                    if isinstance(spec.loader, _Loader) and spec.origin not in files:
                        files.append(spec.origin)
    return files


def _added_to_path(tree, file):
    """The folders that a module adds to sys.path, as far as it makes them of plain text and its own place."""
    known = {"__file__": file}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            known[node.targets[0].id] = _path(node.value, known)
        elif isinstance(node, ast.Call) and _dotted(node.func) in ("sys.path.append", "sys.path.insert"):
            folder = _path(node.args[-1], known) if node.args else None
            if folder is not None:
                yield os.path.abspath(folder)


def _path(node, known):
    """The text that an expression gives, if it is made of literals, known names and functions of os.path."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Call):
        name = _dotted(node.func) or ""
        function = _PATH_FUNCTIONS.get(name.rpartition(".")[2])
        parts = [_path(argument, known) for argument in node.args]
        if function is None or node.keywords or None in parts or name.split(".")[0] == "sys":
            return None
        with contextlib.suppress(TypeError):
            return function(*parts)
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_path(part, known) for part in (node.left, node.right)]
        return None if None in parts else "".join(parts)
    if _dotted(node) == "os.pardir":
        return os.pardir
    with contextlib.suppress(ValueError):
        value = ast.literal_eval(node)
        return value if isinstance(value, str) else None
    return None


def _dotted(node):
    """The text of a dotted name: "sys.path.append"; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value)
        return base and f"{base}.{node.attr}"
    return None


def _needs_constants(file):
    """Why a file of the script's needs the weights in the graph, or as plain arrays, with its line; else None."""
    with open(file, "rb") as opened, contextlib.suppress(SyntaxError, ValueError):
        for node in ast.walk(ast.parse(opened.read())):
            name = getattr(node, "attr", getattr(node, "id", None))
            if name in _EXPORTS:
                return f"{file}:{node.lineno} takes the graph elsewhere with {name}"
            if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
                inner = [part for part in ast.walk(node) if part is not node]
                if any(getattr(part, "attr", None) == "data_dict" for part in inner):
                    return f"{file}:{node.lineno} changes data_dict"
            # Methods read self.data_dict, to make their layers.
            taken = getattr(node, "attr", None) == "data_dict" and isinstance(node.ctx, ast.Load)
            if taken and _dotted(node) != "self.data_dict":
                return f"{file}:{node.lineno} takes data_dict, and may change it"
    return None


def _specs(name, environment):
    """What the finder has for a dotted name and its packages, without importing any."""
    if name.partition(".")[0] == "tensorflow_vgg":
        name = _PACKAGE + name[len("tensorflow_vgg") :]
    path, found = None, ""
    for part in name.split("."):
        found = f"{found}.{part}" if found else part
        try:
            spec = environment.look(found, path)
        except (ImportError, ValueError):
            return
        if spec is None:
            return
        yield spec
        path = spec.submodule_search_locations
        if path is None:
            return


def _problems(file, environment):
    """Lines about what will not work in a file of the script's."""
    try:
        with open(file, "rb") as opened:
            tree = ast.parse(opened.read())
    except (SyntaxError, ValueError) as error:
        return [str(_not_python_3(file, error)).partition("\n")[0]]
    tried = _tried(tree)
    found = [(node, _why_not(name, environment)) for node, name in _imports(tree) if id(node) not in tried]
    for node, name in _attributes(tree):
        if id(node) not in tried and not _why_not(name.partition(".")[0], environment):  # else the import tells
            found.append((node, _why_not(name, environment)))
    found += [(node, f"{name} is Python 2's") for node, name in _python_2(tree) if id(node) not in tried]
    return [
        f"{file}:{line}: {reason}" for line, reason in sorted((node.lineno, reason) for node, reason in found if reason)
    ]


def _tried(tree):
    """The ids of the nodes that run only where they work: in `try`, or where a look at versions or names says so."""
    nodes = list(ast.walk(tree))
    names = set(_LOOKS)
    for node in nodes:
        if isinstance(node, ast.Assign) and _words(node.value) & names:
            names |= _words(ast.Tuple(node.targets, ast.Store()))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Try) or (isinstance(node, (ast.If, ast.IfExp)) and _words(node.test) & names):
            found |= {id(part) for part in ast.walk(node)}
    return found


def _words(tree):
    """All names and attributes in an expression."""
    return {getattr(node, "id", getattr(node, "attr", None)) for node in ast.walk(tree)} - {None}


def _python_2(tree):
    """Yields (node, name) for the uses of what Python 2 had."""
    nodes = list(ast.walk(tree))
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    imported = {alias.asname or alias.name for node in imports for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in _PYTHON_2 - own - imported:
            yield node, node.id
        elif isinstance(node, ast.Attribute) and node.attr in _PYTHON_2_METHODS - own:
            if _dotted(node.value) not in imported:  # as six.iteritems is
                yield node, node.attr
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift) and _dotted(node.left) == "print":
            yield node, "print >>"


def _attributes(tree):
    """Yields (node, dotted name) for the uses of what a module imports under a name that is nothing else in it."""
    nodes = list(ast.walk(tree))
    names, others = {}, set()
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names.setdefault(alias.asname or top, set()).add(alias.name if alias.asname else top)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                names.setdefault(alias.asname or alias.name, set()).add(f"{node.module}.{alias.name}")
        elif isinstance(node, ast.arg) or isinstance(getattr(node, "ctx", None), ast.Store):
            others.add(getattr(node, "arg", getattr(node, "id", None)))
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and id(node) not in inner:
            first, _, rest = (_dotted(node) or "").partition(".")
            if first not in others and len(names.get(first, ())) == 1:
                yield node, f"{min(names[first])}.{rest}"


def _why_not(name, environment):
    """Why a dotted name cannot be had; None if it can, or if only running the script would tell."""
    top = name.partition(".")[0]
    if top == "__main__" or list(_specs(name, environment)):
        return None
    try:
        module = environment.resolve(top) if environment.knows(name) else importlib.import_module(top)
        for part in name.split(".")[1:]:
            if not isinstance(module, types.ModuleType):
                return None
            module = environment.child(module, part)
    except (AttributeError, ImportError) as error:
        return str(error)
    return None
