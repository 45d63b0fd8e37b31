"""What an index run has computed so far, kept for the next one if it is killed."""

import contextlib
import json
import os
import pathlib
import zlib

import numpy as np

from tensorflow_vgg._search.store import Record

__all__ = ["FILES", "Part"]

_FEATURES, _IMAGES, _ABOUT = FILES = ("part.f32", "part.jsonl", "part.json")


class Part:
    """Two files that batches are appended to, first the features, then a line with the images and a checksum.

    Opened again they are cut after the last batch that is there whole, so that the batches that follow are those of a
    run that was never killed. Files of other settings are made anew. `records` is what was there already.
    """

    def __init__(self, folder, settings, dimensions):
        self._folder, self._dimensions = folder, dimensions
        self.records, self._count = [], 0
        about = json.dumps({**settings, "dimensions": dimensions}).encode()
        kept = pathlib.Path(folder, _ABOUT)
        if not kept.exists() or kept.read_bytes() != about:
            for name in FILES:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(os.path.join(folder, name))
            kept.write_bytes(about)
        self._rows = open(os.path.join(folder, _FEATURES), "a+b")  # noqa: SIM115
        self._lines = open(os.path.join(folder, _IMAGES), "a+b")  # noqa: SIM115
        self._resume()

    def close(self):
        """Closes the files, which stay."""
        self._rows.close()
        self._lines.close()

    def add(self, records, features):
        """Appends a batch; gives its Records, with their rows."""
        block = np.ascontiguousarray(features, np.float32).tobytes()
        self._rows.write(block)
        self._rows.flush()
        images = [list(record[:5]) for record in records]
        self._lines.write(json.dumps({"crc": zlib.crc32(block), "images": images}).encode() + b"\n")
        self._lines.flush()
        return self._numbered(records)

    def rows(self):
        """The features, float32 [n, dimensions], mapped."""
        if not self._count:
            return np.zeros((0, self._dimensions), np.float32)
        path = os.path.join(self._folder, _FEATURES)
        return np.memmap(path, np.float32, "r").reshape(-1, self._dimensions)

    def _numbered(self, records):
        start = self._count
        self._count += len(records)
        return [record._replace(row=start + index, new=True) for index, record in enumerate(records)]

    def _resume(self):
        """Reads what is there, up to the first batch that is not whole, and cuts the rest off."""
        end = 0
        self._rows.seek(0)
        self._lines.seek(0)
        for line in self._lines:
            try:
                batch = json.loads(line)
                found = [Record(*image) for image in batch["images"]]
                block = self._rows.read(4 * self._dimensions * len(found))
                if not line.endswith(b"\n") or zlib.crc32(block) != batch["crc"]:
                    break
            except (KeyError, TypeError, ValueError):
                break
            self.records += self._numbered(found)
            end += len(line)
        self._rows.truncate(4 * self._dimensions * self._count)
        self._lines.truncate(end)
