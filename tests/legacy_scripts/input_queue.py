import os

import tensorflow as tf

import vgg19

filenames = [os.path.join('test_data', name) for name in sorted(os.listdir('test_data'))]
filename_queue = tf.train.string_input_producer(filenames, num_epochs=1, shuffle=False)
reader = tf.WholeFileReader()
key, value = reader.read(filename_queue)
image = tf.image.decode_jpeg(value, channels=3, dct_method='INTEGER_ACCURATE')
image = tf.image.resize_images(tf.to_float(image) / 255., [224, 224])
image.set_shape([224, 224, 3])
keys, batch = tf.train.batch([key, image], batch_size=2, num_threads=1)

vgg = vgg19.Vgg19()
vgg.build(batch)

sess = tf.Session()
sess.run(tf.group(tf.global_variables_initializer(), tf.local_variables_initializer()))
coord = tf.train.Coordinator()
threads = tf.train.start_queue_runners(sess=sess, coord=coord)
try:
    while not coord.should_stop():
        k, fc7 = sess.run([keys, vgg.relu7])
        for name, codes in zip(k, fc7):
            print(name.decode(), '%.3f' % codes.mean(), (codes > 0).sum())
except tf.errors.OutOfRangeError:
    print('done')
finally:
    coord.request_stop()
coord.join(threads)
sess.close()
