"""A network as a function from pixels to probabilities, and images through it, for verbs that classify."""

import contextlib
import itertools
import sys

from tensorflow_vgg._command.terminal import Progress, complain

__all__ = ["classified", "predictor"]


def predictor(net, weight_dict, attention):
    """The network as a function from pixels to probabilities. It does not hold on to the weight dict."""
    import tensorflow.compat.v1 as tf

    from tensorflow_vgg import session_config

    with tf.Graph().as_default() as graph:
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
        vgg = _build(net, weight_dict, attention, rgb)
    session = tf.Session(graph=graph, config=session_config())
    return lambda pixels: session.run(vgg.prob, {rgb: pixels})


def _build(net, weight_dict, attention, rgb):
    """The network, built on `rgb`. What upstream's classes print goes to stderr, away from the results."""
    with contextlib.redirect_stdout(sys.stderr):
        if net == "vgg16":
            from tensorflow_vgg import vgg16

            network = vgg16.Vgg16(weight_dict)
        else:
            from tensorflow_vgg import vgg19

            network = vgg19.Vgg19(weight_dict, attention=attention)
        network.build(rgb)
    return network


def classified(paths, batch, predict, exif=True):
    """Yields (path, probabilities) of images in order; those that cannot be read are reported, and give None."""
    from tensorflow_vgg import utils

    decoded = utils.decoded(paths, 2 * batch, exif)
    with contextlib.closing(decoded), Progress(len(paths), enabled=len(paths) > batch) as progress:
        for chosen in iter(lambda: list(itertools.islice(decoded, batch)), []):
            values = [pixels for _, pixels in chosen if not isinstance(pixels, Exception)]
            probabilities = iter(predict(values) if values else ())
            progress.clear()
            for path, pixels in chosen:
                if isinstance(pixels, Exception):
                    complain(pixels)
                    yield path, None
                else:
                    yield path, next(probabilities)
            sys.stdout.flush()
            progress.advance(len(chosen))
