import numpy as np
import tensorflow as tf

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg19:
    def __init__(self, path):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb, train=False):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.conv1_1 = self.conv_layer(bottom=bgr, name='conv1_1', train=train)
        self.conv1_2 = self.conv_layer(bottom=self.conv1_1, name='conv1_2', train=train)
        self.pool1 = self.max_pool(name='pool1', bottom=self.conv1_2)

        self.conv2_1 = self.conv_layer(bottom=self.pool1, name='conv2_1', train=train)
        self.conv2_2 = self.conv_layer(bottom=self.conv2_1, name='conv2_2', train=train)
        self.pool2 = self.max_pool(name='pool2', bottom=self.conv2_2)

        self.conv3_1 = self.conv_layer(bottom=self.pool2, name='conv3_1', train=train)
        self.conv3_2 = self.conv_layer(bottom=self.conv3_1, name='conv3_2', train=train)
        self.conv3_3 = self.conv_layer(bottom=self.conv3_2, name='conv3_3', train=train)
        self.conv3_4 = self.conv_layer(bottom=self.conv3_3, name='conv3_4', train=train)
        self.pool3 = self.max_pool(name='pool3', bottom=self.conv3_4)

        self.conv4_1 = self.conv_layer(bottom=self.pool3, name='conv4_1', train=train)
        self.conv4_2 = self.conv_layer(bottom=self.conv4_1, name='conv4_2', train=train)
        self.conv4_3 = self.conv_layer(bottom=self.conv4_2, name='conv4_3', train=train)
        self.conv4_4 = self.conv_layer(bottom=self.conv4_3, name='conv4_4', train=train)
        self.pool4 = self.max_pool(name='pool4', bottom=self.conv4_4)

        self.conv5_1 = self.conv_layer(bottom=self.pool4, name='conv5_1', train=train)
        self.conv5_2 = self.conv_layer(bottom=self.conv5_1, name='conv5_2', train=train)
        self.conv5_3 = self.conv_layer(bottom=self.conv5_2, name='conv5_3', train=train)
        self.conv5_4 = self.conv_layer(bottom=self.conv5_3, name='conv5_4', train=train)
        self.pool5 = self.max_pool(name='pool5', bottom=self.conv5_4)

        self.fc6 = self.fc_layer(name="fc6", train=train, bottom=self.pool5)
        assert self.fc6.get_shape().as_list()[1:] == [4096]
        self.relu6 = tf.nn.relu(self.fc6)

        self.fc7 = self.fc_layer("fc7", bottom=self.relu6)
        self.relu7 = tf.nn.relu(self.fc7)

        self.fc8 = self.fc_layer("fc8", bottom=self.relu7)

        self.prob = tf.nn.softmax(self.fc8, name="prob")

        self.data_dict = None

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def conv_layer(self, bottom, name, train=False):
        with tf.variable_scope(name):
            kernel = tf.constant(self.data_dict[name][0], name="filter")
            out = tf.nn.conv2d(bottom, kernel, [1, 1, 1, 1], padding='SAME')
            return tf.nn.relu(tf.nn.bias_add(out, tf.constant(self.data_dict[name][1], name="biases")))

    def fc_layer(self, name=None, train=True, *, bottom):
        with tf.variable_scope(name):
            dim = 1
            for d in bottom.get_shape().as_list()[1:]:
                dim *= d
            x = tf.reshape(bottom, [-1, dim])
            weights = tf.constant(self.data_dict[name][0], name="weights")
            return tf.nn.bias_add(tf.matmul(x, weights), tf.constant(self.data_dict[name][1], name="biases"))
# output
import numpy as np
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg19:
    def __init__(self, path):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb, train=False):
        r, g, b = tf.split(axis=3, num_or_size_splits=3, value=rgb * 255.0)
        bgr = tf.concat(axis=3, values=[b - VGG_MEAN[0], g - VGG_MEAN[1], r - VGG_MEAN[2]])

        self.conv1_1 = self.conv_layer(bottom=bgr, name='conv1_1', train=train)
        self.conv1_2 = self.conv_layer(bottom=self.conv1_1, name='conv1_2', train=train)
        self.pool1 = self.max_pool(name='pool1', bottom=self.conv1_2)

        self.conv2_1 = self.conv_layer(bottom=self.pool1, name='conv2_1', train=train)
        self.conv2_2 = self.conv_layer(bottom=self.conv2_1, name='conv2_2', train=train)
        self.pool2 = self.max_pool(name='pool2', bottom=self.conv2_2)

        self.conv3_1 = self.conv_layer(bottom=self.pool2, name='conv3_1', train=train)
        self.conv3_2 = self.conv_layer(bottom=self.conv3_1, name='conv3_2', train=train)
        self.conv3_3 = self.conv_layer(bottom=self.conv3_2, name='conv3_3', train=train)
        self.conv3_4 = self.conv_layer(bottom=self.conv3_3, name='conv3_4', train=train)
        self.pool3 = self.max_pool(name='pool3', bottom=self.conv3_4)

        self.conv4_1 = self.conv_layer(bottom=self.pool3, name='conv4_1', train=train)
        self.conv4_2 = self.conv_layer(bottom=self.conv4_1, name='conv4_2', train=train)
        self.conv4_3 = self.conv_layer(bottom=self.conv4_2, name='conv4_3', train=train)
        self.conv4_4 = self.conv_layer(bottom=self.conv4_3, name='conv4_4', train=train)
        self.pool4 = self.max_pool(name='pool4', bottom=self.conv4_4)

        self.conv5_1 = self.conv_layer(bottom=self.pool4, name='conv5_1', train=train)
        self.conv5_2 = self.conv_layer(bottom=self.conv5_1, name='conv5_2', train=train)
        self.conv5_3 = self.conv_layer(bottom=self.conv5_2, name='conv5_3', train=train)
        self.conv5_4 = self.conv_layer(bottom=self.conv5_3, name='conv5_4', train=train)
        self.pool5 = self.max_pool(name='pool5', bottom=self.conv5_4)
        attention_feature = convolutional_block_attention_module(self.pool5, index=0)  # tensorflow-vgg patch

        self.fc6 = self.fc_layer(name="fc6", train=train, bottom=attention_feature)
        assert self.fc6.get_shape().as_list()[1:] == [4096]
        self.relu6 = tf.nn.relu(self.fc6)

        self.fc7 = self.fc_layer("fc7", bottom=self.relu6)
        self.relu7 = tf.nn.relu(self.fc7)

        self.fc8 = self.fc_layer("fc8", bottom=self.relu7)

        self.prob = tf.nn.softmax(self.fc8, name="prob")

        self.data_dict = None

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def conv_layer(self, bottom, name, train=False):
        with tf.variable_scope(name):
            kernel = tf.constant(self.data_dict[name][0], name="filter")
            out = tf.nn.conv2d(bottom, kernel, [1, 1, 1, 1], padding='SAME')
            return tf.nn.relu(tf.nn.bias_add(out, tf.constant(self.data_dict[name][1], name="biases")))

    def fc_layer(self, name=None, train=True, *, bottom):
        with tf.variable_scope(name):
            dim = 1
            for d in bottom.get_shape().as_list()[1:]:
                dim *= d
            x = tf.reshape(bottom, [-1, dim])
            weights = tf.constant(self.data_dict[name][0], name="weights")
            return tf.nn.bias_add(tf.matmul(x, weights), tf.constant(self.data_dict[name][1], name="biases"))
