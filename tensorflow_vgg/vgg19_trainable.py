"""VGG19 with trainable weights (configuration E of Simonyan and Zisserman 2014, arXiv:1409.1556)."""

import tensorflow.compat.v1 as tf

from tensorflow_vgg import _network as network
from tensorflow_vgg import weights
from tensorflow_vgg._network import VGG_MEAN, convolutional_block_attention_module

__all__ = ["VGG_MEAN", "Vgg19"]


class Vgg19(network.Layers):
    """VGG19 whose weights are variables, to be trained and saved.

    After `build` every layer is an attribute, a float32 tensor: conv1_1 ... conv5_4 (after the ReLU), pool1 ...
    pool5, fc6, fc7, fc8 (before it), relu6 and relu7 (after dropout) and prob, [batch, classes] class probabilities.
    With attention also attention_feature, [batch, 7, 7, 512], which fc6 takes in place of pool5, and what it weighs
    pool5 with: channel_attention, [batch, 512], 0 ... 2, and spatial_attention, [batch, 7, 7, 1], 0 ... 1.
    `var_dict` maps (layer, 0 for its kernel or 1 for its biases) to the variable.

    Args:
      vgg19_npy_path: the weight file, or a weight dict; its layers are as wide as they are in it. None, or a layer
        that the file lacks: normal values truncated at two deviations, mean 0, deviation 0.001, biases too.
      trainable: False makes constants instead of variables; every layer must then be in the file.
      dropout: the probability to KEEP a unit, in (0, 1].
      attention: whether fc6 sees pool5 through the attention block. None: if the file has the block. True, or how
        its variables start ("glorot", which is True's, "open" or "pass-through"): always; what the file lacks
        starts so.
      mapped: whether the variables take their initial values from a cache on disk that TensorFlow maps into memory,
        instead of from constants in the graph: the same numbers, sooner and in less memory.
      classes: the width of fc8. If the file's fc8 has another, it starts as a layer that the file lacks, and `build`
        prints a line that says so.
      include_top: whether the fully connected layers are there. False, on the class or here: `build` takes images of
        any size and ends with pool5 and the attention; fc6 to prob do not exist, and their weights are not kept.

    Raises:
      weights.WeightsError: the file holds no weight dict, or wants to run code.
      OSError: the file cannot be opened.
    """

    attention = None
    classes = 1000

    def __init__(
        self,
        vgg19_npy_path=None,
        trainable=True,
        dropout=0.5,
        attention=None,
        mapped=False,
        classes=1000,
        include_top=True,
    ):
        self.include_top = self.include_top and include_top
        self.data_dict = None if vgg19_npy_path is None else self._load(vgg19_npy_path, mapped)
        self.var_dict = {}
        self.trainable = trainable
        self.dropout = dropout
        if attention is not None:
            self.attention = attention
        self.classes = classes

    def build(self, rgb, train_mode=None):
        """Makes the graph, sets an attribute for each layer and releases the weights that were read.

        Args:
          rgb: float32 tensor [batch, 224, 224, 3], RGB in [0, 1]; the batch may be unknown. Without top any height
            and width from 32 on, which may be unknown, too; the sizes of the layers are then other ones.
          train_mode: a bool tensor: dropout only when it is true. None: dropout always if `trainable`, else never.

        Raises:
          AssertionError: `rgb` is of another size.
          TypeError: `rgb` is not float32.
          RuntimeError: called eagerly, or a second time.
          ValueError: a start that the attention block does not know, or another network's block in this scope.
          weights.WeightsError: a layer of the file is of another shape, or missing though not trainable.
        """
        if self.var_dict:
            own = type(self).__name__
            raise RuntimeError(f"{own}.build has been called already; to build again make another {own}")
        bgr = network.preprocess(rgb, VGG_MEAN, self)

        self.conv1_1 = self.conv_layer(bgr, 3, 64, "conv1_1")
        self.conv1_2 = self.conv_layer(self.conv1_1, 64, 64, "conv1_2")
        self.pool1 = self.max_pool(self.conv1_2, "pool1")  # [batch, 112, 112, 64]

        self.conv2_1 = self.conv_layer(self.pool1, 64, 128, "conv2_1")
        self.conv2_2 = self.conv_layer(self.conv2_1, 128, 128, "conv2_2")
        self.pool2 = self.max_pool(self.conv2_2, "pool2")  # [batch, 56, 56, 128]

        self.conv3_1 = self.conv_layer(self.pool2, 128, 256, "conv3_1")
        self.conv3_2 = self.conv_layer(self.conv3_1, 256, 256, "conv3_2")
        self.conv3_3 = self.conv_layer(self.conv3_2, 256, 256, "conv3_3")
        self.conv3_4 = self.conv_layer(self.conv3_3, 256, 256, "conv3_4")
        self.pool3 = self.max_pool(self.conv3_4, "pool3")  # [batch, 28, 28, 256]

        self.conv4_1 = self.conv_layer(self.pool3, 256, 512, "conv4_1")
        self.conv4_2 = self.conv_layer(self.conv4_1, 512, 512, "conv4_2")
        self.conv4_3 = self.conv_layer(self.conv4_2, 512, 512, "conv4_3")
        self.conv4_4 = self.conv_layer(self.conv4_3, 512, 512, "conv4_4")
        self.pool4 = self.max_pool(self.conv4_4, "pool4")  # [batch, 14, 14, 512]

        self.conv5_1 = self.conv_layer(self.pool4, 512, 512, "conv5_1")
        self.conv5_2 = self.conv_layer(self.conv5_1, 512, 512, "conv5_2")
        self.conv5_3 = self.conv_layer(self.conv5_2, 512, 512, "conv5_3")
        self.conv5_4 = self.conv_layer(self.conv5_3, 512, 512, "conv5_4")
        self.pool5 = self.max_pool(self.conv5_4, "pool5")  # [batch, 7, 7, 512]

        feature = self.pool5
        attention = self.attention
        if attention is None:
            attention = bool(self._attention_layers(channels=self.pool5.get_shape().as_list()[3]))
        if attention:
            feature = self.attention_feature = self._attend(self.pool5, "glorot" if attention is True else attention)
            self.channel_attention, self.spatial_attention = network.attention_maps(feature)

        if self.include_top:
            self.fc6 = self.fc_layer(feature, 25088, 4096, "fc6")
            self.relu6 = self._drop_out(tf.nn.relu(self.fc6), train_mode)

            self.fc7 = self.fc_layer(self.relu6, 4096, 4096, "fc7")
            self.relu7 = self._drop_out(tf.nn.relu(self.fc7), train_mode)

            self._leave_other_classes()
            self.fc8 = self.fc_layer(self.relu7, 4096, self.classes, "fc8")
            self.prob = tf.nn.softmax(self.fc8, name="prob")

        self.data_dict = None

    def _leave_other_classes(self):
        """Forgets the file's fc8 if it tells other classes apart, so that it starts fresh."""
        width = self._width("fc8", self.classes)
        if width == self.classes:
            return
        told = f"{self._source}: fc8: {width} classes in the file, {self.classes} wanted"
        if not self.trainable:
            raise weights.WeightsError(f"{told}; give classes={width}")
        print(f"{told}: it starts fresh")
        self.data_dict = {name: layer for name, layer in self.data_dict.items() if name != "fc8"}

    def _drop_out(self, relu, train_mode):
        if train_mode is not None:
            with network.control_flow_v1():
                return tf.cond(train_mode, lambda: tf.nn.dropout(relu, rate=1.0 - self.dropout), lambda: relu)
        if self.trainable:
            return tf.nn.dropout(relu, rate=1.0 - self.dropout)
        return relu

    def _attend(self, feature_map, start):
        """The attention block, its weights the file's where it has them, in `var_dict` like every other layer's."""
        channels = feature_map.get_shape().as_list()[3]
        layers = {name: (self.data_dict or {}).get(name) for name in weights.ATTENTION_LAYERS}
        if not self.trainable and start == "pass-through":
            fixed = weights.pass_through(channels)
            layers = {name: layer or fixed[name] for name, layer in layers.items()}

        def variable(layer, index, name, create, options):
            if layers[layer] is not None:
                value = layers[layer][index]
                self._expect(layer, ("kernel", "biases")[index], value, options["shape"], feature_map.dtype)
                options["initializer"] = tf.constant_initializer(value)
            elif not self.trainable:
                raise self._missing(layer)
            var = create(**options) if self.trainable else network.block_constant(value, name)
            self.var_dict[(layer, index)] = var
            return var

        ratio = 0.5
        for name, axis in (("cbam/fc_1", 1), ("cbam/fc_2", 0)):
            if layers[name] is not None:
                # The file decides how many inner units there are. Half a unit more outlasts the rounding.
                ratio = (layers[name][0].shape[axis] + 0.5) / channels
        try:
            with network.block_variables(variable):
                return convolutional_block_attention_module(feature_map, 0, ratio, start=start)
        except ValueError as error:
            if "already exists" not in str(error):
                raise
            raise ValueError(
                "this graph has a network with an attention block already; build each in a variable scope of its "
                'own: with tf.variable_scope("second"): vgg.build(...)'
            ) from error

    def conv_layer(self, bottom, in_channels, out_channels, name):
        """3x3 convolution with stride 1, bias and ReLU: [batch, H, W, in] to [batch, H, W, out].

        With a weight dict the widths are those of `bottom` and of the dict's kernel.
        """
        if self.data_dict is not None:
            in_channels = bottom.get_shape().as_list()[3]
            out_channels = self._width(name, out_channels)
        with tf.variable_scope(name):
            filt, conv_biases = self.get_conv_var(3, in_channels, out_channels, name)
            conv = tf.nn.conv2d(bottom, filt, [1, 1, 1, 1], padding="SAME")
            return tf.nn.relu(tf.nn.bias_add(conv, conv_biases))

    def fc_layer(self, bottom, in_size, out_size, name):
        """Fully connected layer without ReLU: [batch, ...], flattened to in_size, to [batch, out_size].

        With a weight dict the sizes are those of `bottom`, where it is known, and of the dict's kernel.
        """
        if self.data_dict is not None:
            in_size = bottom.get_shape()[1:].num_elements() or in_size
            out_size = self._width(name, out_size)
        with tf.variable_scope(name):
            fc_weights, biases = self.get_fc_var(in_size, out_size, name)
            x = tf.reshape(bottom, [-1, in_size])
            return tf.nn.bias_add(tf.matmul(x, fc_weights), biases)

    def _width(self, name, nominal):
        """How many outputs a layer has: as many as its kernel in the weight dict, or the nominal ones."""
        if name not in (self.data_dict or {}):
            return nominal
        shape = tf.TensorShape(getattr(self.data_dict[name][0], "shape", None))
        return shape.as_list()[-1] if shape.ndims else nominal

    def get_conv_var(self, filter_size, in_channels, out_channels, name):
        """Kernel [filter_size, filter_size, in, out] and biases [out] of a convolution, float32 variables."""
        initial_value = tf.truncated_normal([filter_size, filter_size, in_channels, out_channels], 0.0, 0.001)
        filters = self.get_var(initial_value, name, 0, name + "_filters")

        initial_value = tf.truncated_normal([out_channels], 0.0, 0.001)
        biases = self.get_var(initial_value, name, 1, name + "_biases")
        return filters, biases

    def get_fc_var(self, in_size, out_size, name):
        """Kernel [in_size, out_size] and biases [out_size] of a fully connected layer, float32 variables."""
        initial_value = tf.truncated_normal([in_size, out_size], 0.0, 0.001)
        fc_weights = self.get_var(initial_value, name, 0, name + "_weights")

        initial_value = tf.truncated_normal([out_size], 0.0, 0.001)
        biases = self.get_var(initial_value, name, 1, name + "_biases")
        return fc_weights, biases

    def get_var(self, initial_value, name, idx, var_name):
        """A variable (a constant if not trainable), which starts from the file or else from `initial_value`."""
        value = initial_value
        if self.data_dict is not None and name in self.data_dict:
            value = self.data_dict[name][idx]
            what = ("kernel", "biases")[idx]
            self._expect(name, what, value, initial_value.get_shape().as_list(), initial_value.dtype)
        elif not self.trainable:
            raise self._missing(name)
        if self.trainable:
            var = tf.Variable(network.initial_value(value, var_name), name=var_name)
        else:
            var = network.constant(value, var_name)
        self.var_dict[(name, idx)] = var
        return var

    def _missing(self, layer):
        source = "no weight file given" if self._source == "data_dict" else self._source
        return weights.WeightsError(f"{source}: {layer} is missing; with trainable=False every layer must be given")

    def save_npy(self, sess, npy_path="./vgg19-save.npy"):
        """Writes the variables' values in `sess` as {layer: {0: kernel, 1: biases}}, which all classes load.

        The file is whole or not there: an earlier one of that name stays until the new one is complete.

        Returns:
          `npy_path`.
        """
        data_dict = {}
        for (name, idx), var in self.var_dict.items():
            data_dict.setdefault(name, {})[idx] = sess.run(var)
        weights.write(npy_path, data_dict)
        print(("file saved", npy_path))
        return npy_path

    def get_var_count(self):
        """The number of parameters: 143667240, and more with attention."""
        return sum(var.get_shape().num_elements() for var in self.var_dict.values())
