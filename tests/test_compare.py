"""Whether two recordings agree, where they depart first, and why, through main([...])."""

import json
import os
import shutil
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from conftest import TF1_PYTHON, UPSTREAM
from forking import environment
from recordings import FOREIGN, PACKAGE, RECORDINGS, THIN, TIGER, dump

import tensorflow_vgg
from tensorflow_vgg import weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._compare import record
from tensorflow_vgg._compare.graph import digest
from tensorflow_vgg._compare.recording import Recording, save


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


def test_help_says_what_goes_together(capsys):
    for verb, words in (("compare", "1 some depart"), ("dump", "one of IMAGE, --input and --from")):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        assert words in " ".join(capsys.readouterr().out.split())
