import tensorflow as tf
import numpy as np


def vgg_16(inputs, is_training=True):
    end_points = {}
    net = inputs
    net = conv(net, 64, name='conv1_1')
    end_points['conv1_1'] = net
    net = max_pool(net, name='pool1')
    end_points['pool1'] = net

    net = conv(net, 128, name='conv2_1')
    end_points['conv2_1'] = net
    net = max_pool(net, name='pool2')
    end_points['pool2'] = net

    net = conv(net, 256, name='conv3_1')
    end_points['conv3_1'] = net
    net = max_pool(net, name='pool3')
    end_points['pool3'] = net

    net = conv(net, 512, name='conv4_1')
    end_points['conv4_1'] = net
    net = max_pool(net, name='pool4')
    end_points['pool4'] = net

    net = conv(net, 512, name='conv5_1')
    end_points['conv5_1'] = net
    net = max_pool(net, name='pool5')
    end_points['pool5'] = net
    net = tf.reshape(net, [-1, 7 * 7 * 512])
    net = fully_connected(net, 4096, name='fc6')
    end_points['fc6'] = net
    return fully_connected(net, 10, name='fc8'), end_points
# output
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


def vgg_16(inputs, is_training=True):
    end_points = {}
    net = inputs
    net = conv(net, 64, name='conv1_1')
    end_points['conv1_1'] = net
    net = max_pool(net, name='pool1')
    end_points['pool1'] = net

    net = conv(net, 128, name='conv2_1')
    end_points['conv2_1'] = net
    net = max_pool(net, name='pool2')
    end_points['pool2'] = net

    net = conv(net, 256, name='conv3_1')
    end_points['conv3_1'] = net
    net = max_pool(net, name='pool3')
    end_points['pool3'] = net

    net = conv(net, 512, name='conv4_1')
    end_points['conv4_1'] = net
    net = max_pool(net, name='pool4')
    end_points['pool4'] = net

    net = conv(net, 512, name='conv5_1')
    end_points['conv5_1'] = net
    net = max_pool(net, name='pool5')
    attention_feature = convolutional_block_attention_module(net, index=0)  # tensorflow-vgg patch
    end_points['pool5'] = net
    net = tf.reshape(attention_feature, [-1, 7 * 7 * 512])
    net = fully_connected(net, 4096, name='fc6')
    end_points['fc6'] = net
    return fully_connected(net, 10, name='fc8'), end_points
