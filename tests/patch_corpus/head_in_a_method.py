import tensorflow as tf
import numpy as np


class VGG:
    def head(self, features):
        fc6 = self.fc(features, 4096)
        return self.fc(fc6, 10)

    def build(self, x):
        x = self.conv(x, 64)
        x = self.max_pool(x)

        x = self.conv(x, 128)
        x = self.max_pool(x)

        x = self.conv(x, 256)
        x = self.max_pool(x)

        x = self.conv(x, 512)
        x = self.max_pool(x)

        x = self.conv(x, 512)
        x = self.max_pool(x)
        self.logits = self.head(x)
# output
import tensorflow as tf
import numpy as np
from attention import convolutional_block_attention_module  # tensorflow-vgg patch


class VGG:
    def head(self, features):
        fc6 = self.fc(features, 4096)
        return self.fc(fc6, 10)

    def build(self, x):
        x = self.conv(x, 64)
        x = self.max_pool(x)

        x = self.conv(x, 128)
        x = self.max_pool(x)

        x = self.conv(x, 256)
        x = self.max_pool(x)

        x = self.conv(x, 512)
        x = self.max_pool(x)

        x = self.conv(x, 512)
        x = self.max_pool(x)
        attention_feature = convolutional_block_attention_module(x, index=0)  # tensorflow-vgg patch
        self.logits = self.head(attention_feature)
