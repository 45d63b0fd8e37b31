"""The package itself: its names, its imports, its README."""

import ast
import importlib
import os
import re
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


def test_flat_imports_beside_an_attention_module_of_someone_elses(tmp_path):
    """`import vgg19, utils` with the package's folder first on sys.path, from a codebase with its own attention.py."""
    (tmp_path / "attention.py").write_text("raise ImportError('not the attention block')\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else PACKAGE)\n"
        "import vgg16, vgg19, utils\n"
        "import vgg19_trainable as trainable\n"
        "print(vgg19.Vgg19.__module__, trainable.Vgg19.__module__, vgg16.VGG_MEAN, utils.load_image.__name__)"
    ).replace("sys.argv[1] if len(sys.argv) > 1 else PACKAGE", repr(PACKAGE))
    assert run(code, tmp_path) == "vgg19 vgg19_trainable [103.939, 116.779, 123.68] load_image\n"


def test_the_block_is_the_installed_attention_module(tmp_path):
    code = (
        "import attention; from tensorflow_vgg import vgg19\n"
        "print(vgg19.convolutional_block_attention_module is attention.convolutional_block_attention_module)"
    )
    assert run(code, tmp_path) == "True\n"


def test_every_network_has_recorded_figures():
    """A public class named Vgg… without golden activations has nothing that holds it to upstream."""
    recorded = os.listdir(os.path.join(ROOT, "tests", "golden", "activations"))
    for name in MODULES:
        module = importlib.import_module(f"tensorflow_vgg.{name}")
        if any(re.match(r"Vgg\d", public) for public in module.__all__):
            assert f"{name}_full.tf1.15.5.npz" in recorded


def readme_blocks(language):
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(readme_blocks("python"))))
def test_python_in_the_readme_runs(number, home, seeded):
    from tensorflow_vgg import weights

    weights.write(str(home / "vgg19.npy"), seeded("vgg19", thin=True, attention=True))
    os.symlink(os.path.join(ROOT, "test_data"), str(home / "test_data"))
    run(readme_blocks("python")[number], home)
