import tensorflow as tf
import numpy as np


def train(images):
    for i in range(4):
        with tf.device('/gpu:%d' % i):
            x = images[i]
            x = conv(x, 64, 'conv1_1')
            x = max_pool(x)

            x = conv(x, 128, 'conv2_1')
            x = max_pool(x)

            x = conv(x, 256, 'conv3_1')
            x = max_pool(x)

            x = conv(x, 512, 'conv4_1')
            x = max_pool(x)

            x = conv(x, 512, 'conv5_1')
            x = max_pool(x)
            y = tf.layers.dense(tf.layers.flatten(x), 10)
# output
# line 22: x = max_pool(x)
# line 23: y = tf.layers.dense(tf.layers.flatten(x), 10)
# poolings are made in a loop, so that they cannot be counted; name the place with --after or --before
