"""Images in, labels out: upstream's `utils`."""

import os

import numpy as np
import skimage.transform

from tensorflow_vgg import _images

__all__ = [
    "IMAGE_ENDINGS",
    "SIZE",
    "SYNSET",
    "decoded",
    "label_lines",
    "load_image",
    "load_image2",
    "print_prob",
    "read_labels",
    "resized",
    "top_labels",
]

IMAGE_ENDINGS = _images.ENDINGS

SIZE = 224
SYNSET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "synset.txt")  # labels of the 1000 classes


def load_image(path, exif=True):
    """Reads an image as the networks take it: its centre square, scaled to 224x224.

    The pixels are upstream's, that is those of scikit-image before 0.15: bilinear, zero outside the image, not
    smoothed when scaling down.

    Args:
      path: an image file. Grey is repeated into three channels, alpha is dropped, other colours are converted to RGB.
      exif: turn the picture as its EXIF orientation says. Upstream did not.

    Returns:
      A float64 array [224, 224, 3], RGB in [0, 1].

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is no image, or one of more pixels than Pillow's limit.
      AssertionError: it has values outside [0, 1].
    """
    pixels, maximum = _images.read(path, exif)
    edge = min(pixels.shape[:2])
    top = int((pixels.shape[0] - edge) / 2)
    left = int((pixels.shape[1] - edge) / 2)
    return _scaled(pixels[top : top + edge, left : left + edge], maximum, SIZE, SIZE)


def load_image2(path, height=None, width=None, smaller=None, exif=True):
    """Reads an image whole, with the sampling of `load_image`.

    Args:
      path: an image file, as for `load_image`.
      height: of the result, in pixels. With `width` alone: as the aspect ratio wants, in whole pixels.
      width: likewise. With neither the size is the file's.
      smaller: in place of both, the smaller of the two.
      exif: as for `load_image`.

    Returns:
      A float64 array [height, width, 3], RGB in [0, 1].

    Raises:
      As `load_image`.
    """
    pixels, maximum = _images.read(path, exif)
    rows, columns = pixels.shape[:2]
    if smaller is not None:
        height, width = (smaller, None) if rows <= columns else (None, smaller)
    if height is None and width is None:
        return pixels / maximum
    if height is None:
        height = max(1, round(rows * width / columns))
    if width is None:
        width = max(1, round(columns * height / rows))
    return _scaled(pixels, maximum, height, width)


def _scaled(pixels, maximum, height, width):
    """`resized(pixels / maximum, height, width)`, to the bit, from the few pixels that it looks at when it scales down.

    A photo of 12 million pixels takes 0.3 GB as float64, of 80 million 2 GB.
    """
    if pixels.shape[0] < height or pixels.shape[1] < width:
        return resized(pixels / maximum, height, width)
    (top, bottom, down), (left, right, across) = (
        _between(size, count) for size, count in zip(pixels.shape, (height, width))
    )
    down, across = down[:, None, None], across[:, None]
    upper, lower = (
        (1 - across) * (pixels[np.ix_(rows, left)] / maximum) + across * (pixels[np.ix_(rows, right)] / maximum)
        for rows in (top, bottom)
    )
    return np.clip((1 - down) * upper + down * lower, pixels.min() / maximum, pixels.max() / maximum)


def _between(size, count):
    """For `count` places spread over `size` pixels: the pixel before, the pixel after, and how far between them."""
    scale = size / count
    places = scale * np.arange(count) + (scale / 2 - 0.5)
    before = np.floor(places)
    return before.astype(int), np.ceil(places).astype(int), places - before


def resized(image, height, width, **options):
    """skimage.transform.resize as it was before scikit-image 0.15, which later releases no longer reproduce.

    Args:
      image: [rows, columns] or [rows, columns, channels].
      height, width: of the result.
      **options: of `skimage.transform.warp`; by default order 1 and mode "constant".

    Returns:
      A float64 array [height, width] or [height, width, channels].
    """
    scale = np.array([image.shape[1] / width, image.shape[0] / height])
    transform = skimage.transform.AffineTransform(scale=tuple(scale), translation=tuple(scale / 2 - 0.5))
    options = {"order": 1, "mode": "constant", **options}
    return skimage.transform.warp(image, transform, output_shape=(height, width), **options)


def decoded(paths, ahead, exif=True):
    """Yields (path, pixels) in order, read by threads.

    Args:
      paths: image files.
      ahead: how many images, at most, are read before they are asked for.
      exif: as for `load_image`.

    Yields:
      The path, and what `load_image` gives in float32, or the exception that it raises.
    """
    return _images.ahead(paths, lambda path: load_image(path, exif).astype(np.float32), ahead)


def print_prob(prob, file_path):
    """Prints the most probable label and the five most probable, as tuples.

    Args:
      prob: one image's probabilities, float array [classes].
      file_path: a text file with a label a line, such as synset.txt.

    Returns:
      The most probable label.

    Raises:
      ValueError: the file has fewer labels than `prob` has classes.
    """
    labels = top_labels(prob, read_labels(file_path), 5)
    print("\n".join(label_lines(labels)))
    return labels[0][0]


def label_lines(labels):
    """What `top_labels` gave, as the lines that `print_prob` prints."""
    # str, not repr: NumPy 2 writes np.float32(0.9958288), upstream's NumPy wrote 0.9958288.
    shown = [f"({label!r}, {probability!s})" for label, probability in labels]
    first = f"('Top1: ', {shown[0][1:]}"
    return [first, f"('Top{len(shown)}: ', [{', '.join(shown)}])"] if len(shown) > 1 else [first]


def read_labels(file_path):
    """The lines of a label file."""
    with open(file_path, encoding="utf-8") as file:
        try:
            return [line.strip() for line in file]
        except UnicodeDecodeError as error:
            raise ValueError(f"{file_path}: expected text in UTF-8, a label a line") from error


def top_labels(prob, labels, count):
    """The most probable labels: a list of (label, probability), the most probable first.

    Args:
      prob: one image's probabilities, float array [classes].
      labels: a label for each class; more do no harm.
      count: how many; all if there are fewer.

    Raises:
      ValueError: there are fewer labels than classes.
    """
    if len(labels) < len(prob):
        raise ValueError(f"expected a label for each of {len(prob)} classes, got {len(labels)} labels")
    return [(labels[index], prob[index]) for index in np.argsort(prob)[::-1][:count]]
