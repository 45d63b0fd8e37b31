"""
One step of SGD on a thin trainable VGG19, then the saved file in the frozen one.
"""

import numpy as np
import tensorflow as tf

import vgg19
import vgg19_trainable
import utils


class ThinVgg19(vgg19_trainable.Vgg19):
    def build(self, rgb, train_mode=None):
        rgb_scaled = rgb * 255.0
        red, green, blue = tf.split(rgb_scaled, 3, 3)
        bottom = tf.concat([
            blue - vgg19_trainable.VGG_MEAN[0],
            green - vgg19_trainable.VGG_MEAN[1],
            red - vgg19_trainable.VGG_MEAN[2],
        ], 3)
        channels = 3
        for block, (count, width) in enumerate([(2, 2), (2, 4), (4, 8), (4, 16), (4, 16)]):
            for i in range(count):
                bottom = self.conv_layer(bottom, channels, width, "conv%d_%d" % (block + 1, i + 1))
                channels = width
            bottom = self.max_pool(bottom, "pool%d" % (block + 1))
        self.pool5 = bottom
        self.fc6 = self.fc_layer(self.pool5, 784, 4096, "fc6")
        self.relu6 = tf.nn.relu(self.fc6)
        if train_mode is not None:
            self.relu6 = tf.cond(train_mode, lambda: tf.nn.dropout(self.relu6, self.dropout), lambda: self.relu6)
        self.fc7 = self.fc_layer(self.relu6, 4096, 64, "fc7")
        self.relu7 = tf.nn.relu(self.fc7)
        self.fc8 = self.fc_layer(self.relu7, 64, 1000, "fc8")
        self.prob = tf.nn.softmax(self.fc8, name="prob")
        self.data_dict = None


img1 = utils.load_image("./test_data/tiger.jpeg")
img1_true_result = [1 if i == 292 else 0 for i in range(1000)]
batch1 = img1.reshape((1, 224, 224, 3))

with tf.device('/cpu:0'):
    sess = tf.Session()

    images = tf.placeholder(tf.float32, [1, 224, 224, 3])
    true_out = tf.placeholder(tf.float32, [1, 1000])
    train_mode = tf.placeholder(tf.bool)

    vgg = ThinVgg19('./vgg19.npy', dropout=1.0)
    vgg.build(images, train_mode)
    print(vgg.get_var_count())

    sess.run(tf.global_variables_initializer())
    prob = sess.run(vgg.prob, feed_dict={images: batch1, train_mode: False})
    utils.print_prob(prob[0], './synset.txt')

    cost = tf.reduce_sum((vgg.prob - true_out) ** 2)
    train = tf.train.GradientDescentOptimizer(0.0001).minimize(cost)
    feed = {images: batch1, true_out: [img1_true_result], train_mode: True}
    print('cost before', sess.run(cost, feed))
    sess.run(train, feed_dict=feed)
    print('cost after', sess.run(cost, feed))

    prob = sess.run(vgg.prob, feed_dict={images: batch1, train_mode: False})
    utils.print_prob(prob[0], './synset.txt')
    print([v.name for v in tf.trainable_variables()][:4])

    vgg.save_npy(sess, './test-save.npy')

# what was saved, in the frozen network
tf.reset_default_graph()
frozen = vgg19.Vgg19('./test-save.npy')
x = tf.placeholder("float", [1, 224, 224, 3])
frozen.build(x)
with tf.Session() as sess:
    again = sess.run(frozen.prob, feed_dict={x: batch1})
print('the same:', np.allclose(again, prob, rtol=1e-4))
saved = np.load('./test-save.npy', encoding='latin1').item()
print(sorted(saved.keys())[:3], saved['conv1_1'][0].shape, saved['fc8'][1].dtype)
