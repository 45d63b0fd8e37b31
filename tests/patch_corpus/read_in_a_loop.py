import tensorflow as tf
import numpy as np


def vgg(x):
    net = tf.layers.conv2d(x, 64, 3, padding='same', activation=tf.nn.relu, name='conv1_1')
    net = tf.layers.max_pooling2d(net, 2, 2, name='pool1')

    net = tf.layers.conv2d(net, 128, 3, padding='same', activation=tf.nn.relu, name='conv2_1')
    net = tf.layers.max_pooling2d(net, 2, 2, name='pool2')

    net = tf.layers.conv2d(net, 256, 3, padding='same', activation=tf.nn.relu, name='conv3_1')
    net = tf.layers.max_pooling2d(net, 2, 2, name='pool3')

    net = tf.layers.conv2d(net, 512, 3, padding='same', activation=tf.nn.relu, name='conv4_1')
    net = tf.layers.max_pooling2d(net, 2, 2, name='pool4')

    net = tf.layers.conv2d(net, 512, 3, padding='same', activation=tf.nn.relu, name='conv5_1')
    net = tf.layers.max_pooling2d(net, 2, 2, name='pool5')
    for i, units in enumerate([4096, 4096]):
        net = tf.layers.dense(net if i else tf.layers.flatten(net), units)
    return net
# output
# line 19: net = tf.layers.max_pooling2d(net, 2, 2, name='pool5')
# line 21: net = tf.layers.dense(net if i else tf.layers.flatten(net), units)
# the layer is made or read in a loop, and a block can be made once: put it in by hand
