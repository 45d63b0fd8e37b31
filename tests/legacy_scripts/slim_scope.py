import argparse

import numpy as np
import skimage.io
import skimage.transform
import tensorflow as tf
import tensorflow.contrib.slim as slim
from tensorflow.contrib.layers.python.layers import batch_norm
from tensorflow.python.framework import graph_util
from tensorflow.python.ops import control_flow_ops

parser = argparse.ArgumentParser(description='slim on top of nothing')
parser.add_argument('image')
parser.add_argument('--size', type=int, default=64)
parser.add_argument('--width', type=int, default=4)
args = parser.parse_args()
print(args)

image = skimage.io.imread(args.image) / 255.0
image = skimage.transform.resize(image, (args.size, args.size))
print(image.mean(), image[0, 0], image[-1, -1])

rng = np.random.RandomState(3)


def initial(*shape):
    return tf.constant_initializer(rng.normal(0, np.sqrt(2.0 / np.prod(shape[:-1])), shape))


x = tf.placeholder(tf.float32, [None, args.size, args.size, 3])
is_training = tf.placeholder(tf.bool)
with slim.arg_scope([slim.conv2d], padding='SAME', weights_regularizer=slim.l2_regularizer(0.0005),
                    normalizer_fn=slim.batch_norm, normalizer_params={'is_training': is_training, 'scale': True}):
    net = slim.conv2d(x, args.width, [3, 3], weights_initializer=initial(3, 3, 3, args.width), scope='conv1')
    net = slim.max_pool2d(net, [2, 2], scope='pool1')
    with slim.arg_scope([slim.conv2d], weights_initializer=initial(3, 3, args.width, args.width)):
        net = slim.repeat(net, 2, slim.conv2d, args.width, [3, 3], scope='conv2')
net = slim.flatten(net)
net = slim.dropout(net, 1.0, is_training=is_training)
units = net.get_shape().as_list()[1]
net = slim.fully_connected(net, 16, weights_initializer=initial(units, 16), scope='fc')
net = batch_norm(net, is_training=False, updates_collections=None, decay=0.9, scope='normal')
net = tf.layers.dense(net, 8, activation=tf.nn.relu, kernel_initializer=initial(16, 8), name='dense')
net = tf.layers.batch_normalization(net, training=False, name='bn')
net = control_flow_ops.cond(is_training, lambda: tf.nn.tanh(net), lambda: tf.nn.tanh(net), name='end')

cost = tf.reduce_mean(tf.square(net)) + tf.add_n(slim.losses.get_regularization_losses())
update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
with tf.control_dependencies(update_ops):
    train_op = tf.train.MomentumOptimizer(0.01, 0.9).minimize(cost)

for v in slim.get_model_variables():
    print(v.op.name, v.get_shape().as_list())
with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    print('out', sess.run(net, {x: [image], is_training: False}))
    for step in range(3):
        _, value = sess.run([train_op, cost], {x: [image, image[::-1]], is_training: True})
        print('cost', value)
    print('out', sess.run(net, {x: [image], is_training: False}))
    constants = graph_util.convert_variables_to_constants(sess, sess.graph_def, ['conv1/Relu'])
    print(len([node for node in constants.node if node.op == 'VariableV2']), slim.get_variables_to_restore()[0].op.name)
