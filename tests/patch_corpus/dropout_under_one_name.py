import tensorflow as tf
import numpy as np


class Vgg16:
    def __init__(self, path=None):
        self.data_dict = np.load(path, encoding='latin1').item()

    def build(self, rgb, train=None):
        bgr = rgb * 255.0
        self.conv1_1 = self.conv_layer(bgr, "conv1_1")
        self.pool1 = self.max_pool(self.conv1_1, 'pool1')

        self.conv2_1 = self.conv_layer(self.pool1, "conv2_1")
        self.pool2 = self.max_pool(self.conv2_1, 'pool2')

        self.conv3_1 = self.conv_layer(self.pool2, "conv3_1")
        self.pool3 = self.max_pool(self.conv3_1, 'pool3')

        self.conv4_1 = self.conv_layer(self.pool3, "conv4_1")
        self.pool4 = self.max_pool(self.conv4_1, 'pool4')

        self.conv5_1 = self.conv_layer(self.pool4, "conv5_1")
        self.pool5 = self.max_pool(self.conv5_1, 'pool5')

        if train:
            self.pool5 = tf.nn.dropout(self.pool5, 0.5)
        self.fc6 = self.fc_layer(self.pool5, "fc6")
        self.relu6 = tf.nn.relu(self.fc6)
        self.fc7 = self.fc_layer(self.relu6, "fc7")
        self.prob = tf.nn.softmax(self.fc7)
# output
# line 24: self.pool5 = self.max_pool(self.conv5_1, 'pool5')
# line 27: self.pool5 = tf.nn.dropout(self.pool5, 0.5)
# line 28: self.fc6 = self.fc_layer(self.pool5, "fc6")
# what is read there is not made in one place: give it a name of its own
