import tensorflow as tf
import numpy as np


def weight_variable(shape):
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1))


def conv2d(x, W):
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding='SAME')


def max_pool_2x2(x):
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')


x = tf.placeholder(tf.float32, [None, 224, 224, 3])
keep_prob = tf.placeholder(tf.float32)
W_conv1_1 = weight_variable([3, 3, 64, 64])
h_conv1_1 = tf.nn.relu(conv2d(x, W_conv1_1) + b)
h_pool1 = max_pool_2x2(h_conv1_1)

W_conv2_1 = weight_variable([3, 3, 64, 128])
h_conv2_1 = tf.nn.relu(conv2d(h_pool1, W_conv2_1) + b)
h_pool2 = max_pool_2x2(h_conv2_1)

W_conv3_1 = weight_variable([3, 3, 64, 256])
h_conv3_1 = tf.nn.relu(conv2d(h_pool2, W_conv3_1) + b)
h_pool3 = max_pool_2x2(h_conv3_1)

W_conv4_1 = weight_variable([3, 3, 64, 512])
h_conv4_1 = tf.nn.relu(conv2d(h_pool3, W_conv4_1) + b)
h_pool4 = max_pool_2x2(h_conv4_1)

W_conv5_1 = weight_variable([3, 3, 64, 512])
h_conv5_1 = tf.nn.relu(conv2d(h_pool4, W_conv5_1) + b)
h_pool5 = max_pool_2x2(h_conv5_1)
W_fc1 = weight_variable([7 * 7 * 512, 4096])
h_pool5_flat = tf.reshape(h_pool5, [-1, 7 * 7 * 512])
h_fc1 = tf.nn.relu(tf.matmul(h_pool5_flat, W_fc1) + b_fc1)
h_fc1_drop = tf.nn.dropout(h_fc1, keep_prob)
y = tf.matmul(h_fc1_drop, W_fc2) + b_fc2
# output
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def weight_variable(shape):
    return tf.Variable(tf.truncated_normal(shape, stddev=0.1))


def conv2d(x, W):
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding='SAME')


def max_pool_2x2(x):
    return tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')


x = tf.placeholder(tf.float32, [None, 224, 224, 3])
keep_prob = tf.placeholder(tf.float32)
W_conv1_1 = weight_variable([3, 3, 64, 64])
h_conv1_1 = tf.nn.relu(conv2d(x, W_conv1_1) + b)
h_pool1 = max_pool_2x2(h_conv1_1)

W_conv2_1 = weight_variable([3, 3, 64, 128])
h_conv2_1 = tf.nn.relu(conv2d(h_pool1, W_conv2_1) + b)
h_pool2 = max_pool_2x2(h_conv2_1)

W_conv3_1 = weight_variable([3, 3, 64, 256])
h_conv3_1 = tf.nn.relu(conv2d(h_pool2, W_conv3_1) + b)
h_pool3 = max_pool_2x2(h_conv3_1)

W_conv4_1 = weight_variable([3, 3, 64, 512])
h_conv4_1 = tf.nn.relu(conv2d(h_pool3, W_conv4_1) + b)
h_pool4 = max_pool_2x2(h_conv4_1)

W_conv5_1 = weight_variable([3, 3, 64, 512])
h_conv5_1 = tf.nn.relu(conv2d(h_pool4, W_conv5_1) + b)
h_pool5 = max_pool_2x2(h_conv5_1)
attention_feature = convolutional_block_attention_module(h_pool5, index=0)  # tensorflow-vgg patch
W_fc1 = weight_variable([7 * 7 * 512, 4096])
h_pool5_flat = tf.reshape(attention_feature, [-1, 7 * 7 * 512])
h_fc1 = tf.nn.relu(tf.matmul(h_pool5_flat, W_fc1) + b_fc1)
h_fc1_drop = tf.nn.dropout(h_fc1, keep_prob)
y = tf.matmul(h_fc1_drop, W_fc2) + b_fc2
