"""The graphs node for node, and every name that existing code relies on."""

import os

import pytest
import tensorflow.compat.v1 as tf
from conftest import GOLDEN, golden_json, tensor_attributes

from tensorflow_vgg import vgg16, vgg19, vgg19_trainable, weights
from tensorflow_vgg._compare import graph as graphs

VGG16_LAYERS = [
    "conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2", "conv3_1", "conv3_2", "conv3_3", "pool3",
    "conv4_1", "conv4_2", "conv4_3", "pool4", "conv5_1", "conv5_2", "conv5_3", "pool5",
    "fc6", "relu6", "fc7", "relu7", "fc8", "prob",
]  # fmt: skip
VGG19_LAYERS = [*VGG16_LAYERS, "conv3_4", "conv4_4", "conv5_4"]
RECORDED = f"tf{tf.__version__}"


def nodes(graph):
    """Every node as golden/graphs has it: of a constant's value only dtype and shape."""
    listed = graphs.nodes(graph)
    for node in listed:
        if isinstance(node["attr"].get("value"), dict):
            del node["attr"]["value"]["digest"]
    return listed


def recorded(net):
    name = f"graphs/{net}.{RECORDED}.json"
    if not os.path.exists(os.path.join(GOLDEN, name)):
        pytest.skip(f"no graph was recorded on TensorFlow {tf.__version__}")
    return golden_json(name)


def build_frozen(cls, weight_dict, **options):
    graph = tf.Graph()
    with graph.as_default():
        images = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
        with tf.name_scope("content_vgg"):
            network = cls(weight_dict, **options)
            network.build(images)
    return graph, network


@pytest.mark.parametrize(("net", "cls", "options"), [
    ("vgg16", vgg16.Vgg16, {}),
    ("vgg19", vgg19.Vgg19, {"attention": False}),
])  # fmt: skip
def test_frozen_graph_is_upstreams(seeded, net, cls, options):
    graph, _ = build_frozen(cls, seeded(net, thin=True), **options)
    assert nodes(graph) == recorded(net)


@pytest.mark.parametrize(("net", "cls", "layers", "more"), [
    ("vgg16", vgg16.Vgg16, VGG16_LAYERS, []),
    ("vgg19", vgg19.Vgg19, VGG19_LAYERS, ["attention_feature", "channel_attention", "spatial_attention"]),
])  # fmt: skip
def test_frozen_attributes_and_their_names(seeded, net, cls, layers, more):
    _, network = build_frozen(cls, seeded(net, thin=True))
    assert tensor_attributes(network) == sorted(layers + more)
    assert network.data_dict is None
    names = {name: getattr(network, name).name for name in layers}
    expected = {name: f"content_vgg/{name}/Relu:0" for name in layers if name.startswith("conv")}
    expected.update({name: f"content_vgg/{name}/BiasAdd:0" for name in ("fc6", "fc7", "fc8")})
    expected.update({f"pool{block}": f"content_vgg/pool{block}:0" for block in range(1, 6)})
    expected.update(relu6="content_vgg/Relu:0", relu7="content_vgg/Relu_1:0", prob="content_vgg/prob:0")
    assert names == expected


def test_attention_names_in_vgg19(seeded):
    """The block adds constants and its tensors under the network's scope, and no variable."""
    graph, network = build_frozen(vgg19.Vgg19, seeded("vgg19", thin=True))
    assert not graph.get_collection(tf.GraphKeys.GLOBAL_VARIABLES)
    assert network.attention_feature.name == "content_vgg/cbam/Mul_1:0"
    recorded_names = {node["name"] for node in golden_json("graphs/vgg19_cbam.tf1.15.5.json")}
    names = [
        "cbam/AvgPool", "cbam/MaxPool", "cbam/fc_1/kernel", "cbam/fc_1/bias", "cbam/fc_1/BiasAdd", "cbam/fc_1/Relu",
        "cbam/fc_2/kernel", "cbam/fc_2/bias", "cbam/fc_2/BiasAdd", "cbam/fc_2/Sigmoid", "cbam/channel_attention_sum",
        "cbam/Mul", "cbam/Mean", "cbam/Max", "cbam/spatial_attention_conv/weights",
        "cbam/spatial_attention_conv/biases", "cbam/spatial_attention_conv/Conv2D",
        "cbam/spatial_attention_conv/BiasAdd", "cbam/spatial_attention_conv/Sigmoid", "cbam/Mul_1",
    ]  # fmt: skip
    assert set(names) <= recorded_names
    for name in names:
        graph.get_operation_by_name(f"content_vgg/{name}")


def test_trainable_graph_without_a_file_is_named_as_upstreams():
    """Upstream's names from random weights; the graph with a file is compared in test_activations."""
    graph = tf.Graph()
    with graph.as_default():
        network = vgg19_trainable.Vgg19()
        network.build(tf.placeholder(tf.float32, [1, 224, 224, 3]))
        upstream = golden_json("graphs/vgg19_trainable_variables.tf1.15.5.json")
        variables = [
            {"key": list(key), "name": variable.name, "shape": variable.get_shape().as_list()}
            for key, variable in network.var_dict.items()
        ]
        assert variables == upstream["variables"]
        assert [variable.name for variable in tf.global_variables()] == [item["name"] for item in variables]
        assert tensor_attributes(network) == upstream["attributes"]
        assert network.get_var_count() == upstream["var_count"] == 143667240


def test_parameter_counts():
    """The published sizes of both networks (torchvision's docs: 138357544 and 143667240)."""
    sizes = {}
    for net, shapes in weights.KERNEL_SHAPES.items():
        sizes[net] = sum(int(tf.TensorShape(shape).num_elements()) + shape[-1] for shape in shapes.values())
    assert sizes == {"vgg16": 138357544, "vgg19": 143667240}
