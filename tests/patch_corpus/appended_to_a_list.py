import tensorflow as tf
import numpy as np


def vgg(x):
    layers = []
    layers.append(conv(layers[-1], 64))
    layers.append(max_pool(layers[-1]))

    layers.append(conv(layers[-1], 128))
    layers.append(max_pool(layers[-1]))

    layers.append(conv(layers[-1], 256))
    layers.append(max_pool(layers[-1]))

    layers.append(conv(layers[-1], 512))
    layers.append(max_pool(layers[-1]))

    layers.append(conv(layers[-1], 512))
    layers.append(max_pool(layers[-1]))
    layers.append(fc(layers[-1], 4096))
    return layers[-1]
# output
# line 20: layers.append(max_pool(layers[-1]))
# the pooling stands inside another call: give its result a name, on a line of its own
