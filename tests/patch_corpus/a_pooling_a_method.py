import tensorflow as tf
import numpy as np


class VGG:
    def block1(self, x):
        x = self.conv(x, 'conv1_1')
        self.pool1 = self.max_pool(x, 'pool1')
        return self.pool1

    def block2(self, x):
        x = self.conv(x, 'conv2_1')
        self.pool2 = self.max_pool(x, 'pool2')
        return self.pool2

    def block3(self, x):
        x = self.conv(x, 'conv3_1')
        self.pool3 = self.max_pool(x, 'pool3')
        return self.pool3

    def block4(self, x):
        x = self.conv(x, 'conv4_1')
        self.pool4 = self.max_pool(x, 'pool4')
        return self.pool4

    def block5(self, x):
        x = self.conv(x, 'conv5_1')
        self.pool5 = self.max_pool(x, 'pool5')
        return self.pool5

    def build(self, x):
        x = self.block5(self.block4(self.block3(self.block2(self.block1(x)))))
        self.fc6 = self.fc(self.pool5, 'fc6')
# output
# line 28: self.pool5 = self.max_pool(x, 'pool5')
# line 33: self.fc6 = self.fc(self.pool5, 'fc6')
# there is 1 pooling in this function, VGG has 5; name the place with --after or --before
