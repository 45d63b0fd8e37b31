import tensorflow as tf
import numpy as np


def vgg(x):
    conv1_1 = conv(x, 64)
    pool1 = pool(conv1_1)

    conv2_1 = conv(pool1, 128)
    pool2 = pool(conv2_1)

    conv3_1 = conv(pool2, 256)
    pool3 = pool(conv3_1)

    conv4_1 = conv(pool3, 512)
    pool4 = pool(conv4_1)

    conv5_1 = conv(pool4, 512)
    pool5 = pool(conv5_1)
    size = pool5.shape[1] * pool5.shape[2] * pool5.shape[3]
    n = int(np.prod(pool5.get_shape().as_list()[1:]))
    flat = tf.reshape(pool5, [tf.shape(pool5)[0], n])
    return fc_layer(flat, n, 4096)
# output
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def vgg(x):
    conv1_1 = conv(x, 64)
    pool1 = pool(conv1_1)

    conv2_1 = conv(pool1, 128)
    pool2 = pool(conv2_1)

    conv3_1 = conv(pool2, 256)
    pool3 = pool(conv3_1)

    conv4_1 = conv(pool3, 512)
    pool4 = pool(conv4_1)

    conv5_1 = conv(pool4, 512)
    pool5 = pool(conv5_1)
    attention_feature = convolutional_block_attention_module(pool5, index=0)  # tensorflow-vgg patch
    size = pool5.shape[1] * pool5.shape[2] * pool5.shape[3]
    n = int(np.prod(pool5.get_shape().as_list()[1:]))
    flat = tf.reshape(attention_feature, [tf.shape(pool5)[0], n])
    return fc_layer(flat, n, 4096)
