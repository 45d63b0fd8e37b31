#!/usr/bin/env python
# -*- coding: utf-8 -*-
# features of small images, with a build of our own and summaries
import os
import sys

import numpy as np
import tensorflow as tf

sys.path.append('.')
import utils
import vgg16

flags = tf.app.flags
FLAGS = flags.FLAGS
flags.DEFINE_string('summaries_dir', './logs', 'where the summaries go')
flags.DEFINE_integer('size', 112, 'size of the images')
flags.DEFINE_boolean('average', False, 'average pooling')
flags.DEFINE_float('scale', 255.0, 'scale')


class SmallVgg16(vgg16.Vgg16):
    def __init__(self, data_dict):
        self.data_dict = data_dict

    def build(self, rgb, train=False):
        r, g, b = tf.split(rgb * FLAGS.scale, 3, axis=3)
        bgr = tf.concat([b - vgg16.VGG_MEAN[0], g - vgg16.VGG_MEAN[1], r - vgg16.VGG_MEAN[2]], axis=3)
        pool = self.avg_pool if FLAGS.average else self.max_pool
        self.conv1_1 = self.conv_layer(bgr, "conv1_1")
        self.conv1_2 = self.conv_layer(self.conv1_1, "conv1_2")
        self.pool1 = pool(self.conv1_2, None)
        self.conv2_1 = self.conv_layer(self.pool1, "conv2_1")
        self.conv2_2 = self.conv_layer(self.conv2_1, "conv2_2")
        self.pool2 = pool(self.conv2_2, 'pool2')
        return self.pool2


def main(_):
    data_dict = np.load('vgg16.npy', encoding='latin1').item()
    image = utils.load_image2('test_data/coffee.jpeg', height=FLAGS.size, width=FLAGS.size)
    x = tf.placeholder("float", [1, FLAGS.size, FLAGS.size, 3], name='x')
    first, second = SmallVgg16(data_dict), SmallVgg16(data_dict)
    with tf.variable_scope('first'):
        a = first.build(x)
    with tf.variable_scope('second'):
        b = second.build(x[:, ::-1])
    gram = tf.reduce_mean(tf.square(a - b))
    tf.summary.scalar('gram', gram)
    tf.summary.histogram('pool2', a)
    merged = tf.summary.merge_all()
    with tf.Session() as sess:
        writer = tf.summary.FileWriter(FLAGS.summaries_dir, sess.graph)
        summary, value, features = sess.run([merged, gram, a], feed_dict={x: [image]})
        writer.add_summary(summary, 0)
        writer.close()
    print('gram', value)
    print(features.shape, features.mean(), features[0, 3, 3])
    print(len(os.listdir(FLAGS.summaries_dir)), 'event file', [op.name for op in sess.graph.get_operations() if op.type == 'Conv2D'])
    return 3


if __name__ == '__main__':
    tf.app.run()
