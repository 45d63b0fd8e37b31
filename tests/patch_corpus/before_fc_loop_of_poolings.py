# options: --before logits
import tensorflow as tf
import numpy as np


cfg = [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M']


def vgg(x):
    for v in cfg:
        if v == 'M':
            x = tf.layers.max_pooling2d(x, 2, 2)
        else:
            x = tf.layers.conv2d(x, v, 3)
    logits = tf.layers.dense(tf.layers.flatten(x), 10)
    return logits
# output
# options: --before logits
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


cfg = [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M']


def vgg(x):
    for v in cfg:
        if v == 'M':
            x = tf.layers.max_pooling2d(x, 2, 2)
        else:
            x = tf.layers.conv2d(x, v, 3)
    attention_feature = convolutional_block_attention_module(x, index=0)  # tensorflow-vgg patch
    logits = tf.layers.dense(tf.layers.flatten(attention_feature), 10)
    return logits
