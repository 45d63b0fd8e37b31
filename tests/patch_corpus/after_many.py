# options: --after net
import tensorflow as tf
import numpy as np


def vgg16(x, num_classes, is_training):
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
    net = tf.layers.flatten(net)
    net = tf.layers.dense(net, 4096, activation=tf.nn.relu)
    net = tf.layers.dropout(net, training=is_training)
    net = tf.layers.dense(net, 4096, activation=tf.nn.relu)
    return tf.layers.dense(net, num_classes)
# output
# line 19: net = tf.layers.conv2d(net, 512, 3, padding='same', activation=tf.nn.relu, name='conv5_1')
# line 20: net = tf.layers.max_pooling2d(net, 2, 2, name='pool5')
# line 21: net = tf.layers.flatten(net)
# line 22: net = tf.layers.dense(net, 4096, activation=tf.nn.relu)
# line 23: net = tf.layers.dropout(net, training=is_training)
# line 24: net = tf.layers.dense(net, 4096, activation=tf.nn.relu)
# net stands for more than one layer: give --after or --before another, or each its own name
