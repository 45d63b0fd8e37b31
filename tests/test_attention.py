"""The attention block alone: upstream's recordings, NumPy by hand, names, starts and errors."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import UPSTREAM, assert_close, golden_arrays, golden_json

from attention import combined_static_and_dynamic_shape, convolutional_block_attention_module
from tensorflow_vgg import weights

VARIABLES = [
    ("cbam/fc_1", "kernel"), ("cbam/fc_1", "bias"), ("cbam/fc_2", "kernel"), ("cbam/fc_2", "bias"),
    ("cbam/spatial_attention_conv", "weights"), ("cbam/spatial_attention_conv", "biases"),
]  # fmt: skip

# The recorded gradients are themselves 3e-5 from those in float64.
GRADIENT = 1e-4


def values(layers):
    """The feed for the block's variables from a weight dict."""
    return {f"{layer}/{name}:0": layers[layer][name.startswith("bias")] for layer, name in VARIABLES}


def assign(session, layers):
    for name, value in values(layers).items():
        variable = next(v for v in tf.global_variables() if v.name == name)
        variable.load(value, session)


@pytest.mark.parametrize("shape", ["static", "dynamic", "all_unknown"])
@pytest.mark.parametrize("case", range(4))
def test_upstreams_figures(case, shape):
    """Forward and gradients of four shapes, with batch known, unknown, and height and width unknown too."""
    golden = golden_arrays("cbam")
    prefix = f"case{case}_{'static' if shape == 'static' else 'dynamic'}."
    feature_map = golden[f"case{case}_static.input"]
    batch, height, width, channels = feature_map.shape
    static = {
        "static": [batch, height, width, channels],
        "dynamic": [None, height, width, channels],
        "all_unknown": [None, None, None, channels],
    }[shape]
    ratio = float(golden[prefix + "ratio"])
    with tf.Graph().as_default() as graph:
        tensor = tf.placeholder(tf.float32, static)
        output = convolutional_block_attention_module(tensor, 0, inner_units_ratio=ratio)
        assert output.get_shape().as_list() == static
        variables = {v.name: v for v in tf.global_variables()}
        kernels = [variables[f"cbam/{name}:0"] for name in ("fc_1/kernel", "fc_2/kernel")]
        kernels.append(variables["cbam/spatial_attention_conv/weights:0"])
        gradients = tf.gradients(tf.reduce_sum(tf.square(output)), [tensor, *kernels])
        names = {
            "channel_attention": "cbam/channel_attention_sum:0",
            "after_channel": "cbam/Mul:0",
            "spatial_attention": "cbam/spatial_attention_conv/Sigmoid:0",
            "output": "cbam/Mul_1:0",
        }
        assert output is graph.get_tensor_by_name("cbam/Mul_1:0")
        with tf.Session() as session:
            assign(session, weights.seeded_attention(channels, 19 + case, ratio))
            fetches = (names, gradients, ["cbam/AvgPool:0", "cbam/MaxPool:0"])
            found, gradients, (average, maximum) = session.run(fetches, {tensor: feature_map})
    for name in names:
        assert_close(found[name], golden[prefix + name], UPSTREAM, name)
    for gradient, name in zip(gradients, ("d_input", "d_fc_1", "d_fc_2", "d_spatial")):
        assert_close(gradient, golden[prefix + name], GRADIENT, name)
    assert_close(average, feature_map.mean((1, 2), keepdims=True), UPSTREAM)
    np.testing.assert_array_equal(maximum, feature_map.max((1, 2), keepdims=True))


def by_hand(feature_map, layers):
    """The block in NumPy, float64, from its description."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    (k1, b1), (k2, b2), (k, b) = (layers[name] for name in weights.ATTENTION_LAYERS)
    pooled = np.stack([feature_map.mean((1, 2)), feature_map.max((1, 2))], axis=1)
    channel = sigmoid(np.maximum(pooled @ k1 + b1, 0) @ k2 + b2).sum(1)
    feature_map = feature_map * channel[:, None, None, :]
    places = np.stack([feature_map.mean(3), feature_map.max(3)], axis=3)
    padded = np.pad(places, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="constant")
    _, height, width, _ = places.shape
    spatial = sum(
        (padded[:, y : y + height, x : x + width] @ k[y, x])[..., 0] for y in range(3) for x in range(3)
    )  # fmt: skip
    return feature_map * sigmoid(spatial + b)[..., None]


def test_numpy_by_hand_in_float64():
    layers = {name: [a.astype(np.float64) for a in layer] for name, layer in weights.seeded_attention(6, 3).items()}
    feature_map = np.random.RandomState(4).standard_normal((2, 5, 4, 6))
    with tf.Graph().as_default(), tf.Session() as session:
        output = convolutional_block_attention_module(tf.constant(feature_map), 0)
        assign(session, layers)
        np.testing.assert_allclose(session.run(output), by_hand(feature_map, layers), rtol=1e-12)


def test_variables_their_order_collections_and_start():
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.set_random_seed(1)
        convolutional_block_attention_module(tf.zeros([1, 7, 7, 512]), index=0)
        session.run(tf.global_variables_initializer())
        recorded = golden_json("graphs/cbam_variables.tf1.15.5.json")
        assert [v.name for v in tf.global_variables()] == [item["name"] for item in recorded]
        for variable, item in zip(tf.global_variables(), recorded):
            holds = [key for key in graph.collections if any(v is variable for v in graph.get_collection_ref(key))]
            assert sorted(holds) == item["collections"]
            assert (variable.get_shape().as_list(), variable.dtype.base_dtype.name) == (item["shape"], item["dtype"])
            value = session.run(variable)
            limit = 0
            if value.ndim > 1:  # Glorot and Bengio 2010: sqrt(6 / (fan_in + fan_out))
                limit = np.sqrt(6 / (np.prod(value.shape[:-2]) * sum(value.shape[-2:])))
            assert max(np.abs(value).max(), item["max"]) <= limit
            if value.size > 1000:
                assert abs(value.std() - item["std"]) < 0.02 * item["std"]


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64])
def test_pass_through_start_is_exact(dtype):
    feature_map = np.random.RandomState(2).standard_normal((2, 3, 4, 8)).astype(dtype.as_numpy_dtype)
    with tf.Graph().as_default(), tf.Session() as session:
        tensor = tf.constant(feature_map)
        output = convolutional_block_attention_module(tensor, 0, start="pass-through")
        gradient = tf.gradients(output, tensor)[0]
        session.run(tf.global_variables_initializer())
        output, gradient = session.run([output, gradient])
    np.testing.assert_array_equal(output, feature_map)
    np.testing.assert_array_equal(gradient, np.ones_like(feature_map))


def test_open_start_is_close_to_open_and_trains():
    feature_map = np.random.RandomState(2).standard_normal((2, 3, 4, 8)).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        tensor = tf.constant(feature_map)
        output = convolutional_block_attention_module(tensor, 0, start="open")
        step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.square(output)))
        session.run(tf.global_variables_initializer())
        before = session.run([output, *tf.global_variables()])
        np.testing.assert_allclose(before[0], feature_map / (1 + np.exp(-4.0)), rtol=1e-6)
        session.run([step])
        session.run([step])
        after = session.run([output, *tf.global_variables()])
    for variable, old, new in zip(VARIABLES, before[1:], after[1:]):
        assert np.abs(new - old).max() > 0, variable


def test_scopes_and_reuse():
    with tf.Graph().as_default():
        tensor = tf.zeros([1, 4, 4, 6])
        with tf.variable_scope("outer", initializer=tf.ones_initializer()):
            convolutional_block_attention_module(tensor, 0)
        assert [v.op.name for v in tf.global_variables()] == [f"outer/{layer}/{name}" for layer, name in VARIABLES]
        with tf.variable_scope("outer", reuse=True):
            convolutional_block_attention_module(tensor, 0)
        assert len(tf.global_variables()) == 6
        with tf.variable_scope("outer"), pytest.raises(ValueError, match=r"outer/cbam/fc_1/kernel already exists"):
            convolutional_block_attention_module(tensor, 0)
        convolutional_block_attention_module(tensor, 0, scope="block4")
        assert tf.global_variables()[6].op.name == "block4/fc_1/kernel"
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            # As with tf.layers.dense, the scope's initialiser is the dense kernels'.
            assert session.run(tf.global_variables()[0]).min() == 1


def test_combined_shape():
    with tf.Graph().as_default(), tf.Session() as session:
        assert combined_static_and_dynamic_shape(tf.zeros([2, 3])) == [2, 3]
        tensor = tf.placeholder(tf.float32, [None, 5, None])
        batch, height, width = combined_static_and_dynamic_shape(tensor)
        assert height == 5
        assert session.run([batch, width], {tensor: np.zeros((3, 5, 7))}) == [3, 7]


@pytest.mark.parametrize(("shape", "options", "message"), [
    ([2, 3, 4], {}, r"expected \[batch, height, width, channels\], got shape \(2, 3, 4\)"),
    (None, {}, "expected .*, got shape <unknown>"),
    ([1, 7, 7, None], {}, "number of channels must be known"),
    ([1, 7, 7, 8], {"inner_units_ratio": 0.1}, "0.1 of 8 channels leaves no unit"),
    ([1, 7, 7, 8], {"start": "closed"}, "start: expected one of glorot, open, pass-through, got 'closed'"),
])  # fmt: skip
def test_errors(shape, options, message):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        convolutional_block_attention_module(tf.placeholder(tf.float32, shape), 0, **options)


def test_integers_and_eager_mode_are_refused():
    with tf.Graph().as_default(), pytest.raises(ValueError, match="expected a float tensor, got int32"):
        convolutional_block_attention_module(tf.placeholder(tf.int32, [1, 7, 7, 8]), 0)
    if tf.executing_eagerly():
        with pytest.raises(RuntimeError, match=r"tf\.Graph\(\)\.as_default\(\)"):
            convolutional_block_attention_module(tf.zeros([1, 7, 7, 8]), 0)
