import tensorflow as tf
import numpy as np


def vgg(x):
    x = tf.layers.conv2d(x, 64, 3, data_format='channels_first')
    x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')

    x = tf.layers.conv2d(x, 128, 3, data_format='channels_first')
    x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')

    x = tf.layers.conv2d(x, 256, 3, data_format='channels_first')
    x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')

    x = tf.layers.conv2d(x, 512, 3, data_format='channels_first')
    x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')

    x = tf.layers.conv2d(x, 512, 3, data_format='channels_first')
    x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')
    return tf.layers.dense(tf.layers.flatten(x), 10)
# output
# line 13: x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')
# line 15: x = tf.layers.conv2d(x, 512, 3, data_format='channels_first')
# line 16: x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')
# line 18: x = tf.layers.conv2d(x, 512, 3, data_format='channels_first')
# line 19: x = tf.layers.max_pooling2d(x, 2, 2, data_format='channels_first')
# line 20: return tf.layers.dense(tf.layers.flatten(x), 10)
# channels may come before rows and columns here, and the block takes them last: if they do not, name the place with --after or --before
