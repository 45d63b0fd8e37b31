import numpy as np
import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_nn_ops

import vgg19
import utils


@ops.RegisterGradient("GuidedRelu")
def _guided_relu_grad(op, grad):
    return tf.where(0. < grad, gen_nn_ops.relu_grad(grad, op.outputs[0]), tf.zeros(tf.shape(grad)))


image = utils.load_image('test_data/puzzle.jpeg')[None, :]

eval_graph = tf.Graph()
with eval_graph.as_default():
    with eval_graph.gradient_override_map({'Relu': 'GuidedRelu'}):
        images = tf.placeholder(tf.float32, [1, 224, 224, 3], name='images')
        labels = tf.placeholder(tf.float32, [1, 1000])
        vgg = vgg19.Vgg19()
        vgg.build(images)
        cost = (-1) * tf.reduce_sum(tf.multiply(labels, tf.log(vgg.prob)), axis=1)
        y_c = tf.reduce_sum(tf.multiply(vgg.fc8, labels), axis=1)
        target_conv_layer_grad = tf.gradients(y_c, vgg.pool5)[0]
        gb_grad = tf.gradients(cost, images)[0]

with tf.Session(graph=eval_graph) as sess:
    onehot = np.zeros((1, 1000))
    onehot[0, 292] = 1
    gb, output, grads = sess.run([gb_grad, vgg.pool5, target_conv_layer_grad], {images: image, labels: onehot})

weights = np.mean(grads[0], axis=(0, 1))
cam = np.maximum(np.dot(output[0], weights), 0)
cam = cam / np.max(cam)
cam = np.array(cam > 0.5, dtype=np.bool) * cam
print(cam.shape, cam.dtype)
print('\n'.join(' '.join('%.4f' % value for value in row) for row in cam))
print('guided', np.abs(gb).sum(), gb.reshape(-1)[[10000, 70000, 100000]].astype(np.float))
