"""tensorflow-vgg run: scripts in the manner of 2017, in legacy_scripts/, against TensorFlow 1.15.5.

legacy_scripts/recorded/ holds what each script prints when TensorFlow 1.15.5 runs it plainly. Where the environment
variable TENSORFLOW_VGG_TF1_PYTHON names a Python with TensorFlow 1.15, the recordings are compared with it, too.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import TF1_PYTHON, assert_prints
from forking import environment

from tensorflow_vgg import weights

_HERE = os.path.dirname(os.path.abspath(__file__))
_ROOT = os.path.dirname(_HERE)
_SCRIPTS = os.path.join(_HERE, "legacy_scripts")
_PACKAGE = os.path.join(_ROOT, "tensorflow_vgg")
_NUMBER = r"-?(?:\d+\.\d*|\.\d+|\d+)(?:e[-+]?\d+)?"

# Against TensorFlow 1.15.5: both sum float32 numbers in orders of their own; training steps add up to more.
_SAME = 1e-4
_SAME_AFTER_TRAINING = 1e-3

# What is run: name of the recording, the command line, the tolerance. The ones of one row run one after the other.
_RUNS = [
    [("classify_flat", [], _SAME)],
    [("classify_folder", [], _SAME)],
    [("train_step", [], _SAME_AFTER_TRAINING)],
    [("head_train", [], _SAME_AFTER_TRAINING), ("head_restore", [], _SAME_AFTER_TRAINING)],
    [("slim_scope", ["test_data/cat.jpeg", "--size", "48"], _SAME_AFTER_TRAINING)],
    [("subclass_112", ["--average", "--summaries_dir=logs"], _SAME)],
    [("cam", [], _SAME)],
    [("input_queue", [], _SAME)],
    [("old_libraries", [], _SAME)],
]
_IS_TF1 = sys.version_info < (3, 8)
_HAS_EXTRA = _IS_TF1 or all(map(importlib.util.find_spec, ("tf_slim", "tf_keras")))


def _write(folder, **modules):
    for name, text in modules.items():
        path = os.path.join(str(folder), f"{name}.py")
        with open(path, "w") as file:
            file.write(text)
    return path


def _ours(done):
    """What this package itself wrote to stderr."""
    return [line for line in done.stderr.splitlines() if line.startswith("tensorflow-vgg: ")]


def _lay_out(folder, modules=False):
    """What the scripts expect in the current folder, with modules that mean what upstream's do."""
    for net in ("vgg16", "vgg19"):
        weights.write(os.path.join(str(folder), f"{net}.npy"), weights.seeded(net, 19, thin=True))
    shutil.copytree(os.path.join(_ROOT, "test_data"), os.path.join(str(folder), "test_data"))
    shutil.copy(os.path.join(_PACKAGE, "synset.txt"), str(folder))
    if modules:
        _add_modules(folder)
    return folder


def _add_modules(folder):
    checkout = os.path.join(_SCRIPTS, "checkout")
    for name in os.listdir(checkout):
        shutil.copy(os.path.join(checkout, name), str(folder))


@pytest.fixture
def run(command, tmp_path):
    """run(text or path of a script, *arguments, options=[...]): `tensorflow-vgg run` in tmp_path."""

    def run(script, *arguments, **kwargs):
        path = _write(tmp_path, script=script) if "\n" in script else script
        home = {"TENSORFLOW_VGG_HOME": str(tmp_path / "home"), **kwargs.get("variables", {})}
        return command(["run", *kwargs.get("options", ()), path, *arguments], tmp_path, **home)

    return run


def _assert_same(got, expected, tolerance):
    """Same text but for spacing, numbers within `tolerance` of their value, the paths of files by their base name."""
    texts, numbers = [], []
    for output in (got, expected):
        output = re.sub(r"(?m)^/.*/", "", output)
        output = re.sub(r"finished: \d+s", "finished", output)
        texts.append(re.sub(r"\s+", "", re.sub(r"(?<![\w.])" + _NUMBER, "#", output)))
        numbers.append([float(number) for number in re.findall(r"(?<![\w.])" + _NUMBER, output)])
    assert texts[0] == texts[1]
    np.testing.assert_allclose(numbers[0], numbers[1], rtol=tolerance, atol=1e-30)


def _recorded(name):
    with open(os.path.join(_SCRIPTS, "recorded", f"{name}.txt"), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("row", _RUNS, ids=[row[0][0] for row in _RUNS])
def test_a_script_prints_what_tensorflow_1_prints(run, tmp_path, row):
    if row[0][0] in ("head_train", "slim_scope") and not _HAS_EXTRA:
        pytest.skip("the extra `legacy` (tf-slim, tf-keras) is not installed")
    _lay_out(tmp_path)
    for name, arguments, tolerance in row:
        done = run(os.path.join(_SCRIPTS, f"{name}.py"), *arguments)
        assert done.returncode == (3 if name == "subclass_112" else 0), done.stderr
        _assert_same(done.stdout, _recorded(name), tolerance)


@pytest.mark.skipif(TF1_PYTHON is None, reason="TENSORFLOW_VGG_TF1_PYTHON names no Python with TensorFlow 1.15")
def test_the_recordings_are_what_tensorflow_1_prints(tmp_path):
    _lay_out(tmp_path, modules=True)
    name, arguments, tolerance = _RUNS[0][0]
    script = os.path.join(_SCRIPTS, f"{name}.py")
    done = subprocess.run(
        [TF1_PYTHON, script, *arguments], cwd=str(tmp_path), env=environment(str(tmp_path)), stdout=subprocess.PIPE
    )
    assert done.returncode == 0
    _assert_same(done.stdout.decode(), _recorded(name), tolerance)


@pytest.mark.parametrize("name", ["vgg16", "vgg19", "vgg19_trainable"])
def test_golden_output_of_the_original_scripts(run, tmp_path, weight_file, name):
    """Full weights, modules of the script's own: each runs as it is, and prints what upstream printed."""
    net = name.replace("_trainable", "")
    os.symlink(weight_file(net), str(tmp_path / f"{net}.npy"))
    os.symlink(os.path.join(_ROOT, "test_data"), str(tmp_path / "test_data"))
    shutil.copy(os.path.join(_PACKAGE, "synset.txt"), str(tmp_path))
    _add_modules(tmp_path)
    home = {"TENSORFLOW_VGG_HOME": os.path.dirname(weight_file(net))}  # where they are mapped already, maybe
    done = run(shutil.copy(os.path.join(_SCRIPTS, f"golden_{name}.py"), str(tmp_path)), variables=home)
    assert done.returncode == 0 and not _ours(done), done.stderr
    # The third script's second half is after a training step from random values.
    assert_prints(done.stdout, f"test_{name}.txt", (3, 4) if name == "vgg19_trainable" else ())
    shutil.rmtree(str(tmp_path))


_STATE = """
import __main__, sys
import numpy as np, tensorflow as tf
import mine
print(sys.argv)
print(mine.FOLDER == sys.path[0], __name__ == "__main__" == __main__.__name__)
print(tf.placeholder is not None, tf.executing_eagerly(), sys.modules["numpy"] is not np, mine.dtype)
print((np.float32(0.1), np.float64(0.25)))
np.load = None
assert sys.modules["numpy"].load is not None
sys.exit(7)
"""


def test_what_a_script_sees(run, tmp_path):
    _write(
        tmp_path,
        mine="import os\nimport numpy\nFOLDER = os.path.dirname(os.path.abspath(__file__))\n"
        "dtype = numpy.zeros(2, numpy.int).dtype.kind\n",
    )
    done = run(_STATE, "--flag", "x y")
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines() == [
        str([str(tmp_path / "script.py"), "--flag", "x y"]),
        "True True",
        "True False True i",
        "(0.1, 0.25)",
    ]


def test_a_scripts_failure_is_shown_as_python_shows_it(run, tmp_path):
    _write(tmp_path, helper="import tensorflow as tf\n\n\ndef broken(x):\n    return tf.matmul(x, x)   # wrong\n")
    done = run("# one\nfrom tensorflow import zeros\nimport helper\nhelper.broken(zeros([2]))\n")
    assert done.returncode == 1
    trace = done.stderr[done.stderr.rindex("Traceback") :]
    files = re.findall(r'File "(.+)", line (\d+), in (.+)\n    (.+)', trace)
    assert files[0] == (str(tmp_path / "script.py"), "4", "<module>", "helper.broken(zeros([2]))")
    assert files[1] == (str(tmp_path / "helper.py"), "5", "broken", "return tf.matmul(x, x)   # wrong")
    assert "_run" not in trace and "Shape must be rank 2" in trace.splitlines()[-1]
    assert sorted(os.listdir(str(tmp_path))) == ["helper.py", "script.py"]

    done = run("def train():\n    raise KeyboardInterrupt\ntrain()\n")
    assert done.returncode == 130
    assert f'  File "{tmp_path}/script.py", line 3, in <module>' in done.stderr


def test_exit_status(run):
    for code, status in (("", 0), ("None", 0), ("5", 5), ("'bad luck'", 1)):
        done = run(f"import sys\nsys.exit({code})\n")
        assert done.returncode == status and ("bad luck" in done.stderr) == (status == 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [("import os\n\nprint 'hello'\n", 3), ("try:\n    pass\nexcept IOError, e:\n    pass\n", 3), ("x = 0777\n", 1)],
)
def test_a_python_2_script_is_told_so(run, tmp_path, text, line):
    done = run(text)
    assert done.returncode == 2
    assert re.search(rf"script\.py:{line}: .*Python 2 must be converted first", done.stderr)
    _write(tmp_path, module=text)
    done = run("import module\n")
    assert done.returncode == 2 and f"module.py:{line}: this line is not Python 3" in done.stderr


_MODULES = """
import vgg16
import vgg19, utils
from tensorflow_vgg import vgg16 as inner16, vgg19_trainable, mine
import tensorflow_vgg.utils
from tensoflow_vgg import vgg19 as misspelt
for module in (vgg16, vgg19, utils, inner16, vgg19_trainable, mine, tensorflow_vgg.utils, misspelt):
    print(module.__spec__.origin)
print(vgg16.VGG_MEAN[0], mine.vgg16 is inner16)
"""


@pytest.mark.parametrize("init", [True, False])
def test_a_scripts_own_modules_run_as_they_are_and_missing_ones_are_this_packages(run, tmp_path, init):
    """Also those of a folder tensorflow_vgg, whether it is a package or a folder alone."""
    package = tmp_path / "tensorflow_vgg"
    package.mkdir()
    checkout = os.path.join(_SCRIPTS, "checkout")
    shutil.copy(os.path.join(checkout, "vgg19.py"), str(tmp_path))
    with open(os.path.join(checkout, "vgg16.py")) as file:
        _write(tmp_path, vgg16=file.read().replace("103.939", "100.0"))
    _write(package, utils="", mine="from tensorflow_vgg import vgg16\n", **({"__init__": ""} if init else {}))
    (tmp_path / "utils.pyc").write_bytes(b"\x03\xf3\r\n" + bytes(100))  # of Python 2.7, without its source
    done = run(_MODULES)
    assert done.returncode == 0, done.stderr
    own, inner = str(tmp_path), str(package)
    assert done.stdout.splitlines() == [
        f"{own}/vgg16.py",
        f"{own}/vgg19.py",
        f"{_PACKAGE}/utils.py",
        f"{_PACKAGE}/vgg16.py",
        f"{_PACKAGE}/vgg19_trainable.py",
        f"{inner}/mine.py",
        f"{inner}/utils.py",
        f"{_PACKAGE}/vgg19.py",
        "100.0 True",
    ]
    assert "tensorflow-vgg: utils: this package's (the script has none)" in _ours(done)


_STAR = """
from vgg19 import *
from utils import *
import importlib, importlib.util, sys
import vgg16
assert os.path and time.time and inspect.getfile and np.float is float and skimage.__name__ == "skimage"
assert vgg16.np.load is np.load and importlib.import_module("tensorflow") is tf
assert importlib.import_module("tensorflow_vgg.vgg16").tf is tf and Vgg19
spec = importlib.util.spec_from_file_location("by_path", "by_path.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.x.shape, tf.train.NewCheckpointReader is not None)
from tensorflow.python import pywrap_tensorflow
assert pywrap_tensorflow.NewCheckpointReader
import imp, runpy
assert imp.load_source("again", "by_path.py").tf is tf and runpy.run_path("by_path.py")["tf"] is tf
from tensorflow_vgg import weights, session_config
assert weights.read and session_config()
"""


def test_names_and_ways_to_import_that_scripts_rely_on(run, tmp_path):
    _write(tmp_path, by_path="import tensorflow as tf\nx = tf.placeholder('float', [2])\n")
    done = run(_STAR)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "(2,) True\n"


def test_installed_packages_work_as_ever(run):
    names = [name for name in ("h5py", "keras") if importlib.util.find_spec(name)]
    text = (
        "import sys\nimport numpy as np\nimport tensorflow as tf\n"
        + "".join(f"import {name}\nassert {name} is sys.modules['{name}']\n" for name in names)
        + "import skimage.io, skimage.transform, skimage.util\n"
        "import argparse, json, collections.abc\n"
        "from numpy import linalg\nimport numpy.random as npr\nassert npr is np.random\n"
        "from tensorflow.python.framework import ops\nfrom tensorflow.python.ops import array_ops\n"
        "assert callable(array_ops.identity) and callable(ops.convert_to_tensor)\n"
        "flags = tf.app.flags\nflags.DEFINE_string('data_dir', 'mine', '')\nprint(flags.FLAGS.data_dir)\n"
        "print(skimage.util.img_as_float(np.uint8([255])), linalg.norm([3, 4]))\n"
    )
    done = run(text)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["mine", "[1.] 5.0"]


def test_import_module_gives_modules_of_one_name_from_several_folders(tmp_path):
    from tensorflow_vgg._run import imports

    with open(os.path.join(_SCRIPTS, "checkout", "vgg19.py")) as file:
        source = file.read()
    found = []
    for folder, mean in (("first", "100.0"), ("second", "101.0")):
        (tmp_path / folder).mkdir()
        _write(tmp_path / folder, vgg19=source.replace("103.939", mean))
        found.append(imports.import_module("vgg19", str(tmp_path / folder)).VGG_MEAN[0])
    assert found == [100.0, 101.0]
    assert "vgg19" not in sys.modules and str(tmp_path / "first") not in sys.path
    assert not hasattr(np, "float") or np.float is float
    with pytest.raises(ImportError, match="absent"):
        imports.import_module("absent", str(tmp_path))


_ALONE = """
import numpy as np
import utils
import vgg19
utils.print_prob(np.arange(1000) / 1000.0, "./synset.txt")
try:
    vgg19.Vgg19(npy_path="vgg19.npy")
except TypeError as error:
    print("__init__() got an unexpected keyword argument 'npy_path'" in str(error))
vgg19.Vgg19("./vgg19.npy")
"""


def test_a_script_alone(run, tmp_path):
    done = run(_ALONE, "--weights", "seeded:19", variables={"XDG_DATA_HOME": str(tmp_path)})
    assert done.stdout.splitlines()[0].startswith("('Top1: ', 'n15075141 toilet tissue")
    assert done.stdout.splitlines()[-1] == "True"
    assert "FileNotFoundError: " in done.stderr and "weights fetch" in done.stderr.splitlines()[-1]
    ours = _ours(done)
    assert "--weights goes to the script" in ours[0] and "./synset.txt: this package's" in ours[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["absent.py"], "absent.py: "), (["--weights", "absent.npy", "script.py"], "absent.npy"),
     (["--weights", "seeded:x", "script.py"], "seeded:N")],
)  # fmt: skip
def test_bad_options_are_one_line_and_2(command, tmp_path, arguments, message):
    _write(tmp_path, script="")
    done = command(["run", *arguments], tmp_path)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_patched_script_without_an_initialiser_is_told_what_to_add(run):
    text = (
        "import tensorflow as tf\nfrom attention import convolutional_block_attention_module\n"
        "x = convolutional_block_attention_module(tf.ones([1, 7, 7, 8]), 0)\ntf.Session().run(x)\n"
    )
    done = run(text, variables={"PYTHONPATH": _ROOT})
    assert done.returncode == 1 and "tf.global_variables_initializer()" in done.stderr.splitlines()[-1]
