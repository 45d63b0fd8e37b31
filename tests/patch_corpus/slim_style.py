"""VGG 16 with slim."""
import tensorflow as tf
import tensorflow.contrib.slim as slim


class Vgg16Slim(object):

    def __init__(self, num_classes=1000, is_training=True):
        self._num_classes = num_classes
        self._is_training = is_training

    def build(self, images, scope='vgg_16'):
        with tf.variable_scope(scope, 'vgg_16', [images]):
            with slim.arg_scope([slim.conv2d, slim.fully_connected, slim.max_pool2d]):
                net = slim.repeat(images, 2, slim.conv2d, 64, [3, 3], scope='conv1')
                net = slim.max_pool2d(net, [2, 2], scope='pool1')
                net = slim.repeat(net, 2, slim.conv2d, 128, [3, 3], scope='conv2')
                net = slim.max_pool2d(net, [2, 2], scope='pool2')
                net = slim.repeat(net, 3, slim.conv2d, 256, [3, 3], scope='conv3')
                net = slim.max_pool2d(net, [2, 2], scope='pool3')
                net = slim.repeat(net, 3, slim.conv2d, 512, [3, 3], scope='conv4')
                net = slim.max_pool2d(net, [2, 2], scope='pool4')
                net = slim.repeat(net, 3, slim.conv2d, 512, [3, 3], scope='conv5')
                self.pool5 = slim.max_pool2d(net, [2, 2], scope='pool5')
                # fully connected as a convolution
                net = slim.conv2d(self.pool5, 4096, [7, 7], padding='VALID', scope='fc6')
                net = slim.dropout(net, 0.5, is_training=self._is_training, scope='dropout6')
                net = slim.conv2d(net, 4096, [1, 1], scope='fc7')
                self.logits = slim.conv2d(net, self._num_classes, [1, 1], activation_fn=None, scope='fc8')
        return self.logits
