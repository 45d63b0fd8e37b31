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
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


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
    attention_feature = convolutional_block_attention_module(net, index=0)  # tensorflow-vgg patch
    net = tf.layers.flatten(attention_feature)
    net = tf.layers.dense(net, 4096, activation=tf.nn.relu)
    net = tf.layers.dropout(net, training=is_training)
    net = tf.layers.dense(net, 4096, activation=tf.nn.relu)
    return tf.layers.dense(net, num_classes)
