from functools import reduce
import numpy as np
import tensorflow as tf

VGG_MEAN = [103.939, 116.779, 123.68]


class Vgg19(object):
    def __init__(self, vgg19_npy_path=None, trainable=True, dropout=0.5):
        if vgg19_npy_path is not None:
            self.data_dict = np.load(vgg19_npy_path, encoding='latin1').item()
        else:
            self.data_dict = None
        self.var_dict = {}
        self.trainable = trainable
        self.dropout = dropout

    def build(self, rgb, train_mode=None):
        rgb_scaled = rgb * 255.0
        red, green, blue = tf.split(axis=3, num_or_size_splits=3, value=rgb_scaled)
        bgr = tf.concat([blue - VGG_MEAN[0], green - VGG_MEAN[1], red - VGG_MEAN[2]], 3)
        assert bgr.get_shape().as_list()[1:] == [224, 224, 3]
        self.conv1_1 = self.conv_layer(bgr, 3, 64, 'conv1_1')
        self.conv1_2 = self.conv_layer(self.conv1_1, 64, 64, 'conv1_2')
        self.pool1 = self.max_pool(self.conv1_2, 'pool1')
        self.conv2_1 = self.conv_layer(self.pool1, 64, 128, 'conv2_1')
        self.conv2_2 = self.conv_layer(self.conv2_1, 128, 128, 'conv2_2')
        self.pool2 = self.max_pool(self.conv2_2, 'pool2')
        self.conv3_1 = self.conv_layer(self.pool2, 128, 256, 'conv3_1')
        self.conv3_2 = self.conv_layer(self.conv3_1, 256, 256, 'conv3_2')
        self.conv3_3 = self.conv_layer(self.conv3_2, 256, 256, 'conv3_3')
        self.conv3_4 = self.conv_layer(self.conv3_3, 256, 256, 'conv3_4')
        self.pool3 = self.max_pool(self.conv3_4, 'pool3')
        self.conv4_1 = self.conv_layer(self.pool3, 256, 512, 'conv4_1')
        self.conv4_2 = self.conv_layer(self.conv4_1, 512, 512, 'conv4_2')
        self.conv4_3 = self.conv_layer(self.conv4_2, 512, 512, 'conv4_3')
        self.conv4_4 = self.conv_layer(self.conv4_3, 512, 512, 'conv4_4')
        self.pool4 = self.max_pool(self.conv4_4, 'pool4')
        self.conv5_1 = self.conv_layer(self.pool4, 512, 512, 'conv5_1')
        self.conv5_2 = self.conv_layer(self.conv5_1, 512, 512, 'conv5_2')
        self.conv5_3 = self.conv_layer(self.conv5_2, 512, 512, 'conv5_3')
        self.conv5_4 = self.conv_layer(self.conv5_3, 512, 512, 'conv5_4')
        self.pool5 = self.max_pool(self.conv5_4, 'pool5')
        self.fc6 = self.fc_layer(self.pool5, 25088, 4096, 'fc6')
        self.relu6 = tf.nn.relu(self.fc6)
        if train_mode is not None:
            self.relu6 = tf.cond(train_mode, lambda: tf.nn.dropout(self.relu6, self.dropout), lambda: self.relu6)
        elif self.trainable:
            self.relu6 = tf.nn.dropout(self.relu6, self.dropout)
        self.fc7 = self.fc_layer(self.relu6, 4096, 4096, 'fc7')
        self.relu7 = tf.nn.relu(self.fc7)
        if train_mode is not None:
            self.relu7 = tf.cond(train_mode, lambda: tf.nn.dropout(self.relu7, self.dropout), lambda: self.relu7)
        elif self.trainable:
            self.relu7 = tf.nn.dropout(self.relu7, self.dropout)
        self.fc8 = self.fc_layer(self.relu7, 4096, 1000, 'fc8')
        self.prob = tf.nn.softmax(self.fc8, name='prob')
        self.data_dict = None

    def avg_pool(self, bottom, name):
        return tf.nn.avg_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def max_pool(self, bottom, name):
        return tf.nn.max_pool(bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)

    def conv_layer(self, bottom, in_channels, out_channels, name):
        with tf.variable_scope(name):
            f, b = self.get_conv_var(3, in_channels, out_channels, name)
            conv = tf.nn.conv2d(bottom, f, [1, 1, 1, 1], padding='SAME')
            return tf.nn.relu(tf.nn.bias_add(conv, b))

    def fc_layer(self, bottom, in_size, out_size, name):
        with tf.variable_scope(name):
            w, b = self.get_fc_var(in_size, out_size, name)
            return tf.nn.bias_add(tf.matmul(tf.reshape(bottom, [-1, in_size]), w), b)

    def get_conv_var(self, filter_size, in_channels, out_channels, name):
        v = tf.truncated_normal([filter_size, filter_size, in_channels, out_channels], 0.0, 0.001)
        f = self.get_var(v, name, 0, name + "_filters")
        v = tf.truncated_normal([out_channels], .0, .001)
        b = self.get_var(v, name, 1, name + "_biases")
        return f, b

    def get_fc_var(self, in_size, out_size, name):
        v = tf.truncated_normal([in_size, out_size], 0.0, 0.001)
        w = self.get_var(v, name, 0, name + "_weights")
        v = tf.truncated_normal([out_size], .0, .001)
        b = self.get_var(v, name, 1, name + "_biases")
        return w, b

    def get_var(self, initial_value, name, idx, var_name):
        if self.data_dict is not None and name in self.data_dict:
            value = self.data_dict[name][idx]
        else:
            value = initial_value
        if self.trainable:
            var = tf.Variable(value, name=var_name)
        else:
            var = tf.constant(value, dtype=tf.float32, name=var_name)
        self.var_dict[(name, idx)] = var
        # print(var_name)
        assert var.get_shape() == initial_value.get_shape()
        return var

    def save_npy(self, sess, npy_path="./vgg19-save.npy"):
        assert isinstance(sess, tf.Session)
        out = {}
        for (name, idx), var in list(self.var_dict.items()):
            value = sess.run(var)
            if name not in out:
                out[name] = {}
            out[name][idx] = value
        np.save(npy_path, out)
        print(("file saved", npy_path))
        return npy_path

    def get_var_count(self):
        count = 0
        for v in list(self.var_dict.values()):
            count += reduce(lambda x, y: x * y, v.get_shape().as_list())
        return count
