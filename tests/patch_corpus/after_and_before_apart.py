# options: --after pool5 --before fc6
import tensorflow as tf


def features(x):
    conv5_1 = conv(x, 512)
    pool5 = max_pool(conv5_1)
    return pool5


def head(x):
    pool6 = max_pool(x)
    fc6 = fc(pool6, 4096)
    return fc6
# output
# no function has both pool5 and fc6: give one of them alone
