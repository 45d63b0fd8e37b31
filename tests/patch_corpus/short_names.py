"""Terse."""; __version__ = "0.1"
import numpy as np
import tensorflow as tf

VGG_MEAN = [103.939, 116.779, 123.68]


class N:
    def __init__(self, path):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.c11 = self._c(bgr, 'conv1_1')
        self.c12 = self._c(self.c11, 'conv1_2')
        self.p1 = self._m(self.c12)
        self.c21 = self._c(self.p1, 'conv2_1')
        self.c22 = self._c(self.c21, 'conv2_2')
        self.p2 = self._m(self.c22)
        self.c31 = self._c(self.p2, 'conv3_1')
        self.c32 = self._c(self.c31, 'conv3_2')
        self.c33 = self._c(self.c32, 'conv3_3')
        self.c34 = self._c(self.c33, 'conv3_4')
        self.p3 = self._m(self.c34)
        self.c41 = self._c(self.p3, 'conv4_1')
        self.c42 = self._c(self.c41, 'conv4_2')
        self.c43 = self._c(self.c42, 'conv4_3')
        self.c44 = self._c(self.c43, 'conv4_4')
        self.p4 = self._m(self.c44)
        self.c51 = self._c(self.p4, 'conv5_1')
        self.c52 = self._c(self.c51, 'conv5_2')
        self.c53 = self._c(self.c52, 'conv5_3')
        self.c54 = self._c(self.c53, 'conv5_4')
        self.p5 = self._m(self.c54)
        self.d1 = self._d(self.p5, 'fc6')
        self.d2 = self._d(tf.nn.relu(self.d1), 'fc7')
        self.d3 = self._d(tf.nn.relu(self.d2), 'fc8')
        self.prob = tf.nn.softmax(self.d3)

        self.data_dict = None

    def _m(self, bottom, name=None):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def _c(self, bottom, name):
        with tf.variable_scope(name):
            kernel = tf.constant(self.data_dict[name][0], name="filter")
            out = tf.nn.conv2d(bottom, kernel, [1, 1, 1, 1], padding='SAME')
            return tf.nn.relu(tf.nn.bias_add(out, tf.constant(self.data_dict[name][1], name="biases")))

    def _d(self, bottom, name):
        with tf.variable_scope(name):
            dim = 1
            for d in bottom.get_shape().as_list()[1:]:
                dim *= d
            x = tf.reshape(bottom, [-1, dim])
            weights = tf.constant(self.data_dict[name][0], name="weights")
            return tf.nn.bias_add(tf.matmul(x, weights), tf.constant(self.data_dict[name][1], name="biases"))
# output
"""Terse."""; __version__ = "0.1"
import numpy as np
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch

VGG_MEAN = [103.939, 116.779, 123.68]


class N:
    def __init__(self, path):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.c11 = self._c(bgr, 'conv1_1')
        self.c12 = self._c(self.c11, 'conv1_2')
        self.p1 = self._m(self.c12)
        self.c21 = self._c(self.p1, 'conv2_1')
        self.c22 = self._c(self.c21, 'conv2_2')
        self.p2 = self._m(self.c22)
        self.c31 = self._c(self.p2, 'conv3_1')
        self.c32 = self._c(self.c31, 'conv3_2')
        self.c33 = self._c(self.c32, 'conv3_3')
        self.c34 = self._c(self.c33, 'conv3_4')
        self.p3 = self._m(self.c34)
        self.c41 = self._c(self.p3, 'conv4_1')
        self.c42 = self._c(self.c41, 'conv4_2')
        self.c43 = self._c(self.c42, 'conv4_3')
        self.c44 = self._c(self.c43, 'conv4_4')
        self.p4 = self._m(self.c44)
        self.c51 = self._c(self.p4, 'conv5_1')
        self.c52 = self._c(self.c51, 'conv5_2')
        self.c53 = self._c(self.c52, 'conv5_3')
        self.c54 = self._c(self.c53, 'conv5_4')
        self.p5 = self._m(self.c54)
        attention_feature = convolutional_block_attention_module(self.p5, index=0)  # tensorflow-vgg patch
        self.d1 = self._d(attention_feature, 'fc6')
        self.d2 = self._d(tf.nn.relu(self.d1), 'fc7')
        self.d3 = self._d(tf.nn.relu(self.d2), 'fc8')
        self.prob = tf.nn.softmax(self.d3)

        self.data_dict = None

    def _m(self, bottom, name=None):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def _c(self, bottom, name):
        with tf.variable_scope(name):
            kernel = tf.constant(self.data_dict[name][0], name="filter")
            out = tf.nn.conv2d(bottom, kernel, [1, 1, 1, 1], padding='SAME')
            return tf.nn.relu(tf.nn.bias_add(out, tf.constant(self.data_dict[name][1], name="biases")))

    def _d(self, bottom, name):
        with tf.variable_scope(name):
            dim = 1
            for d in bottom.get_shape().as_list()[1:]:
                dim *= d
            x = tf.reshape(bottom, [-1, dim])
            weights = tf.constant(self.data_dict[name][0], name="weights")
            return tf.nn.bias_add(tf.matmul(x, weights), tf.constant(self.data_dict[name][1], name="biases"))
