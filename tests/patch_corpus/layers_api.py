# no import up here

class Classifier:
    @staticmethod
    def logits(x, classes, rate=0.5, training=False):
        import tensorflow as tf
        x = tf.layers.conv2d(x, 2, 3, padding="same", activation=tf.nn.relu, name="conv1_1")
        x = tf.layers.conv2d(x, 2, 3, padding="same", activation=tf.nn.relu, name="conv1_2")
        x = tf.layers.max_pooling2d(x, 2, 2, padding="same")
        x = tf.layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu, name="conv2_1")
        x = tf.layers.conv2d(x, 4, 3, padding="same", activation=tf.nn.relu, name="conv2_2")
        x = tf.layers.max_pooling2d(x, 2, 2, padding="same")
        x = tf.layers.conv2d(x, 8, 3, padding="same", activation=tf.nn.relu, name="conv3_1")
        x = tf.layers.conv2d(x, 8, 3, padding="same", activation=tf.nn.relu, name="conv3_2")
        x = tf.layers.conv2d(x, 8, 3, padding="same", activation=tf.nn.relu, name="conv3_3")
        x = tf.layers.max_pooling2d(x, 2, 2, padding="same")
        x = tf.layers.conv2d(x, 16, 3, padding="same", activation=tf.nn.relu, name="conv4_1")
        x = tf.layers.conv2d(x, 16, 3, padding="same", activation=tf.nn.relu, name="conv4_2")
        x = tf.layers.conv2d(x, 16, 3, padding="same", activation=tf.nn.relu, name="conv4_3")
        x = tf.layers.max_pooling2d(x, 2, 2, padding="same")
        x = tf.layers.conv2d(x, 16, 3, padding="same", activation=tf.nn.relu, name="conv5_1")
        x = tf.layers.conv2d(x, 16, 3, padding="same", activation=tf.nn.relu, name="conv5_2")
        x = tf.layers.conv2d(x, 16, 3, padding="same", activation=tf.nn.relu, name="conv5_3")
        x = tf.layers.max_pooling2d(x, 2, 2, padding="same")
        x = tf.layers.flatten(x)
        for units in (4096, 4096):
            x = tf.layers.dense(x, units, activation=tf.nn.relu)
            x = tf.layers.dropout(x, rate, training=training)
        return tf.layers.dense(x, classes)
