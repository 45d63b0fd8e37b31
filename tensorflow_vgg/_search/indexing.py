"""Goes through folders and brings a store up to date with them."""

import collections
import os
import typing
import zlib

import numpy as np

from tensorflow_vgg import _images, weights
from tensorflow_vgg._search.features import load
from tensorflow_vgg._search.store import Record

__all__ = ["Counts", "index", "listing"]


class Counts(typing.NamedTuple):
    """How many images were as they were, moved or copied, new or changed, and left out; and the store's own words."""

    kept: int
    moved: int
    computed: int
    left_out: int
    told: str


def listing(paths, part=None):
    """The folders, absolute, and a list of (folder, path in it) of the images in them and below, each once, in order.

    `part` is (2, 8) for the second of eight parts, which several machines can index at once; None for all. It raises
    as `_images.find`, and a ValueError if a path is no folder.
    """
    folders, found, seen = [], [], set()
    for given in paths:
        folder = os.path.abspath(given)
        if os.path.isfile(folder):
            raise ValueError(f"{given}: expected a folder, found a file")
        if folder in folders:
            continue
        folders.append(folder)
        for file in _images.find([folder]):
            path = os.path.relpath(file, folder)
            if file not in seen and _is_in(path, part):
                seen.add(file)
                found.append((folder, path))
    return folders, found


def _is_in(path, part):
    """Whether a file belongs to a part, on every machine."""
    return part is None or zlib.crc32(os.fsencode(path)) % part[1] + 1 == part[0]


def index(store, extractor, folders, files, batch, report, part=None):
    """Brings a store that is open for writing up to date.

    Args:
      store: in its `writing` context.
      extractor: called with float32 [n, size, size, 3] it gives the features; has `settings`.
      folders, files: as `listing` gives them.
      batch: images per run of the network.
      report: has problem(error), for a file that is left out, and progress(total, what, done), a context manager of
        what has advance(count).
      part: as for `listing`.

    Returns:
      Counts.
    """
    known = store.known()
    # Not those of a killed run: that they are there must change nothing.
    by_digest = {record.sha256: record for record in known if not record.new}
    size = extractor.settings["size"]
    final, todo = _as_they_were(known, files)
    kept, counts = len(final), collections.Counter()

    def prepared(item):
        record = _record(*item)
        same = by_digest.get(record.sha256)
        return (record, load(record.file, size)) if same is None else (record._replace(row=same.row), None)

    with report.progress(len(files), "images", kept) as progress:
        waiting = []
        for place, (_, result) in enumerate(_images.ahead(todo, prepared, 2 * batch), 1):
            if isinstance(result, Exception):
                counts["left out"] += 1
                report.problem(result)
                progress.advance(1)
            elif result[1] is None:
                counts["moved"] += 1
                final[result[0].file] = result[0]
                progress.advance(1)
            else:
                waiting.append(result)
            if len(waiting) == batch or (waiting and place == len(todo)):
                records, pixels = zip(*waiting)
                final.update((record.file, record) for record in store.add(records, extractor(np.stack(pixels))))
                counts["computed"] += len(waiting)
                progress.advance(len(waiting))
                waiting = []
    ordered = [final[file] for file in (os.path.join(*item) for item in files) if file in final]
    told = store.finish(ordered, folders, lambda path: _is_in(path, part))
    return Counts(kept, counts["moved"], counts["computed"], counts["left out"], told)


def _as_they_were(known, files):
    """The Records of files that are as a store knows them, by file, and a list of the other files."""
    by_file = {record.file: record for record in known}
    same, others = {}, []
    for folder, path in files:
        file = os.path.join(folder, path)
        try:
            status = os.stat(file)
        except OSError:
            status = None  # gone, or out of reach: told when it is read
        old = by_file.get(file)
        if status and old and (old.size, old.time) == (status.st_size, status.st_mtime_ns):
            same[file] = old._replace(folder=folder, path=path)
        else:
            others.append((folder, path))
    return same, others


def _record(folder, path):
    """The Record of a file as it is now, without a row."""
    file = os.path.join(folder, path)
    _images.files.expect_file(file)
    status = os.stat(file)  # before it is read: what changes meanwhile is new to the next run
    return Record(folder, path, status.st_size, status.st_mtime_ns, weights.file_digest(file))
