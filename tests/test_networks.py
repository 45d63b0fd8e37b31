"""How people use the classes: subclasses in all their forms, several networks, saving; and what goes wrong."""

import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import UPSTREAM, assert_close, golden_arrays

from tensorflow_vgg import session_config, vgg16, vgg19, vgg19_trainable, weights


def placeholder(size=224):
    return tf.placeholder(tf.float32, [None, size, size, 3])


def run(tensors, rgb, images):
    with tf.Session() as session:
        return session.run(tensors, {rgb: images})


@pytest.fixture
def tiger_and_puzzle(pixels):
    return [pixels["tiger"], pixels["puzzle"]]


# Subclasses.


def test_subclass_with_its_own_build_and_a_shared_dict(seeded):
    """No super().__init__, nothing set but data_dict, another size, no fc layers; one dict for three instances."""

    class Features(vgg16.Vgg16):
        def __init__(self, data_dict):
            self.data_dict = data_dict

        def build(self, rgb, train=False):
            x = self.conv_layer(rgb * 255.0 - 110.0, "conv1_1")
            x = self.avg_pool(self.conv_layer(x, "conv1_2"), None)
            self.conv2_1 = self.conv_layer(self.max_pool(x, "pool1"), "conv2_1")

    shared = seeded("vgg16", thin=True)
    with tf.Graph().as_default():
        rgb = placeholder(112)
        networks = [Features(shared) for _ in range(3)]
        for network in networks:
            network.build(rgb)
        found = run([network.conv2_1 for network in networks], rgb, np.full((2, 112, 112, 3), 0.5))
    assert found[0].shape == (2, 28, 28, 4)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
    pools = [op.name for op in networks[0].conv2_1.graph.get_operations() if op.type == "AvgPool"]
    assert pools == ["AvgPool", "AvgPool_1", "AvgPool_2"]


def test_subclass_that_overrides_the_getters_and_calls_the_parents(seeded, tiger_and_puzzle):
    asked = []

    class Watching(vgg19.Vgg19):
        def __init__(self, data_dict):
            self.data_dict = data_dict

        def get_conv_filter(self, name):
            asked.append(name)
            return vgg19.Vgg19.get_conv_filter(self, name)

        def get_bias(self, name):
            return vgg19.Vgg19.get_bias(self, name) + 0.0

        def get_fc_weight(self, name):
            asked.append(name)
            return tf.identity(vgg19.Vgg19.get_fc_weight(self, name))

    golden = golden_arrays("vgg19_thin")
    with tf.Graph().as_default():
        rgb = placeholder()
        network = Watching(seeded("vgg19", thin=True))
        network.build(rgb)
        assert_close(run(network.fc8, rgb, tiger_and_puzzle), golden["fc8"], UPSTREAM)
    assert asked == list(weights.KERNEL_SHAPES["vgg19"])


@pytest.mark.parametrize("attention", [True, False])
def test_subclass_with_getters_of_its_own_and_no_dict(seeded, tiger_and_puzzle, attention):
    store = seeded("vgg19", thin=True)

    class Own(vgg19.Vgg19):
        def __init__(self):
            pass

        def get_conv_filter(self, name):
            return tf.constant(store[name][0])

        def get_bias(self, name):
            return store[name][1]

        get_fc_weight = get_conv_filter

    Own.attention = attention
    with tf.Graph().as_default():
        rgb = placeholder()
        network = Own()
        network.build(rgb)
        assert hasattr(network, "attention_feature") == attention
        assert_close(run(network.fc8, rgb, tiger_and_puzzle), golden_arrays("vgg19_thin")["fc8"], UPSTREAM)


def test_attention_is_off_if_class_or_argument_says_so(seeded):
    class Plain(vgg19.Vgg19):
        attention = False

    thin = seeded("vgg19", thin=True)
    assert vgg19.Vgg19(thin).attention
    assert not vgg19.Vgg19(thin, attention=False).attention
    assert not Plain(thin).attention


def test_two_networks_in_one_graph_and_many_sessions(seeded, tiger_and_puzzle):
    with tf.Graph().as_default():
        rgb = placeholder()
        networks = []
        for scope in ("content_vgg", "style_vgg"):
            with tf.name_scope(scope):
                networks.append(vgg19.Vgg19(seeded("vgg19", thin=True)))
                networks[-1].build(rgb)
        assert networks[1].conv5_3.name == "style_vgg/conv5_3/Relu:0"
        results = [run([network.prob for network in networks], rgb, tiger_and_puzzle) for _ in range(2)]
    golden = golden_arrays("vgg19_thin")["prob"]
    for found in (*results[0], *results[1]):
        assert_close(found, golden, UPSTREAM)


def test_gradient_override_map_reaches_the_layers(seeded, tiger_and_puzzle):
    @tf.RegisterGradient("Doubled")
    def doubled(op, gradient):
        return 2.0 * gradient

    gradients = []
    for override in ({}, {"Softmax": "Doubled"}):
        with tf.Graph().as_default() as graph:
            rgb = placeholder()
            network = vgg16.Vgg16(seeded("vgg16", thin=True))
            with graph.gradient_override_map(override):
                network.build(rgb)
            gradient = tf.gradients(network.prob[:, 7], network.fc8)[0]
            gradients.append(run(gradient, rgb, tiger_and_puzzle))
    assert np.count_nonzero(gradients[0]) == 2000
    np.testing.assert_array_equal(gradients[1], np.eye(1000, dtype=np.float32)[[7, 7]] * 2)


@pytest.mark.parametrize("kind", ["variable", "constant"])
def test_other_inputs_than_placeholders(seeded, tiger_and_puzzle, kind):
    make = tf.Variable if kind == "variable" else tf.constant
    with tf.Graph().as_default(), tf.Session() as session:
        network = vgg16.Vgg16(seeded("vgg16", thin=True))
        network.build(make(np.stack(tiger_and_puzzle)))
        session.run(tf.global_variables_initializer())
        assert_close(session.run(network.prob), golden_arrays("vgg16_thin")["prob"], UPSTREAM)


# Weights with attention, saved and loaded.


def test_save_and_load_with_attention(seeded, pixels, tmp_path, capsys):
    """A fresh block, trained one step, saved: both classes give the same output from the file."""
    path = str(tmp_path / "saved.npy")
    images = [pixels["tiger"]]
    with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
        rgb = placeholder()
        train_mode = tf.placeholder(tf.bool)
        network = vgg19_trainable.Vgg19(seeded("vgg19", thin=True), attention=True)
        with tf.variable_scope("second"):
            network.build(rgb, train_mode)
        assert [key for key in network.var_dict if "cbam" in key[0]] == [
            (layer, index) for layer in weights.ATTENTION_LAYERS for index in (0, 1)
        ]
        block = [network.var_dict[key] for key in network.var_dict if "cbam" in key[0]]
        assert block[0].op.name == "second/cbam/fc_1/kernel"
        cost = tf.reduce_sum(tf.square(network.fc8))
        train = tf.train.GradientDescentOptimizer(1e-9).minimize(cost, var_list=block)
        session.run(tf.global_variables_initializer())
        session.run(train, {rgb: images, train_mode: True})
        feature, prob = session.run([network.attention_feature, network.prob], {rgb: images, train_mode: False})
        assert network.save_npy(session, path) == path
    assert capsys.readouterr().out == f"('file saved', {path!r})\n"

    saved = weights.read(path)
    weights.check(saved, "vgg19", path, thin=True)
    for cls, options in ((vgg19.Vgg19, {}), (vgg19_trainable.Vgg19, {"trainable": False})):
        with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
            rgb = placeholder()
            network = cls(saved, **options)
            network.build(rgb)
            assert not tf.global_variables()
            found = session.run([network.attention_feature, network.prob], {rgb: images})
        assert_close(found[0], feature, 1e-6)
        assert_close(found[1], prob, 1e-6)


def test_other_classes_than_the_files_start_fresh(capsys):
    layer = [np.zeros((4096, 3), np.float32), np.zeros(3, np.float32)]
    for classes, line in ((3, ""), (5, "data_dict: fc8: 3 classes in the file, 5 wanted: it starts fresh\n")):
        with tf.Graph().as_default(), tf.Session() as session:
            network = vgg19_trainable.Vgg19({"fc8": layer}, classes=classes)
            network.build(placeholder())
            assert network.prob.get_shape().as_list() == [None, classes]
            kernel = network.var_dict["fc8", 0]
            session.run(kernel.initializer)
            values = session.run(kernel)
        assert values.any() == (classes == 5) and np.abs(values).max() <= 0.002
        assert capsys.readouterr().out == line


class Small(vgg19_trainable.Vgg19):
    """The trainable network's attention on a small feature map, for what does not need 575 MB."""

    def build(self, feature_map):
        self.attention_feature = self._attend(feature_map, "glorot" if self.attention is True else self.attention)


def test_what_the_file_lacks_of_the_block_starts_fresh():
    block = weights.seeded_attention(16, 3, inner_units_ratio=0.25)
    del block["cbam/fc_1"]
    with tf.Graph().as_default(), tf.Session() as session:
        network = Small(block, attention="open")
        network.build(tf.zeros([1, 7, 7, 16]))
        session.run(tf.global_variables_initializer())
        values = session.run(network.var_dict)
    assert values["cbam/fc_1", 0].shape == (16, 4)  # the file's inner units
    assert values["cbam/fc_1", 0].std() > 0.1
    np.testing.assert_array_equal(values["cbam/fc_2", 0], block["cbam/fc_2"][0])
    np.testing.assert_array_equal(values["cbam/spatial_attention_conv", 1], block["cbam/spatial_attention_conv"][1])


def test_a_second_block_needs_a_scope_of_its_own():
    with tf.Graph().as_default():
        feature_map = tf.zeros([1, 7, 7, 16])
        Small(attention=True).build(feature_map)
        with pytest.raises(ValueError, match=r"in a variable scope of its own: with tf\.variable_scope"):
            Small(attention=True).build(feature_map)
        with tf.variable_scope("second"):
            Small(attention=True).build(feature_map)


def test_trainable_attention_follows_the_file_and_the_argument(seeded):
    def has_block(*arguments, **options):
        with tf.Graph().as_default():
            network = vgg19_trainable.Vgg19(*arguments, **options)
            network.build(placeholder())
            return ("cbam/fc_1", 0) in network.var_dict

    block = weights.seeded_attention(512)
    assert has_block(block)
    assert not has_block(block, attention=False)
    assert not has_block()
    assert has_block(attention="open")
    with pytest.raises(weights.WeightsError, match="without cbam/fc_2"):
        has_block({name: layer for name, layer in block.items() if name != "cbam/fc_2"})
    with pytest.raises(ValueError, match="start: expected one of glorot, open, pass-through, got 'closed'"):
        has_block(attention="closed")


@pytest.mark.parametrize(("trainable", "train_mode", "random"), [
    (True, None, True), (False, None, False), (True, True, True), (True, False, False),
])  # fmt: skip
def test_dropout(trainable, train_mode, random):
    """relu6 after dropout keeps each unit with the probability given, and doubles what it keeps."""
    with tf.Graph().as_default(), tf.Session() as session:
        mode = None if train_mode is None else tf.placeholder(tf.bool)
        network = vgg19_trainable.Vgg19(trainable=trainable)
        relu = network._drop_out(tf.ones([1, 4096]), mode)
        found = session.run(relu, {} if mode is None else {mode: train_mode})
    assert set(np.unique(found)) == ({0.0, 2.0} if random else {1.0})
    assert not random or abs(found.mean() - 1) < 0.1


# What goes wrong.


def test_building_twice(seeded):
    with tf.Graph().as_default():
        network = vgg16.Vgg16(seeded("vgg16", thin=True))
        network.build(placeholder())
        with pytest.raises(RuntimeError, match=r"Vgg16 has no weights: build\(\) releases them .* make another Vgg16"):
            network.build(placeholder())
        network = vgg19_trainable.Vgg19()
        network.build(placeholder())
        with pytest.raises(RuntimeError, match=r"Vgg19\.build has been called already"):
            network.build(placeholder())


@pytest.mark.parametrize("cls", [vgg16.Vgg16, vgg19.Vgg19, vgg19_trainable.Vgg19])
def test_wrong_inputs(seeded, cls):
    def build(rgb):
        cls(seeded("vgg19", thin=True)).build(rgb)

    with tf.Graph().as_default():
        for shape in ([None, 200, 224, 3], [1, 224, 224, 4], [224, 224, 3], [None, None, None, 3], None):
            with pytest.raises(AssertionError, match=r"build: rgb: expected shape \(batch, 224, 224, 3\), got "):
                build(tf.placeholder(tf.float32, shape))
        for rgb, found in (
            (tf.placeholder(tf.uint8, [1, 224, 224, 3]), "uint8"),
            (np.zeros((1, 224, 224, 3)), "float64"),
        ):
            with pytest.raises(TypeError, match=f"build: rgb: expected a float32 tensor .*, got {found}"):
                build(rgb)
        assert {op.type for op in tf.get_default_graph().get_operations()} == {"Placeholder"}
    if tf.executing_eagerly():
        with pytest.raises(RuntimeError, match=r"build builds a graph: .*disable_eager_execution"):
            build(tf.zeros([1, 224, 224, 3]))


def test_wrong_weights(seeded, tmp_path):
    path = str(tmp_path / "vgg19.npy")
    thin = seeded("vgg19", thin=True, attention=True)
    kernel, biases = thin["conv1_1"]

    def fault(message, error=weights.WeightsError, **changes):
        changed = {**thin, **changes}
        weights.write(path, {name: layer for name, layer in changed.items() if layer is not None})
        with tf.Graph().as_default(), pytest.raises(error) as caught:
            vgg19.Vgg19(path).build(placeholder())
        assert str(caught.value) == f"{path}: {message}"

    # TensorFlow takes this one for a grouped convolution, without a word.
    fault("conv1_1 kernel: expected (3, 3, 3, 2), got (3, 3, 1, 2)", conv1_1=[kernel[:, :, :1], biases])
    fault("conv1_1 biases: expected (2,), got (1,)", conv1_1=[kernel, biases[:1]])
    fault("conv1_1 kernel: expected float32, got float64", conv1_1=[kernel.astype(float), biases])
    fault("conv2_2 is missing", conv2_2=None)
    fault("fc7 kernel: expected (4096, 1000), got (64, 1000)", fc7=thin["fc8"])
    fault("fc6: expected 4096 outputs, got (?, 64)".replace("?", unknown()), AssertionError,
          fc6=[thin["fc6"][0][:, :64], thin["fc6"][1][:64]])  # fmt: skip
    fault("cbam/fc_1 kernel: expected (16, 4), got (8, 4)", **weights.seeded_attention(8))
    with tf.Graph().as_default():
        for layer, expected, found in (
            ([kernel[:, :, :1], biases], "kernel: expected (3, 3, 3, 2)", "(3, 3, 1, 2)"),
            ([kernel[:, :, 0], biases], "kernel: expected (3, 3, 3, 2)", "(3, 3, 2)"),
            ([kernel, biases[:1]], "biases: expected (2,)", "(1,)"),
        ):
            with pytest.raises(weights.WeightsError, match=re.escape(f"data_dict: conv1_1 {expected}, got {found}")):
                vgg19_trainable.Vgg19({**thin, "conv1_1": layer}).build(placeholder())
        with pytest.raises(weights.WeightsError, match="conv1_1 is missing; with trainable=False every layer"):
            vgg19_trainable.Vgg19(trainable=False).build(placeholder())
        with pytest.raises(weights.WeightsError, match="fc8: 1000 classes in the file, 3 wanted; give classes=1000"):
            vgg19_trainable.Vgg19(thin, trainable=False, classes=3).build(placeholder())


def unknown():
    """How this TensorFlow prints an unknown size."""
    return str(tf.TensorShape([None, 1]))[1:].split(",")[0]
