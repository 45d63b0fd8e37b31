import tensorflow as tf


def alexnet(x):
    pool1 = max_pool(conv(x))
    pool2 = max_pool(conv(pool1))
    pool5 = max_pool(conv(pool2))
    fc6 = fc(tf.reshape(pool5, [-1, 9216]), 4096)
    return fc6
# output
# line 7: pool5 = max_pool(conv(pool2))
# line 8: fc6 = fc(tf.reshape(pool5, [-1, 9216]), 4096)
# there are 3 poolings in this function, VGG has 5; name the place with --after or --before
