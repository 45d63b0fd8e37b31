"""What the network looks at: Grad-CAM against Keras's, the numbers of the pictures, and the verb."""

import io
import json
import os
import re
import sys

import numpy as np
import pytest
import skimage.io
import tensorflow.compat.v1 as tf
from conftest import TEST_DATA, assert_close

import tensorflow_vgg
from tensorflow_vgg import session_config, vgg16, vgg19, vgg19_trainable, weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._explain import explainer, report
from tensorflow_vgg._pictures import attention, figure

CLASSES = [7, 292]
PHOTOS = ["tiger", "cat"]
GREY = np.array([0.299, 0.587, 0.114])


def keras_model(net, layers):
    """Keras's network in the widths of the weights, without the softmax: (last convolution, fc8) of an image."""
    import tensorflow

    keras = tensorflow.keras
    application = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[net]
    tops = {"fc1": "fc6", "fc2": "fc7", "predictions": "fc8"}
    named = {}
    config = application(weights=None, input_shape=(32, 32, 3)).get_config()  # with 4096x512 weights, not 4096x25088
    for layer in config["layers"]:
        layer.pop("build_config", None)
        for key in {"batch_shape", "batch_input_shape"} & set(layer["config"]):
            layer["config"][key] = (None, 224, 224, 3)
        name = layer["config"]["name"]
        if "conv" in name or name in tops:
            named[name] = tops.get(name) or "conv{}_{}".format(*re.findall(r"\d", name))
            layer["config"]["units" if name in tops else "filters"] = len(layers[named[name]][1])
        if name == "predictions":
            layer["config"]["activation"] = "linear"
    vgg = keras.Model.from_config(config)
    for layer in vgg.layers:
        if layer.name in named:
            layer.set_weights(layers[named[layer.name]])
    last = vgg.get_layer("block5_conv3" if net == "vgg16" else "block5_conv4")
    return keras.Model(vgg.input, [last.output, vgg.output])


def keras_cams(net, layers, images, classes):
    """Grad-CAM of each image and class by Keras's network and preprocessing, tf.GradientTape and NumPy."""
    import tensorflow

    prepare = getattr(tensorflow.keras.applications, net).preprocess_input

    def computed():
        model = keras_model(net, layers)
        prepared = tensorflow.constant(prepare(np.stack(images) * np.float32(255), data_format="channels_last"))
        with tensorflow.GradientTape(persistent=True) as tape:
            features, logits = model(prepared)
            scores = [tensorflow.reduce_sum(logits[:, number]) for number in classes]
        return [features] + [tape.gradient(score, features) for score in scores]

    if tf.executing_eagerly():
        features, *gradients = map(np.asarray, computed())
    else:
        with tf.Graph().as_default(), tf.Session() as session:
            tensorflow.keras.backend.set_session(session)
            features, *gradients = session.run(computed())
    weighed = [features * gradient.mean(axis=(1, 2), keepdims=True) for gradient in gradients]
    return [np.maximum(channels.sum(axis=3), 0) for channels in weighed]


@pytest.mark.parametrize("net", ["vgg16", "vgg19"])
def test_grad_cam_is_kerass(seeded, pixels, net):
    layers = seeded(net, thin=True)
    images = [pixels[name] for name in PHOTOS]
    found = {}
    networks = [vgg16.Vgg16(layers)] if net == "vgg16" else [vgg19.Vgg19(layers)]
    networks += [vgg19_trainable.Vgg19(layers)] if net == "vgg19" else []
    with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        for network in networks:
            trainable = isinstance(network, vgg19_trainable.Vgg19)
            network.build(rgb, *([tf.constant(False)] if trainable else []))
            last = "conv5_3" if net == "vgg16" else "conv5_4"
            cams = {number: tensorflow_vgg.explain.grad_cam(network, last, number) for number in CLASSES}
            mixed = tensorflow_vgg.explain.grad_cam(network, getattr(network, last), CLASSES)
            session.run(tf.global_variables_initializer())
            assert mixed.get_shape().as_list() == [None, 14, 14]
            found[trainable], in_one = session.run([cams, mixed], {rgb: images})
            for number, of_class in enumerate(CLASSES):
                assert_close(in_one[number], found[trainable][of_class][number], 1e-6)
    expected = keras_cams(net, layers, images, CLASSES)
    for maps in found.values():
        for number, of_class in enumerate(CLASSES):
            assert expected[number].max(axis=(1, 2)).min() > 0
            assert_close(maps[of_class], expected[number], 1e-4)
    for number, of_class in enumerate(CLASSES):
        explained = explainer.explainer(net, layers, chosen=of_class)(np.stack(images))
        assert_close(np.stack([one.cams[0] for one in explained]), expected[number], 1e-4)


def test_what_grad_cam_refuses(seeded):
    layers = seeded("vgg19", thin=True)
    with tf.Graph().as_default():
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        network = vgg19.Vgg19(layers)
        with pytest.raises(ValueError, match="Vgg19 has no fc8: expected a network that is built, with include_top"):
            tensorflow_vgg.explain.grad_cam(network, "conv5_4", 0)
        network.build(rgb)
        for layer, message in (
            ("conv6_1", "conv6_1: Vgg19 has no such layer"),
            ("fc7", r"expected a layer \[batch, height, width, channels\]"),
            (tf.zeros([1, 7, 7, 16]), "fc8 does not depend on it"),
        ):
            with pytest.raises(ValueError, match=message):
                tensorflow_vgg.explain.grad_cam(network, layer, 0)
        assert tensorflow_vgg.explain.grad_cam(network, network.pool5, tf.constant([0])).shape[1:] == (7, 7)


def acting(seeded):
    """Thin weights whose block tells places apart, without saturation."""
    layers = seeded("vgg19", thin=True, attention=True)
    kernel, biases = layers["cbam/spatial_attention_conv"]
    return {**layers, "cbam/spatial_attention_conv": [kernel * np.float32(0.01), biases]}


def drawn_axes(drawn, title):
    (axes,) = [axes for axes in drawn.axes if axes.get_title().startswith(title)]
    return axes


def test_the_map_is_the_networks_and_the_bars_ends_are_its_numbers(seeded, pixels):
    layers = acting(seeded)
    with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        network = vgg19.Vgg19(layers)
        network.build(rgb)
        tensors = [network.spatial_attention, network.channel_attention, network.prob]
        spatial, channels, prob = session.run(tensors, {rgb: [pixels["cat"]]})
    (found,) = explainer.explainer("vgg19", layers, top=2)(pixels["cat"][None])
    assert found.classes == np.argsort(prob[0])[::-1][:2].tolist() and len(found.cams) == 2
    with figure.drawing(io.BytesIO(), 9, 5) as drawn:
        attention.draw(drawn, "a $x$", found.pixels, [("Grad-CAM", found.cams[0])], found.spatial, found.channels)
        drawn.canvas.draw()
        photo, laid = drawn_axes(drawn, "spatial attention").images
    np.testing.assert_array_equal(laid.get_array(), spatial[0, :, :, 0])
    assert laid.get_clim() == (spatial.min(), spatial.max())
    assert np.asarray(photo.get_array()).shape == (224, 224)
    labels = [text.get_text() for text in laid.colorbar.ax.get_xticklabels()]
    assert (labels[0], labels[-1]) == (f"{spatial.min():.3f}", f"{spatial.max():.3f}")
    bars = drawn_axes(drawn, "of 16 channels")
    order = [int(text.get_text()) for text in bars.get_xticklabels()]
    assert order == np.argsort(channels[0], kind="stable").tolist()
    np.testing.assert_allclose([bar.get_height() for bar in bars.patches], channels[0][order] - 1, atol=1e-6)


def one_channel():
    """Weights by hand: every convolution hands the image's blue on in channel 0, and the block opens where it is."""
    layers = weights.seeded("vgg19", 0, thin=True)
    for name, (kernel, biases) in layers.items():
        if name.startswith("conv"):
            kernel, biases = np.zeros_like(kernel), np.zeros_like(biases)
            kernel[1, 1, 0, 0] = 1  # of BGR blue is the first
            layers[name] = [kernel, biases]
    block = weights.pass_through(16)
    block["cbam/spatial_attention_conv"][0][1, 1, 1, 0] = 0.1  # of the maximum over channels, 151 where it is blue
    block["cbam/spatial_attention_conv"][1][:] = -6
    return {**layers, **block}


def test_a_block_that_opens_a_quadrant_shows_that_quadrant():
    """The photo is blue there and red elsewhere, equally bright, so that the picture's brightness is the block's."""
    photo = np.zeros([224, 224, 3], np.float32)
    photo[..., 0] = 0.114 / 0.299
    photo[:96, 128:] = 0, 0, 1
    (found,) = explainer.explainer("vgg19", one_channel())(photo[None])
    assert found.spatial[:3, 4:].min() > 0.99 and found.spatial[3:].max() < 0.01 and found.spatial[:, :4].max() < 0.01
    file = io.BytesIO()
    with figure.drawing(file, 9, 5) as drawn:
        attention.draw(drawn, "quadrant", photo, [("Grad-CAM", found.cams[0])], found.spatial, found.channels)
        drawn.canvas.draw()
        box = drawn_axes(drawn, "spatial attention").get_window_extent()
        dots = 120 / drawn.dpi
    file.seek(0)
    picture = skimage.io.imread(file)[..., :3] / 255 @ GREY
    left, right, top = box.x0 * dots, box.x1 * dots, len(picture) - box.y1 * dots
    panel = picture[int(top) + 2 : int(top + (right - left)) - 2, int(left) + 2 : int(right) - 2]
    size = len(panel)
    quadrant = panel[: int(0.36 * size), int(0.64 * size) :]
    elsewhere = [panel[int(0.57 * size) :], panel[:, : int(0.43 * size)]]
    assert quadrant.min() > 0.5
    assert all(part.max() < 0.1 for part in elsewhere)


def test_where_there_is_nothing_to_see_it_says_so():
    open_places, channels = np.ones([7, 7]), np.ones(16)
    assert "until it is trained" in attention.nothing_to_see(open_places, channels)
    flat = np.linspace(0.962, 0.976, 49).reshape(7, 7)
    note = attention.nothing_to_see(flat, channels)
    assert note == "the spatial attention is nearly flat, 0.962 to 0.976: it hardly tells places apart"
    assert attention.nothing_to_see(np.linspace(0.4, 0.976, 49).reshape(7, 7), channels) is None
    with figure.drawing(io.BytesIO(), 9, 5) as drawn:
        attention.draw(drawn, "flat", np.zeros([224, 224, 3]), [], flat, channels)
    assert drawn_axes(drawn, "spatial attention").images[1].get_clim() == (0, 1)  # not stretched to full focus
    assert drawn.axes[-1].get_xlabel() == note or note in [axes.get_xlabel() for axes in drawn.axes]


def test_a_class_by_label_word_id_or_number():
    labels = ["n02129604 tiger, Panthera tigris", "n02012849 crane", "n03126707 crane", "7", "other"]
    for text, number in (("tiger", 0), ("Panthera Tigris", 0), ("n02012849", 1), ("7", 3), ("2", 2), ("OTHER", 4)):
        assert report.class_of(text, labels) == number
    with pytest.raises(ValueError, match=r"crane: several classes .* 1 n02012849 crane; 2 n03126707 crane"):
        report.class_of("crane", labels)
    with pytest.raises(ValueError, match=r"tigr: expected a label or a number below 5; did you mean tiger"):
        report.class_of("tigr", labels)


def test_explain_draws_each_image_and_tells_its_numbers(home, seeded, capsys):
    weights.write("thin.npy", acting(seeded))
    images = [os.path.join(TEST_DATA, f"{name}.jpeg") for name in PHOTOS]
    (home / "broken.png").write_text("no image")
    assert main(["explain", *images, "broken.png", "--weights", "thin.npy", "--class", "tiger", "--json"]) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in told] == images
    for one in told:
        assert one["picture"] == os.path.join("explained", os.path.basename(one["file"]).replace("jpeg", "png"))
        assert skimage.io.imread(one["picture"]).shape[1] > 1000
        assert [of_class["class"] for of_class in one["classes"]] == [292]
        assert 0 < one["spatial_attention"]["least"] < one["spatial_attention"]["most"] < 1
        assert len(one["raised"]) == len(one["lowered"]) == 8 and one["raised"][0][1] >= one["raised"][-1][1]
    sheet = (home / "explained" / "index.html").read_text()
    assert sheet.count("<section>") == 2 and sheet.count("data:image/jpeg") == 6 and sheet.count(".png") == 6
    # What explain has drawn is replaced, and nothing else.
    assert main(["explain", *images, "--weights", "thin.npy", "--class", "tiger"]) == 0
    assert (home / "explained" / "index.html").read_text() == sheet
    (home / "explained" / "tiger.png").write_text("<p>My notes on tensorflow-vgg</p>")
    assert main(["explain", images[0], "--weights", "thin.npy"]) == 2
    assert "tiger.png: exists already" in capsys.readouterr().err
    assert main(["explain", images[0], "--weights", "thin.npy", "-o", "again", "--class", "tigr"]) == 2
    told, _, near = capsys.readouterr().err.partition("; did you mean ")
    assert "--class tigr: expected a label or a number below 1000" in told
    assert near.startswith("tiger or ") and len(set(near.rstrip("?\n").split(" or "))) == 3


@pytest.mark.parametrize("options", [["--net", "vgg16"], ["--no-attention", "--top", "3"], []])
def test_explain_without_a_trained_block(home, options, capsys):
    image = os.path.join(TEST_DATA, "cat.jpeg")
    assert main(["explain", image, image, "--weights", "seeded:19:thin", *options]) == 0
    output = capsys.readouterr()
    assert os.path.exists("explained/cat.png") and output.out.startswith(os.path.join("explained", "cat.png: "))
    assert output.err.count("nothing to see until it is trained") == (not options)  # once, though there are two


def test_without_matplotlib_it_says_so_before_any_work(home, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["explain", os.path.join(TEST_DATA, "cat.jpeg"), "--weights", "seeded:19:thin"]) == 2
    assert "explain needs matplotlib: pip install '.[plot]'" in capsys.readouterr().err
    assert not os.path.exists("explained")
