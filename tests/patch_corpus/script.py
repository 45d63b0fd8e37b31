#!/usr/bin/env python3
"""Classify an image.

Many lines.
"""
from __future__ import absolute_import
import sys
if sys.version_info[0] > 2:
    import pickle
else:
    import cPickle as pickle
from numpy import load as npload
import tensorflow as tf

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg19:
    def __init__(self, path):
        self.data_dict = npload(path, encoding="bytes").item()

    def build(self, rgb):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.conv1_1 = self.conv_layer(bgr, "conv1_1")
        self.conv1_2 = self.conv_layer(self.conv1_1, "conv1_2")
        self.pool1 = self.max_pool(self.conv1_2, 'pool1')

        self.conv2_1 = self.conv_layer(self.pool1, "conv2_1")
        self.conv2_2 = self.conv_layer(self.conv2_1, "conv2_2")
        self.pool2 = self.max_pool(self.conv2_2, 'pool2')

        self.conv3_1 = self.conv_layer(self.pool2, "conv3_1")
        self.conv3_2 = self.conv_layer(self.conv3_1, "conv3_2")
        self.conv3_3 = self.conv_layer(self.conv3_2, "conv3_3")
        self.conv3_4 = self.conv_layer(self.conv3_3, "conv3_4")
        self.pool3 = self.max_pool(self.conv3_4, 'pool3')

        self.conv4_1 = self.conv_layer(self.pool3, "conv4_1")
        self.conv4_2 = self.conv_layer(self.conv4_1, "conv4_2")
        self.conv4_3 = self.conv_layer(self.conv4_2, "conv4_3")
        self.conv4_4 = self.conv_layer(self.conv4_3, "conv4_4")
        self.pool4 = self.max_pool(self.conv4_4, 'pool4')

        self.conv5_1 = self.conv_layer(self.pool4, "conv5_1")
        self.conv5_2 = self.conv_layer(self.conv5_1, "conv5_2")
        self.conv5_3 = self.conv_layer(self.conv5_2, "conv5_3")
        self.conv5_4 = self.conv_layer(self.conv5_3, "conv5_4")
        self.pool5 = self.max_pool(self.conv5_4, 'pool5')

        sizes = 'two', "quotes", '''three'''
        self.fc6 = self.fc_layer(self.pool5, "fc6")
        assert self.fc6.get_shape().as_list()[1:] == [4096]
        self.relu6 = tf.nn.relu(self.fc6)

        self.fc7 = self.fc_layer(self.relu6, "fc7")
        self.relu7 = tf.nn.relu(self.fc7)

        self.fc8 = self.fc_layer(self.relu7, "fc8")

        self.prob = tf.nn.softmax(self.fc8, name="prob")
        return self.prob

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



if __name__ == "__main__":
    import argparse
    print(argparse.ArgumentParser(__doc__).parse_args())
# output
#!/usr/bin/env python3
"""Classify an image.

Many lines.
"""
from __future__ import absolute_import
import sys
if sys.version_info[0] > 2:
    import pickle
else:
    import cPickle as pickle
from numpy import load as npload
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg19:
    def __init__(self, path):
        self.data_dict = npload(path, encoding="bytes").item()

    def build(self, rgb):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.conv1_1 = self.conv_layer(bgr, "conv1_1")
        self.conv1_2 = self.conv_layer(self.conv1_1, "conv1_2")
        self.pool1 = self.max_pool(self.conv1_2, 'pool1')

        self.conv2_1 = self.conv_layer(self.pool1, "conv2_1")
        self.conv2_2 = self.conv_layer(self.conv2_1, "conv2_2")
        self.pool2 = self.max_pool(self.conv2_2, 'pool2')

        self.conv3_1 = self.conv_layer(self.pool2, "conv3_1")
        self.conv3_2 = self.conv_layer(self.conv3_1, "conv3_2")
        self.conv3_3 = self.conv_layer(self.conv3_2, "conv3_3")
        self.conv3_4 = self.conv_layer(self.conv3_3, "conv3_4")
        self.pool3 = self.max_pool(self.conv3_4, 'pool3')

        self.conv4_1 = self.conv_layer(self.pool3, "conv4_1")
        self.conv4_2 = self.conv_layer(self.conv4_1, "conv4_2")
        self.conv4_3 = self.conv_layer(self.conv4_2, "conv4_3")
        self.conv4_4 = self.conv_layer(self.conv4_3, "conv4_4")
        self.pool4 = self.max_pool(self.conv4_4, 'pool4')

        self.conv5_1 = self.conv_layer(self.pool4, "conv5_1")
        self.conv5_2 = self.conv_layer(self.conv5_1, "conv5_2")
        self.conv5_3 = self.conv_layer(self.conv5_2, "conv5_3")
        self.conv5_4 = self.conv_layer(self.conv5_3, "conv5_4")
        self.pool5 = self.max_pool(self.conv5_4, 'pool5')
        attention_feature = convolutional_block_attention_module(self.pool5, index=0)  # tensorflow-vgg patch

        sizes = 'two', "quotes", '''three'''
        self.fc6 = self.fc_layer(attention_feature, "fc6")
        assert self.fc6.get_shape().as_list()[1:] == [4096]
        self.relu6 = tf.nn.relu(self.fc6)

        self.fc7 = self.fc_layer(self.relu6, "fc7")
        self.relu7 = tf.nn.relu(self.fc7)

        self.fc8 = self.fc_layer(self.relu7, "fc8")

        self.prob = tf.nn.softmax(self.fc8, name="prob")
        return self.prob

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



if __name__ == "__main__":
    import argparse
    print(argparse.ArgumentParser(__doc__).parse_args())
