"""Attacks whatever reads files: `python tests/fuzz.py --minutes 30 [--only NAME] [--seed N]`. No part of the suite.

A target is two functions in `TARGETS`: one makes a case in an empty folder, the other reads it in a process of its own
with 2 GB of memory and 10 s. A file may be read or refused, by one line of a ValueError or OSError. Everything else is
told, with the number that makes the case again: a crash, a hang, more than 500 MB, another exception, a message of more
than a line, a file that ran code.
"""

import argparse
import collections
import contextlib
import functools
import glob
import io
import json
import os
import random
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")  # whose threads' stacks count as memory

import numpy as np

from tensorflow_vgg import weights
from tensorflow_vgg._weights import mapped

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS, ADDRESSES, MEMORY, MESSAGE = 10, 2 << 30, 500 << 20, 2000

# make_case(random, folder) gives the path of a case; use(path) reads it; prepare(), or None, imports what use needs.
Target = collections.namedtuple("Target", ["make_case", "use", "prepare"])


# Parts for cases.


def mutated(rng, content):
    """A file's bytes with something done to them: bits, numbers, parts left out, doubled, exchanged, cut."""
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 10))):
        at = rng.randrange(len(content) + 1)
        size = rng.choice((1, 1, 2, 4, 8, rng.randrange(64)))
        way = rng.randrange(7)
        if way == 0 and at < len(content):
            content[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            content[at : at + size] = bytes(rng.randrange(256) for _ in range(size))
        elif way == 2:
            content[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\0"))
        elif way == 3:
            del content[at : at + size]
        elif way == 4:
            content[at:at] = content[at : at + size] * rng.choice((1, 2, 100))
        elif way == 5:
            other = rng.randrange(len(content) + 1)
            content[at : at + size], content[other : other + size] = (
                content[other : other + size],
                content[at : at + size],
            )
        elif rng.random() < 0.3:
            del content[at:]
    return bytes(content)


def written(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def good_file(rng, pattern):
    """The bytes of one of the files of tests/ that fit a pattern."""
    with open(rng.choice(sorted(glob.glob(os.path.join(HERE, pattern)))), "rb") as file:
        return file.read()


# Weight files: mutated ones, random pickles, and pickles that want much.


def weight_case(rng, folder):
    way = rng.random()
    if way < 0.45:
        content = mutated(rng, good_file(rng, "golden/formats/*.npy"))
    elif way < 0.8:
        content = npy(random_pickle(rng, folder))
    else:
        content = npy(greedy_pickle(rng))
        if rng.random() < 0.3:
            content = mutated(rng, content)
    return written(folder, "vgg19.npy", content)


def npy(pickled):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    return file.getvalue() + pickled


def names(folder):
    """Pickle's opcodes for what may be named and what may not, and for calls that leave a mark."""
    mark = os.path.join(folder, "ran").encode()
    allowed = (b"numpy\nndarray", b"numpy\ndtype", b"numpy.core.multiarray\n_reconstruct", b"_codecs\nencode")
    others = (b"numpy.core.multiarray\nscalar", b"collections\nOrderedDict", b"builtins\nset", b"__builtin__\ndict")
    hostile = (b"os\nsystem", b"builtins\nexec", b"builtins\ngetattr", b"numpy\nsavetxt", b"numpy.testing\nmeasure")
    return [
        *(b"c" + name + b"\n" for name in allowed + others + hostile),
        b"cos\nsystem\n(X" + struct.pack("<I", len(mark) + 6) + b"touch " + mark + b"tR",
        b"(S'touch " + mark + b"'\nios\nsystem\n",
        b"cbuiltins\nopen\n(X" + struct.pack("<I", len(mark)) + mark + b"X\x01\0\0\0wtR",
    ]


def random_pickle(rng, folder):
    """Opcodes in any order, with arguments that tend to be small, or the largest there are."""

    def number(code, size):
        limit = 1 << 8 * size
        return rng.choice((rng.randrange(8), rng.randrange(8), rng.randrange(300), limit - 1, limit // 2)) % limit

    def opcode():
        code = rng.choice(
            b"((((((}}}]])))ttttttRRRRsssuuaaee012bbKKKKXXCCUUqqqqhhhhjrNNIFVSgp\x85\x86\x87\x85\x86\x81\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98GJMTBLPQodl."
        )
        code = bytes([code])
        if code in (b"K", b"q", b"h"):
            return code + bytes([number(code, 1)])
        if code == b"M":
            return code + struct.pack("<H", number(code, 2))
        if code in (b"J", b"j", b"r"):
            return code + struct.pack("<I", number(code, 4))
        if code == b"G":
            return code + struct.pack(">d", rng.choice((0.0, 1.0, -1e300)))
        if code in (b"X", b"B", b"T", b"\x8b"):
            text = rng.choice((b"f4", b"latin1", b"a", b"", b"|", b"<", b"O8", b"x" * rng.randrange(100)))
            return code + struct.pack("<I", len(text) if rng.random() < 0.95 else number(code, 4)) + text
        if code in (b"C", b"U", b"\x8a", b"\x8c"):
            text = rng.choice((b"f4", b"latin1", b"b", b"conv1_1", b"\x01"))
            return code + bytes([len(text) if rng.random() < 0.95 else number(code, 1)]) + text
        if code in (b"\x8d", b"\x8e", b"\x95", b"\x96"):
            text = b"x" * rng.randrange(20)
            return code + struct.pack("<Q", len(text) if rng.random() < 0.9 else number(code, 8)) + text
        if code in b"IFVSLPgp":
            text = rng.choice((b"1", b"0", b"7", b"'a'", b"1e9", b"9" * rng.choice((1, 30, 5000)), b"01", b"-1"))
            return code + text + (b"L" if code == b"L" else b"") + b"\n"
        return code

    parts = [opcode() if rng.random() < 0.85 else rng.choice(names(folder)) for _ in range(rng.randrange(1, 60))]
    return b"\x80" + bytes([rng.randrange(2, 6)]) + b"".join(parts) + b"."


def greedy_pickle(rng):
    """A small file that asks for much: depth, doubling, indices, sizes, lengths."""
    many = rng.choice((20, 40, 1000, 10**5, 10**6))
    nested = rng.choice((b"\x85", b"(t", b"a", b"\x86"))
    big = struct.pack("<I", rng.choice((1 << 20, 1 << 24, 1 << 28, (1 << 31) - 1, (1 << 32) - 1)))
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85C\x01btR(K\x01"
        + b"(" + b"J" + struct.pack("<I", (1 << 31) - 1) * 1 + (b"K\x02" * rng.choice((0, 40, 10**6))) + b"t"
        + b"cnumpy\ndtype\n(X\x02\0\0\0f4K\0K\x01tR\x89C\0tb"
    )  # fmt: skip
    return rng.choice((
        lambda: b"}N" + b"\x85" * many + b"Ns.",
        lambda: b"}" + b"N" + nested * many + b"s.",
        lambda: b"]" * many + b"a" * (many - 1) + b".",
        lambda: b"(" * many + b"t" * many + b".",
        lambda: b"}Nr" + big + b"Ns.",
        lambda: b"N" + b"p" + str(10 ** rng.randrange(1, 30)).encode() + b"\n.",
        lambda: b"}N" + b"2\x86" * rng.choice((20, 40, 1000)) + b"Ns.",
        lambda: b"]" + b"2(22e" * 40 + b".",
        lambda: b"]q\0" + b"(h\0h\0e" * 30 + b".",
        lambda: b"}X\x01\0\0\0a" + array + b"s.",
        lambda: b"}X" + big + b"a" * 100 + b"Ns.",
        lambda: b"}B" + big + b".",
        lambda: b"\x80\x05}\x96" + struct.pack("<Q", 1 << rng.randrange(20, 63)) + b".",
        lambda: b"\x80\x04\x95" + struct.pack("<Q", 1 << rng.randrange(20, 63)) + b"}.",
        lambda: b"L" + b"9" * many + b"L\n.",
        lambda: b"I" + b"9" * many + b"\n.",
        lambda: b"\x8b" + struct.pack("<I", many) + b"\x7f" * many + b".",
        lambda: b"c" + b"m" * many + b"\n" + b"n" * many + b"\n.",
        lambda: b"cnumpy\ndtype\n(X" + struct.pack("<I", many) + b"x" * many + b"K\0K\x01tR.",
        lambda: b"cnumpy\ndtype\n(X\x0b\0\0\0S9999999999"[:-1] + b"K\0K\x01tR.",
        lambda: b"c_codecs\nencode\n(X\x01\0\0\0aX" + struct.pack("<I", many) + b"z" * many + b"tR.",
        lambda: b"(" + b"N" * many + b"l.",
        lambda: b"]" + b"N2" * many + b".",
        lambda: b"cbuiltins\nset\n" * (many // 10) + b".",
        lambda: b"ccollections\ndefaultdict\n" * 2 + b"\x85R" + b".",
    ))()  # fmt: skip


def use_weights(path):
    found = weights.read(path)
    for array in arrays_of(found):
        array.tobytes()  # what is no memory of ours would show
    with contextlib.suppress(weights.WeightsError):
        weights.check(found, "vgg19", path, thin=True)


def arrays_of(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [array for item in value for array in arrays_of(item)]
    return [value] if isinstance(value, np.ndarray) else []


# The cache: whatever becomes of its files, the numbers are those of the weight file.


def cache_case(rng, folder):
    path = os.path.join(folder, "own.npy")
    pairs = {
        f"layer{n}": [np.full((2, 3 + n), n, "f4"), np.arange(3, dtype="f4") + n] for n in range(rng.randrange(1, 5))
    }
    weights.write(path, pairs)
    written(folder, "seed", str(rng.random()).encode())
    return path


def use_cache(path):
    folder = os.path.dirname(path)
    os.environ["TENSORFLOW_VGG_HOME"] = folder
    with open(os.path.join(folder, "seed")) as file:
        rng = random.Random(file.read())
    expected = weights.read(path)
    child = os.fork()
    if not child:
        mapped.load(path)
        os._exit(0)
    os.waitpid(child, 0)
    for _ in range(rng.randrange(1, 4)):
        tamper(rng, mapped.folder())
    for _ in range(2):
        found = mapped.load(path)
        assert list(found) == list(expected), "wrong layers"
        for name, pair in expected.items():
            assert all(np.array_equal(array, found[name][index]) for index, array in enumerate(pair)), "wrong numbers"


def tamper(rng, folder):
    """Does something to a file or folder of the cache."""
    paths = [os.path.join(base, name) for base, names, files in os.walk(folder) for name in names + files]
    path, other = rng.choice(paths), rng.choice(paths)
    regular = os.path.isfile(path) and not os.path.islink(path)
    status = os.lstat(path)
    way = rng.randrange(9)
    with contextlib.suppress(shutil.Error):
        if way < 4 and regular:
            with open(path, "rb") as file:
                content = file.read()
            content = bytes(len(content)) if way == 0 else mutated(rng, content)
            written(*os.path.split(path), content)
            if rng.random() < 0.5:
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        elif way == 4 and regular and os.path.isfile(other):
            os.replace(other, path)
        elif way == 5 and regular:
            os.unlink(path)
            rng.choice((os.mkfifo, os.mkdir, lambda name: os.symlink(rng.choice((other, "/dev/zero", name)), name)))(
                path
            )
        elif way == 6:
            os.chmod(path, rng.choice((0o777, 0, 0o644)))
        elif way == 7 and os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif way == 8 and os.path.basename(path) == "manifest.json" and regular:
            with open(path) as file, contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
                content = json.load(file)
                tensor = content["layers"][0]["tensors"][0]
                tensor.update(
                    rng.choice(({"file": other}, {"shape": [-1]}, {"shape": 7}, {"file": None}, {"sha256": 1}))
                )
                written(*os.path.split(path), json.dumps(content).encode())


# Recordings of `dump`: mutated ones, and whole ones with one thing in them that does not fit.


@functools.lru_cache(maxsize=None)
def good_recordings():
    """Recordings of earlier releases, and one of today's: the bytes of each."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        today = os.path.join(folder, "today.npz")
        image = os.path.join(os.path.dirname(HERE), "test_data", "tiger.jpeg")
        dump = [sys.executable, "-m", "tensorflow_vgg", "dump", image, "-o", today, "--samples", "100"]
        subprocess.run([*dump, "--weights", "seeded:19:thin"], check=True, capture_output=True)
        for path in [*sorted(glob.glob(os.path.join(HERE, "golden", "recordings", "*.npz"))), today]:
            with open(path, "rb") as file:
                found.append(file.read())
    return found


def recording_case(rng, folder):
    content = rng.choice(good_recordings())
    if rng.random() < 0.4:
        return written(folder, "b.npz", mutated(rng, content))
    with zipfile.ZipFile(io.BytesIO(content)) as good:
        members = {name: good.read(name) for name in good.namelist()}
    with np.load(io.BytesIO(content)) as good:
        about = json.loads(good["about"].tobytes().decode())
    name = rng.choice(sorted(members))
    way = rng.random()
    if way < 0.5:
        members["about.npy"] = as_npy(odd_json(rng, about))
    elif way < 0.8:
        members[name] = odd_array(rng, members[name])
    elif way < 0.9:
        members[name] = members[rng.choice(sorted(members))]
    else:
        del members[name]
    made = io.BytesIO()
    with zipfile.ZipFile(
        made, "w", rng.choice((zipfile.ZIP_STORED, *3 * [zipfile.ZIP_DEFLATED], zipfile.ZIP_LZMA))
    ) as new:
        for member, content in members.items():
            new.writestr(member, content)
        if rng.random() < 0.1:
            new.filelist[-1].file_size = rng.choice((1 << 20, 1 << 31, 1 << 40))
    return written(folder, "b.npz", made.getvalue())


def odd_json(rng, about):
    """The JSON of a recording with values in it that are not what they were, or something else."""
    if rng.random() < 0.3:
        return rng.choice((
            lambda: "[" * 10**5,
            lambda: "[]," * 10**6,
            lambda: '{"format":' + "9" * 10**6 + "}",
            lambda: json.dumps({**about, "order": [str(number) for number in range(10**5)]}),
            lambda: json.dumps({**about, "steps": about["steps"] * 10**3}),
            lambda: json.dumps({**about, "layers": [{**about["layers"][0], "name": str(n)} for n in range(10**4)]}),
            lambda: json.dumps({**about, "weights": [{**about["weights"][0], "digest": str(n)} for n in range(10**4)]}),
        ))()  # fmt: skip
    for _ in range(rng.choice((1, 1, 2, 5))):
        inner = about
        while isinstance(inner, (dict, list)) and inner:
            key = rng.choice(sorted(inner) if isinstance(inner, dict) else range(len(inner)))
            if not isinstance(inner[key], (dict, list)) or rng.random() < 0.2:
                inner[key] = rng.choice((
                    None, True, -1, 0, 3, 1e308, 2**63, 10**30, float("nan"), float("inf"), "", "\x1b[2J", "x" * 10**5,
                    [], {}, [[]], [1, 2, 3], {"a": 1}, [None] * 5, "../../x", "\ud800", [0] * 10**4,
                ))  # fmt: skip
                break
            inner = inner[key]
    return json.dumps(about)


def as_npy(text):
    file = io.BytesIO()
    np.save(file, np.frombuffer(text.encode(), np.uint8))
    return file.getvalue()


def odd_array(rng, content):
    """A `.npy` whose header says something else than what follows it."""
    shape = rng.choice(((1 << 31,), (1 << 62,), (-1,), (-2, -3), (0,), (), (1 << 40, 0), (10**40,), (1, 1000), (2000,)))
    dtype = rng.choice(("<f4", "<f8", "|O", "|V9", "<U5", "|S2147483647", ">f4", "<c16", "<M8[ns]", "|b1", "|u1"))
    header = rng.choice((
        *4 * [f"{{'descr': '{dtype}', 'fortran_order': {rng.random() < 0.5}, 'shape': {shape}}}\n"],
        "(" * 60000, "-" * 900 + "1", "{'descr': [('a', '<f4')] * 99}", "__import__('os').system('touch ran')",
    ))  # fmt: skip
    data = rng.choice((content[128:], bytes(8 * 10**5), bytes(10**8), b""))
    return (
        b"\x93NUMPY"
        + rng.choice((b"\1\0", b"\1\0", b"\2\0", b"\x09\0"))
        + struct.pack("<H", len(header))
        + header.encode()
        + data
    )


def import_comparing():
    import tensorflow_vgg._compare.compare
    import tensorflow_vgg._compare.show  # noqa: F401

    good_recordings()


def use_recording(path):
    """Compares it, as A or as B, with a good one of the same network, and with itself."""
    from tensorflow_vgg._compare import compare, recording, show

    with recording.Recording(path) as b:
        kind = b.settings["net"] + ("" if b.attention["state"] != "acts" else "_acts")
        good = {"vgg16": "vgg16", "vgg19_trainable": "trainable", "vgg19_acts": "attention"}.get(kind, "vgg19")
        with recording.Recording(os.path.join(HERE, "golden", "recordings", f"{good}_thin.tf1.15.5.npz")) as a:
            for pair in ((a, b), (b, a), (b, b)):
                with contextlib.suppress(ValueError) if pair != (b, b) else contextlib.nullcontext():
                    result = compare.compare(*pair)
                    assert json.dumps(result) and show.text(result)


# Images: mutated ones of all formats, under names that need not fit, and pictures that are small as files alone.


@functools.lru_cache(maxsize=None)
def good_images():
    """The bytes of a picture in all formats and most of their kinds."""
    from PIL import Image

    picture = Image.fromarray(np.random.RandomState(0).randint(0, 256, (40, 50, 3)).astype(np.uint8))
    turned = Image.Exif()
    turned[274] = 6
    kinds = (
        *((mode, "PNG", {"exif": turned}) for mode in ("RGB", "RGBA", "P", "L", "LA", "1")),
        *((mode, "JPEG", {"exif": turned, "progressive": mode == "L"}) for mode in ("RGB", "CMYK", "L")),
        *(("RGB", "TIFF", {"compression": how, "tiffinfo": {274: 5}}) for how in ("raw", "tiff_lzw", "jpeg")),
        *((mode, "TIFF", {}) for mode in ("RGBA", "P", "CMYK", "LAB", "YCbCr", "1", "L", "I", "F")),
        *((mode, "BMP", {}) for mode in ("RGB", "P", "1")),
        *((mode, "PPM", {}) for mode in ("RGB", "L", "1", "I")),
        ("P", "GIF", {}), ("RGB", "WEBP", {"exif": turned}), ("RGBA", "WEBP", {"lossless": True}),
        *(("RGB", kind, {"save_all": True, "append_images": [picture]}) for kind in ("GIF", "WEBP")),
    )  # fmt: skip
    made = []
    for mode, kind, options in kinds:
        file = io.BytesIO()
        (Image.new(mode, (50, 40)) if mode == "LAB" else picture.convert(mode)).save(file, kind, **options)
        made.append(file.getvalue())
    return made


def image_case(rng, folder):
    content = rng.choice(good_images())
    if rng.random() < 0.05:
        content = bomb(rng)
    name = rng.choice(("a.png", "a.jpg", "a.tif", "a.gif", "a", "a.eps", "a.svg"))
    return written(folder, name, mutated(rng, content) if rng.random() < 0.95 else content)


def bomb(rng):
    """A picture of many pixels in few bytes."""
    from PIL import Image

    file = io.BytesIO()
    size = rng.choice(((9000, 9000), (10000, 9000), (60000, 1), (1, 60000), (16000, 16000)))
    Image.new("1", size).save(file, rng.choice(("PNG", "TIFF")), compression=rng.choice(("group4", "packbits", "raw")))
    return file.getvalue()


def import_images():
    from tensorflow_vgg import utils

    utils.load_image(os.path.join(os.path.dirname(HERE), "test_data", "cat.jpeg"))
    good_images()


def use_image(path):
    from tensorflow_vgg import utils

    try:
        utils.load_image(path)
    except AssertionError as error:  # upstream's, of values outside [0, 1]
        raise ValueError(str(error)) from error


# Run folders: what a training writes, and reads again when it goes on.


def run_case(rng, folder):
    settings = {
        **dict.fromkeys(("attention", "augment"), True),
        "weights": "thin.npy",
        "validation": "0.2",
        "attention_start": "open",
        "train": "fc",
        "epochs": 30,
        "batch": 16,
        "optimizer": "adam",
        "learning_rate": 3e-5,
        "weight_decay": 0.0,
        "dropout": 0.8,
        "seed": 0,
        "keep": "both",
    }
    items = [[f"class/{number}.png", 100 + number] for number in range(5)]
    step = {"step": 1, "loss": 1.0, "accuracy": 0.5, "rate": 1e-5, "images": 16}
    epoch = {"epoch": 1, "step": 1, "loss": 1.0, "accuracy": 0.5, "validation_loss": 1.0, "best": True, "seconds": 1.0}
    split = {"classes": ["class", "other"], "training": items[:4], "validation": items[4:]}
    files = {
        "config.json": json.dumps({"settings": settings, "weights_sha256": "0" * 64}),
        "images.json": json.dumps({**split, "left_out": [2], "pool5_sha256": "0" * 64}),
        "metrics.jsonl": "".join(json.dumps(line) + "\n" for line in (step, epoch, {"step": 1, "kept": {"w": 1}})),
        "model.ckpt-1.index": "",
        ".lock": "",
    }
    for name, text in files.items():
        if rng.random() < 0.9:
            written(folder, name, text.encode())
    for name in rng.sample(sorted(files), 2):
        path = os.path.join(folder, name)
        way = rng.randrange(8)
        if way < 6 and os.path.exists(path):
            deep = rng.choice((b"[", b'{"a":')) * 10**5
            written(folder, name, mutated(rng, files[name].encode() or b"0") if way < 5 else deep)
        elif way > 5:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
            rng.choice((os.mkfifo, os.mkdir, lambda name: os.symlink(rng.choice(("/dev/zero", name)), name)))(path)
    return folder


def use_run(folder):
    from tensorflow_vgg._train import checkpoints, images, settings

    with checkpoints.alone(folder):
        chosen, epochs = settings.choose(folder, {"epochs": None})
        assert epochs is None or (chosen["epochs"] >= 1 and chosen["train"] in ("head", "fc", "all"))
        images.recorded(folder, checkpoints.last_step(folder) >= 0)
        history = settings.read_metrics(os.path.join(folder, "metrics.jsonl"))
        settings.best_epoch(history)
        assert sum(line["step"] for line in history) >= 0


def prepare_run():
    import tensorflow_vgg._train.checkpoints
    import tensorflow_vgg._train.images  # noqa: F401


# Galleries: what index writes, damaged.


@functools.lru_cache(maxsize=None)
def good_gallery():
    """The files of a small gallery, name -> bytes."""
    from tensorflow_vgg._search.store import Record, open_store

    features = np.random.RandomState(0).standard_normal((30, 16)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    records = [Record("/photos", f"{n}.png", 100 + n, n, f"{n:064x}") for n in range(len(features))]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "gallery")
        store = open_store(path)
        settings = {"net": "vgg19", "feature": "rmac", "size": 224, "weights_sha256": "0" * 64}
        with store.writing(settings, 16, "vgg19.npy", None):
            store.finish(store.add(records, features), ["/photos"])
        return {name: open(os.path.join(path, name), "rb").read() for name in os.listdir(path) if name[0] != "."}


def gallery_case(rng, folder):
    files = dict(good_gallery())
    for name in rng.sample(sorted(files), rng.choice((1, 1, 2))):
        way = rng.randrange(10)
        if way < 7:
            files[name] = mutated(rng, files[name])
        elif way == 7:
            files[name] = files[rng.choice(sorted(files))]
        elif way == 8:
            del files[name]
        elif name == "about.json":
            about = json.loads(files[name].decode())
            about[rng.choice(sorted(about))] = rng.choice((None, -1, 10**30, "x", [], {}, [[]], float("nan"), True))
            files[name] = json.dumps(about).encode()
    for name, content in files.items():
        written(folder, name, content)
    return folder


def use_gallery(path):
    from tensorflow_vgg._search.store import open_store

    store = open_store(path)
    if store.about() is None:
        raise ValueError(f"{path}: no gallery")
    for block, features in store.blocks():
        assert len(block) == len(features)
    assert len(store.search(np.eye(2, 16, dtype=np.float32), 3)) == 2


def import_search():
    import faiss  # noqa: F401

    good_gallery()


TARGETS = {
    "galleries": Target(gallery_case, use_gallery, import_search),
    "images": Target(image_case, use_image, import_images),
    "weights": Target(weight_case, use_weights, None),
    "cache": Target(cache_case, use_cache, None),
    "recordings": Target(recording_case, use_recording, import_comparing),
    "runs": Target(run_case, use_run, prepare_run),
}


# Running them.


def attack(target, folder, seed):
    """Makes one case and has it read. Returns (what happened, more about it)."""
    rng = random.Random(seed)
    path = target.make_case(rng, folder)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _be_the_child(target, path, writing)
    os.close(writing)
    ended = bool(select.select([reading], [], [], SECONDS)[0])
    if not ended:
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as file:
        told = file.read()
    _, status, usage = os.wait4(child, 0)
    if not ended:
        return "hang", f"more than {SECONDS} s"
    if os.path.exists(os.path.join(folder, "ran")):
        return "ran code", path
    if not told:
        return "crash", f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
    outcome, message = json.loads(told.decode())
    if outcome in ("read", "refused") and usage.ru_maxrss * 1024 > MEMORY:
        return "memory", f"{usage.ru_maxrss >> 10} MB"
    return outcome, message


def _be_the_child(target, path, writing):
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    try:
        target.use(path)
        told = "read", ""
    except (ValueError, OSError) as error:
        message = str(error)
        is_line = message.isprintable() and len(message) <= MESSAGE
        told = ("refused" if is_line else "message"), message[:MESSAGE]
    except BaseException:
        told = "traceback", traceback.format_exc()[-MESSAGE:]
    os.write(writing, json.dumps(told).encode())
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--only", choices=sorted(TARGETS), help="one target; default: all, in turn")
    parser.add_argument("--seed", default="0", help="where the cases start; default: %(default)s")
    parser.add_argument("--case", type=int, help="only this case, whose files are kept")
    args = parser.parse_args()
    end = time.monotonic() + 60 * args.minutes
    targets = {args.only: TARGETS[args.only]} if args.only else TARGETS
    for target in targets.values():
        if target.prepare:
            target.prepare()
    counts = {name: collections.Counter() for name in targets}
    bad = 0
    number = 0 if args.case is None else args.case
    while time.monotonic() < end:
        for name, target in targets.items():
            folder = tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
            outcome, message = attack(target, folder, f"{args.seed} {name} {number}")
            counts[name][outcome] += 1
            if outcome not in ("read", "refused"):
                bad += 1
                print(f"{name} --case {number}: {outcome}: {message!r}", flush=True)
            if args.case is not None:
                print(f"{folder}: {outcome}: {message}")
                return bad
            shutil.rmtree(folder, ignore_errors=True)
        number += 1
    for name, count in counts.items():
        others = "".join(
            f", {found} {outcome}" for outcome, found in count.items() if outcome not in ("read", "refused")
        )
        print(f"{name}: {sum(count.values())} cases, {count['refused']} refused, {count['read']} read{others}")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
