"""Networks without the fully connected layers, against Keras's own, and what the attention block weighs."""

import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import UPSTREAM, assert_close, tensor_attributes
from test_graph import VGG16_LAYERS, VGG19_LAYERS, nodes, recorded

from tensorflow_vgg import session_config, vgg16, vgg19, vgg19_trainable, weights

CLASSES = {"vgg16": vgg16.Vgg16, "vgg19": vgg19.Vgg19}
SIZES = [(96, 96), (224, 224), (301, 517)]

# Against Keras's, of the largest magnitude: sums in another order may choose another of two nearly equal maxima.
GRADIENT = 1e-4


def convolutions(net):
    """Full weights by the recipe of `weights.seeded`, without the 490 MB of the top."""
    random = np.random.RandomState(19)
    layers = {}
    for name, shape in weights.KERNEL_SHAPES[net].items():
        if name.startswith("conv"):
            kernel = random.standard_normal(shape) * np.sqrt(2.0 / np.prod(shape[:-1]))
            layers[name] = [kernel.astype(np.float32), (random.standard_normal(shape[-1]) * 0.1).astype(np.float32)]
    return layers


def keras_model(net, layers, padding):
    """Keras's own network, which gives every layer. It pools with padding "valid", upstream with "same"."""
    import tensorflow

    keras = tensorflow.keras
    application = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[net]
    config = application(include_top=False, weights=None, input_shape=(None, None, 3)).get_config()
    for layer in config["layers"]:
        if "pool" in layer["config"]["name"]:
            layer["config"]["padding"] = padding
    vgg = keras.Model.from_config(config)
    for layer in vgg.layers:
        if layer.weights:
            layer.set_weights(layers["conv{}_{}".format(*re.findall(r"\d", layer.name))])
    return keras.Model(vgg.input, [layer.output for layer in vgg.layers[1:]])


def keras_says(net, layers, image, padding):
    """What Keras's network and its preprocessing give: all layers, and the gradient of the sum of pool5's squares."""
    import tensorflow

    prepare = getattr(tensorflow.keras.applications, net).preprocess_input

    def computed():
        model = keras_model(net, layers, padding)
        with tensorflow.GradientTape() as tape:
            prepared = tensorflow.constant(prepare(image * np.float32(255), data_format="channels_last"))
            tape.watch(prepared)
            outputs = model(prepared)
            loss = tensorflow.reduce_sum(outputs[-1] ** 2)
        return outputs, tape.gradient(loss, prepared)

    if tf.executing_eagerly():
        outputs, gradient = computed()
    else:
        with tf.Graph().as_default(), tf.Session() as session:
            tensorflow.keras.backend.set_session(session)
            outputs, gradient = session.run(computed())
    return list(map(np.asarray, outputs)), np.asarray(gradient)[..., ::-1] * 255  # from BGR in [0, 255]


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_every_layer_and_the_images_gradient_are_kerass(net):
    """From a placeholder whose sizes are not known. Sizes that five poolings halve evenly need no padding."""
    layers = convolutions(net)
    images = [np.random.RandomState(3).rand(1, *size, 3).astype(np.float32) for size in SIZES]
    with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
        rgb = tf.placeholder(tf.float32, [None, None, None, 3])
        network = CLASSES[net](layers, include_top=False)
        network.build(rgb)
        names = sorted(
            (name for name in tensor_attributes(network) if name[:4] in ("conv", "pool")),
            key=lambda name: (re.findall(r"\d", name)[0], name),
        )
        tensors = [getattr(network, name) for name in names]
        tensors.append(tf.gradients(tf.reduce_sum(network.pool5**2), rgb)[0])
        found = [session.run(tensors, {rgb: image}) for image in images]
    for size, image, values in zip(SIZES, images, found):
        padding = "valid" if size[0] % 32 == size[1] % 32 == 0 else "same"
        outputs, gradient = keras_says(net, layers, image, padding)
        assert len(outputs) == len(names)
        for name, value, output in zip(names, values, outputs):
            assert_close(value, output, UPSTREAM, f"{net} {name} {size}")
        assert_close(values[-1], gradient, GRADIENT, f"{net} gradient {size}")


def placeholder(height=None, width=None, channels=3):
    return tf.placeholder(tf.float32, [None, height, width, channels], name="images")


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_the_graph_is_upstreams_up_to_pool5(net):
    thin = weights.seeded(net, 19, thin=True)
    with tf.Graph().as_default() as graph:
        rgb = placeholder(224, 224)
        with tf.name_scope("content_vgg"):
            network = CLASSES[net](thin, include_top=False, **({"attention": False} if net == "vgg19" else {}))
            network.build(rgb)
    of_top = re.compile(r"content_vgg/(fc\d|Relu|prob)")
    assert nodes(graph) == [node for node in recorded(net) if not of_top.match(node["name"])]
    layers = VGG16_LAYERS if net == "vgg16" else VGG19_LAYERS
    assert tensor_attributes(network) == sorted(name for name in layers if name[:4] in ("conv", "pool"))


def test_fully_connected_weights_are_neither_needed_nor_kept(home, seeded):
    whole = seeded("vgg19", thin=True, attention=True)
    bare = {name: layer for name, layer in whole.items() if not name.startswith("fc")}
    weights.write("whole.npy", whole)
    weights.write("bare.npy", bare)
    results = []
    for source in (whole, bare, "whole.npy", "bare.npy"):
        for cls in (vgg19.Vgg19, vgg19_trainable.Vgg19):
            for mapped in (False, True) if isinstance(source, str) else (False,):
                with tf.Graph().as_default() as graph, tf.Session() as session:
                    network = cls(source, mapped=mapped, include_top=False)
                    if isinstance(source, str):
                        assert network.data_dict.keys() == bare.keys()
                    network.build(tf.ones([1, 50, 70, 3]) / 2)
                    assert not [op for op in graph.get_operations() if "fc6" in op.name or "prob" in op.name]
                    session.run(tf.global_variables_initializer())
                    results.append(session.run(network.attention_feature))
    assert len(results) == 12 and results[0].shape == (1, 2, 3, 16)
    for found in results[1:]:
        assert_close(found, results[0], 1e-6)


def test_a_subclass_says_so_on_the_class_and_saves_what_it_has(home, seeded):
    class Features(vgg19_trainable.Vgg19):
        include_top = False

    class Frozen(vgg19.Vgg19):
        include_top = False

        def __init__(self, data_dict):
            self.data_dict = data_dict

    with tf.Graph().as_default(), tf.Session() as session:
        rgb = placeholder()
        network = Features(seeded("vgg19", thin=True), attention="open")
        network.build(rgb)
        session.run(tf.global_variables_initializer())
        expected = session.run(network.attention_feature, {rgb: np.full((2, 33, 64, 3), 0.5)})
        saved = weights.read(network.save_npy(session, "saved.npy"))
    assert not [name for name in saved if name.startswith("fc")]
    with tf.Graph().as_default(), tf.Session() as session:
        network = Frozen(saved)
        network.build(tf.fill([2, 33, 64, 3], 0.5))
        assert_close(session.run(network.attention_feature), expected, 1e-6)


@pytest.mark.parametrize("cls", [vgg16.Vgg16, vgg19.Vgg19, vgg19_trainable.Vgg19])
def test_wrong_sizes(seeded, cls):
    def build(shape):
        with tf.Graph().as_default():
            cls(seeded("vgg19", thin=True), include_top=False).build(tf.placeholder(tf.float32, shape))

    for shape in ([None, 31, 96, 3], [1, None, 31, 3], [1, 96, 96, 4], [1, 96, 96, None], [96, 96, 3], None):
        with pytest.raises(
            AssertionError, match=r"expected shape \(batch, height, width, 3\) of 32x32 or larger, got "
        ):
            build(shape)
    for shape in ([None, 32, 32, 3], [1, 33, None, 3], [None, None, None, 3]):
        build(shape)


def test_what_the_block_weighs_of_two_networks_in_one_graph(seeded):
    """Nested scopes, one block in a scope that is open for the second time: each network has its own tensors."""
    thin = seeded("vgg19", thin=True)
    networks = []
    with tf.Graph().as_default(), tf.Session() as session:
        rgb = placeholder()
        for seed, scope in enumerate(("content", "content", "style")):
            with tf.variable_scope(scope), tf.name_scope("inner"):
                networks.append(vgg19.Vgg19({**thin, **weights.seeded_attention(16, seed)}, include_top=False))
                networks[-1].build(rgb)
        with tf.variable_scope("trained"):
            options = {"trainable": False, "include_top": False}
            networks.append(vgg19_trainable.Vgg19({**thin, **weights.seeded_attention(16, 9)}, **options))
            networks[-1].build(rgb)
        assert networks[2].spatial_attention.name == "style/inner/cbam/spatial_attention_conv/Sigmoid:0"
        assert networks[2].channel_attention.name == "style/inner/cbam/channel_attention_sum:0"
        assert networks[0].spatial_attention.get_shape().as_list()[3] == 1
        tensors = [
            [network.pool5, network.channel_attention, network.spatial_attention, network.attention_feature]
            for network in networks
        ]
        found = session.run(tensors, {rgb: np.random.RandomState(0).rand(2, 100, 150, 3)})
    for pool5, channels, places, attended in found:
        assert channels.shape == (2, 16) and places.shape == (2, 4, 5, 1)
        assert_close(pool5 * channels[:, None, None, :] * places, attended, 1e-6)
    assert len({places.tobytes() for _, _, places, _ in found}) == 4


def test_without_the_block_there_is_nothing_it_weighs(seeded):
    with tf.Graph().as_default():
        network = vgg19.Vgg19(seeded("vgg19", thin=True), attention=False)
        network.build(placeholder(224, 224))
        assert not hasattr(network, "spatial_attention") and not hasattr(network, "channel_attention")
