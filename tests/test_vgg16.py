"""Upstream's test_vgg16.py: classifies two images. `python tests/test_vgg16.py` with a vgg16.npy; pytest makes one."""

import os

if __name__ == "__main__":
    # TensorFlow 2's default kernels are faster and round otherwise: they move the printed digits by up to 1e-4.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config, utils, vgg16

TEST_DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "test_data")


def main():
    img1 = utils.load_image(os.path.join(TEST_DATA, "tiger.jpeg"))
    img2 = utils.load_image(os.path.join(TEST_DATA, "puzzle.jpeg"))

    batch1 = img1.reshape((1, 224, 224, 3))
    batch2 = img2.reshape((1, 224, 224, 3))

    batch = np.concatenate((batch1, batch2), 0)

    with tf.Graph().as_default(), tf.device("/cpu:0"), tf.Session(config=session_config()) as sess:
        images = tf.placeholder("float", [2, 224, 224, 3])
        feed_dict = {images: batch}

        vgg = vgg16.Vgg16()
        with tf.name_scope("content_vgg"):
            vgg.build(images)

        prob = sess.run(vgg.prob, feed_dict=feed_dict)
        print(prob)
        utils.print_prob(prob[0], utils.SYNSET)
        utils.print_prob(prob[1], utils.SYNSET)


def test_prints_what_upstream_printed(prints_as_upstream):
    prints_as_upstream(main, "test_vgg16.txt", "vgg16")


if __name__ == "__main__":
    main()
