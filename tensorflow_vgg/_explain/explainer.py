"""A network as a function from images to what it looks at in them."""

import collections
import contextlib
import sys

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config, vgg16, vgg19
from tensorflow_vgg._network.cam import grad_cam

__all__ = ["Explained", "explainer"]

# Of one image: its pixels, [224, 224, 3] in [0, 1]; the probability of each class; the classes to be shown and for each
# its Grad-CAM, [14, 14]; the spatial attention, [7, 7], and the channels' weights, [channels], or None twice.
Explained = collections.namedtuple("Explained", "pixels probabilities classes cams spatial channels")


def explainer(net, weight_dict, attention=True, chosen=None, top=1):
    """A function from images, float32 [batch, 224, 224, 3] in [0, 1], to a list of `Explained`, by "vgg16" or "vgg19".

    With `attention=False` the block is left out. `chosen` is the class to show; None: the `top` most probable ones, of
    which 0 leave the probabilities alone.
    """
    with tf.Graph().as_default() as graph, contextlib.redirect_stdout(sys.stderr):  # away from the results
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
        network = vgg16.Vgg16(weight_dict) if net == "vgg16" else vgg19.Vgg19(weight_dict, attention=attention)
        network.build(rgb)
        looked_at = {"prob": network.prob}
        if top or chosen is not None:
            last = looked_at["last"] = network.conv5_3 if net == "vgg16" else network.conv5_4
            classes = tf.placeholder(tf.int32, [None], name="classes")
            cam = grad_cam(network, last, classes)
            if net == "vgg19" and attention:
                looked_at.update(spatial=network.spatial_attention, channels=network.channel_attention)
    session = tf.Session(graph=graph, config=session_config())

    def explain(pixels):
        found = session.run(looked_at, {rgb: pixels})
        order = np.argsort(found["prob"], axis=1)[:, ::-1][:, :top]  # [batch, top]
        if chosen is not None:
            order = np.full([len(pixels), 1], chosen)
        # From the last convolution on, which has been computed already.
        cams = [session.run(cam, {last: found["last"], classes: column}) for column in order.T]
        count = len(pixels)
        spatial = found["spatial"][..., 0] if "spatial" in found else [None] * count
        channels = found.get("channels", [None] * count)
        maps = zip(*cams) if cams else [()] * count
        return list(map(Explained, pixels, found["prob"], order.tolist(), maps, spatial, channels))

    return explain
