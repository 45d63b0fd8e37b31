"""run --check: what would be done with a script, and what will not work, before anything runs."""

import os
import re
import shutil
import sys

import numpy as np
import pytest

from tensorflow_vgg import weights
from tensorflow_vgg._command import main as command

pytest.importorskip("tensorflow.compat.v1")

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.join(HERE, "legacy_scripts", "checkout")
IS_TF1 = sys.version_info < (3, 8)


@pytest.fixture
def check(home, monkeypatch, capsys):
    """check(text, *options) of a script in the current folder: (exit status, done, [(file, line, problem)])."""
    # As main sets it for a command; here TensorFlow is imported by other tests, too.
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")

    def checked(text, *options):
        (home / "script.py").write_text(text)
        status = command.main(["run", "--check", *options, "script.py"])
        printed = capsys.readouterr()
        lines = (printed.out + printed.err).splitlines()
        problems = [line.partition("will not work: ")[2] for line in lines if line.startswith("will not work: ")]
        done = [line for line in lines if not line.startswith("will not work: ")]
        return status, done, [re.match(r".*?(\w+\.py):(\d+): (.*)", line).groups() for line in problems]

    return checked


def test_what_is_gone_is_told_with_its_line(check):
    status, done, problems = check(
        "import nowhere\nimport tensorflow as tf\n"
        "try:\n    import cPickle\nexcept ImportError:\n    import pickle\n"
        "tf.mul(1, 2)\nfor i in xrange(3):\n    tf.contrib.crf\nraise SystemExit('this was run')\n"
        "import six\nsix.iteritems({})\n{}.iteritems()\nprint >> f, 1\nprint(1 >> 2)\n"
        # What a script looks for before it uses it is no problem.
        "import sys, os\nPY3 = sys.version_info[0] == 3\nif not PY3:\n    import urllib2\n    range = xrange\n"
        "tf.pack if hasattr(tf, 'pack') else tf.stack\nos.path.join('a')\nos.getcwdu()\n"
        "def own(unicode, reduce=None):\n    return unicode, reduce\n"
        "import urllib2\ntf.train.SummaryWriter\nfrom scipy.misc import imread, imfilter_\n"
    )
    assert status == 1 and done == []
    assert {file for file, _, _ in problems} == {"script.py"}
    found = {line: text for _, line, text in problems}
    assert list(found) == ["1", "7", "8"] + ["9"] * (not IS_TF1) + ["13", "14", "23", "26", "27", "28"]
    assert "nowhere" in found["1"] and "tf.mul is not in" in found["7"] and "; today it is tf.multiply" in found["7"]
    assert found["8"] == "xrange is Python 2's; today it is range"
    assert found["13"] == "iteritems is Python 2's; today it is items"
    assert "print >>" in found["14"] and found["23"].endswith("getcwdu'; today it is os.getcwd")
    assert found["26"].endswith("; today it is urllib.request")
    assert found["27"].endswith("; today it is tf.summary.FileWriter")
    assert "imfilter_" in found["28"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import os\n\nprint 'hello'\n", 3),
        ("try:\n    pass\nexcept IOError, e:\n    pass\n", 3),
        ("x = 1\nif x <> 2: pass\n", 2),
        ("x = 0777\n", 1),
    ],
)
def test_a_module_of_python_2_is_told(check, home, text, line):
    (home / "old.py").write_text(text)
    status, _, problems = check("import old\n")
    assert status == 1 and [found[:2] for found in problems] == [("old.py", str(line))]
    assert "this line is not Python 3" in problems[0][2]


@pytest.mark.parametrize("folder", ["'lib'", "os.path.join(os.path.dirname(os.path.abspath(__file__)), 'lib')"])
def test_modules_in_a_folder_that_the_script_adds_to_its_path(check, home, folder):
    (home / "lib").mkdir()
    (home / "lib" / "mine.py").write_text("import nowhere\n")
    assert check(f"import os, sys\nsys.path.append({folder})\nimport mine\n")[2] == [
        ("mine.py", "1", "No module named 'nowhere'")
    ]


def test_modules_in_a_folder_that_a_function_adds_to_the_path(check, home):
    (home / "lib").mkdir()
    (home / "lib" / "mine.py").write_text("")
    (home / "_init_paths.py").write_text(
        "import os.path as osp, sys\n\ndef add_path(path):\n    if path not in sys.path:\n"
        "        sys.path.insert(0, path)\n\nthis_dir = osp.dirname(__file__)\nadd_path(osp.join(this_dir, 'lib'))\n"
    )
    assert check("import _init_paths\nimport mine\nimport tensorflow as tf\n'pack' in dir(tf) and 0\n") == (0, [], [])


UPSTREAMS = "import vgg19, utils\nnet = vgg19.Vgg19()\nutils.print_prob(net.prob, './synset.txt')\n"


def test_weights_and_labels_that_are_found_nowhere(check, home):
    status, done, problems = check(UPSTREAMS)
    assert status == 1
    assert done[:2] == ["vgg19: this package's (the script has none)", "utils: this package's (the script has none)"]
    assert done[2:] == ["./synset.txt: this package's (the script has none)"]
    assert [found[:2] for found in problems] == [("script.py", "2")]
    assert problems[0][2].startswith("vgg19.npy not found in ")

    status, done, problems = check(UPSTREAMS, "--weights", "seeded:5")
    assert (status, problems) == (0, []) and done[2] == f"weights for {home}/vgg19.npy: random, from seed 5"
    weights.write(str(home / "vgg19.npy"), weights.seeded("vgg19", 19, thin=True))
    status, done, problems = check(UPSTREAMS)
    assert (status, problems) == (0, []) and done[2] == f"weights: {home}/vgg19.npy"


def test_weights_and_labels_of_the_scripts_own_modules(check, home):
    for name in ("vgg19", "utils"):
        shutil.copy(os.path.join(CHECKOUT, f"{name}.py"), str(home))
    status, done, problems = check(UPSTREAMS)
    assert (status, done) == (1, [])
    assert [found[1] for found in problems] == ["2", "3"]
    assert problems[1][2] == f"./synset.txt: no such file in {home}"
    (home / "synset.txt").write_text("")
    assert check(UPSTREAMS.replace("Vgg19()", "Vgg19('./vgg19.npy')"), "--weights", "seeded:5")[::2] == (0, [])


def test_files_that_a_script_names(check, home):
    np.save(str(home / "there.npy"), np.zeros(3))
    status, _, problems = check(
        "import os\nimport numpy as np\nfrom net import Net, helper\n"
        "FOLDER = 'data'\nLABELS = os.path.join(FOLDER, 'labels.txt')\n"
        "np.load('there.npy')\nnp.load('absent.npy', encoding='latin1')\nopen(LABELS)\nNet('absent.npy')\n"
        "np.save('made.npy', [1])\nnp.load('made.npy')\nopen('log.txt', 'w')\nopen('log.txt').read()\n"
        "if os.path.exists('cache.npy'):\n    np.load('cache.npy')\n"
        "try:\n    open('maybe.txt')\nexcept IOError:\n    pass\n"
        "def lines(path='default.txt'):\n    return open(path)\n"
        "print('see notes.txt', 'x.npy')\nnp.load('%d.npy' % 3)\n"
        "np.load(os.path.join(os.path.dirname(__file__), 'beside.npy'))\n"
    )
    assert status == 1
    assert [found[1:] for found in problems] == [
        ("3", "No module named 'net'"),
        ("7", f"absent.npy: no such file in {home}"),
        ("8", f"data/labels.txt: no such file in {home}"),
        ("9", f"absent.npy: no such file in {home}"),
        ("24", f"{home}/beside.npy: no such file in {home}"),
    ]
    assert check("import os\nos.chdir('elsewhere')\nopen('absent.txt')\n") == (0, [], [])
    # What a module does where it is the script itself.
    (home / "mine.py").write_text("if __name__ == '__main__':\n    open('absent.txt')\n")
    assert check("import mine\n") == (0, [], [])


@pytest.mark.skipif(IS_TF1, reason="Keras 2 lives in a graph")
def test_keras_3_beside_a_session(check):
    session = "import tensorflow as tf\nsession = tf.Session()\n"
    for line in (
        "from keras.layers import Dense",
        "import keras\nkeras.models.Sequential()",
        "from keras import Model",
    ):
        status, _, problems = check(session + line + "\n")
        assert status == 1 and len(problems) == 1
        assert "cannot live in the graph of a session; take tf.keras" in problems[0][2]
        assert check(line + "\n") == (0, [], [])
    for line in ("from keras.utils import to_categorical", "import keras\nkeras.utils.to_categorical([1], 3)"):
        assert check(session + line + "\n") == (0, [], [])
