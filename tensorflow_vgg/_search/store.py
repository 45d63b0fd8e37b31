"""Where features are kept: what a gallery on disk and one in Milvus have in common."""

import os
import typing

__all__ = ["Record", "open_store"]


class Record(typing.NamedTuple):
    """An image of a gallery.

    Attributes:
      folder: the folder that was indexed, an absolute path.
      path: of the file in it.
      size, time: of the file: bytes, and when it was changed, in nanoseconds since 1970.
      sha256: of its bytes, in hexadecimal digits.
      row: where the store has its feature.
      new: whether the feature was computed by an index run that has not finished.
    """

    folder: str
    path: str
    size: int
    time: int
    sha256: str
    row: typing.Union[int, str, None] = None
    new: bool = False

    @property
    def file(self):
        """The file's absolute path."""
        return os.path.join(self.folder, self.path)


def open_store(name, spec=None):
    """The store that a name means, which need not exist yet.

    A store has:
      about(): what it says of itself, a dict with the extractor's settings; None if it is not there.
      writing(settings, dimensions, source, whiten): a context in which it can be written to, by one process.
      known(): in that context, the Records that it has, those of a killed run among them.
      add(records, features): in that context, keeps what was computed: all of it or, killed meanwhile, nothing.
      finish(records, folders, mine): in that context, makes `records` what is in the store; in Milvus, what is there of
        `folders` and of paths for which the function `mine` is true. What it tells of that, in words.
      search(features, top): for each row of float32 [n, dimensions] the `top` most similar: [(similarity, Record)].
      blocks(): all of it, in parts: (Records, features as they are kept).
      neighbours(features, top): as `search`, for features as they are kept.

    Args:
      name: a folder, or milvus:URI[/COLLECTION].
      spec: of a gallery on disk: the kind of its FAISS index, in FAISS's words; None chooses.

    Raises:
      ValueError: the name cannot be, or the package that it needs is not installed.
    """
    if name.startswith("milvus:"):
        from tensorflow_vgg._search.milvus import Milvus

        if spec:
            raise ValueError(f"--faiss is for a gallery on disk: {name} makes its own index")
        return Milvus(name[len("milvus:") :])
    from tensorflow_vgg._search.folder import Folder

    return Folder(name, spec)
