import tensorflow as tf


class VGG:
    def build(self, x):
        x = max_pool(conv(x, 64))
        x = max_pool(conv(x, 128))
        x = max_pool(conv(x, 256))
        x = max_pool(conv(x, 512))
        self.pool5 = max_pool(conv(x, 512))
        self.fc6 = fc(self.pool5, 4096)

    def build_boxes(self):
        self.boxes = fc(self.pool5, 4)
# output
# line 10: self.pool5 = max_pool(conv(x, 512))
# line 11: self.fc6 = fc(self.pool5, 4096)
# line 14: self.boxes = fc(self.pool5, 4)
# more than one fully connected layer reads the pooling: name the one that shall take the block's result with --before
