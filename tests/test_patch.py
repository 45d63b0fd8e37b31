"""tensorflow-vgg patch, on the files of patch_corpus/: VGGs as different hands write them."""

import contextlib
import importlib
import os
import resource
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import environment

from tensorflow_vgg import _network as network
from tensorflow_vgg import vgg16, vgg19, weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._patch import patch

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "patch_corpus")
BLOCK = "convolutional_block_attention_module"

# What is built and run: file -> [(network, how it is made and built, its probabilities)].
RUN = {
    "absolute_package/nets/vgg.py": [("vgg19", "Vgg19", "prob")],
    "aliases.py": [("vgg19", "Vgg19", "prob")],
    "average_or_max.py": [("vgg19", "Vgg19", "prob")],
    "bom.py": [("vgg19", "Vgg19", "prob")],
    "crlf.py": [("vgg19", "Vgg19", "prob")],
    "dict_of_layers.py": [("vgg19", "Net", "prob")],
    "dropout_between.py": [("vgg19", "Vgg19", "prob")],
    "euc_jp.py": [("vgg19", "Vgg19", "prob")],
    "keywords.py": [("vgg19", "Vgg19", "prob")],
    "latin1.py": [("vgg19", "Vgg19", "prob")],
    "line_breaks.py": [("vgg19", "Vgg19", "prob")],
    "mixed_line_ends.py": [("vgg19", "Vgg19", "prob")],
    "old_mac.py": [("vgg19", "Vgg19", "prob")],
    "one_local.py": [("vgg16", "VGG16", "prob")],
    "plain.py": [("vgg19", "Vgg19", "prob")],
    "relative_package/vgg.py": [("vgg19", "Vgg19", "prob")],
    "scopes.py": [("vgg19", "Vgg19", "prob")],
    "script.py": [("vgg19", "Vgg19", "prob")],
    "short_names.py": [("vgg19", "N", "prob")],
    "silent_package/vgg.py": [("vgg16", "Vgg19", "prob")],
    "tabs.py": [("vgg19", "VGG", "prob")],
    "trainable.py": [("vgg19", "Vgg19", "prob")],
    "two_methods.py": [("vgg16", "vgg16", "probs")],
    "two_networks.py": [("vgg16", "Vgg16", "prob"), ("vgg19", "Vgg19", "prob")],
    "vgg16_no_final_newline.py": [("vgg16", "vgg16", "prob")],
}
# Patched and taken back, not run: they need tf.contrib, other weights, or end in convolutions.
PATCHED = sorted([*RUN, "fully_convolutional.py", "layers_api.py", "slim_style.py"])

BY_HAND = ["by_hand.py", "by_hand_in_a_method.py"]

# file -> the rows that must be shown, and words of the reason
LEFT_ALONE = {
    "alexnet.py": ([22, 23], "3 poolings"),
    "assigned_again.py": ([39, 42, 77], "assigns the layer again"),
    "fluent.py": ([7], "inside another call"),
    "keras_functional.py": ([23, 25], "TensorFlow 1's"),
    "keras_model.py": ([23, 25], "TensorFlow 1's"),
    "no_fc.py": ([40], "no fully connected layer reads"),
    "no_tensorflow.py": ([40, 42], "does not import TensorFlow"),
    "one_line.py": ([39], "the same line"),
    "own_block.py": ([77], "otherwise than by an import"),
    "pool_in_a_helper.py": ([19, 20], "line 19 calls"),
    "pool_inside_a_call.py": ([40], "inside another call"),
    "pools_in_a_loop.py": ([19, 20], "in a loop"),
    "sixth_pool.py": ([41, 42], "6 poolings"),
    "something_between.py": ([39, 41, 42], "but line 41"),
    "tf_module.py": ([23, 24], "TensorFlow 1's"),
    "torch_net.py": ([25, 27], "TensorFlow 1's"),
    "two_heads.py": ([39, 41, 42], "--before"),
}

# The tightest that two orders of the same float32 sums allow; the networks' own weights move fc8 by far more.
TOLERANCE = 1e-6


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Copies a file of the corpus, with the package it is in, and returns its path. Its imports are forgotten after."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    monkeypatch.delitem(sys.modules, "attention", raising=False)

    def copy(name):
        top = name.split("/")[0]
        path = tmp_path / name.replace("/", os.sep)
        if top.endswith("_package"):
            shutil.copytree(os.path.join(CORPUS, top), str(tmp_path / top))
        else:
            path = tmp_path / os.path.basename(name)
            shutil.copyfile(os.path.join(CORPUS, name), str(path))
        return path

    yield copy
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def snapshot(folder):
    """Every file below a folder: its bytes, its mode, and whether it is a link."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mode, path.is_symlink())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in str(path)
    }


# -------------------------------------------------------------------------------------------------- what it does


@pytest.fixture(scope="module")
def thin(tmp_path_factory):
    """For vgg16 and vgg19: a weight file, the block's weights, images, and the attended network's probabilities."""
    folder = tmp_path_factory.mktemp("weights")
    images = np.random.RandomState(6).uniform(size=(2, 224, 224, 3)).astype("float32")
    made = {}
    for net in ("vgg16", "vgg19"):
        layers = weights.seeded(net, 19, thin=True, attention=True)
        block = {name: layers[name] for name in weights.ATTENTION_LAYERS}
        path = str(folder / (net + ".npy"))
        weights.write(path, {name: layer for name, layer in layers.items() if name not in block})
        with_block, without = [_reference(net, dict(layers), images, attention) for attention in (True, False)]
        assert np.abs(with_block - without).max() > 1000 * TOLERANCE
        made[net] = path, block, images, with_block
    return made


class _AttendedVgg16(vgg16.Vgg16):
    """The package has no Vgg16 with the block: the block after the fifth pooling, its weights constants."""

    attention = True

    def max_pool(self, bottom, name):
        pool = super().max_pool(bottom, name)
        if name == "pool5" and self.attention:
            with self._constant_block(channels=16):
                pool = network.convolutional_block_attention_module(pool, index=0)
        return pool


def _reference(net, layers, images, attention):
    with tf.Graph().as_default():
        if net == "vgg19":
            reference = vgg19.Vgg19(layers, attention=attention)
        else:
            reference = _AttendedVgg16(layers)
            reference.attention = attention
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        reference.build(rgb)
        with tf.Session() as session:
            return session.run(reference.prob, {rgb: images})


def _imported(path, folder):
    name = str(path.relative_to(folder))[: -len(".py")].replace(os.sep, ".")
    importlib.invalidate_caches()
    return importlib.import_module(name)


def _set_block(session, block):
    """Gives the block's variables, in whatever scope they are, the values of a weight dict."""
    for layer, arrays in block.items():
        for kinds, array in zip((("kernel", "weights"), ("bias", "biases")), arrays):
            (variable,) = [
                variable
                for variable in tf.global_variables()
                for kind in kinds
                if ("/" + variable.op.name).endswith("/%s/%s" % (layer, kind))
            ]
            variable.load(array, session)


@pytest.mark.parametrize("name", sorted(RUN))
def test_patched_network_gives_what_the_package_gives(name, copy, tmp_path, thin):
    path = copy(name)
    assert main(["patch", str(path), "--write", "--compat"]) == 0
    module = _imported(path, tmp_path)
    block_module = sys.modules[getattr(module, BLOCK).__module__]
    assert os.path.dirname(block_module.__file__) == str(path.parent)
    for net, class_name, output in RUN[name]:
        weight_file, block, images, expected = thin[net]
        with tf.Graph().as_default():
            rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
            if name == "two_methods.py":
                built = getattr(module, class_name)(rgb, weight_file)
            else:
                built = getattr(module, class_name)(weight_file)
                built.build(rgb, **({"train_mode": tf.constant(False)} if name == "trainable.py" else {}))
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                _set_block(session, block)
                found = session.run(getattr(built, output), {rgb: images})
        assert np.abs(found - expected).max() <= TOLERANCE


@pytest.mark.parametrize("name", PATCHED)
def test_back_to_the_byte(name, copy, capsys):
    path = copy(name)
    original = path.read_bytes()
    for options in ([], ["--compat", "--start", "open", "--ratio", "0.25"]):
        assert main(["patch", str(path), "--check"] + options) == 1
        assert main(["patch", str(path), "--write", "--no-backup"] + options) == 0
        patched = path.read_bytes()
        compile(patched, str(path), "exec")
        assert patched.count(b"= " + BLOCK.encode() + b"(") == (2 if name == "two_networks.py" else 1)
        # Again: nothing to do.
        for again in (["--write"], ["--check"], []):
            assert main(["patch", str(path)] + again + options) == 0
            assert path.read_bytes() == patched
        assert main(["patch", str(path), "--revert", "--check"]) == 1
        assert path.read_bytes() == patched
        assert main(["patch", str(path), "--revert"]) == 0
        assert path.read_bytes() == original
    # Without the one, then with the other; and nothing is left to take out.
    main(["patch", str(path), "--write"])
    assert main(["patch", str(path), "--write", "--compat"]) == 0
    assert b"compat.v1" in path.read_bytes()
    assert main(["patch", str(path), "--revert"]) == 0
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_bytes() == original


@pytest.mark.parametrize(
    "name, indent, end, quote",
    [
        ("plain.py", "        ", "\n", '"'),
        ("crlf.py", "        ", "\r\n", '"'),
        ("old_mac.py", "        ", "\r", '"'),
        ("tabs.py", "\t\t", "\n", '"'),
        ("bom.py", "        ", "\n", '"'),
        ("latin1.py", "        ", "\n", '"'),
    ],
)
def test_only_these_bytes_change(name, indent, end, quote, copy):
    path = copy(name)
    text = path.read_bytes().decode("latin-1")  # a character a byte
    pool = indent + "self.pool5 = self.max_pool(self.conv5_4, 'pool5')" + end
    last_import = {"plain.py": "import time", "crlf.py": "import tensorflow as tf  # 1.4"}
    last_import = last_import.get(name, "import tensorflow as tf") + end
    assert text.count(pool) == text.count(last_import) == text.count("self.fc_layer(self.pool5") == 1
    text = text.replace(last_import, last_import + "from attention import %s  # tensorflow-vgg patch" % BLOCK + end)
    call = "attention_feature = %s(self.pool5, index=0)  # tensorflow-vgg patch" % BLOCK
    text = text.replace(pool, pool + indent + call + end).replace(
        "self.fc_layer(self.pool5", "self.fc_layer(attention_feature"
    )
    assert main(["patch", str(path), "--write"]) == 0
    assert path.read_bytes() == text.encode("latin-1")


def test_compat_changes_the_import_and_the_load_and_nothing_else(copy, tmp_path, capsys):
    path = copy("two_methods.py")
    main(["patch", str(path), "--write", "--no-backup"])
    plain = path.read_text()
    assert main(["patch", str(path), "--write", "--compat"]) == 0
    assert "tf_upgrade_v2" in capsys.readouterr().out
    trust = "# allow_pickle=True runs any code that the file holds: load only files you trust (tensorflow-vgg patch)"
    expected = plain.replace("import tensorflow as tf", "import tensorflow.compat.v1 as tf")
    expected = expected.replace("module  # tensorflow-vgg patch", "module  # tensorflow-vgg patch --compat tf, 1 load")
    expected = expected.replace("        self.weights = np", "        " + trust + "\n        self.weights = np")
    expected = expected.replace("encoding='latin1',  # saved", "encoding='latin1', allow_pickle=True,  # saved")
    assert path.read_text() == expected

    # Patched by hand: a line of its own says what was changed.
    path = copy("by_hand.py")
    (tmp_path / "attention.py").write_text("# the tutorial's\n")
    by_hand = path.read_text()
    assert main(["patch", str(path), "--write", "--compat"]) == 0
    assert "attention.py is another" in capsys.readouterr().err
    lines = path.read_text().splitlines()
    assert lines[1:3] == ["# tensorflow-vgg patch --compat tf, 1 load", "import tensorflow.compat.v1 as tf"]
    assert lines[10:12] == ["        " + trust, by_hand.splitlines()[9].replace("1')", "1', allow_pickle=True)")]
    assert len(lines) == len(by_hand.splitlines()) + 2
    assert main(["patch", str(path), "--check", "--compat"]) == 0
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_text() == by_hand


@pytest.mark.parametrize("call", ["p, None, False, encoding='latin1'", "*p, encoding='latin1'", "p, encoding='x', **k"])
def test_compat_leaves_loads_that_say_it_already(call, copy):
    path = copy("plain.py")
    path.write_text(path.read_text() + "\n\nx = np.load(%s)\n" % call)
    assert main(["patch", str(path), "--write", "--compat"]) == 0
    text = path.read_text()
    assert text.endswith("\n\nx = np.load(%s)\n" % call) and text.count("allow_pickle=True,") == 0


@pytest.mark.parametrize(
    "name", ["plain.py", "crlf.py", "euc_jp.py", "latin1.py", "vgg16_no_final_newline.py", "bom.py", "tabs.py"]
)
def test_the_diff_is_what_write_does(name, copy, tmp_path, capsysbinary, monkeypatch):
    if not shutil.which("git"):
        pytest.skip("no git to apply the diff with")
    path = copy(name)
    original = path.read_bytes()
    before = snapshot(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["patch", path.name, "--compat"]) == 0
    assert snapshot(tmp_path) == before
    change = tmp_path / "change.diff"
    change.write_bytes(capsysbinary.readouterr().out)
    subprocess.run(["git", "apply", "-p0", "--whitespace=nowarn", change.name], check=True)
    applied = path.read_bytes()
    path.write_bytes(original)
    assert main(["patch", str(path), "--compat", "--write"]) == 0
    assert path.read_bytes() == applied != original


CALL = "attention_feature = %s(self.pool5, index=0)  # tensorflow-vgg patch\n" % BLOCK
POOL = "self.pool5 = self.max_pool(self.conv5_4, 'pool5')\n"


@pytest.mark.parametrize(
    "before, after",
    [
        (
            "if x: self.pool5 = self.max_pool(y)\nelse: self.pool5 = self.avg_pool(y)\nself.fc6 = self.fc(self.pool5)",
            "if x: self.pool5 = self.max_pool(y)\nelse: self.pool5 = self.avg_pool(y)\n"
            + CALL
            + "self.fc6 = self.fc(attention_feature)",
        ),
        (
            "with x: self.pool5 = self.max_pool(y)\nself.fc6 = self.fc(self.pool5)\n",
            "with x: self.pool5 = self.max_pool(y)\n" + CALL + "self.fc6 = self.fc(attention_feature)\n",
        ),
        (
            "try:\n    self.pool5 = self.max_pool(y)\nexcept E:\n    self.pool5 = self.avg_pool(y, '''a\n#''')\n"
            "self.fc6 = self.fc(self.pool5)\n",
            "try:\n    self.pool5 = self.max_pool(y)\nexcept E:\n    self.pool5 = self.avg_pool(y, '''a\n#''')\n"
            + CALL
            + "self.fc6 = self.fc(attention_feature)\n",
        ),
        (
            POOL + "    # deeper\n\nself.fc6 = self.fc(self . pool5)\n",
            POOL + CALL.replace(".", " . ", 1) + "    # deeper\n\nself.fc6 = self.fc(attention_feature)\n",
        ),
        (
            POOL + "attention_feature = 0\nself.fc6 = self.fc(self.pool5)\n",
            POOL
            + CALL.replace("feature", "feature_2", 1)
            + "attention_feature = 0\nself.fc6 = self.fc(attention_feature_2)\n",
        ),
        # What is not on the way to the fully connected layer goes on reading the pooling.
        (
            POOL + "self.map = self.pool5\ntf.summary.image('p', self.pool5)\nif x: return self.pool5\n"
            "self.fc6 = self.fc(tf.reshape(self.pool5, [-1, n(self.pool5.shape)]))\nmask = self.pool5 > 0\n",
            POOL + CALL + "self.map = self.pool5\ntf.summary.image('p', self.pool5)\nif x: return self.pool5\n"
            "self.fc6 = self.fc(tf.reshape(attention_feature, [-1, n(self.pool5.shape)]))\nmask = self.pool5 > 0\n",
        ),
        ("if x: self.pool5 = self.max_pool(y)\nelse: raise x\nself.fc6 = self.fc(self.pool5)\n", None),
        # Where only one way has a pooling, the block is on that way.
        (
            "if x:\n    " + POOL + "if x:\n    self.fc6 = self.fc(self.pool5)\n",
            "if x:\n    " + POOL + "    " + CALL + "if x:\n    self.fc6 = self.fc(attention_feature)\n",
        ),
        (
            POOL + "for g in gpus:\n    z = tf.nn.relu(self.fc(self.pool5))\n",
            POOL + CALL + "for g in gpus:\n    z = tf.nn.relu(self.fc(attention_feature))\n",
        ),
        (
            POOL + "z = [self.pool5 for self.x in z]\nf = lambda y: self.fc(y)\nself.fc6 = self.fc(self.pool5)\n",
            POOL
            + CALL
            + "z = [self.pool5 for self.x in z]\nf = lambda y: self.fc(y)\nself.fc6 = self.fc(attention_feature)\n",
        ),
    ],
)
def test_forms_of_python(before, after, copy, capsys):
    path = copy("plain.py")
    text = path.read_text()
    head = text[: text.index("        " + POOL)] + "        y = self.conv5_4\n"

    def whole(head, tail):
        return head + "".join("        " + line if line != "#''')\n" else line for line in tail.splitlines(True))

    path.write_text(whole(head, before))
    status = main(["patch", str(path), "--write"])
    if after is None:
        assert status == 1 and "no room for a new line" in capsys.readouterr().err
    else:
        head = head.replace("import time\n", "import time\nfrom attention import %s  # tensorflow-vgg patch\n" % BLOCK)
        assert status == 0 and path.read_text() == whole(head, after)
        assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_text() == whole(text[: text.index("        " + POOL)] + "        y = self.conv5_4\n", before)


@pytest.mark.parametrize(
    "body, reason",
    [
        ("x = self.max_pool(y)\nfor n in ['fc6', 'fc7']:\n    x = self.fc(x, n)\n", "not made in one place"),
        (
            "x = self.max_pool(y)\nwhile x is not None:\n    z = self.fc(x)\n    x = self.next(x)\n",
            "not made in one place",
        ),
        ("x = self.max_pool(y)\nfor x in z:\n    pass\nself.fc6 = self.fc(x)\n", "no fully connected layer reads"),
        ("x = self.max_pool(y)\nfor z in x:\n    self.fc6 = self.fc(z)\n", "does not read a pooling"),
        (
            "x = self.max_pool(y)\nfor z in w:\n    x = z(x)\n    break\nself.fc6 = self.fc(x)\n",
            "does not read a pooling, but line 46",
        ),
        (
            "def block(z):\n    return self.max_pool(self.conv(z))\nx = block(y)\nself.fc6 = self.fc(x)\n",
            "inside the function that line 46 calls",
        ),
        ("x = (self.max_pool(y), 512)\nself.fc6 = self.fc(*x)\n", "does not read a pooling"),
        ("x = [self.max_pool(y)]\nself.fc6 = self.fc(x)\n", "does not read a pooling"),
        ("*x, z = self.max_pool(y)\nself.fc6 = self.fc(x)\n", "does not read a pooling"),
        ("x = self.max_pool(y)\nself.fc6 = [self.fc(x) for x in z]\n", "no fully connected layer reads"),
        ("x = self.max_pool(y)\nself.fc6 = lambda x: self.fc(x)\n", "no fully connected layer reads"),
        (
            "x = self.max_pool(y)\nwith self.other() as x:\n    self.fc6 = self.fc(x)\n",
            "no fully connected layer reads",
        ),
        (
            "z['a'] = self.max_pool(y)\nz[n] = self.other()\nself.fc6 = self.fc(z['a'])\n",
            "no fully connected layer reads",
        ),
    ],
)
def test_names_that_stand_for_something_else(body, reason, copy, capsys):
    path = copy("plain.py")
    text = path.read_text()
    head = text[: text.index("        " + POOL)] + "        y = self.conv5_4\n"
    path.write_text(head + "".join("        " + line for line in body.splitlines(True)))
    before = path.read_bytes()
    assert main(["patch", str(path), "--write"]) == 1
    assert reason in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_subclass_that_makes_the_pooling_otherwise(copy, capsys):
    path = copy("two_methods.py")
    text = path.read_text()
    path.write_text(
        text + "\n\nclass Own(vgg16):\n    def convlayers(self):\n        self.pool5 = self.parameters[0]\n"
    )
    assert main(["patch", str(path), "--write"]) == 1
    message = capsys.readouterr().err
    assert "  line %d: def convlayers" % (len(text.splitlines()) + 4) in message and "subclass" in message
    path.write_text(path.read_text().replace("self.pool5 = self.parameters[0]", "vgg16.convlayers(self)"))
    assert main(["patch", str(path), "--write"]) == 0


# Other networks than upstream's, as few lines as can be: a pooling, five of them, a fully connected layer.
BLOCKS = "    x = tf.layers.max_pooling2d(tf.layers.conv2d(x, 8, 3), 2, 2)\n"
FUNCTION = "import tensorflow as tf\n\n\ndef vgg(x, train=True):\n"
DENSE = "    return tf.layers.dense(tf.layers.flatten(x), 10)\n"
READ = "return tf.layers.dense(tf.layers.flatten(attention_feature), 10)"
NET = FUNCTION + 4 * BLOCKS + "    pool5 = tf.layers.max_pooling2d(x, 2, 2)\n"
CLASS = "import tensorflow as tf\n\n\nclass Base(object):\n    def convs(self, x):\n" + 4 * (
    "        x = self.max_pool(self.conv(x))\n"
)
CLASS_POOL5 = CLASS + "        self.pool5 = self.max_pool(self.conv(x), 'pool5')\n"
FC6 = "        self.fc6 = self.fc_layer(self.pool5, 'fc6')\n"
HEIR = "\n\nclass Net(Base):\n    def fcs(self):\n" + FC6
WITH_FILTER = "    w = get_conv_filter('c')\n    x = tf.nn.max_pool(tf.nn.conv2d(x, w))\n"
WITH_OWN_RELU = "def relu_layer(x, b):\n    return tf.nn.relu(x + b)\n\n\n" + FUNCTION.partition("\n\n\n")[2]
WITH_SIZE = "def int_shape(x):\n    return x.get_shape().as_list()\n\n\n" + FUNCTION.partition("\n\n\n")[2]


@pytest.mark.parametrize(
    "source, options, changed",
    [
        # What makes a layer's parameters is none, whatever it is called.
        (FUNCTION + 5 * BLOCKS.replace("3)", "3, kernel_initializer=xavier_initializer_conv2d())") + DENSE, [], READ),
        (FUNCTION + 5 * WITH_FILTER + DENSE, [], READ),
        (
            "import tensorflow as tf\n"
            + WITH_OWN_RELU
            + 5 * BLOCKS.replace("3),", "3), 0),").replace("(tf", "(relu_layer(tf")
            + DENSE,
            [],
            READ,
        ),
        # What may stand between, and what only looks at the sizes.
        (
            FUNCTION + 5 * BLOCKS + "    x = tf.Print(x, [tf.shape(x)])\n" + DENSE,
            [],
            "x = tf.Print(attention_feature, [tf.shape(x)])",
        ),
        (
            "import tensorflow as tf\n" + WITH_SIZE + 5 * BLOCKS + "    n = int_shape(x)\n"
            "    return tf.layers.dense(tf.reshape(x, [-1, n[1] * n[2] * n[3]]), 10)\n",
            [],
            "return tf.layers.dense(tf.reshape(attention_feature, [-1, n[1] * n[2] * n[3]]), 10)",
        ),
        # Another name for the pooling, with dropout or without.
        (
            NET + "    x = pool5\n    if train:\n        x = tf.nn.dropout(x, 0.5)\n" + DENSE,
            [],
            "x = attention_feature",
        ),
        (
            NET + "    x = tf.nn.dropout(pool5, 0.5) if train else pool5\n" + DENSE,
            [],
            "x = tf.nn.dropout(attention_feature, 0.5) if train else attention_feature",
        ),
        # Where one way has it from elsewhere, the block comes after both.
        (
            CLASS + "        if x is None:\n            pool5 = self.cache['pool5']\n        else:\n"
            "            pool5 = self.max_pool(x)\n        self.fc6 = self.fc_layer(pool5, 'fc6')\n",
            [],
            "self.fc6 = self.fc_layer(attention_feature, 'fc6')",
        ),
        # What inherits the pooling reads the block, too.
        (CLASS_POOL5 + HEIR, [], "self.fc6 = self.fc_layer(self.attention_feature, 'fc6')"),
        (
            CLASS_POOL5 + "\n    def fcs(self):\n        self.fc6 = self.fc_layer(self.pool5, 'base')\n" + HEIR,
            [],
            "self.fc6 = self.fc_layer(self.attention_feature, 'fc6')",
        ),
        (
            CLASS_POOL5 + FC6 + "\n\nclass Net(Base):\n    def convs(self, x):\n        super(Net, self).convs(x)\n"
            "        self.more = self.fc_layer(self.pool5, 'more')\n",
            [],
            "self.fc6 = self.fc_layer(attention_feature, 'fc6')",
        ),
        # Networks that end before any fully connected layer.
        (CLASS_POOL5 + "        return self.pool5\n", ["--after", "pool5"], "return attention_feature"),
        (CLASS_POOL5 + "        self.out = self.pool5\n", ["--after", "pool5"], "self.out = attention_feature"),
        (
            CLASS_POOL5 + "        if x: self.pool5 = tf.nn.dropout(self.pool5, 0.5)\n" + FC6,
            ["--before", "fc6"],
            "self.fc6 = self.fc_layer(attention_feature, 'fc6')",
        ),
        ("import numpy as np; " + FUNCTION + 5 * BLOCKS + DENSE, ["--compat"], READ),
        (FUNCTION + "    n = f\"{np.load(x, encoding='latin1')}\"\n" + 5 * BLOCKS + DENSE, ["--compat"], READ),
    ],
)
def test_networks_in_few_lines(source, options, changed, tmp_path):
    path = tmp_path / "net.py"
    path.write_text(source)
    assert main(["patch", str(path), "--write", *options]) == 0
    lines = path.read_text().splitlines()
    (call,) = [number for number, line in enumerate(lines) if " = %s(" % BLOCK in line]
    (read,) = [number for number, line in enumerate(lines) if line.strip() == changed]
    assert call < read
    assert all(line.split("  # ")[0] not in source for line in (lines[call], lines[read]))
    compile("\n".join(lines), "net.py", "exec")
    assert main(["patch", str(path), "--write", *options]) == 0
    assert path.read_text().splitlines() == lines
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_text() == source


@pytest.mark.parametrize(
    "source, options, reason",
    [
        (FUNCTION + 5 * BLOCKS.replace("2d", "3d") + DENSE, [], "does not read a pooling, but line 9"),
        (FUNCTION + 4 * BLOCKS + "    x = global_avg_pool(x)\n" + DENSE, [], "does not read a pooling, but line 9"),
        (FUNCTION + 5 * BLOCKS.replace(", 2)", ", 2, data_format='NCHW')") + DENSE, [], "takes them last"),
        (FUNCTION + BLOCKS + DENSE, [], "there is 1 pooling before"),
        (
            "from tensorlayer.layers import *\n" + FUNCTION + 5 * "    x = MaxPool2d(Conv2d(x))\n"
            "    return DenseLayer(x)\n",
            [],
            "TensorFlow 1's",
        ),
        (
            FUNCTION + 5 * BLOCKS + "    y = train\n" + 5 * BLOCKS.replace("x", "y").replace("may", "max")
            + "    return tf.layers.dense(x, 10) + tf.layers.dense(y, 10)\n",
            [],
            "a scope of its own",
        ),
        (CLASS_POOL5, ["--after", "pool5"], "nothing that follows reads pool5"),
        (CLASS_POOL5 + "        if x: self.pool5 = tf.nn.dropout(self.pool5, 0.5)\n" + FC6, [], "more than one name"),
        (
            CLASS_POOL5 + "        self.a()\n" + FC6 + "\n    def a(self):\n        self.b()\n\n    def b(self):\n"
            "        self.pool5 = self.other\n",
            [],
            "assigns the layer again",
        ),
    ],
)  # fmt: skip
def test_other_networks_are_left_alone(source, options, reason, tmp_path, capsys):
    path = tmp_path / "net.py"
    path.write_text(source)
    assert main(["patch", str(path), "--write", *options]) == 1
    assert reason in capsys.readouterr().err
    assert path.read_text() == source


# ------------------------------------------------------------------------------------------ what it does not do


@pytest.mark.parametrize("name", sorted(LEFT_ALONE))
def test_left_alone_with_the_lines_and_the_reason(name, copy, tmp_path, capsys):
    path = copy("left_alone/" + name)
    before = snapshot(tmp_path)
    assert main(["patch", str(path), "--write", "--compat"]) == 1
    assert snapshot(tmp_path) == before
    message = capsys.readouterr().err
    rows, reason = LEFT_ALONE[name]
    for row in rows:
        assert "\n  line %d: " % row in message
    assert path.name in message and reason in message
    assert main(["patch", str(path), "--check"]) == 0  # nothing would change


def test_the_corpus_is_whole():
    found = sorted(
        os.path.relpath(os.path.join(folder, name), CORPUS).replace(os.sep, "/")
        for folder, _, names in os.walk(CORPUS)
        for name in names
        if name.endswith(".py") and name not in ("__init__.py", "mean.py") and "python2" not in folder
    )
    assert found == sorted(PATCHED + ["left_alone/" + name for name in LEFT_ALONE] + BY_HAND)


@pytest.mark.parametrize("name", BY_HAND)
def test_patched_by_hand_is_left_as_it_is(name, copy, tmp_path, capsys):
    path = copy(name)
    before = snapshot(tmp_path)
    assert main(["patch", str(path), "--write"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["patch", str(path), "--revert"]) == 0
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", sorted(os.listdir(os.path.join(CORPUS, "python2"))))
def test_without_a_syntax_tree_nothing_changes_anywhere(name, copy, tmp_path, capsys):
    good, bad = copy("plain.py"), copy("python2/" + name)
    before = snapshot(tmp_path)
    for arguments in ([str(good), str(bad)], [str(tmp_path)]):
        for option in ("--write", "--check", "--compat"):
            assert main(["patch", option] + arguments) == 2
            captured = capsys.readouterr()
            assert captured.err.count("\n") == 1 and str(bad) in captured.err and "2to3" in captured.err
            assert captured.out == ""
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    "data, word",
    [
        (b"x = '\xe9'  # pool\n", "encoding"),
        (b"# coding: no-such\n# pool\n", "no-such"),
        (b"# coding: rot13\n# pool\n", "save it as utf-8"),
        (b"# pool \0\n", "null"),
        (b"x = " + b"(" * 3000 + b")" * 3000 + b"  # pool\n", ""),
    ],
)
def test_what_python_cannot_read(data, word, tmp_path, capsys):
    path = tmp_path / "vgg.py"
    path.write_bytes(data)
    assert main(["patch", str(path), "--write"]) == 2
    assert word in capsys.readouterr().err.lower()
    assert path.read_bytes() == data


def test_one_of_two_heads_attended_is_enough_and_a_call_that_nothing_reads_is_not(copy, tmp_path, capsys):
    path = copy("left_alone/two_heads.py")
    assert main(["patch", str(path), "--write", "--before", "fc6"]) == 0
    patched = path.read_bytes()
    assert main(["patch", str(path), "--write"]) == 0
    assert path.read_bytes() == patched and "nothing to do" in capsys.readouterr().out

    path = copy("by_hand.py")
    path.write_text(path.read_text().replace("fc_layer(attention_feature,", "fc_layer(self.pool5,"))
    before = snapshot(tmp_path)
    assert main(["patch", str(path), "--write"]) == 1
    assert "line 42 has a block in the scope cbam" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


# ------------------------------------------------------------------------------------------------------- revert


def test_revert_after_other_edits(copy, capsys):
    path = copy("crlf.py")
    original = path.read_bytes()
    assert main(["patch", str(path), "--write", "--compat"]) == 0

    def edit(data):
        data = data.replace(b'"""My copy of VGG 19."""\r\n', b'"""My copy of VGG 19."""\r\nimport os\r\n\r\n')
        data = data.replace(b"class Vgg19:", b"import sys\r\n\r\n\r\nclass Vgg:")
        data = data.replace(b"self.relu6 = tf.nn.relu(self.fc6)", b"self.relu6 = tf.nn.elu(self.fc6)")
        return data + b"\r\n\r\nprint(Vgg)\n"

    path.write_bytes(edit(path.read_bytes()))
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_bytes() == edit(original)

    # Another import of the user's own, which looks like what --compat made; a comment of theirs with our words in it.
    path.write_bytes(original)
    assert main(["patch", str(path), "--write", "--compat", "--no-backup"]) == 0
    own = b"\r\nimport tensorflow.compat.v1 as tf1  # see tensorflow-vgg patch\r\n# tensorflow-vgg patch was here\r\n"
    path.write_bytes(path.read_bytes() + own)
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_bytes() == original + own
    assert main(["patch", str(path), "--write", "--no-backup"]) == 0

    # A linter has added to the comments, and a formatter has broken the lines that were put in.
    path.write_bytes(original)
    assert main(["patch", str(path), "--write", "--no-backup"]) == 0
    call = b"attention_feature = %s(self.pool5, index=0)" % BLOCK.encode()
    broken = b"attention_feature = %s(\r\n            self.pool5, index=0\r\n        )" % BLOCK.encode()
    path.write_bytes(path.read_bytes().replace(call, broken).replace(b"vgg patch", b"vgg patch  # noqa: E402"))
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_bytes() == original


@pytest.mark.parametrize(
    "old, new, word",
    [
        (b"        self.relu6 =", b"        self.att = attention_feature\n        self.relu6 =", "lines 46, 48"),
        (b"(attention_feature,", b"(self.pool5,", "no line"),
        (b"= %s(self.pool5, index=0)" % BLOCK.encode(), b"= self.pool5", "line 44"),
        (b"import %s " % BLOCK.encode(), b"import %s, x " % BLOCK.encode(), "edited"),
        (b"VGG_MEAN = ", b"other = %s\nVGG_MEAN = " % BLOCK.encode(), "take that use out"),
        (b", allow_pickle=True", b",allow_pickle=True", "edited"),
        (CALL.encode("ascii"), b"\n", "but the line that made it is gone"),
        (b"index=0)  # tensorflow-vgg patch", b"index=0)  # tensorflow-vgg patch, mine since", "edited"),
        (b"# allow_pickle=True runs", b"# runs", "tells of 1 loads, but 0 have"),
        (b"compat.v1 as tf", b"compat.v1 as tf1", "tells of imports as tf"),
        (b"        attention_feature =", b"        if 1:\n            attention_feature =", "would be no Python"),
    ],
)
def test_revert_refuses_what_it_cannot_take_out_exactly(old, new, word, copy, tmp_path, capsys):
    path = copy("tabs.py")
    path.write_bytes(path.read_bytes().replace(b"\t", b"    "))
    assert main(["patch", str(path), "--write", "--compat"]) == 0
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    before = snapshot(tmp_path)
    assert main(["patch", str(path), "--revert"]) == 2
    assert word in capsys.readouterr().err
    assert snapshot(tmp_path) == before


# ------------------------------------------------------------------------------------------------------ options


def _added(path):
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if "tensorflow-vgg patch" in line]


def test_options_of_the_block(copy, capsys):
    path = copy("plain.py")
    options = ["--index", "3", "--ratio", "0.25", "--scope", "attend", "--start", "open"]
    assert main(["patch", str(path), "--write"] + options) == 0
    arguments = 'self.pool5, index=3, inner_units_ratio=0.25, scope="attend", start="open"'
    assert _added(path)[1] == "attention_feature = %s(%s)  # tensorflow-vgg patch" % (BLOCK, arguments)
    advice = capsys.readouterr().out
    for word in ("attend/fc_1/kernel", "attend/spatial_attention_conv/biases", "initialiser", "trained again", "open"):
        assert word in advice
    assert "orig" in advice


@pytest.mark.parametrize(
    "options, word",
    [
        (["--index", "-1"], "whole number"),
        (["--ratio", "0"], "above 0"),
        (["--ratio", "nan"], "above 0"),
        (["--scope", 'x"y'], "letters"),
        (["--start", "zero"], "invalid choice"),
        (["--attention-module", "a-b"], "module's name"),
        (["--attention-module", "attention.py"], "module's name"),
        (["--attention-module", "my.class"], "module's name"),
        (["--after", ""], "layer's name"),
        (["--write", "--check"], "not allowed"),
    ],
)
def test_bad_options(options, word, copy, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["patch", str(copy("plain.py"))] + options)
    assert ended.value.code == 2 and word in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, options, read",
    [
        ("plain.py", ["--after", "pool4"], "self.conv5_1 = self.conv_layer(attention_feature, "),
        ("plain.py", ["--before", "conv5_1"], "self.conv5_1 = self.conv_layer(attention_feature, "),
        ("plain.py", ["--after", "pool4", "--before", "conv5_1"], "self.conv5_1 = self.conv_layer(attention_feature, "),
        ("plain.py", ["--before", "fc6"], "self.fc6 = self.fc_layer(attention_feature, "),
        ("plain.py", ["--after", "self.conv1_1"], "self.conv1_2 = self.conv_layer(attention_feature, "),
        ("one_local.py", ["--after", "pool2"], "net = conv(attention_feature, 'conv3_1')"),
        ("one_local.py", ["--before", "fc6"], "net = tf.reshape(attention_feature, "),
        ("two_methods.py", ["--before", "fc1"], "pool5_flat = tf.reshape(self.attention_feature, "),
        ("two_methods.py", ["--after", "pool3"], "conv = tf.nn.conv2d(attention_feature, kernel"),
        ("dict_of_layers.py", ["--after", "pool1"], "self.layers['conv2_1'] = self.conv_layer(attention_feature,"),
        ("fully_convolutional.py", ["--after", "pool4"], "self.conv5_1 = self.conv_layer(attention_feature, "),
        ("left_alone/alexnet.py", ["--after", "pool5"], "self.fc6 = self.fc_layer(attention_feature, "),
        ("left_alone/no_tensorflow.py", ["--after", "pool5"], "self.fc6 = self.fc_layer(attention_feature, "),
        ("left_alone/two_heads.py", ["--before", "fc6"], "self.fc6 = self.fc_layer(attention_feature, "),
        ("left_alone/two_heads.py", ["--before", "pose"], "self.pose = self.fc_layer(attention_feature, "),
        ("left_alone/something_between.py", ["--after", "pool5"], "self.bn5 = self.batch_norm(attention_feature)"),
        ("left_alone/something_between.py", ["--before", "fc6"], "self.fc6 = self.fc_layer(attention_feature, "),
        ("left_alone/pools_in_a_loop.py", ["--before", "fc6"], "self.fc6 = self.fc_layer(attention_feature, "),
        ("left_alone/pool_in_a_helper.py", ["--after", "block5"], "self.fc6 = self.fc_layer(attention_feature, "),
        ("left_alone/no_fc.py", ["--after", "pool4"], "self.conv5_1 = self.conv_layer(attention_feature, "),
    ],
)
def test_another_place(name, options, read, copy):
    path = copy(name)
    original = path.read_bytes()
    assert main(["patch", str(path), "--write"] + options) == 0
    text = path.read_text(encoding="utf-8")
    assert text.count("attention_feature,") + text.count("attention_feature)") == 1 and read in text
    assert main(["patch", str(path), "--write"] + options) == 0
    assert path.read_text(encoding="utf-8") == text
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_bytes() == original


@pytest.mark.parametrize(
    "name, options, word",
    [
        ("plain.py", ["--after", "pool9"], "no layer pool9"),
        ("plain.py", ["--after", "fc6"], "no feature map"),
        ("plain.py", ["--before", "fc7"], "no feature map"),
        ("plain.py", ["--after", "pool3", "--before", "fc6"], "does not read"),
        ("one_local.py", ["--after", "net"], "more than one layer"),
        ("left_alone/no_fc.py", ["--after", "pool5"], "nothing that follows reads"),
        ("left_alone/pools_in_a_loop.py", ["--after", "x"], "more than one layer"),
        ("left_alone/torch_net.py", ["--after", "x"], "no layer x"),
    ],
)
def test_a_place_that_is_none(name, options, word, copy, tmp_path, capsys):
    path = copy(name)
    before = snapshot(tmp_path)
    assert main(["patch", str(path), "--write"] + options) == 1
    assert word in capsys.readouterr().err
    assert snapshot(tmp_path) == before


def test_a_second_block_runs_in_a_scope_of_its_own(copy, tmp_path, thin, capsys):
    path = copy("plain.py")
    original = path.read_bytes()
    assert main(["patch", str(path), "--write", "--compat"]) == 0
    assert main(["patch", str(path), "--write", "--after", "pool4"]) == 1
    assert "scope cbam" in capsys.readouterr().err
    options = ["--after", "pool4", "--scope", "second", "--index", "1", "--start", "pass-through"]
    assert main(["patch", str(path), "--write"] + options) == 0
    # The first backup is not written over.
    assert (tmp_path / "plain.py.orig").read_bytes() == original != (tmp_path / "plain.py.orig.1").read_bytes()
    assert len(_added(path)) == 4 and "attention_feature_2" in path.read_text()

    weight_file, block, images, expected = thin["vgg19"]
    module = _imported(path, tmp_path)
    with tf.Graph().as_default():
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        built = module.Vgg19(weight_file)
        built.build(rgb)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert "second/fc_1/kernel" in [variable.op.name for variable in tf.global_variables()]
            _set_block(session, block)
            assert np.abs(session.run(built.prob, {rgb: images}) - expected).max() <= TOLERANCE
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_bytes() == original


# ------------------------------------------------------------------------------------------- the block's module


def test_another_attention_module_is_never_written_over(copy, tmp_path, capsys):
    path = copy("plain.py")
    other = tmp_path / "attention.py"
    other.write_text("heads = 8\n")
    before = snapshot(tmp_path)
    assert main(["patch", str(path), "--write"]) == 2
    message = capsys.readouterr().err
    assert str(other) in message and "--attention-module" in message
    assert main(["patch", str(path), "--write", "--attention-module", "attention"]) == 2
    assert snapshot(tmp_path) == before

    assert main(["patch", str(path), "--write", "--attention-module", "cbam"]) == 0
    assert "from cbam import" in path.read_text()
    assert other.read_text() == "heads = 8\n" and BLOCK in (tmp_path / "cbam.py").read_text()
    assert main(["patch", str(path), "--revert"]) == 0

    # The user's own block is taken as it is, and not called with what it does not know.
    mine = "def %s(feature_map, index, inner_units_ratio=0.5):\n    return feature_map\n" % BLOCK
    other.write_text(mine)
    assert main(["patch", str(path), "--write", "--attention-module", "attention", "--start", "open"]) == 2
    assert main(["patch", str(path), "--write", "--attention-module", "attention"]) == 0
    assert other.read_text() == mine
    assert main(["patch", str(path), "--revert"]) == 0
    for name in ("my.layers.cbam", "..cbam"):
        assert main(["patch", str(path), "--write", "--no-backup", "--attention-module", name]) == 0
        assert "from %s import" % name in path.read_text()
        assert main(["patch", str(path), "--revert"]) == 0
    assert {item.name for item in tmp_path.iterdir()} == {"plain.py", "plain.py.orig", "attention.py", "cbam.py"}


@pytest.mark.parametrize("user", ["net.py", "other.py", "attention"])
def test_an_attention_module_from_elsewhere_is_not_hidden(user, copy, tmp_path, capsys):
    path = tmp_path / "net.py"
    copy("plain.py").rename(path)
    if user == "attention":
        (tmp_path / user).mkdir()
    else:
        with open(str(tmp_path / user), "a") as file:
            file.write("from attention.layers import heads\n")
    before = snapshot(tmp_path)
    assert main(["patch", str(path), "--write"]) == 2
    message = capsys.readouterr().err
    assert str(tmp_path / user) in message and "--attention-module" in message
    assert snapshot(tmp_path) == before
    assert main(["patch", str(path), "--write", "--attention-module", "cbam"]) == 0


@pytest.mark.parametrize(
    "neighbours, line, expected",
    [
        ({}, "", "from attention "),
        ({"__init__.py": ""}, "", "from .attention "),
        ({"__init__.py": "", "utils.py": "", "run.py": "import utils, plain\n"}, "", "from attention "),
        ({"__init__.py": "", "utils.py": "", "run.py": "from .plain import Vgg19\n"}, "", "from .attention "),
        ({"__init__.py": "", "utils.py": ""}, "import utils\n", "from attention "),
        ({"utils.py": ""}, "from .utils import x\n", "from .attention "),
        ({"utils.py": ""}, "from nets.utils import x\n", "from nets.attention "),
        ({"../train.py": "from nets.plain import Vgg19\n"}, "", "from nets.attention "),
        ({"../train.py": "from nets import plain as vgg\n"}, "", "from nets.attention "),
        ({"../train.py": "import nets\n", "run.py": "import plain\n"}, "", "from attention "),
        ({"__init__.py": "", "../train.py": "from nets.plain import Vgg19\n"}, "", "from .attention "),
        ({"__init__.py": ""}, "import nets as n\n", "from nets.attention "),
        (
            {"__init__.py": "", "utils.py": ""},
            "try:\n    from . import utils\nexcept ImportError:\n    import utils\n",
            "",
        ),
    ],
)
def test_how_the_module_is_imported(neighbours, line, expected, copy, tmp_path, capsys):
    folder = tmp_path / "nets"
    folder.mkdir()
    for name, text in neighbours.items():
        (folder / name).write_text(text)
    path = folder / "plain.py"
    path.write_text(line + copy("plain.py").read_text())
    status = main(["patch", str(path), "--write"])
    if expected:
        assert status == 0 and _added(path)[0].startswith(expected)
    else:
        assert status == 1 and "  line 2: from . import utils\n  line 4: import utils\n" in capsys.readouterr().err
        for given, prefix in ((".attention", "."), ("attention", "")):
            assert main(["patch", str(path), "--write", "--attention-module", given]) == 0
            assert _added(path)[0].startswith("from %sattention " % prefix)
            assert main(["patch", str(path), "--revert"]) == 0


# ----------------------------------------------------------------------------------------------------- the files


def test_a_folder(copy, tmp_path, capsys):
    folder = tmp_path / "code"
    hidden, environment = folder / ".git", folder / "venv"
    for sub in (folder / "nets", hidden, environment):
        sub.mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text("")
    for place in (folder, folder / "nets", hidden, environment):
        shutil.copyfile(str(copy("plain.py")), str(place / "vgg.py"))
    (folder / "tool.py").write_text("print 'Python 2, and no network'\n")
    (folder / "notes.txt").write_text("pool")
    before = snapshot(tmp_path)
    assert main(["patch", str(folder), "--check"]) == 1
    assert main(["patch", str(folder), "--write"]) == 0
    changed = {path for path, entry in before.items() if snapshot(tmp_path)[path] != entry}
    assert changed == {str(folder / "vgg.py"), str(folder / "nets" / "vgg.py")}
    assert (folder / "attention.py").exists() and (folder / "nets" / "attention.py").exists()
    assert main(["patch", str(folder), "--check"]) == 0
    assert main(["patch", str(folder), "--revert"]) == 0
    assert {path: snapshot(tmp_path)[path] for path in before} == before

    assert main(["patch", str(folder / "nets" / "attention.py")]) == 1
    (tmp_path / "empty").mkdir()
    assert main(["patch", str(tmp_path / "empty")]) == 1
    assert "no network found" in capsys.readouterr().err
    assert main(["patch", str(tmp_path / "nowhere.py")]) == 2


def test_backup_mode_and_no_backup(copy, tmp_path):
    path = copy("plain.py")
    path.chmod(0o754)
    original = path.read_bytes()
    assert main(["patch", str(path), "--write"]) == 0
    backup = tmp_path / "plain.py.orig"
    assert backup.read_bytes() == original
    assert [stat.S_IMODE(item.stat().st_mode) for item in (path, backup)] == [0o754, 0o754]
    assert main(["patch", str(path), "--revert"]) == 0
    backup.unlink()
    assert main(["patch", str(path), "--write", "--no-backup"]) == 0
    assert {item.name for item in tmp_path.iterdir()} == {"plain.py", "attention.py"}


@pytest.mark.parametrize("protected", ["file", "folder", "revert"])
def test_read_only(protected, copy, tmp_path, capsys):
    other, path = copy("crlf.py"), copy("plain.py")
    options = ["--write"]
    if protected == "revert":
        assert main(["patch", str(path), str(other), "--write"]) == 0
        options = ["--revert"]
    (tmp_path if protected == "folder" else path).chmod(0o555 if protected == "folder" else 0o444)
    before = snapshot(tmp_path)
    try:
        assert main(["patch", str(other), str(path)] + options) == 2
    finally:
        tmp_path.chmod(0o755)
    assert "read-only" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


def test_a_symbolic_link(copy, tmp_path):
    target = copy("plain.py")
    original = target.read_bytes()
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "vgg19.py"
    link.symlink_to(os.path.join("..", "plain.py"))
    # Named twice, it is patched once.
    assert main(["patch", str(link), str(target), "--write"]) == 0
    assert link.is_symlink() and os.readlink(str(link)) == os.path.join("..", "plain.py")
    assert not target.is_symlink() and len(_added(target)) == 2
    # Whoever imports the one or the other finds the block.
    assert (tmp_path / "attention.py").exists() and (tmp_path / "elsewhere" / "attention.py").exists()
    assert (tmp_path / "plain.py.orig").read_bytes() == original
    assert main(["patch", str(link), "--revert"]) == 0
    assert link.is_symlink() and target.read_bytes() == original


def test_a_hard_link_keeps_the_file_as_it_is(copy, tmp_path, capsys):
    path, other = copy("plain.py"), tmp_path / "other.py"
    os.link(str(path), str(other))
    before = other.read_bytes()
    assert main(["patch", str(path), "--write"]) == 0
    assert "has 1 more name (hard links)" in capsys.readouterr().err
    assert other.read_bytes() == before != path.read_bytes()


def test_changed_while_it_runs(copy, tmp_path):
    path = copy("plain.py")
    planned = patch.plan(str(path))
    path.write_bytes(path.read_bytes() + b"# an editor saved this\n")
    before = snapshot(tmp_path)
    with pytest.raises(patch.PatchError, match="changed while"):
        patch.apply(planned)
    assert snapshot(tmp_path) == before
    path.write_bytes(planned.after)  # another run of the command was faster
    patch.apply(planned)
    assert path.read_bytes() == planned.after and (tmp_path / "attention.py").exists()
    (tmp_path / "attention.py").unlink()
    (tmp_path / "plain.py.orig").unlink()
    path.unlink()
    with pytest.raises(OSError):
        patch.apply(planned)
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("fails", ["backup", "attention.py", "file"])
def test_full_disk(fails, copy, tmp_path):
    path = copy("plain.py")
    size = len(path.read_bytes())
    limit, options = {
        "backup": (size - 1, []),
        "attention.py": (size, []),
        "file": (size, ["--attention-module", "elsewhere.cbam"]),
    }[fails]
    before = snapshot(tmp_path)
    run = _with_file_size_limit(limit, [str(path), "--write"] + options)
    assert run.returncode == 2
    assert run.stderr.count(b"\n") == 1 and b"Traceback" not in run.stderr
    assert snapshot(tmp_path) == before


def _with_file_size_limit(limit, arguments):
    return subprocess.run(
        [sys.executable, "-B", "-m", "tensorflow_vgg", "patch"] + arguments,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        stderr=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([os.path.dirname(HERE)] + sys.path)),
    )


def test_full_disk_halfway(copy, tmp_path):
    small, large = copy("plain.py"), tmp_path / "plain_2.py"
    large.write_bytes(small.read_bytes() + b"#" * 30000)
    before = large.read_bytes()
    run = _with_file_size_limit(30000, [str(tmp_path), "--write", "--no-backup"])
    assert run.returncode == 2
    assert run.stderr.startswith(b"tensorflow-vgg: changed before the error: %s\n" % str(small).encode())
    assert len(_added(small)) == 2 and large.read_bytes() == before


def test_output_that_cannot_be_written_is_no_reason_to_be_silent_on_what_was_changed(copy):
    path = copy("plain.py")
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "tensorflow_vgg", "patch", str(path), "--write"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(os.path.dirname(HERE)),
        )
    assert run.returncode == 2 and len(_added(path)) == 2
    assert run.stderr.startswith(b"tensorflow-vgg: changed before the error: %s\n" % str(path).encode())


def test_output_that_the_terminal_cannot_show(copy, monkeypatch):
    path = copy("euc_jp.py")
    run = subprocess.run(
        [sys.executable, "-m", "tensorflow_vgg", "patch", str(path)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([os.path.dirname(HERE)] + sys.path), PYTHONIOENCODING="ascii"),
    )
    assert run.returncode == 0 and b"+        attention_feature" in run.stdout


def test_help_shows_it_on_a_file(capsys):
    with contextlib.suppress(SystemExit):
        main(["patch", "--help"])
    shown = capsys.readouterr().out
    assert 'self.fc6 = self.fc_layer(self.pool5, "fc6")' in shown
    assert 'self.fc6 = self.fc_layer(attention_feature, "fc6")' in shown


@pytest.mark.parametrize("data", [b"", b"# pool\n", b"# pool", b"# tensorflow-vgg patch", b"\r\n# pool\r\n\f"])
def test_files_with_next_to_nothing(data, tmp_path, capsys):
    path = tmp_path / "vgg.py"
    path.write_bytes(data)
    assert main(["patch", str(path), "--write", "--compat"]) == 1
    assert main(["patch", str(path), "--revert"]) == 0
    assert path.read_bytes() == data
