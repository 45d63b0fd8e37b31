"""What the tests of dump and compare share: pictures, thin weights, a foreign class, and how a recording is made."""

import os

from conftest import GOLDEN, TEST_DATA

import tensorflow_vgg
from tensorflow_vgg._command.main import main

PACKAGE = os.path.dirname(os.path.abspath(tensorflow_vgg.__file__))
RECORDINGS = os.path.join(GOLDEN, "recordings")
TIGER = os.path.join(TEST_DATA, "tiger.jpeg")
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
