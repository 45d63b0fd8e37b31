# options: --after pool4
import tensorflow as tf
import numpy as np


def vgg(x, keep):
    conv1_1 = conv(x, 64)
    pool1 = max_pool_layer(conv1_1)

    conv2_1 = conv(pool1, 128)
    pool2 = max_pool_layer(conv2_1)

    conv3_1 = conv(pool2, 256)
    pool3 = max_pool_layer(conv3_1)

    conv4_1 = conv(pool3, 512)
    pool4 = max_pool_layer(conv4_1)

    conv5_1 = conv(pool4, 512)
    pool5 = max_pool_layer(conv5_1)
    feats = [pool3, pool4, pool5]
    flat, dim = flatten(pool5), 25088
    fc6 = tf.nn.dropout(tf.nn.relu(fc(flat, dim, 4096, 'fc6')), keep)
    return fc(fc6, 4096, 10, 'fc7'), feats
# output
# options: --after pool4
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def vgg(x, keep):
    conv1_1 = conv(x, 64)
    pool1 = max_pool_layer(conv1_1)

    conv2_1 = conv(pool1, 128)
    pool2 = max_pool_layer(conv2_1)

    conv3_1 = conv(pool2, 256)
    pool3 = max_pool_layer(conv3_1)

    conv4_1 = conv(pool3, 512)
    pool4 = max_pool_layer(conv4_1)
    attention_feature = convolutional_block_attention_module(pool4, index=0)  # tensorflow-vgg patch

    conv5_1 = conv(attention_feature, 512)
    pool5 = max_pool_layer(conv5_1)
    feats = [pool3, pool4, pool5]
    flat, dim = flatten(pool5), 25088
    fc6 = tf.nn.dropout(tf.nn.relu(fc(flat, dim, 4096, 'fc6')), keep)
    return fc(fc6, 4096, 10, 'fc7'), feats
