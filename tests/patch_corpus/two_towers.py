import tensorflow as tf
import numpy as np


def towers(a, b):
    a = conv(a, 'conv1_1')
    a = max_pool(a)

    a = conv(a, 'conv2_1')
    a = max_pool(a)

    a = conv(a, 'conv3_1')
    a = max_pool(a)
    b = conv(b, 'conv1_1')
    b = max_pool(b)

    b = conv(b, 'conv2_1')
    b = max_pool(b)
    return tf.layers.dense(tf.layers.flatten(b), 10)
# output
# line 13: a = max_pool(a)
# line 15: b = max_pool(b)
# the second is not made from the first; name the place with --after or --before
