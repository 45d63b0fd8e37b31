import tensorflow as tf
import numpy as np


def inference(images, keep_prob):
    with tf.variable_scope('conv1_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 64], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv1_1 = tf.nn.relu(tf.nn.conv2d(images, kernel, [1, 1, 1, 1], padding='SAME'))
    pool1 = tf.nn.max_pool(conv1_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool1')

    with tf.variable_scope('conv2_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 128], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv2_1 = tf.nn.relu(tf.nn.conv2d(pool1, kernel, [1, 1, 1, 1], padding='SAME'))
    pool2 = tf.nn.max_pool(conv2_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool2')

    with tf.variable_scope('conv3_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 256], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv3_1 = tf.nn.relu(tf.nn.conv2d(pool2, kernel, [1, 1, 1, 1], padding='SAME'))
    pool3 = tf.nn.max_pool(conv3_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool3')

    with tf.variable_scope('conv4_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 512], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv4_1 = tf.nn.relu(tf.nn.conv2d(pool3, kernel, [1, 1, 1, 1], padding='SAME'))
    pool4 = tf.nn.max_pool(conv4_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool4')

    with tf.variable_scope('conv5_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 512], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv5_1 = tf.nn.relu(tf.nn.conv2d(pool4, kernel, [1, 1, 1, 1], padding='SAME'))
    pool5 = tf.nn.max_pool(conv5_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool5')
    with tf.variable_scope('local1'):
        reshape = tf.reshape(pool5, [FLAGS.batch_size, -1])
        dim = reshape.get_shape()[1].value
        weights = tf.get_variable('weights', [dim, 4096])
        local1 = tf.nn.relu(tf.matmul(reshape, weights) + biases)
    with tf.variable_scope('local2'):
        local2 = tf.nn.relu(tf.matmul(local1, weights2))
    return local2
# output
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def inference(images, keep_prob):
    with tf.variable_scope('conv1_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 64], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv1_1 = tf.nn.relu(tf.nn.conv2d(images, kernel, [1, 1, 1, 1], padding='SAME'))
    pool1 = tf.nn.max_pool(conv1_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool1')

    with tf.variable_scope('conv2_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 128], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv2_1 = tf.nn.relu(tf.nn.conv2d(pool1, kernel, [1, 1, 1, 1], padding='SAME'))
    pool2 = tf.nn.max_pool(conv2_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool2')

    with tf.variable_scope('conv3_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 256], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv3_1 = tf.nn.relu(tf.nn.conv2d(pool2, kernel, [1, 1, 1, 1], padding='SAME'))
    pool3 = tf.nn.max_pool(conv3_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool3')

    with tf.variable_scope('conv4_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 512], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv4_1 = tf.nn.relu(tf.nn.conv2d(pool3, kernel, [1, 1, 1, 1], padding='SAME'))
    pool4 = tf.nn.max_pool(conv4_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool4')

    with tf.variable_scope('conv5_1'):
        kernel = tf.get_variable('w', [3, 3, 64, 512], initializer=tf.contrib.layers.xavier_initializer_conv2d())
        conv5_1 = tf.nn.relu(tf.nn.conv2d(pool4, kernel, [1, 1, 1, 1], padding='SAME'))
    pool5 = tf.nn.max_pool(conv5_1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name='pool5')
    attention_feature = convolutional_block_attention_module(pool5, index=0)  # tensorflow-vgg patch
    with tf.variable_scope('local1'):
        reshape = tf.reshape(attention_feature, [FLAGS.batch_size, -1])
        dim = reshape.get_shape()[1].value
        weights = tf.get_variable('weights', [dim, 4096])
        local1 = tf.nn.relu(tf.matmul(reshape, weights) + biases)
    with tf.variable_scope('local2'):
        local2 = tf.nn.relu(tf.matmul(local1, weights2))
    return local2
