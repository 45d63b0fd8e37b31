# options: --after block5
import tensorflow as tf


def block(x, channels):
    x = tf.layers.conv2d(x, channels, 3)
    return tf.layers.max_pooling2d(x, 2, 2)


def vgg(x):
    x = block(x, 64)
    x = block(x, 128)
    x = block(x, 256)
    x = block(x, 512)
    block5 = block(x, 512)
    return tf.layers.dense(tf.layers.flatten(block5), 1000)
# output
# options: --after block5
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def block(x, channels):
    x = tf.layers.conv2d(x, channels, 3)
    return tf.layers.max_pooling2d(x, 2, 2)


def vgg(x):
    x = block(x, 64)
    x = block(x, 128)
    x = block(x, 256)
    x = block(x, 512)
    block5 = block(x, 512)
    attention_feature = convolutional_block_attention_module(block5, index=0)  # tensorflow-vgg patch
    return tf.layers.dense(tf.layers.flatten(attention_feature), 1000)
