"""The network that is trained, its loss and its optimiser, and the weights it starts from."""

import collections

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import utils, vgg19_trainable, weights

__all__ = ["TRAINED", "Graph", "Network", "build", "start"]

TRAINED = {
    "head": {"fc8", *weights.ATTENTION_LAYERS},
    "fc": {"fc6", "fc7", "fc8", *weights.ATTENTION_LAYERS},
    "all": {*weights.KERNEL_SHAPES["vgg19"], *weights.ATTENTION_LAYERS},
}
_OPTIMIZERS = {
    "adam": tf.train.AdamOptimizer,
    "momentum": lambda rate: tf.train.MomentumOptimizer(rate, 0.9),
    "sgd": tf.train.GradientDescentOptimizer,
}

# The tensors of a run. `trained` is {(layer, 0 or 1): variable}; `losses` and `right` are the sums over a batch;
# `watched` are its loss, accuracy, rate and number of images, by name; `target` is the loss with the weight decay.
Graph = collections.namedtuple("Graph", "values labels train_mode trained losses right watched target train_step step")


class Network(vgg19_trainable.Vgg19):
    """The trainable network, of which the layers that `trained` names are trained.

    The others are local variables, on `device`, which no checkpoint holds. Initial values come from Python when a
    session starts, so that the graph stays small; `seed` is a fresh fc8's. `pool5`, if it is not None, is a tensor in
    place of what the convolutions give. `source` is where the weights come from, for messages.
    """

    def __init__(self, weight_dict, trained=(), pool5=None, device=None, seed=0, source="weights", **options):
        with tf.name_scope("start"):
            fed = {
                name: layer if name in weights.ATTENTION_LAYERS else [_fed(layer[0]), _fed(layer[1])]
                for name, layer in weight_dict.items()
            }
        super().__init__(fed, **options)
        self._source = source
        self._trained = trained
        self._pool5 = pool5
        self._device = device
        self._seed = seed

    def max_pool(self, bottom, name):
        if name == "pool5" and self._pool5 is not None:
            return self._pool5
        return super().max_pool(bottom, name)

    def get_var(self, initial_value, name, idx, var_name):
        if name not in self.data_dict:
            # With a seed of its own it is the same whatever else is in the graph, such as attention.
            initial_value = tf.truncated_normal(initial_value.get_shape(), 0.0, 0.001, seed=self._seed + idx)
        if name in self._trained:
            return super().get_var(initial_value, name, idx, var_name)

        def local(create, **options):
            return create(**{**options, "collections": [tf.GraphKeys.LOCAL_VARIABLES], "trainable": False})

        with tf.variable_creator_scope(local), tf.device(self._device):
            return super().get_var(initial_value, name, idx, var_name)


def _fed(array):
    """A tensor of the values of an array, which the graph does not hold."""
    # A copy: a variable keeps the buffer it starts from, and an array may be a read-only file.
    tensor = tf.numpy_function(lambda: np.array(array), [], tf.float32)
    tensor.set_shape(np.shape(array))
    return tensor


def start(weight_dict, settings, report):
    """The weights that a run starts from, with an attention block that can be trained, or without one."""
    weights.check(weight_dict, "vgg19", settings["weights"], thin=True)
    found = {name: layer for name, layer in weight_dict.items() if name in weights.KERNEL_SHAPES["vgg19"]}
    if not settings["attention"]:
        return found
    channels = len(weight_dict["conv5_4"][1])
    block = weights.attention_layers(weight_dict, settings["weights"])
    fixed = weights.pass_through(channels)
    if block and all(np.array_equal(block[name][index], fixed[name][index]) for name in block for index in (0, 1)):
        report.line(
            f"{settings['weights']}: its attention block is pass-through, too saturated to train: it starts "
            f"{settings['attention_start']}"
        )
        block = None
    return {**found, **(block or weights.attention_start(channels, settings["attention_start"], settings["seed"]))}


def build(run, weight_dict, values, labels, from_pool5, device):
    """The `Graph` that trains, on batches whose `values` are pixels, or pool5's if `from_pool5`."""
    settings, chosen = run.settings, TRAINED[run.settings["train"]]
    train_mode = tf.placeholder_with_default(True, [], name="train_mode")
    images = tf.placeholder(tf.float32, [None, utils.SIZE, utils.SIZE, 3]) if from_pool5 else values
    options = {name: settings[name] for name in ("attention", "dropout", "seed")}
    options.update(source=settings["weights"], classes=len(run.listing.classes))
    network = Network(weight_dict, chosen, values if from_pool5 else None, device, **options)
    network.build(images, train_mode)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=network.fc8)
    loss = tf.reduce_mean(losses)
    right = tf.cast(tf.equal(tf.argmax(network.fc8, 1), labels), tf.float32)
    trained = {key: var for key, var in network.var_dict.items() if key[0] in chosen}
    target = loss
    if settings["weight_decay"]:
        kernels = [tf.nn.l2_loss(var) for (_, index), var in trained.items() if index == 0]
        target = loss + settings["weight_decay"] * tf.add_n(kernels)
    step = tf.train.get_or_create_global_step()
    # From the given rate to zero in half a cosine.
    rate = tf.train.cosine_decay(settings["learning_rate"], step, run.last)
    train_step = _OPTIMIZERS[settings["optimizer"]](rate).minimize(target, step, list(trained.values()))
    watched = {"loss": loss, "accuracy": tf.reduce_mean(right), "rate": rate, "images": tf.size(labels)}
    losses, right = tf.reduce_sum(losses), tf.reduce_sum(right)
    return Graph(values, labels, train_mode, trained, losses, right, watched, target, train_step, step)
