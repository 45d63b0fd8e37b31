"""The shapes of VGG16 and VGG19, to check weights against and to make them by; networks are not built from here."""

__all__ = ["FC6_PLACES", "KERNEL_SHAPES", "UPSTREAM_VGG16_SHA1"]

_VGG19 = {
    "conv1_1": (3, 3, 3, 64),
    "conv1_2": (3, 3, 64, 64),
    "conv2_1": (3, 3, 64, 128),
    "conv2_2": (3, 3, 128, 128),
    "conv3_1": (3, 3, 128, 256),
    "conv3_2": (3, 3, 256, 256),
    "conv3_3": (3, 3, 256, 256),
    "conv3_4": (3, 3, 256, 256),
    "conv4_1": (3, 3, 256, 512),
    "conv4_2": (3, 3, 512, 512),
    "conv4_3": (3, 3, 512, 512),
    "conv4_4": (3, 3, 512, 512),
    "conv5_1": (3, 3, 512, 512),
    "conv5_2": (3, 3, 512, 512),
    "conv5_3": (3, 3, 512, 512),
    "conv5_4": (3, 3, 512, 512),
    "fc6": (25088, 4096),
    "fc7": (4096, 4096),
    "fc8": (4096, 1000),
}
KERNEL_SHAPES = {
    "vgg16": {name: shape for name, shape in _VGG19.items() if name not in ("conv3_4", "conv4_4", "conv5_4")},
    "vgg19": _VGG19,
}
FC6_PLACES = 7 * 7  # places of pool5 that fc6 flattens
UPSTREAM_VGG16_SHA1 = "6206897b35c2bfe5d9d16b83314e44fc3ea83b1c"
