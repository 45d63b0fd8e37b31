import tensorflow as tf
import tensorlayer as tl


def vgg(net_in):
    network = tl.layers.Conv2dLayer(net_in, name='conv1_1')
    network = tl.layers.PoolLayer(network, name='pool1')

    network = tl.layers.Conv2dLayer(network, name='conv2_1')
    network = tl.layers.PoolLayer(network, name='pool2')

    network = tl.layers.Conv2dLayer(network, name='conv3_1')
    network = tl.layers.PoolLayer(network, name='pool3')

    network = tl.layers.Conv2dLayer(network, name='conv4_1')
    network = tl.layers.PoolLayer(network, name='pool4')

    network = tl.layers.Conv2dLayer(network, name='conv5_1')
    network = tl.layers.PoolLayer(network, name='pool5')
    network = tl.layers.FlattenLayer(network)
    return tl.layers.DenseLayer(network, n_units=4096)
# output
# line 19: network = tl.layers.PoolLayer(network, name='pool5')
# line 21: return tl.layers.DenseLayer(network, n_units=4096)
# its layers are not TensorFlow 1's: the block cannot take what they give
