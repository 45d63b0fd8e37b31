# VGG19 with fixed weights
import inspect
import os
import time

import numpy as np
import tensorflow as tf

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg16:
    def __init__(self, vgg16_npy_path=None):
        if vgg16_npy_path is None:
            here = os.path.dirname(inspect.getfile(Vgg16))
            vgg16_npy_path = os.path.join(here, "vgg16.npy")
            print(vgg16_npy_path)
        self.data_dict = np.load(vgg16_npy_path, encoding='latin1').item()
        print("npy file loaded")

    def build(self, rgb):
        """ builds """
        t0 = time.time()
        print("build model started")
        scaled = rgb * 255.0
        r, g, b = tf.split(scaled, 3, 3)
        assert r.get_shape().as_list()[1:] == [224, 224, 1]
        bgr = tf.concat(axis=3, values=[
            b - VGG_MEAN[0],
            g - VGG_MEAN[1],
            r - VGG_MEAN[2],
        ])
        assert bgr.get_shape().as_list()[1:] == [224, 224, 3]
        self.conv1_1 = self.conv_layer(bgr, 'conv1_1')
        self.conv1_2 = self.conv_layer(self.conv1_1, 'conv1_2')
        self.pool1 = self.max_pool(self.conv1_2, 'pool1')
        self.conv2_1 = self.conv_layer(self.pool1, 'conv2_1')
        self.conv2_2 = self.conv_layer(self.conv2_1, 'conv2_2')
        self.pool2 = self.max_pool(self.conv2_2, 'pool2')
        self.conv3_1 = self.conv_layer(self.pool2, 'conv3_1')
        self.conv3_2 = self.conv_layer(self.conv3_1, 'conv3_2')
        self.conv3_3 = self.conv_layer(self.conv3_2, 'conv3_3')
        self.pool3 = self.max_pool(self.conv3_3, 'pool3')
        self.conv4_1 = self.conv_layer(self.pool3, 'conv4_1')
        self.conv4_2 = self.conv_layer(self.conv4_1, 'conv4_2')
        self.conv4_3 = self.conv_layer(self.conv4_2, 'conv4_3')
        self.pool4 = self.max_pool(self.conv4_3, 'pool4')
        self.conv5_1 = self.conv_layer(self.pool4, 'conv5_1')
        self.conv5_2 = self.conv_layer(self.conv5_1, 'conv5_2')
        self.conv5_3 = self.conv_layer(self.conv5_2, 'conv5_3')
        self.pool5 = self.max_pool(self.conv5_3, 'pool5')
        self.fc6 = self.fc_layer(self.pool5, 'fc6')
        self.relu6 = tf.nn.relu(self.fc6)
        self.fc7 = self.fc_layer(self.relu6, 'fc7')
        self.relu7 = tf.nn.relu(self.fc7)
        self.fc8 = self.fc_layer(self.relu7, 'fc8')
        self.prob = tf.nn.softmax(self.fc8, name='prob')
        assert self.fc6.get_shape().as_list()[1:] == [4096]
        self.data_dict = None
        print("build model finished: %ds" % (time.time() - t0))

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, [1, 2, 2, 1], [1, 2, 2, 1], 'SAME', name=name)

    def conv_layer(self, bottom, name):
        with tf.variable_scope(name):
            kernel = self.get_conv_filter(name)
            out = tf.nn.conv2d(bottom, kernel, [1, 1, 1, 1], padding='SAME')
            out = tf.nn.bias_add(out, self.get_bias(name))
            return tf.nn.relu(out)

    def fc_layer(self, bottom, name):
        with tf.variable_scope(name):
            size = 1
            for d in bottom.get_shape().as_list()[1:]:
                size *= d
            x = tf.reshape(bottom, [-1, size])
            w = self.get_fc_weight(name)
            b = self.get_bias(name)
            return tf.nn.bias_add(tf.matmul(x, w), b)

    def get_conv_filter(self, name):
        return tf.constant(self.data_dict[name][0], name="filter")

    def get_bias(self, name):
        return tf.constant(self.data_dict[name][1], name="biases")

    def get_fc_weight(self, name):
        return tf.constant(self.data_dict[name][0], name="weights")
