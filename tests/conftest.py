"""What the tests share: the golden figures, the seeded weights they were recorded with, and tolerances."""

import gc
import itertools
import json
import os
import re
import shutil

import numpy as np
import pytest
from forking import Server

# TensorFlow 2's default kernels, oneDNN's, sum in an order that depends on the CPU. Upstream's recordings are held to
# the kernels that every CPU has alike.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "golden")
TEST_DATA = os.path.join(os.path.dirname(HERE), "test_data")

# Against upstream's recordings: of a layer's largest magnitude. Another TensorFlow sums in another order.
UPSTREAM = 1e-5

# A Python with TensorFlow 1.15, where there is one: tests then compare with it live, beside its recordings.
TF1_PYTHON = os.environ.get("TENSORFLOW_VGG_TF1_PYTHON")


@pytest.fixture(scope="session")
def pixels():
    """Upstream's own pixels of the four images, float32 [224, 224, 3] each, by name."""
    with np.load(os.path.join(GOLDEN, "load_image.npz")) as file:
        return {name: file[name] for name in file.files}


@pytest.fixture(scope="session")
def weight_file(tmp_path_factory):
    """weight_file("vgg19"): a file of full seeded weights, 575 MB, made once, alone in its folder."""
    from tensorflow_vgg import weights

    made = {}

    def make(net):
        if net not in made:
            made[net] = str(tmp_path_factory.mktemp("full") / f"{net}.npy")
            weights.write(made[net], weights.seeded(net, 19))
        return made[net]

    yield make
    for path in made.values():  # pytest keeps the folders of three runs
        shutil.rmtree(os.path.dirname(path))


def pytest_collection_modifyitems(items):
    """Tests with full weights run one after the other in one of the processes of `-n 2`: for the memory's sake."""
    for item in items:
        if "weight_file" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("full"))


@pytest.fixture(scope="session")
def seeded(request):
    """Seeded weights: seeded("vgg19", thin=True), with attention=True ...; full ones in tests with `collected` only."""
    from tensorflow_vgg import weights

    thin_ones = {}

    def make(net, thin=False, attention=False):
        if not thin:
            result = weights.read(request.getfixturevalue("weight_file")(net))
        else:
            if net not in thin_ones:
                thin_ones[net] = weights.seeded(net, 19, thin=True)
            result = dict(thin_ones[net])
        if attention:
            result.update(weights.seeded_attention(16 if thin else 512, 19))
        return result

    return make


@pytest.fixture
def collected(weight_file):
    """For tests of full weights: what they leave is freed at once. A graph's parts refer to each other."""
    yield
    gc.collect()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder that is $TENSORFLOW_VGG_HOME, the data folder and the current folder."""
    monkeypatch.setenv("TENSORFLOW_VGG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


NUMBER = r"\d+\.\d+(?:e[-+]\d+)?"


def assert_prints(printed, name, random_lines=()):
    """The lines of golden/stdout: the same text, numbers within 1e-4 of their value, paths by base name.

    The last digits differ between TensorFlows. Seconds are any number; lines that a random step decided have the
    same form but other labels and numbers.
    """
    with open(os.path.join(GOLDEN, "stdout", name)) as file:
        expected = file.read().splitlines()
    found = printed.splitlines()
    assert len(found) == len(expected)
    for number, (line, golden) in enumerate(zip(found, expected)):
        if number in random_lines:
            assert line.split(",")[0].rstrip("0123456789n '[(") == golden.split(",")[0].rstrip("0123456789n '[(")
            continue
        if line.endswith(".npy"):
            line = os.path.basename(line)
        line, golden = (re.sub(r"finished: \d+s", "finished: 0s", text) for text in (line, golden))
        assert re.sub(NUMBER, "#", line) == re.sub(NUMBER, "#", golden)
        numbers = [[float(text) for text in re.findall(NUMBER, text)] for text in (line, golden)]
        np.testing.assert_allclose(*numbers, rtol=1e-4)


@pytest.fixture(scope="session")
def command():
    """command([VERB, ...], folder): the tensorflow-vgg command in a process of its own, see forking.py."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """The folder of images to train on and to validate on, see trainings.py."""
    from trainings import make_images

    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture
def start(home, seeded):
    """The thin weights of thin.npy, from which the tests of train start, see trainings.py."""
    from trainings import thin_start

    return thin_start(seeded)


@pytest.fixture
def prints_as_upstream(home, weight_file, collected, capsys):
    """prints_as_upstream(main, name, net, random_lines) runs a script's main() beside seeded full weights."""

    def run(main, name, net, random_lines=()):
        os.link(weight_file(net), str(home / f"{net}.npy"))
        main()
        assert_prints(capsys.readouterr().out, name, random_lines)
        return home

    yield run
    for path in home.glob("*.npy"):  # 575 MB each, and pytest keeps the folders of three runs
        path.unlink()


def golden_json(name):
    with open(os.path.join(GOLDEN, name)) as file:
        return json.load(file)


def golden_arrays(name):
    with np.load(os.path.join(GOLDEN, "activations", name + ".tf1.15.5.npz")) as file:
        return {key: file[key] for key in file.files}


def assert_close(found, expected, tolerance, what=""):
    """Every element within `tolerance` of the expected array's largest magnitude."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, what
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    assert difference <= tolerance, f"{what}: {difference:.2e} of the largest magnitude"


def tensor_attributes(network):
    """The names of all attributes of an object that are tensors."""
    import tensorflow.compat.v1 as tf

    return sorted(name for name, value in vars(network).items() if isinstance(value, tf.Tensor))


@pytest.fixture(scope="module")
def thin(tmp_path_factory):
    """thin("vgg19") is a recording of this package's network with thin weights, made once."""
    from recordings import TIGER, dump

    from tensorflow_vgg import weights

    folder = tmp_path_factory.mktemp("thin")

    def make(net, *more):
        file, path = folder / f"{net}.npy", folder / f"{net}{''.join(more)}.npz"
        if not file.exists():
            weights.write(str(file), weights.seeded(net, 19, thin=True))  # read sooner than made, and it is read often
        return str(path) if path.exists() else dump(path, TIGER, "--net", net, "--weights", file, *more)

    return make


@pytest.fixture
def changed(tmp_path, thin):
    """changed("vgg19", ("old", "new")) records a copy of this package's module in which text has been replaced."""
    from recordings import PACKAGE, dump

    number = itertools.count()

    def make(net, *replacements, given=()):
        folder = tmp_path / f"changed{next(number)}"
        folder.mkdir()
        with open(os.path.join(PACKAGE, f"{net}.py"), encoding="utf-8") as file:
            source = file.read()
        for old, new in replacements:
            assert source.count(old) == 1, old
            source = source.replace(old, new)
        (folder / f"{net}.py").write_text(source, encoding="utf-8")
        return dump(f"{folder}.npz", "--from", thin(net), "--modules", folder, *given)

    return make


@pytest.fixture
def judged(capsys):
    """judged(a, b) is what `compare --json` prints, with its exit status."""
    from tensorflow_vgg._command.main import main

    def run(a, b, *more):
        capsys.readouterr()
        status = main(["compare", str(a), str(b), "--json", *more])
        result = json.loads(capsys.readouterr().out)
        assert status == (0 if result["ok"] else 1)
        return result

    return run
