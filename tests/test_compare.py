"""Recordings and their comparison, through main([...])."""

import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import GOLDEN, TEST_DATA, TF1_PYTHON, UPSTREAM, assert_close, golden_arrays
from forking import environment
from PIL import Image

import tensorflow_vgg
from tensorflow_vgg import weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._compare import record
from tensorflow_vgg._compare.graph import digest, nodes
from tensorflow_vgg._compare.recording import Recording, save

PACKAGE = os.path.dirname(os.path.abspath(tensorflow_vgg.__file__))
RECORDINGS = os.path.join(GOLDEN, "recordings")
TIGER = os.path.join(TEST_DATA, "tiger.jpeg")
PUZZLE = os.path.join(TEST_DATA, "puzzle.jpeg")
THIN = ["--weights", "seeded:19:thin"]

# A class that shares nothing with this package: other scopes, other preprocessing, no path, more arguments.
FOREIGN = """
import numpy as np
import tensorflow as tf

class Vgg16(object):
    def __init__(self, path):
        self.blobs = np.load(path, allow_pickle=True, encoding="latin1").item()

    def build(self, image, reuse=None, flavour="plain"):
        self.image = image
        self.label = "vgg"
        x = tf.reverse(image, [3]) * 255.0 - tf.constant([103.939, 116.779, 123.68])
        for block, depth in enumerate((2, 2, 3, 3, 3), 1):
            for number in range(1, depth + 1):
                x = self.layer(x, "conv%d_%d" % (block, number), tf.nn.conv2d, strides=[1, 1, 1, 1], padding="SAME")
                x = self.keep("conv%d_%d" % (block, number), tf.nn.relu(x))
            x = self.keep("pool%d" % block, tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"))
        x = tf.reshape(x, [-1, int(np.prod(x.get_shape().as_list()[1:]))])
        for number in (6, 7):
            x = self.keep("fc%d" % number, self.layer(x, "fc%d" % number, tf.matmul))
            x = self.keep("relu%d" % number, tf.nn.relu(x))
        self.prob = tf.nn.softmax(self.keep("fc8", self.layer(x, "fc8", tf.matmul)))

    def layer(self, x, name, function, **options):
        return function(x, tf.constant(self.blobs[name][0]), **options) + self.blobs[name][1]

    def keep(self, name, tensor):
        setattr(self, name, tensor)
        return tensor
"""


def dump(out, *arguments):
    assert main(["dump", "-o", str(out), *map(str, arguments)]) == 0
    return str(out)


@pytest.fixture(scope="module")
def thin(tmp_path_factory):
    """thin("vgg19") is a recording of this package's network with thin weights, made once."""
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

    def run(a, b, *more):
        capsys.readouterr()
        status = main(["compare", str(a), str(b), "--json", *more])
        result = json.loads(capsys.readouterr().out)
        assert status == (0 if result["ok"] else 1)
        return result

    return run


def test_a_recording_holds_what_upstream_computed(tmp_path):
    for net in ("vgg16", "vgg19"):
        golden = golden_arrays(f"{net}_thin")
        recorded = dump(tmp_path / f"{net}.npz", TIGER, PUZZLE, "--net", net, *THIN)
        with np.load(recorded, allow_pickle=False) as file, np.load(os.path.join(GOLDEN, "load_image.npz")) as images:
            about = json.loads(file["about"].tobytes().decode())
            for layer, expected in golden.items():
                assert_close(file[f"layer/{layer}"], expected, UPSTREAM, layer)
            assert_close(file["pixels"], np.stack([images["tiger"], images["puzzle"]]), 1e-6)
        names = [entry["name"] for entry in about["layers"]]
        block = {"attention_feature", "channel_attention", "spatial_attention"}
        assert names == about["order"] and set(golden) == set(names) - block
        assert names[-6:] == ["fc6", "relu6", "fc7", "relu7", "fc8", "prob"]
        conv = next(entry for entry in about["layers"] if entry["name"] == "conv1_1")
        found = [conv[key] for key in ("mean", "std", "min", "max")]
        value = golden["conv1_1"]
        np.testing.assert_allclose(found, [value.mean(), value.std(), value.min(), value.max()], rtol=1e-4)
        assert about["surroundings"]["tensorflow"] == tf.__version__
        assert [image["name"] for image in about["images"]] == ["tiger.jpeg", "puzzle.jpeg"]


def test_nodes_have_a_digest_of_every_constant(seeded):
    with tf.Graph().as_default() as graph:
        tf.constant(seeded("vgg19", thin=True)["fc8"][0], name="weights")
        tf.constant([b"a", b"b"], name="texts")
    by_name = {node["name"]: node["attr"]["value"] for node in nodes(graph)}
    assert by_name["weights"]["digest"] == digest(seeded("vgg19", thin=True)["fc8"][0])
    assert by_name["weights"]["shape"] == [64, 1000] and by_name["texts"]["dtype"] == "string"
    assert json.loads(json.dumps(by_name)) == by_name


def test_layers_samples_input_and_from(thin, tmp_path, judged, capsys):
    sampled = dump(tmp_path / "sampled.npz", "--from", thin("vgg19"), "--samples", 50, "--layers", "prob,pool3,conv1_1")
    with np.load(sampled) as file:
        assert set(file.files) == {"about", "pixels"} | {
            f"{kind}/{layer}" for kind in ("index", "sample") for layer in ("conv1_1", "pool3", "prob")
        }
        whole = np.load(thin("vgg19"))["layer/pool3"].ravel()
        np.testing.assert_array_equal(file["sample/pool3"], whole[file["index/pool3"]])
        np.save(str(tmp_path / "pixels.npy"), file["pixels"])
    same = dump(tmp_path / "same.npz", "--from", sampled)
    assert judged(sampled, same)["layers"][0]["samples"] == 50
    fed = dump(tmp_path / "fed.npz", "--input", tmp_path / "pixels.npy", *THIN, "--layers", "pool3,conv1_1,prob")
    result = judged(fed, sampled)  # whole against samples
    assert result["ok"] and [layer["name"] for layer in result["layers"]] == ["conv1_1", "pool3", "prob"]
    assert result["pixels"] == {"ok": True, "largest": 0.0, "where": "nowhere", "places": 0}
    result = judged(thin("vgg19"), sampled, "--layers", "prob,pool3")
    assert result["ok"] and [layer["name"] for layer in result["layers"]] == ["pool3", "prob"]
    assert main(["compare", thin("vgg19"), sampled, "--layers", "prob,fc6"]) == 2
    assert "sampled.npz: layers are missing that --layers names: fc6" in capsys.readouterr().err
    assert main(["compare", thin("vgg19"), sampled, "--layers", "pol3"]) == 2
    assert "sampled.npz: layers are missing that --layers names: pol3; did you mean pool3?" in capsys.readouterr().err
    assert main(["compare", thin("vgg19"), sampled, "--layers", "pool3"]) == 0
    printed = capsys.readouterr().out
    assert "\nlayers: - | prob,pool3,conv1_1\n" in printed and printed.endswith("\nthe layer agrees\n")
    np.save(str(tmp_path / "bytes.npy"), np.load(str(tmp_path / "pixels.npy")) * 255)
    dump(tmp_path / "bytes.npz", "--input", tmp_path / "bytes.npy", *THIN, "--layers", "prob")
    assert "bytes.npy: expected RGB in [0, 1], got values from 0" in capsys.readouterr().err
    assert main(["dump", "--from", sampled, "-o", str(sampled)]) == 2
    assert "sampled.npz: exists already" in capsys.readouterr().err


def test_samples_are_compared_with_what_is_no_number_between_them(thin, changed, judged):
    """One value is no number on both sides, and infinite on one of them: nothing else differs."""
    index = np.random.RandomState(record._SEED).randint(0, 2000, 50)
    place = min(set(range(1000)) - set(index))
    line = 'self.prob = tf.nn.softmax(self.fc8, name="prob")'
    put = "{} + tf.one_hot([{}, -1], 1000, on_value=np.float32('{}'), off_value=np.float32(0))"
    sampled = ["--samples", "50", "--layers", "fc8,prob"]
    import_line = ("import tensorflow.compat.v1 as tf", "import numpy as np\nimport tensorflow.compat.v1 as tf")
    recorded = [
        changed("vgg19", import_line, (line, put.format(line, place, value)), given=sampled) for value in ("nan", "inf")
    ]
    result = judged(*recorded)
    assert (result["first"], result["layers"][-1]["largest"]) == ("prob", None)
    assert judged(recorded[0], recorded[0])["ok"]


# TensorFlow 1.15.5 against the TensorFlow that runs the tests.

CASES = ["vgg16", "vgg19", "attention", "trainable"]


def arguments_of(case, folder):
    given = list(THIN)
    if case == "attention":
        weights.write(str(folder / "attention.npy"), weights.seeded("vgg19", 19, thin=True, attention=True))
        given = ["--weights", str(folder / "attention.npy")]
    return [*given, "--net", {"vgg16": "vgg16", "trainable": "vgg19_trainable"}.get(case, "vgg19")]


@pytest.fixture(scope="module")
def by_tensorflow_1(tmp_path_factory):
    """case -> what TensorFlow 1 has recorded: made now by one process that has it, or else kept from earlier."""
    if not TF1_PYTHON:
        return {case: os.path.join(RECORDINGS, f"{case}_thin.tf1.15.5.npz") for case in CASES}
    folder = tmp_path_factory.mktemp("tensorflow_1")
    made = {case: str(folder / f"{case}.npz") for case in CASES}
    commands = [["dump", TIGER, "-o", made[case], *arguments_of(case, folder)] for case in CASES]
    code = (
        "import json, sys; from tensorflow_vgg._command.main import main\n"
        "sys.exit(any(map(main, json.loads(sys.argv[1]))))"
    )
    command = [TF1_PYTHON, "-c", code, json.dumps(commands)]
    subprocess.run(command, check=True, env=environment(os.path.dirname(PACKAGE)))
    return made


@pytest.mark.parametrize("case", CASES)
def test_tensorflow_1_and_this_one_agree(case, by_tensorflow_1, tmp_path, judged):
    recorded = by_tensorflow_1[case]
    result = judged(recorded, dump(tmp_path / "here.npz", "--from", recorded, *arguments_of(case, tmp_path)))
    assert result["ok"], [layer for layer in result["layers"] if not layer["ok"]]
    assert result["tolerance"] == UPSTREAM and len(result["layers"]) >= 24
    assert result["top5"] == [{"image": "tiger.jpeg", "same": 5, "of": 5, "same_order": True}]
    with Recording(recorded) as file:
        assert file.surroundings["tensorflow"] == "1.15.5"
        assert file.attention["state"] == {"attention": "acts", "vgg19": "passes"}.get(case, "none")
    assert not any(item["what"] == "digest of images" for item in result["surroundings"])


@pytest.mark.parametrize("case", ["attention", "trainable"])
def test_recordings_of_earlier_releases_compare(case, tmp_path, judged):
    """They know less: not how many values are no numbers, nor each fit of the colours, nor which units were kept."""
    recorded = os.path.join(RECORDINGS, f"{case}_thin.tf1.15.5.npz")
    assert judged(recorded, dump(tmp_path / "here.npz", "--from", recorded, *arguments_of(case, tmp_path)))["ok"]
    other = dump(tmp_path / "other.npz", "--from", recorded, "--weights", "seeded:20:thin")
    assert judged(recorded, other)["cause"]["text"].startswith("other weights: conv1_1 (kernel")


# Causes, made on purpose.


def test_other_weights_are_named_by_layer(thin, tmp_path, judged):
    given = weights.seeded("vgg19", 19, thin=True)
    given["conv3_2"][0][0, 0, 0, 0] += 1
    given["fc7"][1][3] += 1
    weights.write(str(tmp_path / "other.npy"), given)
    other = dump(tmp_path / "other.npz", "--from", thin("vgg19"), "--weights", tmp_path / "other.npy")
    result = judged(thin("vgg19"), other)
    assert result["first"] == "conv3_2"
    text = "other weights: conv3_2 (kernel), fc7 (biases)"
    assert result["cause"] == {"kind": "weights", "text": text, "layers": ["conv3_2", "fc7"]}
    only_fc7 = dump(tmp_path / "fc7.npz", "--from", other, "--layers", "fc7,prob")
    result = judged(dump(tmp_path / "fc7_a.npz", "--from", thin("vgg19"), "--layers", "fc7,prob"), only_fc7)
    assert result["first"] == "fc7"
    assert result["cause"]["text"] == text


def test_a_dropped_bias_is_named(thin, changed, judged):
    unbiased = 'tf.nn.relu(tf.nn.conv2d(self.pool1, self.get_conv_filter("conv2_1"), [1, 1, 1, 1], padding="SAME"))'
    other = changed("vgg19", ('self.conv_layer(self.pool1, "conv2_1")', unbiased))
    result = judged(thin("vgg19"), other)
    assert result["first"] == "conv2_1"
    assert result["cause"]["text"] == "other weights: conv2_1 (biases only in A)"


@pytest.mark.parametrize(
    ("inner", "expected"), [(False, "at the border only: scikit-image's resize"), (True, "other images")]
)
def test_other_pixels(thin, tmp_path, judged, inner, expected):
    pixels = np.load(thin("vgg16"))["pixels"]
    if inner:
        pixels[0, 100, 100] = 0.5 - pixels[0, 100, 100] / 2
    else:
        pixels[:, 0] = pixels[:, 1]
    np.save(str(tmp_path / "pixels.npy"), pixels)
    other = dump(tmp_path / "other.npz", "--input", tmp_path / "pixels.npy", *THIN, "--net", "vgg16")
    result = judged(thin("vgg16"), other)
    assert not result["pixels"]["ok"] and result["cause"]["kind"] == "pixels" and expected in result["cause"]["text"]


def test_attention_on_one_side(thin, tmp_path, judged):
    """The block's weights are no other weights of a layer, and a block that passes everything is no cause."""
    arguments = arguments_of("attention", tmp_path)
    acting = dump(tmp_path / "acting.npz", "--from", thin("vgg19"), *arguments)
    result = judged(thin("vgg19"), acting)
    assert result["first"] == "channel_attention"
    assert result["cause"]["text"] == "attention on one side: B's block acts, A lets everything through"
    without = dump(tmp_path / "without.npz", "--from", thin("vgg19"), "--no-attention")
    result = judged(acting, without)
    assert result["first"] == "fc6"
    assert result["cause"]["text"] == "attention on one side: A's block acts, B has none"
    result = judged(thin("vgg19"), without)
    assert result["ok"] and any(name.startswith("cbam/") for name in result["nodes"]["removed"])


@pytest.mark.parametrize("scope", ["cbam", "weighing"])
def test_attention_of_variables_takes_the_weights_of_the_file(thin, changed, tmp_path, judged, scope):
    """As the tutorial has it, the block makes variables that nothing loads. They get the file's weights."""
    arguments = arguments_of("attention", tmp_path)
    variables = ("with self._constant_block(channels=self.pool5.get_shape().as_list()[3]):", "if self.attention:")
    call = "convolutional_block_attention_module(self.pool5, index=0"
    other = changed("vgg19", variables, (call, f"{call}, scope='{scope}'"), given=arguments)
    result = judged(dump(tmp_path / "constants.npz", "--from", thin("vgg19"), *arguments), other)
    assert result["ok"]
    with Recording(other) as file:
        assert file.attention["state"] == "acts" and sum(weight.attention for weight in file.weights) == 6
        assert {node["op"] for node in file.nodes.values()} & {"VarHandleOp", "VariableV2"}


def test_a_network_in_a_scope_called_attention_is_no_attention_block(thin, tmp_path, judged):
    (tmp_path / "vgg19.py").write_text(
        "import tensorflow as tf\nfrom tensorflow_vgg import vgg19\n\n\nclass Vgg19(vgg19.Vgg19):\n"
        "    def build(self, rgb):\n        with tf.variable_scope('attention_net'):\n            super().build(rgb)\n"
    )
    scoped = dump(tmp_path / "a.npz", "--from", thin("vgg19"), "--modules", tmp_path, "--no-attention")
    with Recording(scoped) as file:
        assert file.attention["state"] == "none"
    assert judged(thin("vgg19"), scoped)["ok"]
    given = weights.seeded("vgg19", 19, thin=True)
    given["conv1_1"][0] *= 1.000001  # conv1_1 agrees within the tolerance: it is not why pool1 departs
    weights.write(str(tmp_path / "nudged.npy"), given)
    (tmp_path / "vgg19.py").write_text(
        "from tensorflow_vgg import vgg19\n\n\nclass Vgg19(vgg19.Vgg19):\n    max_pool = vgg19.Vgg19.avg_pool\n"
    )
    nudged = ["--modules", tmp_path, "--weights", tmp_path / "nudged.npy"]
    result = judged(thin("vgg19"), dump(tmp_path / "b.npz", "--from", thin("vgg19"), *nudged))
    assert (result["first"], result["cause"]["kind"]) == ("pool1", "pooling")


def test_a_changed_copy_of_the_whole_package(thin, tmp_path, judged):
    """Its modules import each other from tensorflow_vgg: they must get the copy, not what is installed."""
    copy = tmp_path / "copy" / "tensorflow_vgg"
    shutil.copytree(PACKAGE, str(copy))
    shutil.copy(os.path.join(os.path.dirname(PACKAGE), "attention.py"), str(copy.parent))
    for net in ("vgg16", "vgg19"):
        assert judged(thin(net), dump(tmp_path / f"{net}.npz", "--from", thin(net), "--modules", copy))["ok"]
    source = (copy / "_network" / "layers.py").read_text(encoding="utf-8")
    assert source.count("tf.nn.max_pool(") == 1
    changed = source.replace("tf.nn.max_pool(", "tf.nn.avg_pool(")
    (copy / "_network" / "layers.py").write_text(changed, encoding="utf-8")
    result = judged(thin("vgg16"), dump(tmp_path / "changed.npz", "--from", thin("vgg16"), "--modules", copy))
    assert (result["first"], result["cause"]["kind"]) == ("pool1", "pooling")
    # What was loaded is as it was.
    assert sys.modules["tensorflow_vgg"] is tensorflow_vgg and sys.modules[Recording.__module__].Recording is Recording


BGR = "bgr = network.preprocess(rgb, VGG_MEAN, self)"


@pytest.mark.parametrize(("replacement", "first", "cause"), [
    ((BGR, "red, green, blue = tf.split(rgb * 255.0, 3, 3)\n"
      "        bgr = tf.concat([red - VGG_MEAN[2], green - VGG_MEAN[1], blue - VGG_MEAN[0]], 3)"),
     "conv1_1", "RGB against BGR: A feeds BGR, B feeds RGB"),
    ((BGR, "bgr = network.preprocess(rgb, [104.0, 117.0, 123.0], self)"),
     "conv1_1", "another mean: A [103.939, 116.779, 123.68], B [104.0, 117.0, 123.0], in the order BGR"),
    (('self.fc6 = self.fc_layer(feature, "fc6")',
      'self.fc6 = self.fc_layer(tf.transpose(feature, [0, 3, 1, 2]), "fc6")'),
     "fc6", "flatten order before fc6: A rows, columns, channels; B channels, rows, columns"),
    (("self.relu6 = tf.nn.relu(self.fc6)", "self.relu6 = tf.nn.dropout(tf.nn.relu(self.fc6), rate=0.25)"),
     "relu6", "dropout after relu6: A keeps every unit, B keeps units with probability 0.75"),
    (('self.fc8 = self.fc_layer(self.relu7, "fc8")',
      'self.fc8 = self.fc_layer(tf.nn.dropout(self.relu7, rate=0.5), "fc8")'),
     "fc8", "dropout after relu7: A keeps every unit, B keeps units with probability 0.5"),
    (('self.max_pool(self.conv3_4, "pool3")', 'self.avg_pool(self.conv3_4, "pool3")'),
     "pool3", "mean for max pooling: pool3 is the max in A, the mean in B"),
    (("self.relu7 = tf.nn.relu(self.fc7)", "self.relu7 = tf.nn.elu(self.fc7)"),
     "relu7", "none of those known: up to there weights, pixels, attention, colour order, scale and mean, flatten "
     "order, pooling agree; the recordings do not tell all of dropout"),
    (("self.relu7 = tf.nn.relu(self.fc7)", "self.relu7 = 1.1 * tf.nn.relu(self.fc7)"), "relu7", "none of those known"),
])  # fmt: skip
def test_a_changed_copy(thin, changed, judged, replacement, first, cause):
    result = judged(thin("vgg19"), changed("vgg19", replacement))
    assert result["first"] == first
    assert result["cause"]["text"].startswith(cause)
    assert next(layer["name"] for layer in result["layers"] if not layer["ok"]) == first


FC7 = 'self.fc7 = self.fc_layer(self.relu6, "fc7")'
DROPPING = "self.relu6 = tf.nn.dropout(tf.nn.relu(self.fc6), rate=0.5, seed={})"
BETWEEN = 'self.fc8 = self.fc_layer(tf.nn.dropout(self.relu7, rate=0.5, seed={}), "fc8"){}'


@pytest.mark.parametrize(("a", "b", "first", "cause"), [
    ([("self.relu6 = tf.nn.relu(self.fc6)", DROPPING.format(1))],
     [("self.relu6 = tf.nn.relu(self.fc6)", DROPPING.format(1)), (FC7, f"{FC7} * 1.1")],
     "fc7", "none of those known: up to there weights, pixels, attention, colour order, scale and mean, flatten order, "
     "dropout, pooling agree"),
    ([('self.fc8 = self.fc_layer(self.relu7, "fc8")', BETWEEN.format(1, ""))],
     [('self.fc8 = self.fc_layer(self.relu7, "fc8")', BETWEEN.format(1, " * 1.1"))], "fc8", "none of those known"),
    ([('self.fc8 = self.fc_layer(self.relu7, "fc8")', BETWEEN.format(1, ""))],
     [('self.fc8 = self.fc_layer(self.relu7, "fc8")', BETWEEN.format(2, ""))],
     "fc8", "dropout after relu7: A and B keep other units, both with probability 0.5"),
    ([], [("self.relu6 = tf.nn.relu(self.fc6)", "self.relu6 = tf.nn.relu(self.fc6) * 0.5")],
     "relu6", "none of those known: up to there weights, pixels, attention, colour order, scale and mean, flatten "
     "order, pooling agree; the recordings do not tell all of dropout"),
    ([], [(BGR, "bgr = network.preprocess(rgb, [103.938, 116.779, 123.68], self)")],
     "conv1_2", "another mean: A [103.939, 116.779, 123.68], B [103.938, 116.779, 123.68], in the order BGR"),
])  # fmt: skip
def test_a_cause_shows_where_the_recordings_depart(changed, judged, a, b, first, cause):
    """What both have done alike is no cause, and what shows in a layer that agrees only if there is no other."""
    result = judged(changed("vgg19", *a), changed("vgg19", *b))
    assert result["first"] == first
    assert result["cause"]["text"].startswith(cause)


def test_attention_that_agrees_is_no_cause_and_its_weights_are_named(thin, changed, tmp_path, judged):
    """A block with a bias of 39 acts by its weights, and yet lets everything through."""
    given = weights.seeded("vgg19", 19, thin=True, attention=True)
    for layer in ("fc_1", "fc_2", "spatial_attention_conv"):
        given[f"cbam/{layer}"] = [np.zeros_like(part) for part in given[f"cbam/{layer}"]]
    given["cbam/spatial_attention_conv"][1][:] = 39
    weights.write(str(tmp_path / "open.npy"), given)
    flattening = ('self.fc_layer(feature, "fc6")', 'self.fc_layer(tf.transpose(feature, [0, 3, 1, 2]), "fc6")')
    result = judged(thin("vgg19"), changed("vgg19", flattening, given=["--weights", tmp_path / "open.npy"]))
    assert (result["first"], result["cause"]["kind"]) == ("fc6", "flatten order")

    arguments = arguments_of("attention", tmp_path)
    given = weights.read(arguments[1])
    given["cbam/fc_2"][0] += 1
    weights.write(str(tmp_path / "other.npy"), given)
    acting = dump(tmp_path / "acting.npz", "--from", thin("vgg19"), *arguments)
    result = judged(acting, dump(tmp_path / "b.npz", "--from", acting, "--weights", tmp_path / "other.npy"))
    assert result["cause"] == {
        "kind": "weights",
        "text": "other weights: the attention block up to channel_attention (cbam/fc_2/kernel)",
        "layers": ["channel_attention"],
    }


def test_dropout_of_the_trainable_network(tmp_path, judged):
    """train_mode is false, so that nothing is dropped; without it upstream's class always drops."""
    common = [TIGER, *THIN, "--net", "vgg19_trainable"]
    still = dump(tmp_path / "still.npz", *common)
    (tmp_path / "vgg19_trainable.py").write_text(
        "from tensorflow_vgg import vgg19_trainable\n\n\nclass VGG19(vgg19_trainable.Vgg19):\n"
        "    def build(self, rgb):\n        super().build(rgb)\n"
    )
    result = judged(still, dump(tmp_path / "dropping.npz", *common, "--modules", tmp_path))
    assert result["first"] == "relu6"
    assert result["cause"]["text"] == "dropout after relu6: A keeps every unit, B keeps units with probability 0.5"
    with Recording(still) as file:
        expected = weights.seeded("vgg19", 19, thin=True)["conv1_1"][0]
        by_name = {weight.name: weight.digest for weight in file.weights}
        assert by_name["conv1_1/conv1_1_filters"] == digest(expected) and len(by_name) == 38


def test_a_foreign_class(thin, tmp_path, judged):
    (tmp_path / "vgg16.py").write_text(FOREIGN)
    foreign = dump(tmp_path / "foreign.npz", "--from", thin("vgg16"), "--modules", tmp_path)
    result = judged(thin("vgg16"), foreign)
    assert result["ok"] and len(result["layers"]) == 24
    assert result["nodes"]["added"] and result["nodes"]["removed"]
    (tmp_path / "vgg16.py").write_text(FOREIGN.replace("103.939", "100.0"))
    other = dump(tmp_path / "other.npz", "--from", thin("vgg16"), "--modules", tmp_path)
    assert judged(thin("vgg16"), other)["cause"]["kind"] == "mean"
    weights.write(str(tmp_path / "20.npy"), weights.seeded("vgg16", 20, thin=True))
    other = dump(tmp_path / "20.npz", "--from", foreign, "--modules", tmp_path, "--weights", tmp_path / "20.npy")
    cause = judged(thin("vgg16"), other)["cause"]
    assert cause["layers"] == list(weights.seeded("vgg16", 20, thin=True))
    assert cause["text"].startswith("other weights: conv1_1 (kernel, biases), conv1_2 (")
    assert cause["text"].endswith("conv3_2 (kernel, biases) and 10 more layers")


KEEP = "        setattr(self, name, tensor)"
INIT = "    def __init__(self, path):"
SLOTS = """
    __slots__ = ["blobs", "image", "label", "prob", "fc6", "relu6", "fc7", "relu7", "fc8"] + [
        "%s%d" % (kind, block) + end
        for block, depth in enumerate((2, 2, 3, 3, 3), 1)
        for kind, end in [("pool", "")] + [("conv", "_%d" % number) for number in range(1, depth + 1)]
    ]
"""
PROPERTIES = """
    made = {}

    def __getattr__(self, name):
        raise AttributeError(name)

    hidden = property(lambda self: self.relu6)
    broken = property(lambda self: 1 / 0)
    for name in ["pool1", "pool2", "fc6"]:
        locals()[name] = property(lambda self, name=name: self.made[name])
"""
RELU = "        self.prob = "


@pytest.mark.parametrize(("replacements", "said"), [
    ([("class Vgg16(object):\n", f"class Vgg16(object):{SLOTS}")], ""),
    ([("class Vgg16(object):\n", f"class Vgg16(object):{PROPERTIES}"),
      (KEEP, "        self.made.__setitem__(name, tensor) if name in ('pool1', 'pool2', 'fc6') else "
             "setattr(self, name, tensor)"), (RELU, "        Vgg16.prob = ")], ""),
    ([(INIT, "    def __init__(self, data_format='NHWC', train_weights=False, data=None, path=None):\n"
             "        assert data_format == 'NHWC' and train_weights is False and data is None")], ""),
    ([(RELU, f"        self.labels = tf.placeholder(tf.float32, [None, 1000], 'labels')\n{RELU}"),
      ("    def layer(", "        self.loss = tf.reduce_mean(self.labels * self.prob)\n\n    def layer(")],
     "tensorflow-vgg: left out labels, loss: they need a value for labels, which is not fed"),
    ([("        x = tf.reverse(image, [3])", "        zero = tf.lookup.StaticHashTable(\n"
       "            tf.lookup.KeyValueTensorInitializer(tf.constant([1], tf.int64), tf.constant([0.0])), 1.0)\n"
       "        with tf.device('/gpu:0'):\n"
       "            zero = zero.lookup(tf.constant(1, tf.int64)) * tf.constant(1.0)\n"
       "        zero += tf.get_variable('v', [], initializer=tf.zeros_initializer(), collections=['local_variables'])\n"
       "        x = zero + tf.reverse(image, [3])")], ""),
])  # fmt: skip
def test_whatever_a_class_is_made_of(thin, tmp_path, judged, capsys, replacements, said):
    source = FOREIGN
    for old, new in replacements:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    (tmp_path / "vgg16.py").write_text(source)
    thin("vgg16")
    capsys.readouterr()
    foreign = dump(tmp_path / "foreign.npz", "--from", thin("vgg16"), "--modules", tmp_path)
    printed = capsys.readouterr().err
    assert said in printed and "left out" not in printed.replace(said, "") and "labels mean nothing" not in printed
    result = judged(thin("vgg16"), foreign)
    assert result["ok"] and len(result["layers"]) == 24


def test_grey_pictures_tell_the_means_alone(tmp_path, judged):
    grey = np.repeat(np.random.RandomState(0).uniform(size=(1, 224, 224, 1)).astype("float32"), 3, 3)
    np.save(str(tmp_path / "grey.npy"), grey)
    np.save(str(tmp_path / "flat.npy"), np.full_like(grey, 0.5))
    rgb = FOREIGN.replace("tf.reverse(image, [3])", "image").replace("[103.939, 116.779, 123.68]", "[{}]")
    causes = []
    for picture in ("grey", "flat"):
        common = ["--input", tmp_path / f"{picture}.npy", "--net", "vgg16", *THIN]
        expected = dump(tmp_path / f"{picture}.npz", *common)
        for means in ("123.68, 116.779, 103.939", "103.939, 116.0, 123.68"):
            (tmp_path / "vgg16.py").write_text(rgb.format(means))
            other = dump(tmp_path / f"{picture}{means}.npz", *common, "--modules", tmp_path)
            causes.append(judged(expected, other)["cause"]["text"])
    assert causes[0].startswith("RGB against BGR, by their means, in grey pictures")
    assert causes[1] == "another mean: A [103.939, 116.779, 123.68], B [103.939, 116.0, 123.68]"
    assert all("do not tell all of colour order, scale and mean" in cause for cause in causes[2:])


@pytest.mark.parametrize(("picture", "replacement", "cause"), [
    ("sepia", "bgr = network.preprocess(rgb / 255.0, VGG_MEAN, self)",
     "another scale: A [255.0, 255.0, 255.0], B [1.0, 1.0, 1.0], in the order BGR"),
    ("sepia", "bgr = network.preprocess(rgb, [0.0, 0.0, 0.0], self) + 0.0",
     "another mean: A [103.939, 116.779, 123.68], B [0.0, 0.0, 0.0], in the order BGR"),
    ("noisy grey", "bgr = network.preprocess(rgb / 255.0, VGG_MEAN, self)",
     "another scale: A [255.0, 255.0, 255.0], B [1.0, 1.0, 1.0], in the order BGR"),
    # What B feeds is smaller than the rounding, so that every colour fits; A knows the order.
    ("noisy grey", "bgr = network.preprocess(rgb / 65025.0, VGG_MEAN, self)",
     "another scale: A [255.0, 255.0, 255.0], B [0.0039, 0.0039, 0.0039], in the order BGR"),
    # Where each colour is a multiple of another only the scales tell which was meant.
    ("tinted", "bgr = rgb * 255.0 - [123.68, 116.779, 103.939]", "RGB against BGR, by their scales, in grey pictures"),
])  # fmt: skip
def test_preprocessing_of_pictures_with_hardly_any_colour(changed, judged, tmp_path, picture, replacement, cause):
    random = np.random.RandomState(0)
    grey = random.randint(0, 256, (1, 224, 224, 1))
    pictures = {
        "sepia": np.round(grey * [0.95, 0.8, 0.6] + [8, 4, 0]) / 255,
        "noisy grey": np.clip(grey + random.randint(-1, 2, (1, 224, 224, 3)), 0, 255) / 255,
        "tinted": grey / 255 * [1.0, 0.75, 0.5],
    }
    np.save(str(tmp_path / "pixels.npy"), pictures[picture].astype("float32"))
    fed = dump(tmp_path / "a.npz", "--input", tmp_path / "pixels.npy", *THIN)
    result = judged(fed, changed("vgg19", (BGR, replacement), given=["--from", fed]))
    assert result["first"] == "conv1_1"
    assert result["cause"]["text"].startswith(cause)


def test_a_class_in_a_package_that_finds_its_weights_itself(thin, tmp_path, judged, monkeypatch):
    folder = tmp_path / "nets"
    folder.mkdir()
    weights.write(str(folder / "vgg16.npy"), weights.seeded("vgg16", 19, thin=True))
    (folder / "here.py").write_text("FILE = 'vgg16.npy'\n")
    found = "os.path.join(os.path.dirname(inspect.getfile(Vgg16)), here.FILE)"
    text = "import inspect, os, sys\nfrom . import here\nprint('imported')\nassert sys.argv[1:] == []\n" + FOREIGN
    text = text.replace("self, path):", "self):").replace("np.load(path,", f"np.load({found},")
    (folder / "vgg16.py").write_text(text)
    monkeypatch.setenv("TENSORFLOW_VGG_HOME", str(tmp_path))  # no weights here, and none are needed
    monkeypatch.chdir(tmp_path)
    recorded = dump(tmp_path / "own.npz", TIGER, "--net", "vgg16", "--modules", "nets")
    assert judged(thin("vgg16"), recorded)["ok"]
    with Recording(recorded) as file:
        assert file.settings["weights"] is None and file.settings["weights_sha256"] is None


def test_without_top_images_of_one_size_keep_it(tmp_path, judged, capsys):
    cut = np.load(os.path.join(GOLDEN, "load_image.npz"))["tiger"][:96, :120]
    for name in "ab":
        Image.fromarray(np.round(cut * 255).astype(np.uint8)).save(str(tmp_path / f"{name}.png"))
    weights.write(str(tmp_path / "topless.npy"), {
        name: layer for name, layer in weights.seeded("vgg19", 19, thin=True).items() if name[:2] != "fc"
    })  # fmt: skip
    common = ["--no-top", "--weights", tmp_path / "topless.npy"]
    small = dump(tmp_path / "small.npz", tmp_path / "a.png", tmp_path / "b.png", *common)
    with Recording(small) as file:
        assert file.pixels().shape == (2, 96, 120, 3) and file.layers["spatial_attention"].shape == (2, 3, 4, 1)
        assert [name for name in file.layers if not file.layers[name].attention][-1] == "pool5"
        assert file.settings["no_top"] is True
    trainable = dump(tmp_path / "trainable.npz", "--from", small, "--net", "vgg19_trainable")
    result = judged(small, trainable)
    assert result["ok"] and len(result["layers"]) >= 21
    # Of several sizes, or too small for the network, they are 224x224.
    mixed = dump(tmp_path / "mixed.npz", tmp_path / "a.png", TIGER, *common)
    assert "images of one size from 32x32 keep it" in capsys.readouterr().err
    with Recording(mixed) as file:
        assert file.pixels().shape == (2, 224, 224, 3)
    assert main(["compare", small, mixed]) == 2
    (tmp_path / "vgg19.py").write_text("class Vgg19:\n    def __init__(self, path):\n        pass\n")
    assert main(["dump", "--from", small, "--modules", str(tmp_path), "-o", str(tmp_path / "x.npz")]) == 2
    assert "vgg19.py: its class has no argument include_top" in capsys.readouterr().err


def test_a_bad_image_does_not_end_a_folder(tmp_path, capsys):
    (tmp_path / "images" / "sub").mkdir(parents=True)
    shutil.copy(TIGER, str(tmp_path / "images"))
    shutil.copy(PUZZLE, str(tmp_path / "images" / "sub"))
    (tmp_path / "images" / "bad.png").write_text("no picture")
    out = tmp_path / "out.npz"
    command = ["dump", str(tmp_path / "images"), *THIN, "--net", "vgg16", "--layers", "prob", "-o", str(out)]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "2 recorded, 1 left out" and "bad.png: not an image" in printed.err
    with Recording(out) as file:
        assert {image["name"] for image in file.images} == {"puzzle.jpeg", "tiger.jpeg"}
        assert len(file.pixels()) == 2
    out.unlink()
    assert main(["dump", str(tmp_path / "images" / "bad.png"), *command[2:]]) == 2
    assert "expected an image that can be read" in capsys.readouterr().err and not out.exists()


# What people see.


def test_table_and_exit_status(thin, changed, capsys):
    other = changed("vgg19", ('self.max_pool(self.conv1_2, "pool1")', 'self.avg_pool(self.conv1_2, "pool1")'))
    capsys.readouterr()
    assert main(["compare", thin("vgg19"), other]) == 1
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line for line in printed.splitlines() if line}
    assert lines["conv1_2"].endswith("ok") and lines["pool1"].endswith("DEPARTS")
    assert lines["first"] == "first to depart: pool1"
    assert "likely cause: mean for max pooling" in printed and "top-5 of tiger.jpeg: " in printed
    assert main(["compare", thin("vgg19"), other, "--tolerance", "2"]) == 0
    with np.load(thin("vgg19")) as a, np.load(other) as b:
        expected, found = a["layer/fc8"].astype(float), b["layer/fc8"].astype(float)
    difference = np.abs(found - expected)
    worst = np.unravel_index(difference.argmax(), difference.shape)
    assert main(["compare", thin("vgg19"), other, "--json"]) == 1
    printed = capsys.readouterr().out
    fc8 = json.loads(printed[printed.index("{") :])["layers"][-2]
    assert fc8["largest"] == pytest.approx(difference.max() / np.abs(expected).max())
    assert fc8["mean"] == pytest.approx(difference.mean() / np.abs(expected).max())
    assert fc8["correlation"] == pytest.approx(np.corrcoef(expected.ravel(), found.ravel())[0, 1])
    one, other = np.float32(expected[worst]), np.float32(found[worst])
    steps = 0 if one * other < 0 else abs(int(one.view(np.int32)) - int(other.view(np.int32)))
    assert fc8["float32_steps"] == (steps or fc8["float32_steps"]) and fc8["float32_steps"] > 0


def test_plot(thin, changed, tmp_path, capsys, monkeypatch):
    other = changed("vgg19", ('self.max_pool(self.conv1_2, "pool1")', 'self.avg_pool(self.conv1_2, "pool1")'))
    command = ["compare", thin("vgg19"), other, "--plot", str(tmp_path / "plot.png")]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
        assert main(command) == 2
    assert f"--plot {tmp_path / 'plot.png'} needs matplotlib: pip install" in capsys.readouterr().err
    image = pytest.importorskip("matplotlib.image")
    assert main(command) == 1
    picture = image.imread(str(tmp_path / "plot.png"))
    assert min(picture.shape[:2]) > 300 and len(np.unique(picture[..., 0])) > 20
    equal = tmp_path / "equal.png"
    assert main(["compare", thin("vgg19"), thin("vgg19"), "--plot", str(equal)]) == 0
    assert image.imread(str(equal)).shape[1] < 0.7 * picture.shape[1]  # no map where there is no difference
    assert main(command) == 2
    assert "plot.png: exists already" in capsys.readouterr().err
    assert main([*command[:-1], str(tmp_path / "plot.png" / "plot.png")]) == 2
    assert capsys.readouterr().out == ""


def edited(recorded, path, change, damage=None):
    """A copy of a recording with one value of `about` changed, such as "steps.0.order=3", or with more damage."""
    with np.load(recorded) as file:
        arrays = dict(file)
    about = json.loads(arrays["about"].tobytes().decode())
    place, _, value = change.partition("=")
    *keys, last = place.split(".")
    inner = about
    for key in keys:
        inner = inner[int(key) if key.isdigit() else key]
    inner[last] = "@"  # whose text is replaced, also by what json itself would not write
    if damage == "unnamed.npz":
        del about["weights"][3]["digest"]
    elif damage == "texts.npz":
        arrays["layer/prob"] = np.full((1, 1000), "x")
    elif damage == "without.npz":
        del arrays["layer/conv1_1"]
    encoded = json.dumps(about).replace('"@"', value).encode()
    np.savez(str(path), **{**arrays, "about": np.frombuffer(encoded, np.uint8)})


DAMAGED = "edited.npz: cut short or damaged: "


@pytest.mark.parametrize(("file", "message"), [
    ("vgg16.npz", "expected the same network, got vgg19 and vgg16"),
    ("fewer.npz", "compare those that both have with --layers conv1_1,prob"),
    ("batch.npz", "expected batches of the same images, got 1 and 2"),
    ("full.npz", "conv1_1: expected the same shape, got (1, 224, 224, 2) and"),
    ("cut.npz", "cut.npz: cut short or damaged"),
    ("holed.npz", "holed.npz: cut short or damaged"),
    ("foreign.npz", "foreign.npz: cut short or damaged"),
    ("other.npz", "other.npz: expected a recording that tensorflow-vgg dump has made, got another .npz"),
    ("array.npz", "array.npz: expected a recording that tensorflow-vgg dump has made, got no .npz"),
    ("none.npz", "none.npz"),
    ("unnamed.npz", "unnamed.npz: cut short or damaged: "),
    ("order=3", DAMAGED),
    ("attention=[]", DAMAGED),
    ("top5=[0]", DAMAGED),
    ("steps.0.fits.0.0.colour=3", DAMAGED),
    ("steps.0.fits.0.0.colour=[]", DAMAGED),
    ("steps.0.fits=[[{}]]", DAMAGED),
    ("steps.1.axes=[1, 1, 2]", DAMAGED),
    ("layers.0.shape=[1, 224]", "expected the same shape"),
    ("layers.0.shape=[1e9]", DAMAGED),
    (f"layers.0.mean={'1' * 5000}", DAMAGED),
    ("images=[]", "expected batches of the same images, got 1 and 0"),
    ("texts.npz", "layer/prob: <U1 of shape (1, 1000), expected numbers"),
    ("without.npz", "without.npz: cut short or damaged"),
])  # fmt: skip
def test_recordings_that_cannot_be_compared(thin, tmp_path, capsys, file, message):
    path = tmp_path / ("edited.npz" if "=" in file else file)
    whole = thin("vgg19")
    if file == "vgg16.npz":
        shutil.copy(thin("vgg16"), str(path))
    elif file == "fewer.npz":
        dump(path, "--from", whole, "--layers", "conv1_1,prob")
    elif file == "batch.npz":
        dump(path, TIGER, PUZZLE, *THIN)
    elif file == "full.npz":
        wide = weights.seeded("vgg19", 19, thin=True)
        wide["conv1_1"] = [np.repeat(wide["conv1_1"][0], 2, 3), np.repeat(wide["conv1_1"][1], 2)]
        wide["conv1_2"][0] = np.repeat(wide["conv1_2"][0], 2, 2)
        weights.write(str(tmp_path / "wide.npy"), wide)
        dump(path, "--from", whole, "--weights", tmp_path / "wide.npy")
    elif file in ("cut.npz", "holed.npz"):
        with open(whole, "rb") as recorded:
            content = bytearray(recorded.read())
        if file == "cut.npz":
            content = content[: len(content) // 2]
        else:
            content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
        path.write_bytes(content)
    elif "=" in file:
        edited(whole, path, file)
    elif file in ("unnamed.npz", "texts.npz", "without.npz"):
        edited(whole, path, "top5=null", damage=file)
    elif file == "foreign.npz":
        np.savez(str(path), about=np.zeros(3), pixels=np.zeros(3))
    elif file == "other.npz":
        np.savez(str(path), pixels=np.zeros(3))
    elif file == "array.npz":
        with open(str(path), "wb") as array:
            np.save(array, np.array([{}], dtype=object))
    capsys.readouterr()
    assert main(["compare", whole, str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1 and message in printed.err


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "expected one of IMAGE, --input FILE.npy and --from FILE.npz"),
    ([TIGER, "--weights", "seeded:19:fat"], "--weights seeded:19:fat: expected seeded:N"),
    ([TIGER, *THIN, "--layers", "conv9"], "tensorflow_vgg.vgg19: expected the layers conv9, got conv1_1, "),
    ([TIGER, *THIN, "--layers", "con2_1"], "vgg19: expected the layers con2_1; did you mean conv2_1 or "),
    ([TIGER, *THIN, "--modules", "small.npy"], "small.npy: expected the folder that has vgg19.py, found a file"),
    ([TIGER, *THIN, "--modules", "other"], "vgg19.py: expected a class Vgg19, found Net"),
    ([TIGER, *THIN, "--modules", "empty"], "vgg19.py: no such file; expected the module that has the class of vgg19"),
    ([TIGER, *THIN, "--modules", "broken"], "vgg19.py:3: ZeroDivisionError: division by zero"),
    ([TIGER, *THIN, "--modules", "ends"], "vgg19.py:1: the module ends the program (SystemExit 3)"),
    ([TIGER, *THIN, "--modules", "textless"], "vgg19.py:3: AssertionError: assert path is None"),
    ([TIGER, *THIN, "--modules", "late"], "vgg19.py: InvalidArgumentError: Input to reshape is a tensor with 150528"),
    ([TIGER, *THIN, "--modules", "late", "--layers", "loss"],
     "the layer loss needs a value for the placeholder labels, which is not fed"),
    ([TIGER, *THIN, "--modules", "broken", "-o", ""], "'': expected the name of a file"),
    ([TIGER, *THIN, "--modules", "broken", "-o", "small.npy/out.npz"], "small.npy/out.npz: cannot be written"),
    ([TIGER, *THIN, "--modules", "unfed"], "prob needs a value for the placeholder keep, which is not fed"),
    ([TIGER, "--modules", "broken"], "its class takes weights: give them with --weights FILE or seeded:N"),
    (["--input", "small.npy", *THIN], "rgb: expected shape (batch, 224, 224, 3), got (1, 4, 4, 3)"),
    (["--input", "bytes.npy", *THIN], "bytes.npy: expected floats of shape (batch, height, width, 3)"),
    (["--input", "large.npy", *THIN], "large.npy: expected values that are finite as float32"),
    (["--input", "broken/vgg19.py", *THIN], "vgg19.py: expected a .npy file of pixels"),
    (["--from", "bytes.npy"], "bytes.npy: expected a recording that tensorflow-vgg dump has made"),
])  # fmt: skip
def test_what_cannot_be_recorded(home, capsys, arguments, message):
    for name in ("empty", "broken", "ends", "late", "other", "textless", "unfed"):
        (home / name).mkdir()
    (home / "other" / "vgg19.py").write_text("class Net:\n    pass\n")
    (home / "broken" / "vgg19.py").write_text("class Vgg19:\n    def __init__(self, path):\n        1 / 0\n")
    (home / "ends" / "vgg19.py").write_text("raise SystemExit(3)\n")
    (home / "unfed" / "vgg19.py").write_text(
        "import tensorflow as tf\nclass Vgg19:\n    def __init__(self, path):\n        pass\n"
        "    def build(self, x):\n        self.prob = x * tf.placeholder(tf.float32, [], 'keep')\n"
    )
    (home / "textless" / "vgg19.py").write_text(
        "class Vgg19:\n    def __init__(self, path):\n        assert path is None\n"
    )
    (home / "late" / "vgg19.py").write_text(
        "import tensorflow as tf\nclass Vgg19:\n    def __init__(self, path):\n        pass\n"
        "    def build(self, x):\n        self.prob = tf.reshape(x, tf.placeholder_with_default([7], [1]))\n"
        "        self.loss = self.prob * tf.placeholder(tf.float32, [], 'labels')\n"
    )
    np.save("large.npy", np.full((1, 224, 224, 3), 1e300))
    np.save("small.npy", np.zeros((4, 4, 3)))
    np.save("bytes.npy", np.zeros((1, 224, 224, 3), np.uint8))
    assert main(["dump", "-o", "out.npz", *arguments]) == 2
    printed = capsys.readouterr()
    assert "Zero" in message or "Zero" not in printed.err  # the class was not run for what can be told before
    lines = [line for line in printed.err.splitlines() if line.startswith("tensorflow-vgg: ")]
    assert message in lines[-1] and "Traceback" not in printed.err
    assert not (home / "out.npz").exists()


def member(header, content=b""):
    """A `.npy` with any header."""
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + content


FLAT = "{{'descr': '{}', 'fortran_order': False, 'shape': {}}}"
HOSTILE = {
    "a number of too many digits": ("about", lambda: as_json('{"format": ' + "9" * 1000000 + "}")),
    "recursion": ("about", lambda: as_json("[" * 100000)),
    "bytes": ("about", lambda: as_json("[]," * (3 << 20))),
    "pixels": ("pixels", lambda: member(FLAT.format("<f4", (1 << 40, 224, 224, 3)))),
    "EOF: reading array header": ("pixels", lambda: member("(" * 60000)),
    "expected numbers": ("sample/prob", lambda: member(FLAT.format("|O", (50,)), bytes(400))),
    "not in the layer": ("index/pool5", lambda: npy(np.full(50, 1 << 40))),
    "in so small a file": ("layer/nothing", lambda: b""),
}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def as_json(text):
    return npy(np.frombuffer(text.encode(), np.uint8))


@pytest.mark.parametrize("said", HOSTILE)
def test_a_hostile_recording_is_refused_before_it_takes_memory(said, thin, tmp_path, capsys):
    sampled = thin("vgg19", "--samples", "50")
    name, make = HOSTILE[said]
    path = str(tmp_path / "hostile.npz")
    with zipfile.ZipFile(sampled) as good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in good.namelist():
            if entry != f"{name}.npy":
                written.writestr(entry, good.read(entry))
        written.writestr(f"{name}.npy", make())
        if name == "layer/nothing":
            written.filelist[-1].file_size = 1 << 40  # as the directory will have it
    capsys.readouterr()
    tracemalloc.start()
    try:
        assert main(["compare", sampled, path]) == 2
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    printed = capsys.readouterr().err
    assert said in printed and f"{path}: cut short or damaged: " in printed and len(printed) < 500
    assert peak < 100e6


def test_comparing_holds_one_layer_at_a_time(tmp_path, judged):
    """Recordings of four images, with a few layers of a quarter of conv1_1's channels."""
    layers = {f"layer{number}": np.full((4, 224, 224, 16), number, np.float32) for number in range(10)}
    about = {
        "attention": {"state": "none"},
        "images": [{"name": str(number)} for number in range(4)],
        "layers": [
            {"name": name, "shape": list(value.shape), "dtype": "float32", "mean": 0, "std": 0, "min": 0,
             "max": float(value.max()), "attention": False}
            for name, value in layers.items()
        ],
        "nodes": [], "order": list(layers), "settings": {"net": "vgg19"}, "steps": [],
        "surroundings": {"tensorflow": ""}, "weights": [],
    }  # fmt: skip
    arrays = {f"layer/{name}": value for name, value in layers.items()}
    save(str(tmp_path / "a.npz"), about, {"pixels": np.zeros((4, 224, 224, 3), np.float32), **arrays})
    shutil.copy(str(tmp_path / "a.npz"), str(tmp_path / "b.npz"))
    layer = layers["layer0"].nbytes
    del arrays, layers
    tracemalloc.start()
    try:
        assert judged(tmp_path / "a.npz", tmp_path / "b.npz")["ok"]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * layer, f"{peak / 1e6:.0f} MB for layers of {layer / 1e6:.0f} MB"


def test_who_stops_reading_gets_no_verdict(tmp_path):
    recording = os.path.join(RECORDINGS, "vgg16_thin.tf1.15.5.npz")
    for arguments in (["compare", recording, recording], ["weights", "clear"]):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-m", "tensorflow_vgg", *arguments]
        environ = dict(environment(os.path.dirname(PACKAGE)), TENSORFLOW_VGG_HOME=str(tmp_path))
        run = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environ)
        os.close(writer)
        assert (run.returncode, run.stderr) == (141, b"")


def test_what_is_no_number_in_the_surroundings_is_text_in_json(thin, tmp_path, capsys):
    edited(thin("vgg16"), tmp_path / "b.npz", "surroundings.cpu=NaN")
    capsys.readouterr()
    assert main(["compare", thin("vgg16"), str(tmp_path / "b.npz"), "--json"]) == 0
    assert '"b": "NaN"' in capsys.readouterr().out


def test_help_says_what_goes_together(capsys):
    for verb, words in (("compare", "1 some depart"), ("dump", "one of IMAGE, --input and --from")):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert words in " ".join(capsys.readouterr().out.split())


def test_help_needs_no_numpy():
    code = (
        "import sys; from tensorflow_vgg._command.main import main\n"
        "try: main(['dump', '--help'])\nfinally: print(*sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode()
    assert "numpy" not in output.split()
