from kaffe.tensorflow import Network
import tensorflow as tf


class VGG(Network):
    def setup(self):
        (self.feed('data')
             .conv(3, 3, 64, 1, 1, name='conv1_1')
             .max_pool(2, 2, 2, 2, name='pool1')
             .conv(3, 3, 64, 1, 1, name='conv2_1')
             .max_pool(2, 2, 2, 2, name='pool2')
             .conv(3, 3, 64, 1, 1, name='conv3_1')
             .max_pool(2, 2, 2, 2, name='pool3')
             .conv(3, 3, 64, 1, 1, name='conv4_1')
             .max_pool(2, 2, 2, 2, name='pool4')
             .conv(3, 3, 64, 1, 1, name='conv5_1')
             .max_pool(2, 2, 2, 2, name='pool5')
             .fc(4096, name='fc6')
             .softmax(name='prob'))
# output
# line 7: (self.feed('data')
# the pooling stands inside another call: give its result a name, on a line of its own
