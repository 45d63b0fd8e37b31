"""How well and how fast images are found: python tests/benchmark_search.py recall|speed|index|attention.

recall: 200 pictures, crops of scikit-image's photographs that do not overlap and, where the Debian package
tuxpaint-stamps-default is installed, 100 of its photographs; each is changed in six ways, and the original is looked
for among the 200. The figure is recall at 1. --seed N gives random weights (full ones), --weights FILE trained ones.
speed: a query in 100,000 and 1,000,000 random features of 512 dimensions, with recall at 10, in the index that the
package chooses, and up to 200,000, where that is exact, in codes, too (or in those of --faiss).
index: time against the bare network without top on the same images, and peak memory of 2000 images against 200.
attention: squares of scikit-image's brick, gravel and grass, 40 a class to train the attention block and fc8 on, 24 to
search in: precision at 10 by class before training, and after it without and with the attention. It takes a minute with
--weights seeded:19:thin.
"""

import argparse
import contextlib
import glob
import io
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

STAMPS = "/usr/share/tuxpaint/stamps"
PHOTOS = (
    "astronaut.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "gravel.png", "hubble_deep_field.jpg",
    "ihc.png", "moon.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
EDGE = 160
CHANGES = ("JPEG quality 30", "half the size", "80 % of it", "mirrored", "brighter", "with a border")


def crops():
    """Squares of scikit-image's photographs, one beside the other, less those that are all dark or of one colour."""
    import skimage
    from PIL import Image

    found = []
    for name in PHOTOS:
        image = Image.open(os.path.join(os.path.dirname(skimage.__file__), "data", name)).convert("RGB")
        for top in range(0, image.height - EDGE + 1, EDGE):
            for left in range(0, image.width - EDGE + 1, EDGE):
                crop = image.crop((left, top, left + EDGE, top + EDGE))
                if np.asarray(crop).std() > 15:
                    found.append(crop)
    return found


def stamps():
    """Photographs of tuxpaint-stamps-default, on white, less those that are there twice or mirrored, and empty ones."""
    from PIL import Image

    found, seen = [], []
    for path in sorted(glob.glob(os.path.join(STAMPS, "*", "**", "*.png"), recursive=True)):
        if re.search("cartoon|symbols|seasonal|flags|signs", path):
            continue
        image = Image.open(path).convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        small = np.asarray(image.resize((8, 8), Image.BOX), float)
        twice = any(min(abs(small - other).mean(), abs(small[:, ::-1] - other).mean()) < 3 for other in seen)
        if min(image.size) >= EDGE and not twice and small.std() > 15:
            found.append(image)
            seen.append(small)
    return found


def truth():
    """The 200 pictures."""
    photos, squares = stamps(), crops()
    photos = [photos[index] for index in np.linspace(0, len(photos) - 1, min(100, len(photos))).astype(int)]
    wanted = 200 - len(photos)
    squares = [squares[index] for index in np.linspace(0, len(squares) - 1, min(wanted, len(squares))).astype(int)]
    print(f"{len(squares)} crops and {len(photos)} photographs")
    return squares + photos


def changed(image, change):
    """A picture, changed."""
    from PIL import Image, ImageEnhance, ImageOps

    width, height = image.size
    if change == "half the size":
        return image.resize((width // 2, height // 2), Image.LANCZOS)
    if change == "80 % of it":
        return image.crop((width // 10, height // 10, width - width // 10, height - height // 10))
    if change == "mirrored":
        return ImageOps.mirror(image)
    if change == "brighter":
        return ImageEnhance.Brightness(image).enhance(1.3)
    if change == "with a border":
        return ImageOps.expand(image, min(width, height) // 10, "white")
    return image


def recall(args):
    """Prints the table of recall at 1, for all features and changes."""
    import tensorflow.compat.v1 as tf

    from tensorflow_vgg import session_config, vgg19
    from tensorflow_vgg._search import features, whiten

    source = args.weights or f"seeded:{args.seed}"
    with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        with contextlib.redirect_stdout(io.StringIO()):
            network = vgg19.Vgg19(features.read_weights(source, "vgg19", "fc7"), attention=False)
            network.build(rgb)

        def described(images, **options):
            """All features of pictures, by way of files."""
            pixels = []
            with tempfile.TemporaryDirectory() as folder:
                for image in images:
                    path = os.path.join(folder, "a.jpg" if options else "a.png")
                    image.save(path, **options)
                    pixels.append(features.load(path))
            found = []
            for start in range(0, len(pixels), 8):
                layers = [network.pool5, network.relu6, network.relu7]
                maps, *flat = session.run(layers, {rgb: pixels[start : start + 8]})
                found.append([pool(maps) for pool in (features.rmac, features.spoc, features.mac)])
                found[-1] += [features.normalised(rows) for rows in flat]
            return [np.concatenate(rows) for rows in zip(*found)]

        images = truth()
        names = [*features.FEATURES, "rmac, --whiten 64"]
        originals = described(images)
        whitening = whiten.learn([originals[0]], 64)
        originals.append(whiten.apply(whitening, originals[0]))
        print("| |", " | ".join(names), "|\n|---|" + "---|" * len(names))
        for change in CHANGES:
            options = {"quality": 30} if change.startswith("JPEG") else {}
            rows = described([changed(image, change) for image in images], **options)
            rows.append(whiten.apply(whitening, rows[0]))
            hits = [((one @ other.T).argmax(1) == np.arange(len(images))).mean() for one, other in zip(rows, originals)]
            print(f"| {change} |", " | ".join(f"{hit:.3f}" for hit in hits), "|", flush=True)


def speed(args):
    """Prints the median time of a query in random features, for the indexes that the package chooses and others."""
    import faiss

    from tensorflow_vgg._search import nearest

    for count in args.counts:
        random = np.random.default_rng(0)
        rows = random.standard_normal((count, 512), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        queries = random.standard_normal((51, 512), dtype=np.float32)
        queries /= np.linalg.norm(queries, axis=1, keepdims=True)
        wanted = np.concatenate([np.argsort(-(query @ rows.T))[None, :10] for query in queries])
        kinds = [None, "PQ256x4fs"] if count <= nearest.EXACT_UP_TO else [None]
        for spec in args.faiss or kinds:
            start = time.perf_counter()
            made, about = nearest.build(rows, spec)
            built = time.perf_counter() - start
            index = faiss.deserialize_index(made)
            if about["probes"]:
                faiss.extract_index_ivf(index).nprobe = about["probes"]
            times, hits = [], []
            for query, others in zip(queries, wanted):
                start = time.perf_counter()
                found = nearest.search(index, rows, query[None], 10)[0][0]
                times.append(time.perf_counter() - start)
                hits.append(len(set(found) & set(others)) / 10)
            print(
                f"{count} features, {about}: median {1000 * np.median(times):.2f} ms, recall at 10 of new queries "
                f"{np.mean(hits):.3f}, made in {built:.0f} s",
                flush=True,
            )


def index(args):
    """Prints the ratios of time and of memory of `tensorflow-vgg index`."""
    with tempfile.TemporaryDirectory() as folder:
        for count in (200, 2000):
            _many(os.path.join(folder, str(count)), count)
        peaks = {}
        for count in (200, 2000):
            command = [sys.executable, __file__, "_run", os.path.join(folder, str(count)), f"seeded:{args.seed}:thin"]
            peaks[count] = float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.split()[-1])
        print(f"peak memory, thin weights: {peaks[2000] / peaks[200]:.3f} of 200's {peaks[200]:.0f} MB", flush=True)
        few = os.path.join(folder, "few")
        _many(few, args.images)
        command = [sys.executable, __file__, "_time", few, args.weights or f"seeded:{args.seed}"]
        subprocess.run(command, check=True)


def _many(folder, count):
    """Makes so many JPEGs of 320x240."""
    from PIL import Image

    os.makedirs(folder)
    random = np.random.RandomState(0)
    for number in range(count):
        small = Image.fromarray(random.randint(0, 256, (12, 16, 3), np.uint8))
        small.resize((320, 240), Image.BICUBIC).save(os.path.join(folder, f"{number:05d}.jpg"))


def _run(folder, source):
    """Indexes a folder, and prints the process's peak memory in MB."""
    from tensorflow_vgg._command.main import main

    main(["index", folder, "-o", folder + ".gallery", "--weights", source])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _time(folder, source, turns=5):
    """Times an index run's work against the bare network, in turns; prints the ratio of the medians."""
    from tensorflow_vgg._command.terminal import Report
    from tensorflow_vgg._search import features, indexing
    from tensorflow_vgg._search.store import open_store

    extractor = features.Extractor("vgg19", features.read_weights(source, "vgg19", "rmac"))
    folders, files = indexing.listing([folder])
    pixels = np.stack([features.load(os.path.join(*file)) for file in files])

    extractor.maps(pixels[:8])
    bare, whole = [], []
    for turn in range(turns):
        start = _clocks()
        for first in range(0, len(pixels), 8):
            extractor.maps(pixels[first : first + 8])
        bare.append(_clocks() - start)
        store = open_store(f"{folder}.gallery{turn}")
        start = _clocks()
        with store.writing(extractor.settings, extractor.dimensions, source, None):
            indexing.index(store, extractor, folders, files, 8, Report())
        whole.append(_clocks() - start)
    time_ratio, processor_ratio = np.median(np.array(whole) / np.array(bare), axis=0)
    print(
        f"index: {time_ratio:.3f} of the bare network's time on {len(files)} images, {processor_ratio:.3f} of the time "
        "of the processor, which other programs disturb less"
    )


def _clocks():
    """Seconds, on the wall and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def attention(args):
    """Prints precision at 10 by class, before and after training on three textures."""
    import skimage
    from PIL import Image

    from tensorflow_vgg._command.main import main as command
    from tensorflow_vgg._search import features

    start = args.weights or f"seeded:{args.seed}"
    with tempfile.TemporaryDirectory() as folder:
        held_out, classes = [], []
        for name in ("brick", "gravel", "grass"):
            image = Image.open(os.path.join(os.path.dirname(skimage.__file__), "data", f"{name}.png")).convert("RGB")
            os.makedirs(os.path.join(folder, "train", name))
            for number in range(64):
                top, left = 64 * (number // 8), 64 * (number % 8)
                square = image.crop((left, top, left + 64, top + 64))
                path = os.path.join(folder, *(("train", name) if number % 8 < 5 else ()), f"{name}{number}.png")
                square.save(path)
                if number % 8 >= 5:
                    held_out.append(features.load(path))
                    classes.append(name)
        run = os.path.join(folder, "run")
        options = [
            "--weights",
            start,
            "--train",
            "head",
            "--learning-rate",
            "1e-2",
            "--epochs",
            "60",
            "--pictures",
            "0",
        ]
        with contextlib.redirect_stdout(sys.stderr):
            command(["train", os.path.join(folder, "train"), "-o", run, *options])
        trained, classes = os.path.join(run, "weights.npy"), np.array(classes)
        for feature in features.FEATURES:
            found = []
            for source, attended in ((start, False), (trained, False), (trained, True)):
                layers = features.read_weights(source, "vgg19", feature)
                extractor = features.Extractor("vgg19", layers, feature, attention=attended)
                rows = np.concatenate([extractor(held_out[first : first + 8]) for first in range(0, len(held_out), 8)])
                extractor.close()
                alike = rows @ rows.T
                np.fill_diagonal(alike, -2)
                nearest = np.argsort(-alike, axis=1)[:, :10]
                found.append((classes[nearest] == classes[:, None]).mean())
            print(
                f"{feature}: before {found[0]:.3f}, trained {found[1]:.3f}, with attention {found[2]:.3f}", flush=True
            )


def main():
    if sys.argv[1:2] in (["_run"], ["_time"]):
        globals()[sys.argv[1]](*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("recall", "speed", "index", "attention"))
    parser.add_argument("--seed", type=int, default=19)
    parser.add_argument("--weights")
    parser.add_argument("--counts", type=int, nargs="+", default=[100000, 1000000])
    parser.add_argument("--faiss", nargs="+")
    parser.add_argument("--images", type=int, default=48)
    args = parser.parse_args()
    {"recall": recall, "speed": speed, "index": index, "attention": attention}[args.what](args)


if __name__ == "__main__":
    main()
