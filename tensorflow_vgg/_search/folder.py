"""A gallery on disk: its files, and how they are replaced.

What an index run computes is appended, a batch at a time, to two files in `.next`. When all is there, the gallery's
new files are made beside them; `.next` is renamed `.ready`, which is the moment from which the gallery is the new one;
then its files take the places of the old ones. A run that is killed is gone on with from where it was, on either side.
"""

import contextlib
import datetime
import hashlib
import json
import os
import sys
import time
import zlib

import numpy as np

from tensorflow_vgg import __version__
from tensorflow_vgg._search import nearest, whiten
from tensorflow_vgg._search.part import FILES, Part
from tensorflow_vgg._search.store import Record
from tensorflow_vgg._weights import trust

__all__ = ["Folder", "expect_same"]

_ABOUT, _IMAGES, _FEATURES, _INDEX, _WHITEN = "about.json", "images.jsonl", "features.npy", "index.faiss", "whiten.npy"
_NAMES = (_FEATURES, _IMAGES, _WHITEN, _INDEX, _ABOUT)
_LOCK, _NEXT, _READY = ".lock", ".next", ".ready"
_BLOCK = 4096


class Folder:
    """A gallery in a folder; see `store.open_store`."""

    def __init__(self, path, spec=None):
        nearest.require()
        self.path = path
        self._spec = spec
        self._now = None

    def about(self):
        """What about.json says, or None if there is no gallery."""
        if not os.path.lexists(self._place(_ABOUT)):
            return None
        return self._open().about

    def search(self, features, top):
        whitening = self._open().whitening
        return self.neighbours(features if whitening is None else whiten.apply(whitening, features), top)

    def blocks(self):
        now = self._open()
        for start in range(0, len(now.features), _BLOCK):
            rows = range(start, min(start + _BLOCK, len(now.features)))
            yield [now.record(row) for row in rows], now.features[start : start + _BLOCK]

    def neighbours(self, features, top):
        """As `search`, for features of this gallery."""
        now = self._open()
        if now.index is None:
            content = np.fromfile(now.index_path, np.uint8)
            if zlib.crc32(content) != now.about["index"]["crc32"]:
                raise self._damaged(f"{_INDEX} does not fit {_ABOUT}")
            now.index = nearest.load(content, now.about["index"]["probes"])
        found = nearest.search(now.index, now.features, features, top)
        return [[(float(value), now.record(row)) for row, value in zip(*pair)] for pair in found]

    @contextlib.contextmanager
    def writing(self, settings, dimensions, source, whitened):
        if os.path.lexists(self.path) and not os.path.isdir(self.path):
            raise ValueError(f"{self.path}: expected a folder for the gallery, found a file")
        if os.path.isdir(self.path) and os.listdir(self.path) and not os.path.lexists(self._in(_LOCK)):
            raise ValueError(f"{self.path}: expected a gallery or an empty folder, found other files")
        os.makedirs(self.path, exist_ok=True)
        told = f"{self.path}: another run is indexing into it; wait until it has ended"
        with trust.alone(self._in(_LOCK), told):
            self._settle()
            self._old = self._open() if os.path.lexists(self._in(_ABOUT)) else None
            self._spec = self._spec or (self._old and self._old.about["index"]["given"])
            if self._spec:  # before anything is computed for it
                nearest.empty(whitened or dimensions, self._spec)
            self._settings, self._source = {**settings, "whiten": whitened}, source
            if self._old:
                expect_same(self.path, self._old.about, self._settings)
            os.makedirs(self._in(_NEXT), exist_ok=True)
            self._dimensions = dimensions
            self._part = Part(self._in(_NEXT), self._settings, dimensions)
            with contextlib.closing(self._part):
                yield self

    def known(self):
        old = [self._old.record(row) for row in range(len(self._old.features))] if self._old else []
        return old + self._part.records

    def add(self, records, features):
        return self._part.add(records, features)

    def finish(self, records, folders, mine=None):
        if not records:
            raise ValueError(f"{self.path}: no image is left: the gallery stays as it was")
        index = {folder: number for number, folder in enumerate(folders)}
        lines = b"".join(_line(row, index[record.folder], record) for row, record in enumerate(records))
        if self._old and (lines, folders, self._spec) == self._old.same:
            self._remove(_NEXT)
            return f"{len(records)} images, nothing new"
        gone = self._gone(records) if self._old else 0
        whitening = self._whitening(records)
        with self._new(_IMAGES) as file:
            file.write(lines)
        if whitening is not None:
            with self._new(_WHITEN) as file:
                np.save(file, np.concatenate([whitening[0][None], whitening[1].T]))
        features = self._write_features(records, whitening)
        made, found = nearest.build(features, self._spec)
        with self._new(_INDEX) as file:
            file.write(made)
        loaded = {
            name: getattr(sys.modules.get(name), "__version__", None) for name in ("tensorflow", "numpy", "faiss")
        }
        about = {
            **self._settings,
            "weights": self._source,
            "images": len(records),
            "dimensions": features.shape[1],
            "folders": folders,
            "images_sha256": hashlib.sha256(lines).hexdigest(),
            "index": {**found, "given": self._spec, "crc32": zlib.crc32(made)},
            "versions": {"tensorflow_vgg": __version__, **loaded},
            "made": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        }
        about["digest"] = _digest_of(about)
        with self._new(_ABOUT) as file:
            file.write(json.dumps(about, indent=1).encode() + b"\n")
        os.rename(self._in(_NEXT), self._in(_READY))
        self._settle()
        self._now = None
        return f"{len(records)} images, {gone} gone, {found['faiss']} index, recall at 10 {found['recall']:.3f}"

    def _gone(self, records):
        """How many images of the gallery as it was are not among `records`, where they were or moved."""
        rows = {record.row for record in records if not record.new}
        files = {record.file for record in records}
        others = (self._old.record(row) for row in range(len(self._old.features)) if row not in rows)
        return sum(record.file not in files for record in others)

    def _in(self, *names):
        return os.path.join(self.path, *names)

    def _place(self, name):
        """Where a file of the gallery is: until a finished run's files are all in place, some are in `.ready`."""
        ready = self._in(_READY, name)
        return ready if os.path.lexists(ready) else self._in(name)

    def _open(self):
        """The gallery as it is now, which is read again if a run replaces it meanwhile."""
        for _ in range(20):
            try:
                self._now = self._now or _Opened(self)
                return self._now
            except FileNotFoundError as error:
                problem = f"{os.path.basename(error.filename)} is missing"
            except OSError:
                raise
            except Exception as error:  # damaged files make NumPy and Python raise anything
                problem = str(error) or type(error).__name__
            if not os.path.lexists(self._place(_ABOUT)):
                raise ValueError(f"{self.path}: expected a gallery, found none: make it with tensorflow-vgg index")
            time.sleep(0.02)
        raise self._damaged(problem)

    def _damaged(self, problem):
        """The error for files that do not fit; a part of the problem, which can be as long as they are."""
        shown = problem[:200].encode("unicode_escape").decode()
        return ValueError(f"{self.path}: a damaged gallery ({shown}): remove the folder and index again")

    def _settle(self):
        """Puts the files of a finished run into their places."""
        if not os.path.isdir(self._in(_READY)):
            return
        for name in _NAMES:
            if os.path.lexists(self._in(_READY, name)):
                os.replace(self._in(_READY, name), self._in(name))
        self._remove(_READY)

    def _remove(self, work):
        """Removes a folder of ours with the files of ours that are in it."""
        for name in (*_NAMES, *FILES):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._in(work, name))
        os.rmdir(self._in(work))

    def _whitening(self, records):
        if self._old and self._old.whitening is not None:
            return self._old.whitening
        if not self._settings["whiten"]:
            return None
        return whiten.learn(self._gathered(records), self._settings["whiten"])

    def _gathered(self, records, whitening=None):
        """The features of records, in parts, whitened."""
        part = self._part.rows()
        for start in range(0, len(records), _BLOCK):
            chosen = records[start : start + _BLOCK]
            new = np.array([record.new for record in chosen])
            rows = np.array([record.row for record in chosen])
            computed = part[rows[new]]
            if whitening is not None and len(computed):
                computed = whiten.apply(whitening, computed)
            block = np.empty((len(chosen), computed.shape[1] if new.any() else self._old.features.shape[1]), np.float32)
            block[new] = computed
            if not new.all():
                block[~new] = self._old.features[rows[~new]]
            yield block

    def _write_features(self, records, whitening):
        """Writes features.npy, and gives it mapped."""
        width = self._dimensions if whitening is None else whitening[1].shape[1]
        with self._new(_FEATURES) as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (len(records), width)}
            np.lib.format.write_array_header_1_0(file, header)
            for block in self._gathered(records, whitening):
                file.write(block.tobytes())
        return np.load(self._in(_NEXT, _FEATURES), mmap_mode="r")

    @contextlib.contextmanager
    def _new(self, name):
        """A file of the new gallery, to write."""
        with open(self._in(_NEXT, name), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())


class _Opened:
    """A gallery's files, all of one run."""

    def __init__(self, gallery):
        with open(gallery._place(_ABOUT), "rb") as file:
            self.about = json.load(file)
        if self.about.pop("digest") != _digest_of(self.about):
            raise ValueError(f"{_ABOUT} is not as it was written")
        with open(gallery._place(_IMAGES), "rb") as file:
            self.text = file.read()
        self.features = np.load(gallery._place(_FEATURES), mmap_mode="r")
        self.whitening = None
        if self.about["whiten"]:
            both = np.load(gallery._place(_WHITEN))
            self.whitening = both[0], np.ascontiguousarray(both[1:].T)
        self.same = self.text, self.about["folders"], self.about["index"]["given"]
        self.index_path = gallery._place(_INDEX)
        self.index = None
        self._ends = np.flatnonzero(np.frombuffer(self.text, np.uint8) == ord("\n")) + 1
        if hashlib.sha256(self.text).hexdigest() != self.about["images_sha256"]:
            raise ValueError(f"{_IMAGES} does not fit {_ABOUT}")
        if self.features.shape != (len(self._ends), self.about["dimensions"]):
            raise ValueError(f"{_FEATURES} does not fit {_ABOUT}")

    def record(self, row):
        """The Record of a row. Lines are read when they are needed: there can be a million."""
        line = json.loads(self.text[self._ends[row - 1] if row else 0 : self._ends[row]])
        return Record(
            self.about["folders"][line["folder"]], line["path"], line["size"], line["time"], line["sha256"], int(row)
        )


def _digest_of(about):
    told = {name: value for name, value in about.items() if name != "made"}  # the same images give the same digest
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _line(row, folder, record):
    """A line of images.jsonl. ASCII: bytes of a name that are no UTF-8 are in it as halves of characters."""
    line = {"row": row, "folder": folder, "path": record.path, "size": record.size}
    return json.dumps({**line, "time": record.time, "sha256": record.sha256}).encode() + b"\n"


def expect_same(path, about, settings):
    """Raises if features would be of another kind than a gallery's."""
    # The digest last: which layers are in it depends on the others.
    for name in sorted(settings, key="weights_sha256".__eq__):
        if about[name] != settings[name]:
            told = f"another {name}: {about[name]}, not {settings[name]}"
            if name == "weights_sha256":
                told = f"other weights, those of {about['weights']}"
            raise ValueError(f"{path}: the gallery was made with {told}; choose another -o")
