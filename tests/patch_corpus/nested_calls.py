import tensorflow as tf


def vgg(x, w):
    x = max_pool(conv(x, 1))
    x = max_pool(conv(x, 2))
    x = max_pool(conv(x, 3))
    x = max_pool(conv(x, 4))
    x = max_pool(conv(x, 5))
    y = tf.nn.relu(tf.matmul(tf.nn.relu(tf.matmul(tf.reshape(x, [-1, 8]), w)), w))
    return tf.layers.dense(tf.layers.dense(y, 10), 10)
# output
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def vgg(x, w):
    x = max_pool(conv(x, 1))
    x = max_pool(conv(x, 2))
    x = max_pool(conv(x, 3))
    x = max_pool(conv(x, 4))
    x = max_pool(conv(x, 5))
    attention_feature = convolutional_block_attention_module(x, index=0)  # tensorflow-vgg patch
    y = tf.nn.relu(tf.matmul(tf.nn.relu(tf.matmul(tf.reshape(attention_feature, [-1, 8]), w)), w))
    return tf.layers.dense(tf.layers.dense(y, 10), 10)
