from __future__ import print_function, division
import numpy
import tensorflow as tf


class VGG16(object):
  MEAN = 103.939, 116.779, 123.68

  def __init__(self, path):
    self.weights = numpy.load(path, encoding="latin1").item()

  def build(self, images):
    def conv(x, name):
      w, b = self.weights[name]
      return tf.nn.relu(tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME") + b)

    def pool(x, name=None):
      return tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", name=name)

    def dense(x, name):
      return tf.matmul(x, self.weights[name][0]) + self.weights[name][1]

    net = tf.reverse(images * 255., [3]) - numpy.array(self.MEAN, "float32")
    net = conv(net, 'conv1_1')
    net = conv(net, 'conv1_2')
    net = pool(net, name='pool1')

    net = conv(net, 'conv2_1')
    net = conv(net, 'conv2_2')
    net = pool(net, name='pool2')

    net = conv(net, 'conv3_1')
    net = conv(net, 'conv3_2')
    net = conv(net, 'conv3_3')
    net = pool(net, name='pool3')

    net = conv(net, 'conv4_1')
    net = conv(net, 'conv4_2')
    net = conv(net, 'conv4_3')
    net = pool(net, name='pool4')

    net = conv(net, 'conv5_1')
    net = conv(net, 'conv5_2')
    net = conv(net, 'conv5_3')
    net = pool(net, name='pool5')

    self.features = net
    tf.summary.histogram("pool5", net)
    net = tf.reshape(net, [-1, 7 * 7 * net.get_shape().as_list()[-1]])
    net = tf.nn.relu(dense(net, "fc6"))
    net = tf.nn.relu(dense(net, "fc7"))
    self.prob = tf.nn.softmax(dense(net, "fc8"))
# output
from __future__ import print_function, division
import numpy
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


class VGG16(object):
  MEAN = 103.939, 116.779, 123.68

  def __init__(self, path):
    self.weights = numpy.load(path, encoding="latin1").item()

  def build(self, images):
    def conv(x, name):
      w, b = self.weights[name]
      return tf.nn.relu(tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME") + b)

    def pool(x, name=None):
      return tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", name=name)

    def dense(x, name):
      return tf.matmul(x, self.weights[name][0]) + self.weights[name][1]

    net = tf.reverse(images * 255., [3]) - numpy.array(self.MEAN, "float32")
    net = conv(net, 'conv1_1')
    net = conv(net, 'conv1_2')
    net = pool(net, name='pool1')

    net = conv(net, 'conv2_1')
    net = conv(net, 'conv2_2')
    net = pool(net, name='pool2')

    net = conv(net, 'conv3_1')
    net = conv(net, 'conv3_2')
    net = conv(net, 'conv3_3')
    net = pool(net, name='pool3')

    net = conv(net, 'conv4_1')
    net = conv(net, 'conv4_2')
    net = conv(net, 'conv4_3')
    net = pool(net, name='pool4')

    net = conv(net, 'conv5_1')
    net = conv(net, 'conv5_2')
    net = conv(net, 'conv5_3')
    net = pool(net, name='pool5')
    attention_feature = convolutional_block_attention_module(net, index=0)  # tensorflow-vgg patch

    self.features = net
    tf.summary.histogram("pool5", net)
    net = tf.reshape(attention_feature, [-1, 7 * 7 * net.get_shape().as_list()[-1]])
    net = tf.nn.relu(dense(net, "fc6"))
    net = tf.nn.relu(dense(net, "fc7"))
    self.prob = tf.nn.softmax(dense(net, "fc8"))
