from tensorflow.keras.layers import Conv2D, Dense, Flatten, Input, MaxPooling2D


def vgg16():
    x = inputs = Input((224, 224, 3))
    x = Conv2D(2, 3, padding='same')(x)
    x = Conv2D(2, 3, padding='same')(x)
    x = MaxPooling2D()(x)
    x = Conv2D(4, 3, padding='same')(x)
    x = Conv2D(4, 3, padding='same')(x)
    x = MaxPooling2D()(x)
    x = Conv2D(8, 3, padding='same')(x)
    x = Conv2D(8, 3, padding='same')(x)
    x = Conv2D(8, 3, padding='same')(x)
    x = MaxPooling2D()(x)
    x = Conv2D(16, 3, padding='same')(x)
    x = Conv2D(16, 3, padding='same')(x)
    x = Conv2D(16, 3, padding='same')(x)
    x = MaxPooling2D()(x)
    x = Conv2D(16, 3, padding='same')(x)
    x = Conv2D(16, 3, padding='same')(x)
    x = Conv2D(16, 3, padding='same')(x)
    x = MaxPooling2D()(x)
    x = Flatten()(x)
    x = Dense(4096)(x)
    return inputs, x
