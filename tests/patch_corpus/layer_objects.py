import tensorflow as tf
import numpy as np


class VGG(object):
    def __init__(self):
        self.conv1 = tf.layers.Conv2D(64, 3)
        self.pool1 = tf.layers.MaxPooling2D(2, 2)
        self.conv2 = tf.layers.Conv2D(64, 3)
        self.pool2 = tf.layers.MaxPooling2D(2, 2)
        self.conv3 = tf.layers.Conv2D(64, 3)
        self.pool3 = tf.layers.MaxPooling2D(2, 2)
        self.conv4 = tf.layers.Conv2D(64, 3)
        self.pool4 = tf.layers.MaxPooling2D(2, 2)
        self.conv5 = tf.layers.Conv2D(64, 3)
        self.pool5 = tf.layers.MaxPooling2D(2, 2)
        self.fc6 = tf.layers.Dense(10)

    def __call__(self, x):
        x = self.pool1(self.conv1(x))
        x = self.pool2(self.conv2(x))
        x = self.pool3(self.conv3(x))
        x = self.pool4(self.conv4(x))
        x = self.pool5(self.conv5(x))
        return self.fc6(tf.layers.flatten(x))
# output
# line 8: self.pool1 = tf.layers.MaxPooling2D(2, 2)
# line 10: self.pool2 = tf.layers.MaxPooling2D(2, 2)
# the second is not made from the first; name the place with --after or --before
# tensorflow-vgg: net.py: left alone:
# line 24: x = self.pool5(self.conv5(x))
# line 25: return self.fc6(tf.layers.flatten(x))
# its layers are not TensorFlow 1's: the block cannot take what they give
