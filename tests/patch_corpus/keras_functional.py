import tensorflow as tf
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D


def vgg(x):
    x = Conv2D(64, 3, activation='relu', padding='same')(x)
    x = MaxPooling2D((2, 2))(x)

    x = Conv2D(128, 3, activation='relu', padding='same')(x)
    x = MaxPooling2D((2, 2))(x)

    x = Conv2D(256, 3, activation='relu', padding='same')(x)
    x = MaxPooling2D((2, 2))(x)

    x = Conv2D(512, 3, activation='relu', padding='same')(x)
    x = MaxPooling2D((2, 2))(x)

    x = Conv2D(512, 3, activation='relu', padding='same')(x)
    x = MaxPooling2D((2, 2))(x)
    x = Flatten()(x)
    return Dense(10)(x)
# output
# line 13: x = MaxPooling2D((2, 2))(x)
# its layers are not TensorFlow 1's: the block cannot take what they give
