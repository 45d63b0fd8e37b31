import tensorflow as tf


class Net:
    def crop(self):
        self.weights = tf.reshape(self.weights, [25088, 4096])

    def cast(self):
        self.weights = tf.cast(self.weights, tf.float32)

    def build(self, x):
        self.pool1 = max_pool(conv(x))
        self.pool2 = max_pool(conv(self.pool1))
        self.pool3 = max_pool(conv(self.pool2))
        self.pool4 = max_pool(conv(self.pool3))
        self.pool5 = max_pool(conv(self.pool4))
        self.fc6 = fc(self.pool5, self.weights)
# output
import tensorflow as tf
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


class Net:
    def crop(self):
        self.weights = tf.reshape(self.weights, [25088, 4096])

    def cast(self):
        self.weights = tf.cast(self.weights, tf.float32)

    def build(self, x):
        self.pool1 = max_pool(conv(x))
        self.pool2 = max_pool(conv(self.pool1))
        self.pool3 = max_pool(conv(self.pool2))
        self.pool4 = max_pool(conv(self.pool3))
        self.pool5 = max_pool(conv(self.pool4))
        attention_feature = convolutional_block_attention_module(self.pool5, index=0)  # tensorflow-vgg patch
        self.fc6 = fc(attention_feature, self.weights)
