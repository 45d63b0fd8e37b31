"""Finds images by image: features of a network, kept in a gallery, and the most similar ones in it."""

from tensorflow_vgg._search.gallery import Gallery, Hit

__all__ = ["Gallery", "Hit"]
