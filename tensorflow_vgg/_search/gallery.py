"""The gallery as code uses it."""

import os
import typing

import numpy as np

from tensorflow_vgg import _images
from tensorflow_vgg._search.store import open_store

__all__ = ["Gallery", "Hit"]

_BATCH = 8


class Hit(typing.NamedTuple):
    """An image of a gallery that was found.

    Attributes:
      similarity: the cosine of its feature's and the query's, -1 ... 1.
      path: the file's absolute path.
      sha256: of the file's bytes when it was indexed, in hexadecimal digits.
    """

    similarity: float
    path: str
    sha256: str


class Gallery:
    """A gallery that `tensorflow-vgg index` has made, to search in. Needs Python 3.10 and the extra `search`.

    Args:
      path: its folder, or milvus:URI[/COLLECTION].
      weights: the weight file; None: the one that the gallery was made with, where it was.

    Attributes:
      about: a dict: net, weights, weights_sha256, feature, attention, size, whiten, images, dimensions and more.

    Raises:
      ValueError: there is no gallery, or it is damaged; or FAISS (for Milvus: pymilvus) is not installed.
      FileNotFoundError: the weight file is not there.
    """

    def __init__(self, path, weights=None):
        self._store = open_store(str(path))
        self.about = self._store.about()
        if self.about is None:
            near = "" if os.path.exists(path) else _images.near(path)
            raise ValueError(f"{path}: expected a gallery, found none{near or ': make it with tensorflow-vgg index'}")
        weights = weights or self.about["weights"]
        if not weights.startswith("seeded:") and not os.path.isfile(weights):
            raise FileNotFoundError(f"{weights}: {path} was made with these weights: give them with --weights FILE")
        self._path, self._weights, self._extractor = path, weights, None

    def search(self, images, top=10):
        """The images of the gallery that are the most similar to others.

        The first call starts TensorFlow and reads the weights, which takes seconds.

        Args:
          images: paths of image files; or pixels, float [n, size, size, 3], RGB in [0, 1], of the gallery's size (see
            `about`), 224 by default.
          top: how many for each, at most; from 1.

        Returns:
          For each image a list of Hits, the most similar first.

        Raises:
          ValueError, OSError: an image cannot be read, or pixels are of another shape, or the weights are others than
            the gallery was made with; the message names the file.
        """
        if isinstance(images, (str, bytes)):
            raise ValueError("search: expected a list of paths, got one: [path]")
        if top < 1:
            raise ValueError(f"search: expected top from 1, got {top}")
        return [self._hits(found) for found in self._store.search(self.features(images), top)]

    def features(self, images):
        """The features of images, float32 [n, dimensions], rows of length 1, before whitening.

        Args:
          images: as for `search`.
        """
        from tensorflow_vgg._search import features

        if self._extractor is None:
            weight_dict = features.read_weights(self._weights, self.about["net"], self.about["feature"])
            self._extractor = features.Extractor(
                self.about["net"], weight_dict, self.about["feature"], self.about["size"], self.about["attention"]
            )
            if self._extractor.settings["weights_sha256"] != self.about["weights_sha256"]:
                raise ValueError(f"{self._path}: the gallery was made with other weights than {self._weights}")
        size = self.about["size"]
        found = []
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            if not isinstance(images, np.ndarray):
                batch = np.stack([features.load(path, size) for path in batch])
            elif images.ndim != 4 or images.shape[1:] != (size, size, 3) or images.dtype.kind != "f":
                raise ValueError(f"search: expected floats [n, {size}, {size}, 3], got {images.dtype} {images.shape}")
            found.append(self._extractor(batch.astype(np.float32)))
        return np.concatenate(found) if found else np.zeros((0, self._extractor.dimensions), np.float32)

    def duplicates(self, least=0.97):
        """Groups of near-duplicates.

        Args:
          least: the similarity, 0 ... 1, that an image has to another one of its group.

        Returns:
          Lists of Hits, the largest group first; a Hit's similarity is the largest to another of the group.

        Raises:
          ValueError: `least` is no such similarity.
        """
        if not 0 <= least <= 1:
            raise ValueError(f"duplicates: expected a similarity from 0 to 1, got {least}")
        from tensorflow_vgg._search import duplicates

        return [self._hits(group) for group in duplicates.groups(self._store, least)]

    @staticmethod
    def _hits(found):
        return [Hit(min(similarity, 1.0), record.file, record.sha256) for similarity, record in found]
