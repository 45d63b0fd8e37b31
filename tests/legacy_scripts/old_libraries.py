# What NumPy, scikit-image and Python had in 2017: an image through a TFRecord, modules loaded by path, threads.
import imp
import runpy
import threading
from importlib.machinery import SourceFileLoader

import numpy as np
import skimage.io
import skimage.transform
import tensorflow as tf

img = skimage.io.imread('./test_data/tiger.jpeg')
small = skimage.transform.rescale(img, 0.25)
print(small.shape, small.sum(), skimage.io.imread('./test_data/tiger.jpeg', as_grey=True).sum())


def bytes_feature(value):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


writer = tf.python_io.TFRecordWriter('tiger.tfrecords')
feature = {'image': bytes_feature(img.tostring()), 'label': bytes_feature(np.float32([0.5, 292]).tostring())}
writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
writer.close()
for record in tf.python_io.tf_record_iterator('tiger.tfrecords'):
    found = tf.train.Example.FromString(record).features.feature
    label = np.fromstring(found['label'].bytes_list.value[0], dtype=np.float32)
    image = np.fromstring(found['image'].bytes_list.value[0], dtype=np.uint8).reshape(img.shape)
    print((image == img).all(), list(label), np.asscalar(label[1]), np.fromstring('1 2', sep=' '))

boxes = np.array([[1, 2], [3]])
np.save('boxes.npy', [[1, 2], [3]])
print(boxes.dtype, len(np.load('boxes.npy')), np.vstack(map(np.array, [[1, 2], [3, 4]])).sum())
label.itemset(0, 7.0)
label.itemset((1,), 8.0)
print(label.ptp(), label, np.histogram(img, 4, normed=True)[0].sum())


def show(x):
    print('in py_func', [x.mean()], (x.max(), x.argmax()))
    return x


print(tf.Session().run(tf.py_func(show, [tf.constant([1.0, 2.0])], tf.float32)))

with open('architecture.py', 'w') as f:
    f.write('import tensorflow as tf\n\n\ndef inputs():\n    return tf.placeholder(tf.float32, [2, 3])\n')
loaded = imp.load_source('architecture', 'architecture.py'), SourceFileLoader('a', 'architecture.py').load_module()
print([module.inputs().shape for module in loaded], runpy.run_path('architecture.py')['inputs']().shape)


def later():
    print('in a thread', [np.float32(0.5)], main is globals())


main = globals()
timer = threading.Timer(0.5, later)
timer.start()
print('the end')
