import tensorflow as tf

import vgg19_trainable as vgg19
import utils

img1 = utils.load_image("./test_data/tiger.jpeg")
true_result = [1 if i == 292 else 0 for i in range(1000)]
batch = img1.reshape((1, 224, 224, 3))

with tf.device('/cpu:0'):
    sess = tf.Session()

    images = tf.placeholder(tf.float32, [1, 224, 224, 3])
    true_out = tf.placeholder(tf.float32, [1, 1000])
    train_mode = tf.placeholder(tf.bool)

    vgg = vgg19.Vgg19('./vgg19.npy')
    vgg.build(images, train_mode)
    print(vgg.get_var_count())
    sess.run(tf.global_variables_initializer())

    prob = sess.run(vgg.prob, feed_dict={images: batch, train_mode: False})
    utils.print_prob(prob[0], './synset.txt')

    cost = tf.reduce_sum((vgg.prob - true_out) ** 2)
    train = tf.train.GradientDescentOptimizer(0.0001).minimize(cost)
    sess.run(train, feed_dict={images: batch, true_out: [true_result], train_mode: True})

    prob = sess.run(vgg.prob, feed_dict={images: batch, train_mode: False})
    utils.print_prob(prob[0], './synset.txt')

    vgg.save_npy(sess, './test-save.npy')
