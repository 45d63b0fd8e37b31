import numpy as np
import tensorflow as tf
from tensorflow.contrib import layers
from tensorflow.contrib.layers import fully_connected

codes = np.load('codes.npy')
inputs_ = tf.placeholder(tf.float32, shape=[None, codes.shape[1]])
fc = fully_connected(inputs_, 256)
logits = layers.fully_connected(fc, 5, activation_fn=None)
predicted = tf.nn.softmax(logits)

saver = tf.train.Saver()
with tf.Session() as sess:
    saver.restore(sess, tf.train.latest_checkpoint('checkpoints'))
    print(sess.run(predicted, feed_dict={inputs_: codes}))
    graph = tf.get_default_graph()
    print(graph.get_tensor_by_name('fully_connected/weights:0').get_shape().as_list())
