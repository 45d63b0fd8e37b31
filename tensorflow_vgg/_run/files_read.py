"""The weight and label files that a script reads: whether they are there, and what stands for them."""

import ast
import os
import re

from tensorflow_vgg._run.source import dotted, imports, known_texts, text_of, tried, words

__all__ = ["files_read"]

_NETS = ("vgg16", "vgg19")
_DATA_FILE = re.compile(r"[^\s%{}*?\[\]]+\.(npy|txt)")
_READER = re.compile(r"(?<!down)(?<!up)load|read|open|restore|print_prob|genfromtxt", re.IGNORECASE)
_LOOKS = {"exists", "isfile", "lexists"}
_PATHS = ("abspath", "expanduser", "join", "normpath", "realpath")


def files_read(trees, script, has_labels, environment):
    """What will be done about the files that the script's code names by plain text where it reads them.

    A file that it names elsewhere, too, is left out: it may write it, or look for it first.

    Args:
      trees: path -> syntax tree of the script and of its own modules.
      script: the script's path.
      has_labels: whether print_prob is this package's, which has upstream's labels.
      environment: `imports.Environment`, entered.

    Returns:
      List of (line, whether it works).
    """
    read, others = [], set()
    for file, tree in trees.items():
        known = known_texts(tree, file)
        # In a module it does not run, either, where the module would be the script.
        skipped = tried(tree, _LOOKS if file == script else _LOOKS | {"__name__"})
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = (dotted(call.func) or getattr(call.func, "attr", "")).rpartition(".")[2]
            texts = [text_of(node, known) or "" for node in call.args + [keyword.value for keyword in call.keywords]]
            paths = [text for text in texts if _DATA_FILE.fullmatch(text)]
            if name in _PATHS:
                continue
            if call in skipped or not _reads(name, paths, texts):
                others.update(paths)
                continue
            if name.lower() in _NETS and not texts:
                paths = _default(name.lower(), tree, trees, environment)
            read += [(f"{file}:{call.lineno}", path, name) for path in paths]
    if any("chdir" in words(tree) for tree in trees.values()):
        read = [item for item in read if os.path.isabs(item[1])]
    found = [_told(*item, has_labels, environment) for item in read if item[1] not in others]
    return [item for item in found if item is not None]


def _reads(name, paths, texts):
    """Whether a function of this name reads a file when it is called so. Classes load their weights."""
    writes = name == "open" and any(re.fullmatch(r"[rbt]*[wax+][rbt+]*", text) for text in texts)
    is_class = name[:1].isupper() and all(path.endswith(".npy") for path in paths)
    return not writes and (is_class or bool(_READER.search(name)))


def _default(net, tree, trees, environment):
    """The file that upstream's frozen class loads if it is given none: a list of it, or none for another class."""
    if not any(net in name.split(".") for _, name, _ in imports(tree)):
        return []
    own = [file for file in trees if os.path.basename(file) == f"{net}.py"]
    for file in own:
        if any(text_of(node, {}) == f"{net}.npy" for node in ast.walk(trees[file])):
            return [os.path.join(os.path.dirname(file), f"{net}.npy")]
    return [] if own else [os.path.join(environment.folder, f"{net}.npy")]


def _told(place, path, reader, has_labels, environment):
    """The line about a file, and whether it works; None if there is nothing to say."""
    name = os.path.basename(path)
    if name in ("vgg16.npy", "vgg19.npy"):
        try:
            source = environment.weights.source(path)
        except FileNotFoundError as error:
            return f"{place}: {error}", False
        if not isinstance(source, str):
            source = f"random, from seed {source[1]}"
        return f"weights: {path}" if source == path else f"weights for {path}: {source}", True
    if os.path.exists(path):
        return None
    if name == "synset.txt" and reader == "print_prob" and has_labels:
        return f"{path}: this package's (the script has none)", True
    return f"{place}: {path}: no such file in {os.getcwd()}", False
