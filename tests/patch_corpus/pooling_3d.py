import tensorflow as tf
import numpy as np


def c3d(x):
    conv1_1 = conv3d(x, 64)
    pool1 = max_pool3d(conv1_1)

    conv2_1 = conv3d(pool1, 128)
    pool2 = max_pool3d(conv2_1)

    conv3_1 = conv3d(pool2, 256)
    conv3_2 = conv3d(conv3_1, 256)
    pool3 = max_pool3d(conv3_2)

    conv4_1 = conv3d(pool3, 512)
    conv4_2 = conv3d(conv4_1, 512)
    pool4 = max_pool3d(conv4_2)

    conv5_1 = conv3d(pool4, 512)
    conv5_2 = conv3d(conv5_1, 512)
    pool5 = max_pool3d(conv5_2)
    return dense(tf.reshape(pool5, [-1, 8192]), 4096)
# output
# line 23: return dense(tf.reshape(pool5, [-1, 8192]), 4096)
# no function has five poolings and then a fully connected layer of TensorFlow 1; name the place with --after or --before, or write by hand feature = convolutional_block_attention_module(feature, index=0) before the first fully connected layer
