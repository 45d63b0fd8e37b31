"""A gallery in Milvus, a distributed vector database: a server, or Milvus Lite in a file of its own."""

import contextlib
import hashlib
import json
import logging
import os
import re

import numpy as np

from tensorflow_vgg._search.store import Record

__all__ = ["Milvus"]

# The row that says what the collection is. Its vector is needed and means nothing.
_ABOUT = "about"
_BLOCK = 500


class Milvus:
    """A collection; see `store.open_store`.

    Its rows have the fields id (of folder and path), features and record: JSON of what images.jsonl has of an image.

    Args:
      name: http://host:19530, https://..., or the name of a file that ends with .db; /COLLECTION behind it, or
        tensorflow_vgg. The environment's MILVUS_TOKEN, "user:password" or a key, is given to a server.
    """

    def __init__(self, name):
        fits = re.fullmatch(r"(https?://[^/]+|.*\.db)(?:/([A-Za-z_]\w*))?/?", name, re.DOTALL)
        if not fits:
            raise ValueError(f"milvus:{name}: expected milvus:http://HOST:19530 or milvus:FILE.db, then /COLLECTION")
        try:
            import pymilvus
        except ImportError as error:
            raise ValueError(
                "Milvus needs a client: pip install '.[milvus]' in a checkout of tensorflow-vgg"
            ) from error
        uri, self._collection = fits.group(1), fits.group(2) or "tensorflow_vgg"
        self.path = f"milvus:{name}"
        self._module = pymilvus
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it prints a traceback of what `_told` tells
        with self._told():
            self._client = pymilvus.MilvusClient(uri, token=os.environ.get("MILVUS_TOKEN", ""))

    def about(self):
        """What the collection says of itself, or None if there is none."""
        with self._told():
            if not self._client.has_collection(self._collection):
                return None
            self._client.load_collection(self._collection)
            found = self._client.get(self._collection, ids=[_ABOUT], output_fields=["record"])
        return json.loads(found[0]["record"]) if found else None

    @contextlib.contextmanager
    def writing(self, settings, dimensions, source, whitened):
        """Several runs may write at once, into folders or parts of their own."""
        from tensorflow_vgg._search.folder import expect_same

        if whitened:
            raise ValueError("--whiten is for a gallery on disk: it is learnt when all of its images are there")
        settings = {**settings, "whiten": None}
        about = self.about()
        if about is None:
            about = {**settings, "weights": source, "dimensions": dimensions}
            with self._told():
                self._create(dimensions)
                row = {"id": _ABOUT, "features": [1.0] + [0.0] * (dimensions - 1), "record": json.dumps(about)}
                self._client.upsert(self._collection, [row])
        expect_same(self.path, about, settings)
        yield self

    def known(self):
        return [record for records, _ in self._rows(["record"]) for record in records]

    def add(self, records, features):
        kept = [record._replace(row=_id(record)) for record in records]
        self._upsert(kept, features)
        return kept

    def finish(self, records, folders, mine):
        """Images of other folders, and those that are not `mine`, stay."""
        moved = [record for record in records if record.row != _id(record)]
        for start in range(0, len(moved), _BLOCK):
            chosen = moved[start : start + _BLOCK]
            rows = [record.row for record in chosen]
            with self._told():
                found = self._client.get(self._collection, ids=rows, output_fields=["features"])
            features = {row["id"]: row["features"] for row in found}
            self._upsert(chosen, [features[record.row] for record in chosen])
        wanted = {_id(record) for record in records}
        others = [record for record in self.known() if record.row not in wanted]
        gone = [record.row for record in others if record.folder in folders and mine(record.path)]
        for start in range(0, len(gone), _BLOCK):
            with self._told():
                self._client.delete(self._collection, ids=gone[start : start + _BLOCK])
        return f"{len(records)} images, {len(gone)} gone"

    def search(self, features, top):
        with self._told():
            found = self._client.search(
                self._collection,
                data=[row.tolist() for row in np.asarray(features, np.float32)],
                limit=top,
                filter=f'id != "{_ABOUT}"',
                output_fields=["record"],
            )
        return [[(hit["distance"], _record(hit["id"], hit["entity"]["record"])) for hit in hits] for hits in found]

    neighbours = search

    def blocks(self):
        for records, rows in self._rows(["record", "features"]):
            if records:
                yield records, np.array([row["features"] for row in rows], np.float32)

    def _rows(self, fields):
        """All rows but what the collection is, in parts: their Records, and what Milvus gives."""
        with self._told():
            rows = self._client.query_iterator(self._collection, batch_size=_BLOCK, output_fields=["id", *fields])
            for found in iter(rows.next, []):
                found = [row for row in found if row["id"] != _ABOUT]
                yield [_record(row["id"], row["record"]) for row in found], found
            rows.close()

    def _create(self, dimensions):
        types = self._module.DataType
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", types.VARCHAR, is_primary=True, max_length=64)
        schema.add_field("features", types.FLOAT_VECTOR, dim=dimensions)
        schema.add_field("record", types.VARCHAR, max_length=65535)
        index = self._client.prepare_index_params()
        index.add_index("features", index_type="AUTOINDEX", metric_type="IP")
        self._client.create_collection(self._collection, schema=schema, index_params=index, consistency_level="Strong")

    def _upsert(self, records, features):
        rows = [
            {"id": _id(record), "features": np.asarray(feature).tolist(), "record": json.dumps(record[:5])}
            for record, feature in zip(records, features)
        ]
        with self._told():
            self._client.upsert(self._collection, rows)

    @contextlib.contextmanager
    def _told(self):
        """Turns the client's errors into a line that names the gallery."""
        try:
            yield
        except self._module.exceptions.MilvusException as error:
            reason = (str(error.message).splitlines() or [type(error).__name__])[0]
            raise OSError(f"{self.path}: {reason}") from error


def _id(record):
    return hashlib.sha256(os.fsencode(record.file)).hexdigest()


def _record(row, text):
    return Record(*json.loads(text), row=row)
