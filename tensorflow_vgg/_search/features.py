"""What is compared: one vector an image, from a layer of the network."""

import contextlib
import hashlib
import io

import numpy as np

from tensorflow_vgg import _images, weights
from tensorflow_vgg._weights import mapped

__all__ = ["Extractor", "load", "mac", "normalised", "read_weights", "rmac", "spoc"]

_TOP = ("fc6", "fc7", "fc8")


def normalised(rows):
    """Rows divided by their length, [n, dimensions] float32; a row of zeros stays one."""
    rows = np.asarray(rows, np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))[:, None]
    return (rows / np.maximum(lengths, 1e-12)).astype(np.float32)


def mac(maps):
    """The maximum of each channel (Tolias, Sicre, Jegou 2016, arXiv:1511.05879, section 3).

    As `rmac` and `spoc` it takes float32 [n, height, width, channels] and gives float32 [n, channels], of length 1.
    """
    return normalised(maps.max(axis=(1, 2)))


def rmac(maps):
    """Maxima over square regions of three sizes, each of length 1, summed (as `mac`, section 4; without whitening).

    The regions of scale l = 1, 2, 3 have edges of 2 / (l + 1) of the map's, and there are l x l of them, evenly spread.
    """
    edge = maps.shape[1]
    total = 0
    for scale in (1, 2, 3):
        region = max(1, 2 * edge // (scale + 1))
        starts = [index * (edge - region) // max(scale - 1, 1) for index in range(scale)]
        for top in starts:
            for left in starts:
                total = total + mac(maps[:, top : top + region, left : left + region])
    return normalised(total)


def spoc(maps):
    """The sum of each channel, places near the centre weighing more (Babenko, Lempitsky 2015, arXiv:1510.07493).

    The weights are a Gaussian's whose deviation is a third of the distance from the centre to the border.
    """
    height, width = maps.shape[1:3]
    rows = (np.arange(height) + 0.5 - height / 2)[:, None]
    columns = (np.arange(width) + 0.5 - width / 2)[None, :]
    deviation = min(height, width) / 2 / 3
    prior = np.exp(-(rows**2 + columns**2) / (2 * deviation**2)).astype(np.float32)
    return normalised(np.einsum("nhwc,hw->nc", maps, prior))


_POOLS = {"rmac": rmac, "spoc": spoc, "mac": mac, "fc6": normalised, "fc7": normalised}


def load(path, size=224):
    """An image's centre square as the network takes it, float32 [size, size, 3], RGB in [0, 1].

    Unlike `utils.load_image`, which samples as upstream did, it is smoothed when scaled down, so that a photograph and
    its smaller copy look alike; and it takes a tenth of the time. It raises as `_images.read`.
    """
    from PIL import Image

    pixels, maximum = _images.read(path)
    edge = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - edge) // 2, (pixels.shape[1] - edge) // 2
    pixels = pixels[top : top + edge, left : left + edge]
    if pixels.dtype != np.uint8:
        pixels = (pixels / maximum * 255 + 0.5).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels)).resize((size, size), Image.BILINEAR)
    return np.asarray(image, np.float32) / np.float32(255)


def read_weights(source, net, feature):
    """The layers that a feature needs of a weight file, seeded:N or seeded:N:thin; raises as `weights.read`."""
    from tensorflow_vgg import _network

    found = mapped.from_source(source, net, not _network.has_gpu())
    if feature in _TOP:
        weights.check(found, net, source, thin=True)
        return found
    return {name: layer for name, layer in found.items() if name not in _TOP}


class Extractor:
    """A network as a function from pixels to features.

    Called with float32 [n, size, size, 3], RGB in [0, 1], it gives float32 [n, dimensions], rows of length 1.

    Args:
      net: "vgg19" or "vgg16".
      weight_dict: as `read_weights` gives it.
      feature: "rmac", "spoc" or "mac", pooled from the map that feeds fc6: what the attention block gives, where the
        weights have one, else pool5; or "fc6" or "fc7" after the ReLU.
      size: of the images, in pixels: 224 for fc6 and fc7, for the others from 32.
      attention: False leaves the block out.

    Attributes:
      settings: what features depend on: net, weights_sha256 (of the layers that are needed), feature, attention, size.
      dimensions: of a feature.

    Raises:
      ValueError: a size that cannot be.
      weights.WeightsError: a layer is missing, or of another shape.
    """

    def __init__(self, net, weight_dict, feature="rmac", size=224, attention=True):
        import tensorflow.compat.v1 as tf

        from tensorflow_vgg import session_config, vgg16, vgg19

        top = feature in _TOP
        if size < 32 or (top and size != 224):
            raise ValueError(f"--size {size}: expected {'224 for ' + feature if top else 'at least 32'}")
        attention = attention and net == "vgg19" and bool(weights.attention_layers(weight_dict))
        digest = hashlib.sha256()
        used = {**weights.KERNEL_SHAPES[net], **dict.fromkeys(weights.ATTENTION_LAYERS if attention else ())}
        for name in sorted(used):
            if name in weight_dict and (name not in _TOP or (top and name <= feature)):
                digest.update(name.encode())
                for index in (0, 1):
                    digest.update(np.ascontiguousarray(weight_dict[name][index]).data)
        with tf.Graph().as_default() as graph:
            self._rgb = tf.placeholder(tf.float32, [None, size, size, 3], name="images")
            with contextlib.redirect_stdout(io.StringIO()):  # "build model started"
                options = {"include_top": top, **({} if net == "vgg16" else {"attention": attention})}
                network = (vgg16.Vgg16 if net == "vgg16" else vgg19.Vgg19)(weight_dict, **options)
                network.build(self._rgb)
        self._output = {"fc6": "relu6", "fc7": "relu7"}.get(feature, "attention_feature" if attention else "pool5")
        self._output = getattr(network, self._output)
        self._session = tf.Session(graph=graph, config=session_config())
        self._pool = _POOLS[feature]
        self.dimensions = self._output.get_shape().as_list()[-1]
        self.settings = {
            "net": net,
            "weights_sha256": digest.hexdigest(),
            "feature": feature,
            "attention": attention,
            "size": size,
        }

    def __call__(self, pixels):
        return self._pool(self.maps(pixels))

    def maps(self, pixels):
        """What is pooled, float32 [n, height, width, channels]; for fc6 and fc7 [n, dimensions]."""
        return self._session.run(self._output, {self._rgb: pixels})

    def close(self):
        """Gives the session's memory back."""
        self._session.close()
