"""Layers in a dict."""
import numpy as np
import tensorflow as tf

VGG_MEAN = [103.939, 116.779, 123.68]


class Net:
    def __init__(self, path):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.layers = {}
        self.layers['conv1_1'] = self.conv_layer(bgr, 'conv1_1')
        self.layers['conv1_2'] = self.conv_layer(self.layers['conv1_1'], 'conv1_2')
        self.layers["pool1"] = self.max_pool(self.layers['conv1_2'], 'pool1')

        self.layers['conv2_1'] = self.conv_layer(self.layers['pool1'], 'conv2_1')
        self.layers['conv2_2'] = self.conv_layer(self.layers['conv2_1'], 'conv2_2')
        self.layers["pool2"] = self.max_pool(self.layers['conv2_2'], 'pool2')

        self.layers['conv3_1'] = self.conv_layer(self.layers['pool2'], 'conv3_1')
        self.layers['conv3_2'] = self.conv_layer(self.layers['conv3_1'], 'conv3_2')
        self.layers['conv3_3'] = self.conv_layer(self.layers['conv3_2'], 'conv3_3')
        self.layers['conv3_4'] = self.conv_layer(self.layers['conv3_3'], 'conv3_4')
        self.layers["pool3"] = self.max_pool(self.layers['conv3_4'], 'pool3')

        self.layers['conv4_1'] = self.conv_layer(self.layers['pool3'], 'conv4_1')
        self.layers['conv4_2'] = self.conv_layer(self.layers['conv4_1'], 'conv4_2')
        self.layers['conv4_3'] = self.conv_layer(self.layers['conv4_2'], 'conv4_3')
        self.layers['conv4_4'] = self.conv_layer(self.layers['conv4_3'], 'conv4_4')
        self.layers["pool4"] = self.max_pool(self.layers['conv4_4'], 'pool4')

        self.layers['conv5_1'] = self.conv_layer(self.layers['pool4'], 'conv5_1')
        self.layers['conv5_2'] = self.conv_layer(self.layers['conv5_1'], 'conv5_2')
        self.layers['conv5_3'] = self.conv_layer(self.layers['conv5_2'], 'conv5_3')
        self.layers['conv5_4'] = self.conv_layer(self.layers['conv5_3'], 'conv5_4')
        self.layers["pool5"] = self.max_pool(self.layers['conv5_4'], 'pool5')

        self.layers['fc6'] = self.fc_layer(self.layers["pool5"], 'fc6')
        self.layers['fc7'] = self.fc_layer(tf.nn.relu(self.layers['fc6']), 'fc7')
        self.layers['fc8'] = self.fc_layer(tf.nn.relu(self.layers['fc7']), 'fc8')
        self.prob = tf.nn.softmax(self.layers['fc8'])

        self.data_dict = None

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def conv_layer(self, bottom, name):
        with tf.variable_scope(name):
            kernel = tf.constant(self.data_dict[name][0], name="filter")
            out = tf.nn.conv2d(bottom, kernel, [1, 1, 1, 1], padding='SAME')
            return tf.nn.relu(tf.nn.bias_add(out, tf.constant(self.data_dict[name][1], name="biases")))

    def fc_layer(self, bottom, name):
        with tf.variable_scope(name):
            dim = 1
            for d in bottom.get_shape().as_list()[1:]:
                dim *= d
            x = tf.reshape(bottom, [-1, dim])
            weights = tf.constant(self.data_dict[name][0], name="weights")
            return tf.nn.bias_add(tf.matmul(x, weights), tf.constant(self.data_dict[name][1], name="biases"))
# output
"""Layers in a dict."""
import numpy as np
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch

VGG_MEAN = [103.939, 116.779, 123.68]


class Net:
    def __init__(self, path):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.layers = {}
        self.layers['conv1_1'] = self.conv_layer(bgr, 'conv1_1')
        self.layers['conv1_2'] = self.conv_layer(self.layers['conv1_1'], 'conv1_2')
        self.layers["pool1"] = self.max_pool(self.layers['conv1_2'], 'pool1')

        self.layers['conv2_1'] = self.conv_layer(self.layers['pool1'], 'conv2_1')
        self.layers['conv2_2'] = self.conv_layer(self.layers['conv2_1'], 'conv2_2')
        self.layers["pool2"] = self.max_pool(self.layers['conv2_2'], 'pool2')

        self.layers['conv3_1'] = self.conv_layer(self.layers['pool2'], 'conv3_1')
        self.layers['conv3_2'] = self.conv_layer(self.layers['conv3_1'], 'conv3_2')
        self.layers['conv3_3'] = self.conv_layer(self.layers['conv3_2'], 'conv3_3')
        self.layers['conv3_4'] = self.conv_layer(self.layers['conv3_3'], 'conv3_4')
        self.layers["pool3"] = self.max_pool(self.layers['conv3_4'], 'pool3')

        self.layers['conv4_1'] = self.conv_layer(self.layers['pool3'], 'conv4_1')
        self.layers['conv4_2'] = self.conv_layer(self.layers['conv4_1'], 'conv4_2')
        self.layers['conv4_3'] = self.conv_layer(self.layers['conv4_2'], 'conv4_3')
        self.layers['conv4_4'] = self.conv_layer(self.layers['conv4_3'], 'conv4_4')
        self.layers["pool4"] = self.max_pool(self.layers['conv4_4'], 'pool4')

        self.layers['conv5_1'] = self.conv_layer(self.layers['pool4'], 'conv5_1')
        self.layers['conv5_2'] = self.conv_layer(self.layers['conv5_1'], 'conv5_2')
        self.layers['conv5_3'] = self.conv_layer(self.layers['conv5_2'], 'conv5_3')
        self.layers['conv5_4'] = self.conv_layer(self.layers['conv5_3'], 'conv5_4')
        self.layers["pool5"] = self.max_pool(self.layers['conv5_4'], 'pool5')
        attention_feature = convolutional_block_attention_module(self.layers["pool5"], index=0)  # tensorflow-vgg patch

        self.layers['fc6'] = self.fc_layer(attention_feature, 'fc6')
        self.layers['fc7'] = self.fc_layer(tf.nn.relu(self.layers['fc6']), 'fc7')
        self.layers['fc8'] = self.fc_layer(tf.nn.relu(self.layers['fc7']), 'fc8')
        self.prob = tf.nn.softmax(self.layers['fc8'])

        self.data_dict = None

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def conv_layer(self, bottom, name):
        with tf.variable_scope(name):
            kernel = tf.constant(self.data_dict[name][0], name="filter")
            out = tf.nn.conv2d(bottom, kernel, [1, 1, 1, 1], padding='SAME')
            return tf.nn.relu(tf.nn.bias_add(out, tf.constant(self.data_dict[name][1], name="biases")))

    def fc_layer(self, bottom, name):
        with tf.variable_scope(name):
            dim = 1
            for d in bottom.get_shape().as_list()[1:]:
                dim *= d
            x = tf.reshape(bottom, [-1, dim])
            weights = tf.constant(self.data_dict[name][0], name="weights")
            return tf.nn.bias_add(tf.matmul(x, weights), tf.constant(self.data_dict[name][1], name="biases"))
