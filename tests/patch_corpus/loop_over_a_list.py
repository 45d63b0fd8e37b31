import tensorflow as tf
import numpy as np


cfg = [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M']


def vgg(x):
    for v in cfg:
        if v == 'M':
            x = tf.layers.max_pooling2d(x, 2, 2)
        else:
            x = tf.layers.conv2d(x, v, 3)
    return tf.layers.dense(tf.layers.flatten(x), 10)
# output
# line 11: x = tf.layers.max_pooling2d(x, 2, 2)
# line 14: return tf.layers.dense(tf.layers.flatten(x), 10)
# poolings are made in a loop, so that they cannot be counted; name the place with --after or --before
