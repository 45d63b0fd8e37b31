import tensorflow as tf


class Net:
    def build(self, x, flat=None):
        self.pool1 = max_pool(conv(x))
        self.pool2 = max_pool(conv(self.pool1))
        self.pool3 = max_pool(conv(self.pool2))
        self.pool4 = max_pool(conv(self.pool3))
        self.pool5 = max_pool(conv(self.pool4))
        if flat is None:
            flat = tf.layers.flatten(self.pool5)
        self.fc6 = fc(flat, 4096)
# output
# line 12: flat = tf.layers.flatten(self.pool5)
# line 13: self.fc6 = fc(flat, 4096)
# what is read there is not made in one place: give it a name of its own
