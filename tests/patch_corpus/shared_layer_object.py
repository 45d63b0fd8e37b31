import tensorflow as tf


class VGG(object):
    def __init__(self):
        self.pool = tf.keras.layers.MaxPool2D()
        self.fc6 = tf.keras.layers.Dense(10)

    def __call__(self, x):
        x = self.pool(conv(x, 64))
        x = self.pool(conv(x, 128))
        x = self.pool(conv(x, 256))
        x = self.pool(conv(x, 512))
        x = self.pool(conv(x, 512))
        return self.fc6(tf.layers.flatten(x))
# output
# line 14: x = self.pool(conv(x, 512))
# line 15: return self.fc6(tf.layers.flatten(x))
# its layers are not TensorFlow 1's: the block cannot take what they give
