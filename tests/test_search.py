"""Search: features against Keras and NumPy by hand, the gallery through kills and changes, the two verbs, Milvus."""

import json
import math
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from colours import Colours
from conftest import TEST_DATA, assert_close
from forking import environment
from test_attention import by_hand
from test_no_top import convolutions, keras_model

from tensorflow_vgg import _images, weights
from tensorflow_vgg._command import terminal
from tensorflow_vgg._command.main import main
from tensorflow_vgg._search import duplicates, indexing, nearest, whiten
from tensorflow_vgg._search.features import Extractor, load, mac, normalised, rmac, spoc
from tensorflow_vgg._search.store import open_store

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

# The issue's: against Keras, NumPy and float64.
FEATURE = 1e-5

try:
    import faiss
except ImportError:
    faiss = None
needs_faiss = pytest.mark.skipif(faiss is None, reason="FAISS IS NOT INSTALLED: THE GALLERY IS NOT TESTED")


def one(vector):
    return np.array(vector) / math.sqrt(sum(float(value) ** 2 for value in vector))


def rmac_by_hand(feature_map):
    regions = {7: [(7, [0]), (4, [0, 3]), (3, [0, 2, 4])], 14: [(14, [0]), (9, [0, 5]), (7, [0, 3, 7])]}
    total = np.zeros(feature_map.shape[2])
    for edge, starts in regions[len(feature_map)]:
        for top in starts:
            for left in starts:
                region = feature_map[top : top + edge, left : left + edge]
                total += one([region[:, :, channel].max() for channel in range(region.shape[2])])
    return one(total)


def spoc_by_hand(feature_map):
    edge = len(feature_map)
    centre, deviation = (edge - 1) / 2, edge / 6
    total = np.zeros(feature_map.shape[2])
    for y in range(edge):
        for x in range(edge):
            total += feature_map[y, x] * math.exp(-((y - centre) ** 2 + (x - centre) ** 2) / (2 * deviation**2))
    return one(total)


def mac_by_hand(feature_map):
    return one([feature_map[:, :, channel].max() for channel in range(feature_map.shape[2])])


def kerass_pool5(layers, image):
    import tensorflow

    pixels = image * np.float32(255)
    prepared = tensorflow.keras.applications.vgg19.preprocess_input(pixels, data_format="channels_last")
    if tf.executing_eagerly():
        return np.asarray(keras_model("vgg19", layers, "valid")(prepared)[-1])
    with tf.Graph().as_default(), tf.Session() as session:
        tensorflow.keras.backend.set_session(session)
        return session.run(keras_model("vgg19", layers, "valid")(tf.constant(prepared))[-1])


@pytest.mark.parametrize("size", [224, 448])
def test_pooled_features_are_kerass_maps_pooled_by_hand(size):
    layers = convolutions("vgg19")
    block = weights.seeded_attention(512)
    image = load(os.path.join(TEST_DATA, "tiger.jpeg"), size)[None]
    pool5 = kerass_pool5(layers, image).astype(np.float64)
    for attention, feature_map in ((False, pool5), (True, by_hand(pool5, block))):
        extractor = Extractor("vgg19", {**layers, **block}, "rmac", size, attention)
        assert extractor.settings["attention"] is attention and extractor.dimensions == 512
        maps = extractor.maps(image)
        for pool, expected in ((rmac, rmac_by_hand), (spoc, spoc_by_hand), (mac, mac_by_hand)):
            found = pool(maps)
            assert found.dtype == np.float32
            assert_close(found[0], expected(feature_map[0]), FEATURE, f"{pool.__name__} {attention}")
        extractor.close()


def test_fully_connected_features_by_hand(seeded):
    """Thin weights: fc6 and fc7 by NumPy from the map that the pooled features take."""
    weight_dict = seeded("vgg16", thin=True)
    image = load(os.path.join(TEST_DATA, "cat.jpeg"))[None]
    pooled = Extractor("vgg16", weight_dict, "mac")
    maps = pooled.maps(image)
    np.testing.assert_array_equal(pooled(image), mac(maps))
    values = maps.astype(np.float64).reshape(1, -1)
    for name in ("fc6", "fc7"):
        values = np.maximum(values @ weight_dict[name][0] + weight_dict[name][1], 0)
        assert_close(Extractor("vgg16", weight_dict, name)(image)[0], one(values[0]), FEATURE, name)
    with pytest.raises(ValueError, match="--size 448: expected 224 for fc6"):
        Extractor("vgg16", weight_dict, "fc6", 448)


def test_a_map_of_one_place_and_of_zeros():
    maps = np.zeros((2, 1, 1, 4), np.float32)
    maps[0, 0, 0, 2] = 3
    for pool in (rmac, spoc, mac):
        np.testing.assert_array_equal(pool(maps), [[0, 0, 1, 0], [0, 0, 0, 0]])


def test_whitened_rows_have_no_correlation():
    random = np.random.RandomState(0)
    rows = normalised(random.standard_normal((500, 12)) @ random.standard_normal((12, 12)))
    mean, projection = whiten.learn([rows[:200], rows[200:]], 5)
    whitened = (rows - mean).astype(np.float64) @ projection
    np.testing.assert_allclose(whitened.T @ whitened / 500, np.eye(5), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(whiten.apply((mean, projection), rows), axis=1), 1, atol=1e-6)
    with pytest.raises(ValueError, match="--whiten 12: expected at most 9: 10 images, 12 values"):
        whiten.learn([rows[:10]], 12)


class Report(terminal.Report):
    """What indexing tells, kept."""

    def __init__(self):
        super().__init__()
        self.problems = []

    def problem(self, error):
        self.problems.append(str(error))


def colours(folders, gallery, whitened=None, batch=4, part=None, spec=None):
    """Indexes folders by `Colours`; gives the counts and the problems."""
    store, report = open_store(str(gallery), spec), Report()
    names, files = indexing.listing([str(folder) for folder in folders], part)
    with store.writing(Colours.settings, Colours.dimensions, "colours", whitened):
        return indexing.index(store, Colours(), names, files, batch, report, part), report.problems


def pictures(folder, count, seed=0):
    """Makes so many small pictures, two folders deep."""
    from PIL import Image

    random = np.random.RandomState(seed)
    for number in range(count):
        place = folder / f"d{number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(random.randint(0, 256, (4, 4, 3), np.uint8))
        small.resize((40, 32), Image.BILINEAR).save(str(place / f"{number:03d}.png"))
    return sorted(folder.rglob("*.png"))


def contents(gallery):
    """A gallery's files, without the time at which it was made."""
    found = {path.name: path.read_bytes() for path in gallery.iterdir()}
    about = json.loads(found["about.json"])
    del about["made"]
    return {**found, "about.json": about}


MOMENTS = {
    "a batch's features are written, its names are not": ("crc32", None, 1),
    "two batches are there, and half of a third": ("crc32", None, 3),
    "features.npy is begun": ("open", "features.npy", 1),
    "the index is begun": ("open", "index.faiss", 1),
    "all is written, nothing is renamed": ("os.rename", ".ready", 1),
    "the new gallery counts, none of its files is in place": ("os.rename", "features.npy", 1),
    "two files are in place": ("os.rename", "index.faiss", 1),
    "all files are in place, the work is not cleared away": ("os.remove", ".ready/part.f32", 1),
}

# One process that forks, since each start takes a second.
KILLED = """
import json, os, shutil, signal, sys
from colours import Colours
from tensorflow_vgg._command.terminal import Report
from tensorflow_vgg._search import indexing
from tensorflow_vgg._search.store import open_store

few, more, out = sys.argv[1:4]

def index(folders, name, moment=None):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    store = open_store(os.path.join(out, name))
    names, files = indexing.listing(folders)
    if moment:
        kill_at(*moment)
    with store.writing(Colours.settings, Colours.dimensions, "colours", None):
        indexing.index(store, Colours(), names, files, 4, Report())
    os._exit(0)

def kill_at(wanted, end, count):
    seen = []
    def meet(event, *args):
        writes = event != "open" or args[1:2] == ("w",)
        if event == wanted and writes and (end is None or any(str(arg).endswith(end) for arg in args)):
            seen.append(event)
            if len(seen) == count:
                os.kill(os.getpid(), signal.SIGKILL)
    if wanted == "crc32":
        sys.setprofile(lambda frame, event, arg: event == "c_call" and meet(arg.__name__))
    else:
        sys.addaudithook(lambda event, args: meet(event, *args))

index([few], "base")
index([few, more], "whole")
for number, moment in enumerate(json.loads(sys.argv[4])):
    shutil.copytree(os.path.join(out, "base"), os.path.join(out, str(number)))
    print(index([few, more], str(number), moment))
    shutil.copytree(os.path.join(out, str(number)), os.path.join(out, f"{number}-killed"))
    print(index([few, more], str(number)))
"""


@needs_faiss
def test_killed_at_any_moment_it_goes_on_and_nothing_is_lost(tmp_path):
    """The next run's gallery is the one made in one go, to the byte; until then the old one, or the new, is whole."""
    few, more, out = tmp_path / "few", tmp_path / "more", tmp_path / "out"
    pictures(few, 5)
    pictures(more, 19, seed=1)
    out.mkdir()
    command = [sys.executable, "-c", KILLED, *map(str, (few, more, out)), json.dumps(list(MOMENTS.values()))]
    printed = subprocess.run(command, stdout=subprocess.PIPE, env=environment(ROOT, HERE), check=True).stdout.split()
    assert printed == [b"9", b"0"] * len(MOMENTS)
    for number, moment in enumerate(MOMENTS):
        assert contents(out / str(number)) == contents(out / "whole"), moment
        killed = open_store(str(out / f"{number}-killed"))
        images = killed.about()["images"]
        assert images == (24 if number > 4 else 5), moment
        assert [len(hits) for hits in killed.search(np.eye(48, dtype=np.float32), 30)] == [images] * 48


@needs_faiss
def test_what_a_killed_run_had_is_not_computed_again(tmp_path):
    pictures(tmp_path / "p", 10)
    store = open_store(str(tmp_path / "g"))
    names, files = indexing.listing([str(tmp_path / "p")])

    class Stops(Colours):
        calls = 0

        def __call__(self, pixels):
            if self.calls == 2:
                raise KeyboardInterrupt
            self.calls += 1
            return super().__call__(pixels)

    with pytest.raises(KeyboardInterrupt), store.writing(Stops.settings, 48, "colours", None):
        indexing.index(store, Stops(), names, files, 4, Report())
    counts, _ = colours([tmp_path / "p"], tmp_path / "g")
    assert (counts.kept, counts.computed) == (8, 2)
    colours([tmp_path / "p"], tmp_path / "whole")
    assert contents(tmp_path / "g") == contents(tmp_path / "whole")


@needs_faiss
def test_new_changed_moved_gone_and_bad_files(tmp_path):
    folder, gallery = tmp_path / "p", tmp_path / "g"
    files = pictures(folder, 9)
    (folder / "bad.png").write_bytes(b"no picture")
    counts, problems = colours([folder], gallery)
    assert counts[:4] == (0, 0, 9, 1) and len(problems) == 1 and problems[0].startswith(str(folder / "bad.png"))
    (folder / "bad.png").unlink()
    before = contents(gallery)
    counts, _ = colours([folder], gallery)
    assert counts[:4] == (9, 0, 0, 0) and counts.told == "9 images, nothing new" and contents(gallery) == before
    files[0].unlink()
    files[1].rename(folder / "elsewhere.png")
    shutil.copy(str(files[2]), str(folder / "copy.png"))
    shutil.copy(str(files[3]), str(files[4]))
    pictures(folder / "new", 2, seed=5)
    counts, _ = colours([folder], gallery)
    assert counts[:4] == (6, 3, 2, 0) and counts.told.startswith("11 images, 1 gone, ")
    assert not list(gallery.glob(".next")) and not list(gallery.glob(".ready"))
    colours([folder], tmp_path / "whole")
    assert contents(gallery) == contents(tmp_path / "whole")


@needs_faiss
def test_a_gallery_is_plain_files(tmp_path):
    """features.npy by NumPy alone; paths in the folder, with names that are no UTF-8."""
    folder = tmp_path / "p"
    files = pictures(folder, 5)
    odd = os.fsencode(str(folder)) + b"/caf\xe9 \n<b>.png"
    os.rename(str(files[0]), odd)
    colours([folder], tmp_path / "g")
    rows = np.load(str(tmp_path / "g" / "features.npy"), mmap_mode="r")
    assert rows.dtype == np.float32 and rows.shape == (5, 48)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    lines = [json.loads(line) for line in (tmp_path / "g" / "images.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(5))
    paths = [os.path.join(os.fsencode(str(folder)), os.fsencode(line["path"])) for line in lines]
    assert odd in paths and sorted(paths) == sorted(os.fsencode(path) for path in _images.find([str(folder)]))
    for line, path, row in zip(lines, paths, rows):
        assert line["sha256"] == weights.file_digest(path) and line["size"] == os.stat(path).st_size
        assert line["time"] == os.stat(path).st_mtime_ns
        np.testing.assert_array_equal(row, Colours()(load(os.fsdecode(path), 32)[None])[0])


@needs_faiss
def test_two_runs_others_folders_and_damage(tmp_path):
    folder, gallery = tmp_path / "p", tmp_path / "g"
    pictures(folder, 3)
    colours([folder], gallery)
    store = open_store(str(gallery))
    with store.writing(Colours.settings, 48, "colours", None), pytest.raises(
        ValueError, match="another run is indexing"
    ):
        colours([folder], gallery)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="expected a gallery or an empty folder, found other files"):
        colours([folder], tmp_path / "mine")
    assert os.listdir(str(tmp_path / "mine")) == ["letter.txt"]
    with pytest.raises(ValueError, match=r"another whiten: None, not 2; choose another -o"):
        colours([folder], gallery, whitened=2)
    os.symlink(str(tmp_path / "mine" / "letter.txt"), str(tmp_path / "linked.lock"))
    (gallery / ".lock").unlink()
    os.rename(str(tmp_path / "linked.lock"), str(gallery / ".lock"))
    with pytest.raises(OSError):
        colours([folder], gallery)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    (gallery / "images.jsonl").write_text("{}")
    with pytest.raises(ValueError, match=r"damaged gallery .* remove the folder and index again"):
        open_store(str(gallery)).about()


@needs_faiss
def test_nearest_is_exact_and_codes_are_measured():
    random = np.random.RandomState(0)
    rows = normalised(random.standard_normal((1500, 32)))
    queries = normalised(rows[:20] + 0.1 * random.standard_normal((20, 32)))
    wanted = np.argsort(-(queries @ rows.T), axis=1, kind="stable")[:, :10]
    for spec, least in ((None, 1.0), ("IVF16,Flat", nearest.ENOUGH), ("PQ16x4fs", nearest.ENOUGH)):
        made, about = nearest.build(rows, spec)
        assert about["recall"] >= least
        index = faiss.deserialize_index(made)
        if about["probes"]:
            faiss.extract_index_ivf(index).nprobe = about["probes"]
        found = nearest.search(index, rows, queries, 10)
        hits = np.mean([len(set(row) & set(others)) / 10 for (row, _), others in zip(found, wanted)])
        assert hits >= least - 0.1 if spec else hits == 1, spec
        for query, (chosen, similarities) in zip(queries, found):
            np.testing.assert_allclose(similarities, rows[chosen] @ query, atol=1e-6)
    with pytest.raises(ValueError, match="--faiss PQ5: FAISS has none for 32 dimensions: The dimension of"):
        nearest.build(rows, "PQ5")
    with pytest.raises(ValueError, match="--faiss IVF2000,Flat: FAISS cannot make that of 1500 features: Number of"):
        nearest.build(rows, "IVF2000,Flat")
    assert nearest._said(RuntimeError("no place: a colon")) == "no place: a colon"
    assert nearest._said(RuntimeError("Error in f(int) at /project/faiss/x.cpp:12: no such: x")) == "no such: x"


@needs_faiss
def test_whitened_galleries_and_duplicates(tmp_path):
    folder = tmp_path / "p"
    files = pictures(folder, 12)
    for number, name in ((0, "b.png"), (0, "a.png"), (4, "c.png")):  # of d0/000.png and d1/001.png
        shutil.copy(str(files[number]), str(folder / name))
    colours([folder], tmp_path / "g", whitened=6)
    store = open_store(str(tmp_path / "g"))
    rows = np.load(str(tmp_path / "g" / "features.npy"))
    assert rows.shape == (15, 6)
    query = Colours()(load(str(files[5]), 32)[None])
    similarity, record = store.search(query, 1)[0][0]
    assert record.file == str(files[5]) and abs(similarity - 1) < 1e-6
    found = duplicates.groups(store, 0.999)
    assert [[os.path.basename(record.path) for _, record in group] for group in found] == [
        ["a.png", "b.png", "000.png"], ["c.png", "001.png"],
    ]  # fmt: skip
    pictures(folder / "new", 2, seed=5)
    colours([folder], tmp_path / "g", whitened=6)  # by what was learnt
    assert np.load(str(tmp_path / "g" / "features.npy")).shape == (17, 6)
    assert (np.load(str(tmp_path / "g" / "features.npy"))[:15] == rows).all()


@needs_faiss
def test_the_verbs_and_the_gallery_in_code(home, seeded, capsys, monkeypatch):
    import io

    import tensorflow_vgg

    weights.write(str(home / "w.npy"), seeded("vgg19", thin=True, attention=True))
    shutil.copytree(TEST_DATA, str(home / "p"))
    (home / "p" / "bad\x1b[2J.png").write_text("no picture")
    assert main(["index", "p", "-o", "g", "--weights", "w.npy", "--feature", "spoc", "--batch", "3"]) == 1
    output = capsys.readouterr()
    assert "4 images" in output.out and "4 computed, 1 left out" in output.out
    assert "\x1b" not in output.out + output.err and "bad\\x1b[2J.png" in output.err
    (home / "p" / "bad\x1b[2J.png").unlink()
    assert main(["index", "p", "-o", "g", "--no-attention"]) == 2
    assert "another attention: True, not False" in capsys.readouterr().err
    assert main(["index", "p", "-o", "other", "--weights", "w.npy", "--faiss", "nonsense"]) == 2
    assert "--faiss nonsense: FAISS has none for" in capsys.readouterr().err
    assert not (home / "other" / ".next" / "part.f32").exists()  # said before anything is computed
    assert main(["index", "p", "-o", "g"]) == 0  # weights and feature are the gallery's
    assert "nothing new" in capsys.readouterr().out

    assert main(["search", "g", "p/cat.jpeg", "p/tiger.jpeg", "--top", "3", "--json", "--html", "page.html"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["query"] for line in found] == ["p/cat.jpeg"] * 3 + ["p/tiger.jpeg"] * 3
    assert found[0]["path"] == str(home / "p" / "cat.jpeg") and found[0]["similarity"] == 1
    assert (home / "page.html").read_text().count("<img ") == 8
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"p/cat.jpeg\nno.jpeg\np/coffee.jpeg\n")))
    assert main(["search", "g", "-", "--above", "0.99999"]) == 1
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert lines[0] == "p/cat.jpeg" and lines[1] == f"  1.0000  {home}/p/cat.jpeg" and "p/coffee.jpeg" in lines
    assert "no.jpeg: expected an image file" in output.err
    assert main(["search", "g", "--duplicates", "0.5", "--html", "page.html"]) == 0
    assert capsys.readouterr().out.startswith("4 images, each with its similarity to the nearest")
    assert main(["search", "g"]) == 2 and main(["search", "nothing", "p/cat.jpeg"]) == 2
    assert "nothing: expected a gallery, found none" in capsys.readouterr().err
    for wrong, message in (("gg", "did you mean g?"), ("p/cat.jpeg", "search GALLERY IMAGE, in this order")):
        assert main(["search", wrong, "p/cat.jpeg"]) == 2 and message in capsys.readouterr().err
    (home / "p" / "cat.jpeg").rename(home / "cat.jpeg")
    assert main(["search", "g", "cat.jpeg", "--top", "2"]) == 0
    told = capsys.readouterr().err
    assert f"not there any more: 1 of the images found, such as {home}/p/cat.jpeg: run" in told
    assert "learnt nothing" not in told
    assert main(["index", "p", "-o", "s", "--weights", "seeded:19:thin"]) == 0
    assert main(["search", "s", "cat.jpeg"]) == 0
    assert "s: its seeded weights have learnt nothing" in capsys.readouterr().err
    (home / "cat.jpeg").rename(home / "p" / "cat.jpeg")

    gallery = tensorflow_vgg.search.Gallery("g")
    pixels = np.stack([load(f"p/{name}.jpeg") for name in ("cat", "tiger")])
    by_pixels, by_path = gallery.search(pixels, top=2), gallery.search(["p/cat.jpeg", "p/tiger.jpeg"], top=2)
    assert by_pixels == by_path and [len(hits) for hits in by_path] == [2, 2]
    with pytest.raises(ValueError, match=r"expected floats \[n, 224, 224, 3\], got uint8"):
        gallery.search(np.zeros((1, 224, 224, 3), np.uint8))
    with pytest.raises(ValueError, match="expected top from 1, got 0"):
        gallery.search(pixels, top=0)
    with pytest.raises(ValueError, match="expected a similarity from 0 to 1, got 97"):
        gallery.duplicates(97)
    weights.write(str(home / "w.npy"), seeded("vgg19", thin=True))
    with pytest.raises(ValueError, match="the gallery was made with other weights than"):
        tensorflow_vgg.search.Gallery("g").search(["p/cat.jpeg"])


@needs_faiss
def test_milvus_finds_what_a_gallery_on_disk_finds(tmp_path):
    pytest.importorskip("pymilvus", reason="PYMILVUS IS NOT INSTALLED: MILVUS IS NOT TESTED")
    pytest.importorskip("milvus_lite", reason="MILVUS LITE IS NOT INSTALLED: MILVUS IS NOT TESTED")
    folder = tmp_path / "p"
    files = pictures(folder, 20)
    name = f"milvus:{tmp_path}/m.db/pictures"
    counts = [colours([folder], name, part=(part, 3))[0] for part in (1, 2, 3)]
    assert sum(count.computed for count in counts) == 20 and max(count.computed for count in counts) < 20
    assert colours([folder], name)[0][:4] == (20, 0, 0, 0)
    colours([folder], tmp_path / "g")
    queries = Colours()(np.stack([load(str(path), 32) for path in files]))
    stores = open_store(name), open_store(str(tmp_path / "g"))
    found, expected = (store.search(queries, 5) for store in stores)
    for ours, others in zip(found, expected):
        assert [record[:5] for _, record in ours] == [record[:5] for _, record in others]
        np.testing.assert_allclose([value for value, _ in ours], [value for value, _ in others], atol=1e-5)
    files[0].unlink()
    files[1].rename(folder / "elsewhere.png")
    assert colours([folder], name)[0][:4] == (18, 1, 0, 0)
    with pytest.raises(ValueError, match="--whiten is for a gallery on disk"):
        colours([folder], name, whitened=2)
    store = open_store(name)
    assert sum(len(records) for records, _ in store.blocks()) == 19
    assert store.search(queries[1:2], 1)[0][0][1].file == str(folder / "elsewhere.png")
    with pytest.raises(ValueError, match=r"expected milvus:http://HOST:19530 or milvus:FILE.db"):
        open_store("milvus:somewhere")


@pytest.mark.skipif(sys.version_info >= (3, 10), reason="this Python can search")
def test_old_pythons_are_told(tmp_path, capsys):
    assert main(["index", str(tmp_path), "-o", str(tmp_path / "g")]) == 2
    assert "need Python 3.10 or later" in capsys.readouterr().err
