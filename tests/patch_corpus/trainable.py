import tensorflow as tf

import numpy as np
from functools import reduce

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg19:
    """A trainable, narrow version."""

    def __init__(self, vgg19_npy_path=None, trainable=True, dropout=0.5):
        if vgg19_npy_path is not None:
            self.data_dict = np.load(vgg19_npy_path, encoding='latin1').item()
        else:
            self.data_dict = None
        self.var_dict = {}
        self.trainable = trainable
        self.dropout = dropout

    def build(self, rgb, train_mode=None):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.conv1_1 = self.conv_layer(bgr, 3, 2, "conv1_1")
        self.conv1_2 = self.conv_layer(self.conv1_1, 2, 2, "conv1_2")
        self.pool1 = self.max_pool(self.conv1_2, 'pool1')

        self.conv2_1 = self.conv_layer(self.pool1, 2, 4, "conv2_1")
        self.conv2_2 = self.conv_layer(self.conv2_1, 4, 4, "conv2_2")
        self.pool2 = self.max_pool(self.conv2_2, 'pool2')

        self.conv3_1 = self.conv_layer(self.pool2, 4, 8, "conv3_1")
        self.conv3_2 = self.conv_layer(self.conv3_1, 8, 8, "conv3_2")
        self.conv3_3 = self.conv_layer(self.conv3_2, 8, 8, "conv3_3")
        self.conv3_4 = self.conv_layer(self.conv3_3, 8, 8, "conv3_4")
        self.pool3 = self.max_pool(self.conv3_4, 'pool3')

        self.conv4_1 = self.conv_layer(self.pool3, 8, 16, "conv4_1")
        self.conv4_2 = self.conv_layer(self.conv4_1, 16, 16, "conv4_2")
        self.conv4_3 = self.conv_layer(self.conv4_2, 16, 16, "conv4_3")
        self.conv4_4 = self.conv_layer(self.conv4_3, 16, 16, "conv4_4")
        self.pool4 = self.max_pool(self.conv4_4, 'pool4')

        self.conv5_1 = self.conv_layer(self.pool4, 16, 16, "conv5_1")
        self.conv5_2 = self.conv_layer(self.conv5_1, 16, 16, "conv5_2")
        self.conv5_3 = self.conv_layer(self.conv5_2, 16, 16, "conv5_3")
        self.conv5_4 = self.conv_layer(self.conv5_3, 16, 16, "conv5_4")
        self.pool5 = self.max_pool(self.conv5_4, 'pool5')

        self.fc6 = self.fc_layer(self.pool5, 784, 4096, "fc6")  # 784 = 7 * 7 * 16
        self.relu6 = tf.nn.relu(self.fc6)
        if train_mode is not None:
            self.relu6 = tf.cond(train_mode, lambda: tf.nn.dropout(self.relu6, self.dropout), lambda: self.relu6)
        elif self.trainable:
            self.relu6 = tf.nn.dropout(self.relu6, self.dropout)

        self.fc7 = self.fc_layer(self.relu6, 4096, 64, "fc7")
        self.relu7 = tf.nn.relu(self.fc7)
        if train_mode is not None:
            self.relu7 = tf.cond(train_mode, lambda: tf.nn.dropout(self.relu7, self.dropout), lambda: self.relu7)
        elif self.trainable:
            self.relu7 = tf.nn.dropout(self.relu7, self.dropout)

        self.fc8 = self.fc_layer(self.relu7, 64, 1000, "fc8")
        self.prob = tf.nn.softmax(self.fc8, name="prob")

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def conv_layer(self, bottom, in_channels, out_channels, name):
        with tf.variable_scope(name):
            filt = self.get_var(tf.truncated_normal([3, 3, in_channels, out_channels], .0, 0.001), name, 0, "filters")
            biases = self.get_var(tf.truncated_normal([out_channels], .0, .001), name, 1, "biases")
            return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(bottom, filt, [1, 1, 1, 1], padding='SAME'), biases))

    def fc_layer(self, bottom, in_size, out_size, name):
        with tf.variable_scope(name):
            weights = self.get_var(tf.truncated_normal([in_size, out_size], 0.0, 0.001), name, 0, "weights")
            biases = self.get_var(tf.truncated_normal([out_size], .0, .001), name, 1, "biases")
            return tf.nn.bias_add(tf.matmul(tf.reshape(bottom, [-1, in_size]), weights), biases)

    def get_var(self, initial_value, name, idx, var_name):
        value = initial_value
        if self.data_dict is not None and name in self.data_dict:
            value = self.data_dict[name][idx]
        var = tf.Variable(value, name=var_name) if self.trainable else tf.constant(value, name=var_name)
        self.var_dict[(name, idx)] = var
        return var

    def get_var_count(self):
        return sum(reduce(lambda x, y: x * y, v.get_shape().as_list()) for v in self.var_dict.values())
# output
import tensorflow as tf

import numpy as np
from functools import reduce
from attention import convolutional_block_attention_module  # tensorflow-vgg patch

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg19:
    """A trainable, narrow version."""

    def __init__(self, vgg19_npy_path=None, trainable=True, dropout=0.5):
        if vgg19_npy_path is not None:
            self.data_dict = np.load(vgg19_npy_path, encoding='latin1').item()
        else:
            self.data_dict = None
        self.var_dict = {}
        self.trainable = trainable
        self.dropout = dropout

    def build(self, rgb, train_mode=None):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.conv1_1 = self.conv_layer(bgr, 3, 2, "conv1_1")
        self.conv1_2 = self.conv_layer(self.conv1_1, 2, 2, "conv1_2")
        self.pool1 = self.max_pool(self.conv1_2, 'pool1')

        self.conv2_1 = self.conv_layer(self.pool1, 2, 4, "conv2_1")
        self.conv2_2 = self.conv_layer(self.conv2_1, 4, 4, "conv2_2")
        self.pool2 = self.max_pool(self.conv2_2, 'pool2')

        self.conv3_1 = self.conv_layer(self.pool2, 4, 8, "conv3_1")
        self.conv3_2 = self.conv_layer(self.conv3_1, 8, 8, "conv3_2")
        self.conv3_3 = self.conv_layer(self.conv3_2, 8, 8, "conv3_3")
        self.conv3_4 = self.conv_layer(self.conv3_3, 8, 8, "conv3_4")
        self.pool3 = self.max_pool(self.conv3_4, 'pool3')

        self.conv4_1 = self.conv_layer(self.pool3, 8, 16, "conv4_1")
        self.conv4_2 = self.conv_layer(self.conv4_1, 16, 16, "conv4_2")
        self.conv4_3 = self.conv_layer(self.conv4_2, 16, 16, "conv4_3")
        self.conv4_4 = self.conv_layer(self.conv4_3, 16, 16, "conv4_4")
        self.pool4 = self.max_pool(self.conv4_4, 'pool4')

        self.conv5_1 = self.conv_layer(self.pool4, 16, 16, "conv5_1")
        self.conv5_2 = self.conv_layer(self.conv5_1, 16, 16, "conv5_2")
        self.conv5_3 = self.conv_layer(self.conv5_2, 16, 16, "conv5_3")
        self.conv5_4 = self.conv_layer(self.conv5_3, 16, 16, "conv5_4")
        self.pool5 = self.max_pool(self.conv5_4, 'pool5')
        attention_feature = convolutional_block_attention_module(self.pool5, index=0)  # tensorflow-vgg patch

        self.fc6 = self.fc_layer(attention_feature, 784, 4096, "fc6")  # 784 = 7 * 7 * 16
        self.relu6 = tf.nn.relu(self.fc6)
        if train_mode is not None:
            self.relu6 = tf.cond(train_mode, lambda: tf.nn.dropout(self.relu6, self.dropout), lambda: self.relu6)
        elif self.trainable:
            self.relu6 = tf.nn.dropout(self.relu6, self.dropout)

        self.fc7 = self.fc_layer(self.relu6, 4096, 64, "fc7")
        self.relu7 = tf.nn.relu(self.fc7)
        if train_mode is not None:
            self.relu7 = tf.cond(train_mode, lambda: tf.nn.dropout(self.relu7, self.dropout), lambda: self.relu7)
        elif self.trainable:
            self.relu7 = tf.nn.dropout(self.relu7, self.dropout)

        self.fc8 = self.fc_layer(self.relu7, 64, 1000, "fc8")
        self.prob = tf.nn.softmax(self.fc8, name="prob")

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def conv_layer(self, bottom, in_channels, out_channels, name):
        with tf.variable_scope(name):
            filt = self.get_var(tf.truncated_normal([3, 3, in_channels, out_channels], .0, 0.001), name, 0, "filters")
            biases = self.get_var(tf.truncated_normal([out_channels], .0, .001), name, 1, "biases")
            return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(bottom, filt, [1, 1, 1, 1], padding='SAME'), biases))

    def fc_layer(self, bottom, in_size, out_size, name):
        with tf.variable_scope(name):
            weights = self.get_var(tf.truncated_normal([in_size, out_size], 0.0, 0.001), name, 0, "weights")
            biases = self.get_var(tf.truncated_normal([out_size], .0, .001), name, 1, "biases")
            return tf.nn.bias_add(tf.matmul(tf.reshape(bottom, [-1, in_size]), weights), biases)

    def get_var(self, initial_value, name, idx, var_name):
        value = initial_value
        if self.data_dict is not None and name in self.data_dict:
            value = self.data_dict[name][idx]
        var = tf.Variable(value, name=var_name) if self.trainable else tf.constant(value, name=var_name)
        self.var_dict[(name, idx)] = var
        return var

    def get_var_count(self):
        return sum(reduce(lambda x, y: x * y, v.get_shape().as_list()) for v in self.var_dict.values())
