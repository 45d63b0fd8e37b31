from __future__ import absolute_import, division, print_function

import os

import numpy as np
import tensorflow as tf
from tensorflow_vgg import vgg16, utils

sess = tf.InteractiveSession()
input_ = tf.placeholder(tf.float32, [None, 224, 224, 3])
vgg = vgg16.Vgg16('vgg16.npy')
vgg.build(input_)

codes = None
batch = []
for i, name in enumerate(sorted(os.listdir('test_data')), 1):
    batch.append(utils.load_image(os.path.join('test_data', name)).reshape((1, 224, 224, 3)))
    if i % 2 == 0:
        codes_batch = sess.run(vgg.relu6, feed_dict={input_: np.concatenate(batch)})
        codes = codes_batch if codes is None else np.concatenate((codes, codes_batch))
        batch = []
        print('{} images processed'.format(i))

with open('codes', 'w') as f:
    codes.tofile(f)
codes = np.fromfile('codes', dtype=np.float32).reshape((-1, 4096))
print(codes.shape, codes.mean(), codes.max())
print(utils.load_image2('test_data/puzzle.jpeg', height=100).shape)
print(vgg.prob.eval({input_: np.zeros((1, 224, 224, 3))})[0, :4])
