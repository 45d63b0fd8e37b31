"""Every recorded activation of upstream, layer by layer."""

import contextlib
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import HERE, UPSTREAM, assert_close, golden_arrays, golden_json
from test_graph import nodes, recorded

import tensorflow_vgg
from tensorflow_vgg import vgg16, vgg19, vgg19_trainable


def run(cls, weight_dict, images, names, **options):
    with tf.Graph().as_default():
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        network = cls(weight_dict, **options)
        network.build(rgb)
        with tf.Session(config=tensorflow_vgg.session_config()) as session:
            return dict(zip(names, session.run([getattr(network, name) for name in names], {rgb: images})))


NETWORKS = [("vgg16", vgg16.Vgg16, False), ("vgg19", vgg19.Vgg19, False), ("vgg19_cbam", vgg19.Vgg19, True)]


@pytest.mark.parametrize(("name", "cls", "attention"), NETWORKS)
def test_thin(seeded, pixels, name, cls, attention):
    golden = golden_arrays(f"{name}_thin")
    images = [pixels["tiger"], pixels["puzzle"]]
    found = run(cls, seeded(name.split("_")[0], thin=True, attention=attention), images, list(golden))
    for layer, expected in golden.items():
        assert_close(found[layer], expected, UPSTREAM, layer)


@pytest.mark.parametrize(("name", "cls", "attention"), NETWORKS)
def test_full(seeded, pixels, collected, name, cls, attention):
    golden = golden_arrays(f"{name}_full")
    images = [pixels[stem] for stem in ("tiger", "puzzle", "cat", "coffee")]
    layers = sorted({key.split(".")[0] for key in golden})
    found = run(cls, seeded(name.split("_")[0], attention=attention), images, layers)
    for layer in layers:
        if layer in golden:
            assert_close(found[layer], golden[layer], UPSTREAM, layer)
            continue
        assert list(found[layer].shape) == golden[f"{layer}.shape"].tolist()
        mean, deviation, least, most = golden[f"{layer}.stats"]
        magnitude = max(abs(least), abs(most))
        values = found[layer].ravel()[golden[f"{layer}.index"]]
        assert np.abs(values - golden[f"{layer}.value"]).max() <= UPSTREAM * magnitude, layer
        stats = [found[layer].mean(dtype=float), found[layer].std(dtype=float), found[layer].min(), found[layer].max()]
        assert np.abs(np.subtract(stats, [mean, deviation, least, most])).max() <= UPSTREAM * magnitude, layer


def test_thin_with_the_default_kernels():
    """The same on the kernels that TensorFlow 2 takes by itself on this CPU."""
    if tf.__version__.startswith("1."):
        pytest.skip("TensorFlow 1 has one set of kernels")
    again = [sys.executable, "-m", "pytest", "-q", "-n0", __file__, "-k", "test_thin and not default"]
    process = subprocess.run(
        again, env=dict(os.environ, TF_ENABLE_ONEDNN_OPTS="1"), stdout=subprocess.PIPE, cwd=os.path.dirname(HERE)
    )
    assert process.returncode == 0 and b"3 passed" in process.stdout, process.stdout.decode()


@contextlib.contextmanager
def reference_variables():
    """The variables that tf.disable_v2_behavior() brings back, for this block only."""
    was_resource = tf.resource_variables_enabled()
    tf.disable_resource_variables()
    yield
    if was_resource:
        tf.enable_resource_variables()


def test_trainable(seeded, pixels, collected):
    """Graph, one step of gradient descent and what it changes, with TensorFlow 1's variables."""
    golden = golden_arrays("vgg19_trainable_full")
    target = np.eye(1000, dtype=np.float32)[[292]]
    with tf.Graph().as_default() as graph, reference_variables():
        images = tf.placeholder(tf.float32, [1, 224, 224, 3], name="images")
        true_out = tf.placeholder(tf.float32, [1, 1000], name="true_out")
        train_mode = tf.placeholder(tf.bool, name="train_mode")
        network = vgg19_trainable.Vgg19(seeded("vgg19"), dropout=1.0)
        network.build(images, train_mode)
        built = nodes(graph)
        cost = tf.reduce_sum((network.prob - true_out) ** 2)
        train = tf.train.GradientDescentOptimizer(0.0001).minimize(cost)
        feed = {images: [pixels["tiger"]], true_out: target, train_mode: False}
        with tf.Session(config=tensorflow_vgg.session_config()) as session:
            session.run(tf.global_variables_initializer())
            before = session.run([network.prob, network.fc8, cost], feed)
            session.run(train, {**feed, train_mode: True})
            after = session.run([network.prob, network.fc8, cost], feed)
    for found, name in zip(before, ("prob_before", "fc8_before", "cost")):
        assert_close(found, golden[name], UPSTREAM, name)
    for found, name in zip(after, ("prob_after", "fc8_after", "cost_after")):
        assert_close(found, golden[name], 1e-4, name)
    assert np.abs(after[1] - before[1]).max() > 1, "the step must show"
    assert built == recorded("vgg19_trainable")


def test_pass_through_changes_no_bit(seeded, pixels):
    """With a file without the block, attention on and off agree exactly: all layers and the image's gradient."""
    golden = golden_json("graphs/vgg19_trainable_variables.tf1.15.5.json")["attributes"]
    results = []
    for attention in (True, False):
        with tf.Graph().as_default():
            rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
            network = vgg19.Vgg19(seeded("vgg19", thin=True), attention=attention)
            network.build(rgb)
            tensors = [getattr(network, name) for name in golden]
            tensors += tf.gradients(network.fc8[:, 3], rgb)
            with tf.Session() as session:
                results.append(session.run(tensors, {rgb: [pixels["tiger"], pixels["cat"]]}))
    for name, on, off in zip([*golden, "gradient"], *results):
        np.testing.assert_array_equal(on, off, err_msg=name)
