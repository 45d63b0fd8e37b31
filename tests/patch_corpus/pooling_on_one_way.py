import tensorflow as tf


def vgg(x, large):
    x = max_pool(conv(x, 64))
    x = max_pool(conv(x, 128))
    if large:
        x = max_pool(conv(x, 256))
    x = max_pool(conv(x, 512))
    x = max_pool(conv(x, 512))
    return tf.layers.dense(tf.layers.flatten(x), 10)
# output
# line 10: x = max_pool(conv(x, 512))
# line 11: return tf.layers.dense(tf.layers.flatten(x), 10)
# a pooling is made on one of two ways only; name the place with --after or --before
