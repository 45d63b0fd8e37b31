# options: --before flat
import tensorflow as tf
import tensorflow.contrib.slim as slim


def age_and_gender(net):
    net = slim.conv2d(net, 64, [3, 3], scope='conv1')
    net = slim.max_pool2d(net, [2, 2], scope='pool1')
    net = slim.conv2d(net, 128, [3, 3], scope='conv2')
    net = slim.max_pool2d(net, [2, 2], scope='pool2')
    net = slim.conv2d(net, 256, [3, 3], scope='conv3')
    net = slim.max_pool2d(net, [2, 2], scope='pool3')
    net = slim.conv2d(net, 512, [3, 3], scope='conv4')
    net = slim.max_pool2d(net, [2, 2], scope='pool4')
    net = slim.conv2d(net, 512, [3, 3], scope='conv5')
    net = slim.max_pool2d(net, [2, 2], scope='pool5')
    flat = slim.flatten(net)
    age = slim.fully_connected(flat, 4096, scope='age')
    gender = slim.fully_connected(flat, 4096, scope='gender')
    return age, gender
# output
# options: --before flat
import tensorflow as tf
import tensorflow.contrib.slim as slim
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def age_and_gender(net):
    net = slim.conv2d(net, 64, [3, 3], scope='conv1')
    net = slim.max_pool2d(net, [2, 2], scope='pool1')
    net = slim.conv2d(net, 128, [3, 3], scope='conv2')
    net = slim.max_pool2d(net, [2, 2], scope='pool2')
    net = slim.conv2d(net, 256, [3, 3], scope='conv3')
    net = slim.max_pool2d(net, [2, 2], scope='pool3')
    net = slim.conv2d(net, 512, [3, 3], scope='conv4')
    net = slim.max_pool2d(net, [2, 2], scope='pool4')
    net = slim.conv2d(net, 512, [3, 3], scope='conv5')
    net = slim.max_pool2d(net, [2, 2], scope='pool5')
    attention_feature = convolutional_block_attention_module(net, index=0)  # tensorflow-vgg patch
    flat = slim.flatten(attention_feature)
    age = slim.fully_connected(flat, 4096, scope='age')
    gender = slim.fully_connected(flat, 4096, scope='gender')
    return age, gender
