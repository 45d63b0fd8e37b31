import numpy as np
import tensorflow as tf

import vgg16
import utils

names = ['tiger', 'puzzle', 'cat', 'coffee']
labels_vecs = np.eye(5)[[0, 1, 2, 3]].astype(np.float32)

with tf.Session() as sess:
    vgg = vgg16.Vgg16('vgg16.npy')
    images = tf.placeholder(tf.float32, [None, 224, 224, 3])
    with tf.name_scope("content_vgg"):
        vgg.build(images)
    codes = np.concatenate([
        sess.run(vgg.relu6, {images: utils.load_image('test_data/%s.jpeg' % name)[np.newaxis]}) for name in names
    ])
codes = codes / codes.max()

tf.reset_default_graph()
rng = np.random.RandomState(7)
w1 = rng.normal(0, 0.02, (4096, 256)).astype('float32')
w2 = rng.normal(0, 0.05, (256, 5)).astype('float32')

inputs_ = tf.placeholder(tf.float32, shape=[None, codes.shape[1]], name='inputs')
labels_ = tf.placeholder(tf.int64, shape=[None, labels_vecs.shape[1]], name='labels')

fc = tf.contrib.layers.fully_connected(inputs_, 256, weights_initializer=tf.constant_initializer(w1))
logits = tf.contrib.layers.fully_connected(fc, labels_vecs.shape[1], activation_fn=None,
                                           weights_initializer=tf.constant_initializer(w2))
cross_entropy = tf.nn.softmax_cross_entropy_with_logits(labels=labels_, logits=logits)
cost = tf.reduce_mean(cross_entropy)
optimizer = tf.train.AdamOptimizer().minimize(cost)

predicted = tf.nn.softmax(logits, name='predicted')
correct_pred = tf.equal(tf.argmax(predicted, 1), tf.argmax(labels_, 1))
accuracy = tf.reduce_mean(tf.cast(correct_pred, tf.float32))

saver = tf.train.Saver()
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {inputs_: codes, labels_: labels_vecs}
    for e in range(10):
        loss, _ = sess.run([cost, optimizer], feed_dict=feed)
        print("Epoch: {}/{}".format(e + 1, 10), "Training loss: {:.5f}".format(loss))
    print("Accuracy: {:.4f}".format(sess.run(accuracy, feed_dict=feed)))
    print(sess.run(predicted, {inputs_: codes[:2]}))
    print([v.op.name for v in tf.global_variables() if 'Adam' not in v.op.name])
    print(saver.save(sess, "checkpoints/head.ckpt"))
np.save('codes.npy', codes)
