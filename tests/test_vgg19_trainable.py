"""Upstream's test_vgg19_trainable.py: one training step. `python tests/test_vgg19_trainable.py` with a vgg19.npy."""

import os

if __name__ == "__main__":
    # TensorFlow 2's default kernels are faster and round otherwise: they move the printed digits by up to 1e-4.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config, utils, weights
from tensorflow_vgg import vgg19_trainable as vgg19

TEST_DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "test_data")


def main():
    img1 = utils.load_image(os.path.join(TEST_DATA, "tiger.jpeg"))
    img1_true_result = [1 if i == 292 else 0 for i in range(1000)]  # 1-hot result for tiger

    batch1 = img1.reshape((1, 224, 224, 3))

    with tf.Graph().as_default(), tf.device("/cpu:0"), tf.Session(config=session_config()) as sess:
        images = tf.placeholder(tf.float32, [1, 224, 224, 3])
        true_out = tf.placeholder(tf.float32, [1, 1000])
        train_mode = tf.placeholder(tf.bool)

        vgg = vgg19.Vgg19(weights.find("vgg19.npy"))
        vgg.build(images, train_mode)

        # print number of variables used: 143667240 variables, i.e. ideal size = 548MB
        print(vgg.get_var_count())

        sess.run(tf.global_variables_initializer())

        # test classification
        prob = sess.run(vgg.prob, feed_dict={images: batch1, train_mode: False})
        utils.print_prob(prob[0], utils.SYNSET)

        # simple 1-step training
        cost = tf.reduce_sum((vgg.prob - true_out) ** 2)
        train = tf.train.GradientDescentOptimizer(0.0001).minimize(cost)
        sess.run(train, feed_dict={images: batch1, true_out: [img1_true_result], train_mode: True})

        # test classification again, should have a higher probability about tiger
        prob = sess.run(vgg.prob, feed_dict={images: batch1, train_mode: False})
        utils.print_prob(prob[0], utils.SYNSET)

        # test save
        vgg.save_npy(sess, "./test-save.npy")


def test_prints_what_upstream_printed(prints_as_upstream):
    # The second result follows a step with random dropout: another one each time.
    home = prints_as_upstream(main, "test_vgg19_trainable.txt", "vgg19", random_lines=(3, 4))
    weights.check(weights.read(str(home / "test-save.npy")), "vgg19")


if __name__ == "__main__":
    main()
