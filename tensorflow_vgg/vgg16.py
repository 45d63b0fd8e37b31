"""VGG16 with frozen weights (configuration D of Simonyan and Zisserman 2014, arXiv:1409.1556)."""

import time

import tensorflow.compat.v1 as tf

from tensorflow_vgg import _network as network
from tensorflow_vgg._network import VGG_MEAN

__all__ = ["VGG_MEAN", "Vgg16"]


class Vgg16(network.Frozen):
    """VGG16: reads the weights when made, makes the graph in `build`.

    After `build` every layer is an attribute, a float32 tensor: conv1_1 ... conv5_3 (after the ReLU), pool1 ...
    pool5, fc6, fc7, fc8 (before it), relu6, relu7 and prob, [batch, 1000] class probabilities.

    Args:
      vgg16_npy_path: the weight file, or a weight dict. None: vgg16.npy from $TENSORFLOW_VGG_HOME, this module's
        folder, the current folder or the user's data folder; the path is printed.
      mapped: whether TensorFlow maps the weights into memory from a cache on disk instead of having them in the
        graph: the same numbers, much sooner and in less memory, on a CPU. A graph that is saved does not carry them.
      include_top: whether the fully connected layers are there. False, on the class or here: `build` takes images of
        any size and ends with pool5; fc6 to prob do not exist, and their weights are not kept.

    Raises:
      FileNotFoundError: no path given, and the file is in none of those folders.
      weights.WeightsError: the file holds no weight dict, or wants to run code.
    """

    def __init__(self, vgg16_npy_path=None, mapped=False, include_top=True):
        self.include_top = self.include_top and include_top
        self._load_npy(vgg16_npy_path, "vgg16.npy", mapped)

    def build(self, rgb):
        """Makes the graph, sets an attribute for each layer and releases the weights.

        Args:
          rgb: float32 tensor [batch, 224, 224, 3], RGB in [0, 1]; the batch may be unknown. Without top any height
            and width from 32 on, which may be unknown, too; the sizes of the layers are then other ones.

        Raises:
          AssertionError: `rgb` is of another size, or fc6 of another width than 4096.
          TypeError: `rgb` is not float32.
          RuntimeError: called eagerly, or a second time.
          weights.WeightsError: a layer is missing, or does not fit the one before it.
        """
        start_time = time.time()
        print("build model started")
        bgr = network.preprocess(rgb, VGG_MEAN, self)

        self.conv1_1 = self.conv_layer(bgr, "conv1_1")
        self.conv1_2 = self.conv_layer(self.conv1_1, "conv1_2")
        self.pool1 = self.max_pool(self.conv1_2, "pool1")  # [batch, 112, 112, 64]

        self.conv2_1 = self.conv_layer(self.pool1, "conv2_1")
        self.conv2_2 = self.conv_layer(self.conv2_1, "conv2_2")
        self.pool2 = self.max_pool(self.conv2_2, "pool2")  # [batch, 56, 56, 128]

        self.conv3_1 = self.conv_layer(self.pool2, "conv3_1")
        self.conv3_2 = self.conv_layer(self.conv3_1, "conv3_2")
        self.conv3_3 = self.conv_layer(self.conv3_2, "conv3_3")
        self.pool3 = self.max_pool(self.conv3_3, "pool3")  # [batch, 28, 28, 256]

        self.conv4_1 = self.conv_layer(self.pool3, "conv4_1")
        self.conv4_2 = self.conv_layer(self.conv4_1, "conv4_2")
        self.conv4_3 = self.conv_layer(self.conv4_2, "conv4_3")
        self.pool4 = self.max_pool(self.conv4_3, "pool4")  # [batch, 14, 14, 512]

        self.conv5_1 = self.conv_layer(self.pool4, "conv5_1")
        self.conv5_2 = self.conv_layer(self.conv5_1, "conv5_2")
        self.conv5_3 = self.conv_layer(self.conv5_2, "conv5_3")
        self.pool5 = self.max_pool(self.conv5_3, "pool5")  # [batch, 7, 7, 512]

        if self.include_top:
            self.fc6 = self.fc_layer(self.pool5, "fc6")
            if self.fc6.get_shape().as_list()[1:] != [4096]:
                raise AssertionError(f"{self._source}: fc6: expected 4096 outputs, got {self.fc6.get_shape()}")
            self.relu6 = tf.nn.relu(self.fc6)

            self.fc7 = self.fc_layer(self.relu6, "fc7")
            self.relu7 = tf.nn.relu(self.fc7)

            self.fc8 = self.fc_layer(self.relu7, "fc8")
            self.prob = tf.nn.softmax(self.fc8, name="prob")

        self.data_dict = None
        print(f"build model finished: {int(time.time() - start_time)}s")
