import tflearn
from tflearn.layers.conv import conv_2d, max_pool_2d
from tflearn.layers.core import input_data, dropout, fully_connected


def vgg16(x, num_class):
    x = conv_2d(x, 64, 3, activation='relu', scope='conv1_1')
    x = max_pool_2d(x, 2, strides=2, name='maxpool1')

    x = conv_2d(x, 128, 3, activation='relu', scope='conv2_1')
    x = max_pool_2d(x, 2, strides=2, name='maxpool2')

    x = conv_2d(x, 256, 3, activation='relu', scope='conv3_1')
    x = max_pool_2d(x, 2, strides=2, name='maxpool3')

    x = conv_2d(x, 512, 3, activation='relu', scope='conv4_1')
    x = max_pool_2d(x, 2, strides=2, name='maxpool4')

    x = conv_2d(x, 512, 3, activation='relu', scope='conv5_1')
    x = max_pool_2d(x, 2, strides=2, name='maxpool5')
    x = fully_connected(x, 4096, activation='relu', scope='fc6')
    x = dropout(x, 0.5)
    return fully_connected(x, num_class)
# output
# line 20: x = max_pool_2d(x, 2, strides=2, name='maxpool5')
# line 21: x = fully_connected(x, 4096, activation='relu', scope='fc6')
# the file does not import TensorFlow; name the place with --after or --before
