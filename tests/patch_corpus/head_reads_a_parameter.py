import tensorflow as tf

slim = tf.contrib.slim


class vgg16(object):
    def _image_to_head(self, is_training):
        net = self._image
        net = slim.repeat(net, 2, slim.conv2d, 64, [3, 3], scope='conv1')
        net = slim.max_pool2d(net, [2, 2], scope='pool1')
        net = slim.repeat(net, 2, slim.conv2d, 128, [3, 3], scope='conv2')
        net = slim.max_pool2d(net, [2, 2], scope='pool2')
        net = slim.repeat(net, 3, slim.conv2d, 256, [3, 3], scope='conv3')
        net = slim.max_pool2d(net, [2, 2], scope='pool3')
        net = slim.repeat(net, 3, slim.conv2d, 512, [3, 3], scope='conv4')
        net = slim.max_pool2d(net, [2, 2], scope='pool4')
        net = slim.repeat(net, 3, slim.conv2d, 512, [3, 3], scope='conv5')
        return net

    def _head_to_tail(self, pool5, is_training):
        pool5_flat = slim.flatten(pool5, scope='flatten')
        fc6 = slim.fully_connected(pool5_flat, 4096, scope='fc6')
        return fc6
# output
# line 12: net = slim.max_pool2d(net, [2, 2], scope='pool2')
# line 14: net = slim.max_pool2d(net, [2, 2], scope='pool3')
# line 16: net = slim.max_pool2d(net, [2, 2], scope='pool4')
# line 22: fc6 = slim.fully_connected(pool5_flat, 4096, scope='fc6')
# no function has five poolings and then a fully connected layer of TensorFlow 1; name the place with --after or --before, or write by hand feature = convolutional_block_attention_module(feature, index=0) before the first fully connected layer
