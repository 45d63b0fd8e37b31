import numpy as np
import tensorflow as tf

VGG_MEAN = [103.939, 116.779, 123.68]


class AlexNet:
    def __init__(self, path):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.conv1 = self.conv_layer(bgr, "conv1")
        self.pool1 = self.max_pool(self.conv1, "pool1")
        self.conv2 = self.conv_layer(self.pool1, "conv2")
        self.pool2 = self.max_pool(self.conv2, "pool2")
        self.conv3 = self.conv_layer(self.pool2, "conv3")
        self.conv4 = self.conv_layer(self.conv3, "conv4")
        self.conv5 = self.conv_layer(self.conv4, "conv5")
        self.pool5 = self.max_pool(self.conv5, "pool5")
        self.fc6 = self.fc_layer(self.pool5, "fc6")
        self.relu6 = tf.nn.relu(self.fc6)

        self.fc7 = self.fc_layer(self.relu6, "fc7")
        self.relu7 = tf.nn.relu(self.fc7)

        self.fc8 = self.fc_layer(self.relu7, "fc8")

        self.prob = tf.nn.softmax(self.fc8, name="prob")

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
