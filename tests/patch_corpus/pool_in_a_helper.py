import tensorflow as tf


def block(x, channels):
    x = tf.layers.conv2d(x, channels, 3)
    return tf.layers.max_pooling2d(x, 2, 2)


def vgg(x):
    x = block(x, 64)
    x = block(x, 128)
    x = block(x, 256)
    x = block(x, 512)
    block5 = block(x, 512)
    return tf.layers.dense(tf.layers.flatten(block5), 1000)
# output
# line 6: return tf.layers.max_pooling2d(x, 2, 2)
# line 15: return tf.layers.dense(tf.layers.flatten(block5), 1000)
# no function has five poolings and then a fully connected layer of TensorFlow 1; name the place with --after or --before, or write by hand feature = convolutional_block_attention_module(feature, index=0) before the first fully connected layer
