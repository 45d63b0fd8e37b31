"""Image files: which there are, what their pixels are, and reading them ahead."""

from tensorflow_vgg._images.files import ENDINGS, alike, find, near
from tensorflow_vgg._images.pixels import read
from tensorflow_vgg._images.threads import ahead

__all__ = ["ENDINGS", "ahead", "alike", "find", "near", "read"]
