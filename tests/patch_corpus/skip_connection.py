import tensorflow as tf
import numpy as np


def unet(x):
    conv1_1 = conv(x, 64)
    pool1 = max_pool(conv1_1)

    conv2_1 = conv(pool1, 128)
    pool2 = max_pool(conv2_1)

    conv3_1 = conv(pool2, 256)
    pool3 = max_pool(conv3_1)

    conv4_1 = conv(pool3, 512)
    pool4 = max_pool(conv4_1)

    conv5_1 = conv(pool4, 512)
    pool5 = max_pool(conv5_1)
    up = tf.image.resize_images(pool5, [14, 14])
    merge = tf.concat([up, pool4], 3)
    out = tf.layers.dense(tf.layers.flatten(merge), 2)
    return out
# output
# line 19: pool5 = max_pool(conv5_1)
# line 21: merge = tf.concat([up, pool4], 3)
# line 22: out = tf.layers.dense(tf.layers.flatten(merge), 2)
# the first fully connected layer does not read a pooling, but line 21; name the place with --after or --before
