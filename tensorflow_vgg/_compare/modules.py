"""Networks of this package or of somebody's folder: their class imported, given its weights, and built."""

import contextlib
import importlib
import inspect
import itertools
import os
import re
import sys
import tempfile
import traceback

from tensorflow_vgg import weights
from tensorflow_vgg._compare.graph import ATTENTION_LAYERS

__all__ = ["blaming", "build", "class_of", "load_attention"]

# How the argument for the weights is called, the likeliest first.
_WEIGHTS = ("npy|path|file", "weight", "param|data|model|ckpt|checkpoint|pretrained")
_REASONLESS = re.compile(r"(?s)\A.*\nNode: [^\n]*\n|\n\nOriginal stack trace.*")  # of what TensorFlow says


@contextlib.contextmanager
def blaming(where):
    """Turns what a network's code raises into one line that names its file, and keeps what it prints off stdout."""
    argv, sys.argv = sys.argv, [where]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:
        reason = " ".join(_REASONLESS.sub("", str(error)).split())[:400]
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if os.path.realpath(frame.filename) == os.path.realpath(where)]
        if isinstance(error, SystemExit):
            reason = f"the module ends the program (SystemExit{f' {reason}' if reason else ''})"
        elif not isinstance(error, (AssertionError, OSError, ValueError)) or not reason:
            reason = f"{type(error).__name__}: {reason or (own or frames)[-1].line}"
        raise ValueError(f"{where}{f':{own[-1].lineno}' if own else ''}: {reason}") from error
    finally:
        sys.argv = argv


@contextlib.contextmanager
def class_of(net, folder):
    """The class of the network: this package's, or that of the folder's module, in `sys.modules` meanwhile."""
    name = "Vgg16" if net == "vgg16" else "Vgg19"
    if folder is None:
        yield getattr(importlib.import_module(f"tensorflow_vgg.{net}"), name)
        return
    from tensorflow_vgg._run import imports

    base, module_name = _place_of(net, os.path.realpath(folder))
    module = imports.import_module(module_name, base, constants=True)
    classes = {other: value for other, value in vars(module).items() if inspect.isclass(value)}
    likely = (value for other, value in classes.items() if other.lower() == name.lower())  # VGG19, say
    cls = getattr(module, name, None) or next(likely, None)
    if cls is None:
        raise ValueError(f"expected a class {name}, found {', '.join(classes) or 'none'}")
    # Where inspect.getfile looks, by which classes find the folder that they are in.
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        yield cls
    finally:
        del sys.modules[module.__name__]
        if before is not None:
            sys.modules[module.__name__] = before


def _place_of(net, folder):
    """The folder to import a module from, and its name there: in a package, if it imports its neighbours so."""
    with open(os.path.join(folder, f"{net}.py"), encoding="utf-8", errors="replace") as file:
        source = file.read()
    own = os.path.basename(folder)
    level = max(map(len, re.findall(r"^[ \t]*from[ \t]+(\.+)", source, re.MULTILINE)), default=0)
    if not level and re.search(rf"^[ \t]*(from|import)[ \t]+{re.escape(own)}\b", source, re.MULTILINE):
        level = int(own == "tensorflow_vgg" or own not in sys.modules)
    if not level:
        return folder, net
    parts = folder.split(os.sep)
    return os.sep.join(parts[:-level]) or os.sep, ".".join([*parts[-level:], net])


def build(cls, given, feed, from_file, **options):
    """Builds a class, which may be anybody's, on the placeholder of `feed`: (whether it took the weights, the object).

    `given` is a weight dict, a path or None; `from_file` says that the class, as upstream's, has to be given a path. It
    gets those `options` that it has arguments for. If its build takes train_mode, false joins `feed`.
    """
    import tensorflow.compat.v1 as tf

    (images,) = feed
    with tempfile.TemporaryDirectory() as folder:
        if from_file and isinstance(given, dict):
            path = os.path.join(folder, f"{cls.__name__.lower()}.npy")
            weights.write(path, given)
            given = path
        loads, arguments, named = _arguments(cls, given)
        known = inspect.signature(cls).parameters
        if "include_top" in options and "include_top" not in known:
            raise ValueError("its class has no argument include_top: record it without --no-top")
        network = cls(*arguments, **{name: value for name, value in options.items() if name in known}, **named)
        mode = {}
        if "train_mode" in inspect.signature(network.build).parameters:
            mode["train_mode"] = tf.placeholder(tf.bool, [], name="train_mode")
            feed[mode["train_mode"]] = False
        network.build(images, **mode)
    return loads, network


def _arguments(cls, given):
    """Whether a class takes weights, and the arguments, by place and by name, that give it them."""
    parameters = list(inspect.signature(cls).parameters.values())
    plain = [item for item in parameters if item.kind not in (item.VAR_KEYWORD, item.VAR_POSITIONAL)]
    taking = min(filter(_unlikely, plain), key=_unlikely, default=None)
    if taking is None and not any(item.kind is item.VAR_POSITIONAL for item in parameters):
        return False, [], {}
    if given is None:
        raise ValueError("its class takes weights: give them with --weights FILE or seeded:N")
    if taking is None:
        return True, [given], {}
    if "dict" in taking.name and not isinstance(given, dict):
        given = weights.read(given)
    return True, [], {taking.name: given}


def _unlikely(parameter):
    """A sort key: how unlikely a parameter of a class is the one for its weights. None: it is not."""
    default = parameter.default
    rank = next((rank for rank, words in enumerate(_WEIGHTS) if re.search(words, parameter.name.lower())), None)
    if rank is None:
        return (False, len(_WEIGHTS)) if default is parameter.empty else None
    # data_format="NHWC" and train_weights=False have the words, and mean something else.
    other_text = isinstance(default, str) and default and not default.endswith(".npy")
    return isinstance(default, (bool, float, int)), rank + 2 * bool(other_text)


def load_attention(session, given):
    """Gives the attention block's variables the given weights, for classes that have a block and do not load it."""
    import tensorflow.compat.v1 as tf

    layers = "|".join(ATTENTION_LAYERS)
    found = {}
    for variable in tf.global_variables():
        match = re.match(rf"(.*?)/?({layers})/(kernel|weights|bias|biases)$", variable.op.name)
        if match:
            scope, layer, kind = match.groups()
            found.setdefault(scope, []).append((variable, f"cbam/{layer}", int(kind.startswith("bias"))))
    found = [block for block in found.values() if len(block) == 2 * len(ATTENTION_LAYERS)]
    if not found or given is None:
        return
    block = weights.attention_layers(given if isinstance(given, dict) else weights.read(given))
    # A file has the weights of one block: of several each gets them.
    for variable, layer, index in itertools.chain(*found):
        if layer in block:
            session.run(variable.initializer, {variable.initializer.inputs[1]: block[layer][index]})
