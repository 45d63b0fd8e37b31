import numpy as np
import tensorflow as tf

import vgg19
import utils

img1 = utils.load_image("./test_data/tiger.jpeg")
img2 = utils.load_image("./test_data/cat.jpeg")

batch1 = img1.reshape((1, 224, 224, 3))
batch2 = img2.reshape((1, 224, 224, 3))

batch = np.concatenate((batch1, batch2), 0)

# the session is opened first, the network is built in it
with tf.device('/cpu:0'):
    with tf.Session(config=tf.ConfigProto(gpu_options=tf.GPUOptions(per_process_gpu_memory_fraction=0.7))) as sess:
        images = tf.placeholder("float", [2, 224, 224, 3])
        feed_dict = {images: batch}

        vgg = vgg19.Vgg19('./vgg19.npy')
        with tf.name_scope("content_vgg"):
            vgg.build(images)

        prob = sess.run(vgg.prob, feed_dict=feed_dict)
        print(prob[:, :8])
        label = utils.print_prob(prob[0], './synset.txt')
        utils.print_prob(prob[1], './synset.txt')
        print('best: %s' % label)
        print(vgg.conv5_3.name, vgg.pool5.get_shape(), vgg.pool5.get_shape()[3].value)
        top = (int(np.argmax(prob[0])), np.max(prob[0]), prob.astype(np.float).sum())
        print(top)
