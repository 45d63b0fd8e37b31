import tensorflow as tf
import numpy as np


def cnn_model_fn(features, labels, mode):
    x = tf.reshape(features['x'], [-1, 224, 224, 3])
    conv1_1 = tf.layers.conv2d(inputs=x, filters=64, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_1 = tf.layers.max_pooling2d(inputs=conv1_1, pool_size=[2, 2], strides=2)

    conv2_1 = tf.layers.conv2d(inputs=pool_1, filters=128, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_2 = tf.layers.max_pooling2d(inputs=conv2_1, pool_size=[2, 2], strides=2)

    conv3_1 = tf.layers.conv2d(inputs=pool_2, filters=256, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_3 = tf.layers.max_pooling2d(inputs=conv3_1, pool_size=[2, 2], strides=2)

    conv4_1 = tf.layers.conv2d(inputs=pool_3, filters=512, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_4 = tf.layers.max_pooling2d(inputs=conv4_1, pool_size=[2, 2], strides=2)

    conv5_1 = tf.layers.conv2d(inputs=pool_4, filters=512, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_5 = tf.layers.max_pooling2d(inputs=conv5_1, pool_size=[2, 2], strides=2)
    pool5_flat = tf.reshape(pool_5, [-1, 7 * 7 * 512])
    dense = tf.layers.dense(inputs=pool5_flat, units=1024, activation=tf.nn.relu)
    dropout = tf.layers.dropout(inputs=dense, rate=0.4, training=mode == tf.estimator.ModeKeys.TRAIN)
    logits = tf.layers.dense(inputs=dropout, units=10)
    return logits
# output
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def cnn_model_fn(features, labels, mode):
    x = tf.reshape(features['x'], [-1, 224, 224, 3])
    conv1_1 = tf.layers.conv2d(inputs=x, filters=64, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_1 = tf.layers.max_pooling2d(inputs=conv1_1, pool_size=[2, 2], strides=2)

    conv2_1 = tf.layers.conv2d(inputs=pool_1, filters=128, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_2 = tf.layers.max_pooling2d(inputs=conv2_1, pool_size=[2, 2], strides=2)

    conv3_1 = tf.layers.conv2d(inputs=pool_2, filters=256, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_3 = tf.layers.max_pooling2d(inputs=conv3_1, pool_size=[2, 2], strides=2)

    conv4_1 = tf.layers.conv2d(inputs=pool_3, filters=512, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_4 = tf.layers.max_pooling2d(inputs=conv4_1, pool_size=[2, 2], strides=2)

    conv5_1 = tf.layers.conv2d(inputs=pool_4, filters=512, kernel_size=[3, 3], padding='same', activation=tf.nn.relu)
    pool_5 = tf.layers.max_pooling2d(inputs=conv5_1, pool_size=[2, 2], strides=2)
    attention_feature = convolutional_block_attention_module(pool_5, index=0)  # tensorflow-vgg patch
    pool5_flat = tf.reshape(attention_feature, [-1, 7 * 7 * 512])
    dense = tf.layers.dense(inputs=pool5_flat, units=1024, activation=tf.nn.relu)
    dropout = tf.layers.dropout(inputs=dense, rate=0.4, training=mode == tf.estimator.ModeKeys.TRAIN)
    logits = tf.layers.dense(inputs=dropout, units=10)
    return logits
