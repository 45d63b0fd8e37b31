import tensorflow as tf
import numpy as np


def model(x, reuse=False):
    def conv(x, c):
        return tf.layers.conv2d(x, c, 3, padding='same', activation=tf.nn.relu)

    def pool(x):
        return tf.layers.max_pooling2d(x, 2, 2)

    with tf.variable_scope('vgg', reuse=reuse):
        h = conv(x, 64)
        h = pool(h)

        h = conv(h, 128)
        h = pool(h)

        h = conv(h, 256)
        h = pool(h)

        h = conv(h, 512)
        h = pool(h)

        h = conv(h, 512)
        h = pool(h)
        h = tf.contrib.layers.flatten(h)
        h = tf.contrib.layers.fully_connected(h, 4096)
        return tf.contrib.layers.fully_connected(h, 10)
# output
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def model(x, reuse=False):
    def conv(x, c):
        return tf.layers.conv2d(x, c, 3, padding='same', activation=tf.nn.relu)

    def pool(x):
        return tf.layers.max_pooling2d(x, 2, 2)

    with tf.variable_scope('vgg', reuse=reuse):
        h = conv(x, 64)
        h = pool(h)

        h = conv(h, 128)
        h = pool(h)

        h = conv(h, 256)
        h = pool(h)

        h = conv(h, 512)
        h = pool(h)

        h = conv(h, 512)
        h = pool(h)
        attention_feature = convolutional_block_attention_module(h, index=0)  # tensorflow-vgg patch
        h = tf.contrib.layers.flatten(attention_feature)
        h = tf.contrib.layers.fully_connected(h, 4096)
        return tf.contrib.layers.fully_connected(h, 10)
