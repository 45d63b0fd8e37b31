"""The package itself: its names, its imports, its README."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys

import pytest

import tensorflow_vgg

PACKAGE = os.path.dirname(os.path.abspath(tensorflow_vgg.__file__))
ROOT = os.path.dirname(PACKAGE)
MODULES = sorted(name[:-3] for name in os.listdir(PACKAGE) if name.endswith(".py") and not name.startswith("__"))


def run(code, folder, **environment):
    command = [sys.executable, "-c", code]
    environment = {**os.environ, **environment}
    process = subprocess.run(command, stdout=subprocess.PIPE, cwd=str(folder), env=environment, check=True)
    return process.stdout.decode()


@pytest.mark.parametrize("name", ["attention", "tensorflow_vgg", *(f"tensorflow_vgg.{name}" for name in MODULES)])
def test_all_is_literal_sorted_and_complete(name):
    module = importlib.import_module(name)
    with open(module.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    listed = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    )
    # As ruff sorts: constants, classes, functions.
    assert listed == sorted(listed, key=lambda name: (not name.isupper(), not name.lstrip("_")[0].isupper(), name))
    defined = {
        node.name for node in tree.body
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_")
    }  # fmt: skip
    assert defined <= set(listed)
    assert all(hasattr(module, name) for name in listed)


def test_importing_the_package_loads_no_tensorflow(tmp_path):
    loaded = run("import sys, tensorflow_vgg; print(*sys.modules)", tmp_path).split()
    assert not {"tensorflow", "skimage", "numpy"} & set(loaded)


def test_attention_imports_tensorflow_alone():
    with open(os.path.join(ROOT, "attention.py"), encoding="utf-8") as file:
        imports = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [ast.dump(node) for node in imports] == [ast.dump(ast.parse("import tensorflow.compat.v1 as tf").body[0])]


def test_flat_imports_and_the_block_that_is_installed(tmp_path, command):
    """`import vgg19, utils` with the package's folder first on sys.path, from a codebase with its own attention.py."""
    (tmp_path / "attention.py").write_text("raise ImportError('not the attention block')\n")
    code = (
        f"import sys; sys.path.insert(0, {PACKAGE!r}); sys.path.insert(1, '')\n"
        "import vgg16, vgg19, utils\n"
        "import vgg19_trainable as trainable\n"
        "print(vgg19.Vgg19.__module__, trainable.Vgg19.__module__, vgg16.VGG_MEAN, utils.load_image.__name__)"
    )
    done = command(["-c", code], tmp_path)
    assert done.stdout == "vgg19 vgg19_trainable [103.939, 116.779, 123.68] load_image\n", done.stderr
    code = (
        "import attention; from tensorflow_vgg import vgg19\n"
        "print(vgg19.convolutional_block_attention_module is attention.convolutional_block_attention_module)"
    )
    assert command(["-c", code], ROOT).stdout == "True\n"


def test_the_package_hides_no_module_of_the_users(tmp_path):
    """With its folder first on sys.path, as upstream is used."""
    names = [
        "training", "network", "weights", "patch", "run", "images", "search", "explain", "compare", "source", "cli",
    ]  # fmt: skip
    for name in names:
        (tmp_path / f"{name}.py").write_text("mine = True\n")
    code = f"import sys; sys.path.insert(0, {PACKAGE!r}); import {', '.join(names)}\n"
    assert run(code + f"print(all(module.mine for module in ({', '.join(names)})))", tmp_path) == "True\n"


_UPSTREAM = frozenset(["vgg16", "vgg19", "vgg19_trainable", "utils"])
_BELOW_VERBS = _UPSTREAM | {"_weights", "_network", "_images", "_pictures"}
_VERBS = frozenset(["_run", "_compare", "_train", "_patch", "_search", "_explain"])
# What each room may import of the others: the command, the verbs, upstream's modules, what is below, one way.
IMPORTS = {
    "_weights": set(),
    "_images": set(),
    "_pictures": {"_images", "_weights"},
    "_network": {"_weights"},
    **dict.fromkeys(_UPSTREAM, frozenset(["_network", "_weights", "_images"])),
    **dict.fromkeys(_VERBS, _BELOW_VERBS),
    "_compare": _BELOW_VERBS | {"_run"},
    "_command": _BELOW_VERBS | _VERBS,
    "__main__": {"_command"},
    "__init__": set(),
}


def imported_rooms(path):
    """The rooms and modules of the package that a file imports anywhere in it."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    folders = os.path.relpath(path, ROOT).split(os.sep)[:-1]
    found = set()
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            above = folders[: len(folders) - node.level + 1] if node.level else []
            names = [".".join([*above, *([node.module] if node.module else []), alias.name]) for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("tensorflow_vgg.")}
    public = {"weights": "_weights", "search": "_search", "explain": "_explain"}
    return {public.get(name, name) for name in found} - {"session_config", "__version__"}


def test_imports_go_one_way():
    for folder, _, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                room = os.path.relpath(path, PACKAGE).split(os.sep)[0]
                room = room[: -len(".py")] if room.endswith(".py") else room
                assert imported_rooms(path) <= IMPORTS[room] | {room}, path


def test_a_wheel_has_all_and_runs_from_elsewhere(tmp_path):
    """Built and installed with pip, from a copy of the files that are the project's."""
    checkout, target = tmp_path / "checkout", tmp_path / "target"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(PACKAGE, str(checkout / "tensorflow_vgg"), ignore=ignore)
    for name in ("setup.py", "README.md", "attention.py"):
        shutil.copyfile(os.path.join(ROOT, name), str(checkout / name))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(checkout)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-compile", "--target", str(target), str(wheel)], check=True)
    expected = {"attention.py", "tensorflow_vgg/synset.txt"}
    for folder, _, names in os.walk(str(checkout / "tensorflow_vgg")):
        expected |= {os.path.relpath(os.path.join(folder, name), str(checkout)) for name in names if name[-3:] == ".py"}
    assert not {name for name in expected if not (target / name).is_file()}
    (tmp_path / "net.py").write_text("import tensorflow as tf\n# pool\n")
    code = (
        "import sys, tensorflow_vgg; from tensorflow_vgg._command.main import main\n"
        "from tensorflow_vgg._patch.module import block_module\n"
        "print(tensorflow_vgg.__file__, len(block_module()) > 1000, main(['patch', 'net.py']))"
    )
    found = run(code, tmp_path, PYTHONPATH=str(target)).split()
    assert found == [str(target / "tensorflow_vgg" / "__init__.py"), "True", "1"]


def test_every_network_has_recorded_figures():
    """A public class named Vgg… without golden activations has nothing that holds it to upstream."""
    recorded = os.listdir(os.path.join(ROOT, "tests", "golden", "activations"))
    for name in MODULES:
        module = importlib.import_module(f"tensorflow_vgg.{name}")
        if any(re.match(r"Vgg\d", public) for public in module.__all__):
            assert f"{name}_full.tf1.15.5.npz" in recorded
