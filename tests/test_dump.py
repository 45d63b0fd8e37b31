"""What dump records, of whose class, and recordings that are refused."""

import io
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import GOLDEN, TEST_DATA, UPSTREAM, assert_close, golden_arrays
from PIL import Image
from recordings import FOREIGN, THIN, TIGER, dump

from tensorflow_vgg import weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._compare.graph import digest, nodes
from tensorflow_vgg._compare.recording import Recording

PUZZLE = os.path.join(TEST_DATA, "puzzle.jpeg")


def test_a_recording_holds_what_upstream_computed(tmp_path):
    for net in ("vgg16", "vgg19"):
        golden = golden_arrays(f"{net}_thin")
        recorded = dump(tmp_path / f"{net}.npz", TIGER, PUZZLE, "--net", net, *THIN)
        with np.load(recorded, allow_pickle=False) as file, np.load(os.path.join(GOLDEN, "load_image.npz")) as images:
            about = json.loads(file["about"].tobytes().decode())
            for layer, expected in golden.items():
                assert_close(file[f"layer/{layer}"], expected, UPSTREAM, layer)
            assert_close(file["pixels"], np.stack([images["tiger"], images["puzzle"]]), 1e-6)
        names = [entry["name"] for entry in about["layers"]]
        block = {"attention_feature", "channel_attention", "spatial_attention"}
        assert names == about["order"] and set(golden) == set(names) - block
        assert names[-6:] == ["fc6", "relu6", "fc7", "relu7", "fc8", "prob"]
        conv = next(entry for entry in about["layers"] if entry["name"] == "conv1_1")
        found = [conv[key] for key in ("mean", "std", "min", "max")]
        value = golden["conv1_1"]
        np.testing.assert_allclose(found, [value.mean(), value.std(), value.min(), value.max()], rtol=1e-4)
        assert about["surroundings"]["tensorflow"] == tf.__version__
        assert [image["name"] for image in about["images"]] == ["tiger.jpeg", "puzzle.jpeg"]


def test_nodes_have_a_digest_of_every_constant(seeded):
    with tf.Graph().as_default() as graph:
        tf.constant(seeded("vgg19", thin=True)["fc8"][0], name="weights")
        tf.constant([b"a", b"b"], name="texts")
    by_name = {node["name"]: node["attr"]["value"] for node in nodes(graph)}
    assert by_name["weights"]["digest"] == digest(seeded("vgg19", thin=True)["fc8"][0])
    assert by_name["weights"]["shape"] == [64, 1000] and by_name["texts"]["dtype"] == "string"
    assert json.loads(json.dumps(by_name)) == by_name


def test_layers_samples_input_and_from(thin, tmp_path, judged, capsys):
    sampled = dump(tmp_path / "sampled.npz", "--from", thin("vgg19"), "--samples", 50, "--layers", "prob,pool3,conv1_1")
    with np.load(sampled) as file:
        assert set(file.files) == {"about", "pixels"} | {
            f"{kind}/{layer}" for kind in ("index", "sample") for layer in ("conv1_1", "pool3", "prob")
        }
        whole = np.load(thin("vgg19"))["layer/pool3"].ravel()
        np.testing.assert_array_equal(file["sample/pool3"], whole[file["index/pool3"]])
        np.save(str(tmp_path / "pixels.npy"), file["pixels"])
    same = dump(tmp_path / "same.npz", "--from", sampled)
    assert judged(sampled, same)["layers"][0]["samples"] == 50
    fed = dump(tmp_path / "fed.npz", "--input", tmp_path / "pixels.npy", *THIN, "--layers", "pool3,conv1_1,prob")
    result = judged(fed, sampled)  # whole against samples
    assert result["ok"] and [layer["name"] for layer in result["layers"]] == ["conv1_1", "pool3", "prob"]
    assert result["pixels"] == {"ok": True, "largest": 0.0, "where": "nowhere", "places": 0}
    result = judged(thin("vgg19"), sampled, "--layers", "prob,pool3")
    assert result["ok"] and [layer["name"] for layer in result["layers"]] == ["pool3", "prob"]
    assert main(["compare", thin("vgg19"), sampled, "--layers", "prob,fc6"]) == 2
    assert "sampled.npz: layers are missing that --layers names: fc6" in capsys.readouterr().err
    assert main(["compare", thin("vgg19"), sampled, "--layers", "pol3"]) == 2
    assert "sampled.npz: layers are missing that --layers names: pol3; did you mean pool3?" in capsys.readouterr().err
    assert main(["compare", thin("vgg19"), sampled, "--layers", "pool3"]) == 0
    printed = capsys.readouterr().out
    assert "\nlayers: - | prob,pool3,conv1_1\n" in printed and printed.endswith("\nthe layer agrees\n")
    np.save(str(tmp_path / "bytes.npy"), np.load(str(tmp_path / "pixels.npy")) * 255)
    dump(tmp_path / "bytes.npz", "--input", tmp_path / "bytes.npy", *THIN, "--layers", "prob")
    assert "bytes.npy: expected RGB in [0, 1], got values from 0" in capsys.readouterr().err
    assert main(["dump", "--from", sampled, "-o", str(sampled)]) == 2
    assert "sampled.npz: exists already" in capsys.readouterr().err


KEEP = "        setattr(self, name, tensor)"
INIT = "    def __init__(self, path):"


SLOTS = """
    __slots__ = ["blobs", "image", "label", "prob", "fc6", "relu6", "fc7", "relu7", "fc8"] + [
        "%s%d" % (kind, block) + end
        for block, depth in enumerate((2, 2, 3, 3, 3), 1)
        for kind, end in [("pool", "")] + [("conv", "_%d" % number) for number in range(1, depth + 1)]
    ]
"""


PROPERTIES = """
    made = {}

    def __getattr__(self, name):
        raise AttributeError(name)

    hidden = property(lambda self: self.relu6)
    broken = property(lambda self: 1 / 0)
    for name in ["pool1", "pool2", "fc6"]:
        locals()[name] = property(lambda self, name=name: self.made[name])
"""


RELU = "        self.prob = "


@pytest.mark.parametrize(("replacements", "said"), [
    ([("class Vgg16(object):\n", f"class Vgg16(object):{SLOTS}")], ""),
    ([("class Vgg16(object):\n", f"class Vgg16(object):{PROPERTIES}"),
      (KEEP, "        self.made.__setitem__(name, tensor) if name in ('pool1', 'pool2', 'fc6') else "
             "setattr(self, name, tensor)"), (RELU, "        Vgg16.prob = ")], ""),
    ([(INIT, "    def __init__(self, data_format='NHWC', train_weights=False, data=None, path=None):\n"
             "        assert data_format == 'NHWC' and train_weights is False and data is None")], ""),
    ([(RELU, f"        self.labels = tf.placeholder(tf.float32, [None, 1000], 'labels')\n{RELU}"),
      ("    def layer(", "        self.loss = tf.reduce_mean(self.labels * self.prob)\n\n    def layer(")],
     "tensorflow-vgg: left out labels, loss: they need a value for labels, which is not fed"),
    ([("        x = tf.reverse(image, [3])", "        zero = tf.lookup.StaticHashTable(\n"
       "            tf.lookup.KeyValueTensorInitializer(tf.constant([1], tf.int64), tf.constant([0.0])), 1.0)\n"
       "        with tf.device('/gpu:0'):\n"
       "            zero = zero.lookup(tf.constant(1, tf.int64)) * tf.constant(1.0)\n"
       "        zero += tf.get_variable('v', [], initializer=tf.zeros_initializer(), collections=['local_variables'])\n"
       "        x = zero + tf.reverse(image, [3])")], ""),
])  # fmt: skip
def test_whatever_a_class_is_made_of(thin, tmp_path, judged, capsys, replacements, said):
    source = FOREIGN
    for old, new in replacements:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    (tmp_path / "vgg16.py").write_text(source)
    thin("vgg16")
    capsys.readouterr()
    foreign = dump(tmp_path / "foreign.npz", "--from", thin("vgg16"), "--modules", tmp_path)
    printed = capsys.readouterr().err
    assert said in printed and "left out" not in printed.replace(said, "") and "labels mean nothing" not in printed
    result = judged(thin("vgg16"), foreign)
    assert result["ok"] and len(result["layers"]) == 24


def test_a_class_in_a_package_that_finds_its_weights_itself(thin, tmp_path, judged, monkeypatch):
    folder = tmp_path / "nets"
    folder.mkdir()
    weights.write(str(folder / "vgg16.npy"), weights.seeded("vgg16", 19, thin=True))
    (folder / "here.py").write_text("FILE = 'vgg16.npy'\n")
    found = "os.path.join(os.path.dirname(inspect.getfile(Vgg16)), here.FILE)"
    text = "import inspect, os, sys\nfrom . import here\nprint('imported')\nassert sys.argv[1:] == []\n" + FOREIGN
    text = text.replace("self, path):", "self):").replace("np.load(path,", f"np.load({found},")
    (folder / "vgg16.py").write_text(text)
    monkeypatch.setenv("TENSORFLOW_VGG_HOME", str(tmp_path))  # no weights here, and none are needed
    monkeypatch.chdir(tmp_path)
    recorded = dump(tmp_path / "own.npz", TIGER, "--net", "vgg16", "--modules", "nets")
    assert judged(thin("vgg16"), recorded)["ok"]
    with Recording(recorded) as file:
        assert file.settings["weights"] is None and file.settings["weights_sha256"] is None


def test_without_top_images_of_one_size_keep_it(tmp_path, judged, capsys):
    cut = np.load(os.path.join(GOLDEN, "load_image.npz"))["tiger"][:96, :120]
    for name in "ab":
        Image.fromarray(np.round(cut * 255).astype(np.uint8)).save(str(tmp_path / f"{name}.png"))
    weights.write(str(tmp_path / "topless.npy"), {
        name: layer for name, layer in weights.seeded("vgg19", 19, thin=True).items() if name[:2] != "fc"
    })  # fmt: skip
    common = ["--no-top", "--weights", tmp_path / "topless.npy"]
    small = dump(tmp_path / "small.npz", tmp_path / "a.png", tmp_path / "b.png", *common)
    with Recording(small) as file:
        assert file.pixels().shape == (2, 96, 120, 3) and file.layers["spatial_attention"].shape == (2, 3, 4, 1)
        assert [name for name in file.layers if not file.layers[name].attention][-1] == "pool5"
        assert file.settings["no_top"] is True
    trainable = dump(tmp_path / "trainable.npz", "--from", small, "--net", "vgg19_trainable")
    result = judged(small, trainable)
    assert result["ok"] and len(result["layers"]) >= 21
    # Of several sizes, or too small for the network, they are 224x224.
    mixed = dump(tmp_path / "mixed.npz", tmp_path / "a.png", TIGER, *common)
    assert "images of one size from 32x32 keep it" in capsys.readouterr().err
    with Recording(mixed) as file:
        assert file.pixels().shape == (2, 224, 224, 3)
    assert main(["compare", small, mixed]) == 2
    (tmp_path / "vgg19.py").write_text("class Vgg19:\n    def __init__(self, path):\n        pass\n")
    assert main(["dump", "--from", small, "--modules", str(tmp_path), "-o", str(tmp_path / "x.npz")]) == 2
    assert "vgg19.py: its class has no argument include_top" in capsys.readouterr().err


def test_a_bad_image_does_not_end_a_folder(tmp_path, capsys):
    (tmp_path / "images" / "sub").mkdir(parents=True)
    shutil.copy(TIGER, str(tmp_path / "images"))
    shutil.copy(PUZZLE, str(tmp_path / "images" / "sub"))
    (tmp_path / "images" / "bad.png").write_text("no picture")
    out = tmp_path / "out.npz"
    command = ["dump", str(tmp_path / "images"), *THIN, "--net", "vgg16", "--layers", "prob", "-o", str(out)]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "2 recorded, 1 left out" and "bad.png: not an image" in printed.err
    with Recording(out) as file:
        assert {image["name"] for image in file.images} == {"puzzle.jpeg", "tiger.jpeg"}
        assert len(file.pixels()) == 2
    out.unlink()
    assert main(["dump", str(tmp_path / "images" / "bad.png"), *command[2:]]) == 2
    assert "expected an image that can be read" in capsys.readouterr().err and not out.exists()


def edited(recorded, path, change, damage=None):
    """A copy of a recording with one value of `about` changed, such as "steps.0.order=3", or with more damage."""
    with np.load(recorded) as file:
        arrays = dict(file)
    about = json.loads(arrays["about"].tobytes().decode())
    place, _, value = change.partition("=")
    *keys, last = place.split(".")
    inner = about
    for key in keys:
        inner = inner[int(key) if key.isdigit() else key]
    inner[last] = "@"  # whose text is replaced, also by what json itself would not write
    if damage == "unnamed.npz":
        del about["weights"][3]["digest"]
    elif damage == "texts.npz":
        arrays["layer/prob"] = np.full((1, 1000), "x")
    elif damage == "without.npz":
        del arrays["layer/conv1_1"]
    encoded = json.dumps(about).replace('"@"', value).encode()
    np.savez(str(path), **{**arrays, "about": np.frombuffer(encoded, np.uint8)})


DAMAGED = "edited.npz: cut short or damaged: "


@pytest.mark.parametrize(("file", "message"), [
    ("vgg16.npz", "expected the same network, got vgg19 and vgg16"),
    ("fewer.npz", "compare those that both have with --layers conv1_1,prob"),
    ("batch.npz", "expected batches of the same images, got 1 and 2"),
    ("full.npz", "conv1_1: expected the same shape, got (1, 224, 224, 2) and"),
    ("cut.npz", "cut.npz: cut short or damaged"),
    ("holed.npz", "holed.npz: cut short or damaged"),
    ("foreign.npz", "foreign.npz: cut short or damaged"),
    ("other.npz", "other.npz: expected a recording that tensorflow-vgg dump has made, got another .npz"),
    ("array.npz", "array.npz: expected a recording that tensorflow-vgg dump has made, got no .npz"),
    ("none.npz", "none.npz"),
    ("unnamed.npz", "unnamed.npz: cut short or damaged: "),
    ("order=3", DAMAGED),
    ("attention=[]", DAMAGED),
    ("top5=[0]", DAMAGED),
    ("steps.0.fits.0.0.colour=3", DAMAGED),
    ("steps.0.fits.0.0.colour=[]", DAMAGED),
    ("steps.0.fits=[[{}]]", DAMAGED),
    ("steps.1.axes=[1, 1, 2]", DAMAGED),
    ("layers.0.shape=[1, 224]", "expected the same shape"),
    ("layers.0.shape=[1e9]", DAMAGED),
    (f"layers.0.mean={'1' * 5000}", DAMAGED),
    ("images=[]", "expected batches of the same images, got 1 and 0"),
    ("texts.npz", "layer/prob: <U1 of shape (1, 1000), expected numbers"),
    ("without.npz", "without.npz: cut short or damaged"),
])  # fmt: skip
def test_recordings_that_cannot_be_compared(thin, tmp_path, capsys, file, message):
    path = tmp_path / ("edited.npz" if "=" in file else file)
    whole = thin("vgg19")
    if file == "vgg16.npz":
        shutil.copy(thin("vgg16"), str(path))
    elif file == "fewer.npz":
        dump(path, "--from", whole, "--layers", "conv1_1,prob")
    elif file == "batch.npz":
        dump(path, TIGER, PUZZLE, *THIN)
    elif file == "full.npz":
        wide = weights.seeded("vgg19", 19, thin=True)
        wide["conv1_1"] = [np.repeat(wide["conv1_1"][0], 2, 3), np.repeat(wide["conv1_1"][1], 2)]
        wide["conv1_2"][0] = np.repeat(wide["conv1_2"][0], 2, 2)
        weights.write(str(tmp_path / "wide.npy"), wide)
        dump(path, "--from", whole, "--weights", tmp_path / "wide.npy")
    elif file in ("cut.npz", "holed.npz"):
        with open(whole, "rb") as recorded:
            content = bytearray(recorded.read())
        if file == "cut.npz":
            content = content[: len(content) // 2]
        else:
            content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
        path.write_bytes(content)
    elif "=" in file:
        edited(whole, path, file)
    elif file in ("unnamed.npz", "texts.npz", "without.npz"):
        edited(whole, path, "top5=null", damage=file)
    elif file == "foreign.npz":
        np.savez(str(path), about=np.zeros(3), pixels=np.zeros(3))
    elif file == "other.npz":
        np.savez(str(path), pixels=np.zeros(3))
    elif file == "array.npz":
        with open(str(path), "wb") as array:
            np.save(array, np.array([{}], dtype=object))
    capsys.readouterr()
    assert main(["compare", whole, str(path)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1 and message in printed.err


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "expected one of IMAGE, --input FILE.npy and --from FILE.npz"),
    ([TIGER, "--weights", "seeded:19:fat"], "--weights seeded:19:fat: expected seeded:N"),
    ([TIGER, *THIN, "--layers", "conv9"], "tensorflow_vgg.vgg19: expected the layers conv9, got conv1_1, "),
    ([TIGER, *THIN, "--layers", "con2_1"], "vgg19: expected the layers con2_1; did you mean conv2_1 or "),
    ([TIGER, *THIN, "--modules", "small.npy"], "small.npy: expected the folder that has vgg19.py, found a file"),
    ([TIGER, *THIN, "--modules", "other"], "vgg19.py: expected a class Vgg19, found Net"),
    ([TIGER, *THIN, "--modules", "empty"], "vgg19.py: no such file; expected the module that has the class of vgg19"),
    ([TIGER, *THIN, "--modules", "broken"], "vgg19.py:3: ZeroDivisionError: division by zero"),
    ([TIGER, *THIN, "--modules", "ends"], "vgg19.py:1: the module ends the program (SystemExit 3)"),
    ([TIGER, *THIN, "--modules", "textless"], "vgg19.py:3: AssertionError: assert path is None"),
    ([TIGER, *THIN, "--modules", "late"], "vgg19.py: InvalidArgumentError: Input to reshape is a tensor with 150528"),
    ([TIGER, *THIN, "--modules", "late", "--layers", "loss"],
     "the layer loss needs a value for the placeholder labels, which is not fed"),
    ([TIGER, *THIN, "--modules", "broken", "-o", ""], "'': expected the name of a file"),
    ([TIGER, *THIN, "--modules", "broken", "-o", "small.npy/out.npz"], "small.npy/out.npz: cannot be written"),
    ([TIGER, *THIN, "--modules", "unfed"], "prob needs a value for the placeholder keep, which is not fed"),
    ([TIGER, "--modules", "broken"], "its class takes weights: give them with --weights FILE or seeded:N"),
    (["--input", "small.npy", *THIN], "rgb: expected shape (batch, 224, 224, 3), got (1, 4, 4, 3)"),
    (["--input", "bytes.npy", *THIN], "bytes.npy: expected floats of shape (batch, height, width, 3)"),
    (["--input", "large.npy", *THIN], "large.npy: expected values that are finite as float32"),
    (["--input", "broken/vgg19.py", *THIN], "vgg19.py: expected a .npy file of pixels"),
    (["--from", "bytes.npy"], "bytes.npy: expected a recording that tensorflow-vgg dump has made"),
])  # fmt: skip
def test_what_cannot_be_recorded(home, capsys, arguments, message):
    for name in ("empty", "broken", "ends", "late", "other", "textless", "unfed"):
        (home / name).mkdir()
    (home / "other" / "vgg19.py").write_text("class Net:\n    pass\n")
    (home / "broken" / "vgg19.py").write_text("class Vgg19:\n    def __init__(self, path):\n        1 / 0\n")
    (home / "ends" / "vgg19.py").write_text("raise SystemExit(3)\n")
    (home / "unfed" / "vgg19.py").write_text(
        "import tensorflow as tf\nclass Vgg19:\n    def __init__(self, path):\n        pass\n"
        "    def build(self, x):\n        self.prob = x * tf.placeholder(tf.float32, [], 'keep')\n"
    )
    (home / "textless" / "vgg19.py").write_text(
        "class Vgg19:\n    def __init__(self, path):\n        assert path is None\n"
    )
    (home / "late" / "vgg19.py").write_text(
        "import tensorflow as tf\nclass Vgg19:\n    def __init__(self, path):\n        pass\n"
        "    def build(self, x):\n        self.prob = tf.reshape(x, tf.placeholder_with_default([7], [1]))\n"
        "        self.loss = self.prob * tf.placeholder(tf.float32, [], 'labels')\n"
    )
    np.save("large.npy", np.full((1, 224, 224, 3), 1e300))
    np.save("small.npy", np.zeros((4, 4, 3)))
    np.save("bytes.npy", np.zeros((1, 224, 224, 3), np.uint8))
    assert main(["dump", "-o", "out.npz", *arguments]) == 2
    printed = capsys.readouterr()
    assert "Zero" in message or "Zero" not in printed.err  # the class was not run for what can be told before
    lines = [line for line in printed.err.splitlines() if line.startswith("tensorflow-vgg: ")]
    assert message in lines[-1] and "Traceback" not in printed.err
    assert not (home / "out.npz").exists()


def member(header, content=b""):
    """A `.npy` with any header."""
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + content


FLAT = "{{'descr': '{}', 'fortran_order': False, 'shape': {}}}"


HOSTILE = {
    "a number of too many digits": ("about", lambda: as_json('{"format": ' + "9" * 1000000 + "}")),
    "recursion": ("about", lambda: as_json("[" * 100000)),
    "bytes": ("about", lambda: as_json("[]," * (3 << 20))),
    "pixels": ("pixels", lambda: member(FLAT.format("<f4", (1 << 40, 224, 224, 3)))),
    "EOF: reading array header": ("pixels", lambda: member("(" * 60000)),
    "expected numbers": ("sample/prob", lambda: member(FLAT.format("|O", (50,)), bytes(400))),
    "not in the layer": ("index/pool5", lambda: npy(np.full(50, 1 << 40))),
    "in so small a file": ("layer/nothing", lambda: b""),
}


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def as_json(text):
    return npy(np.frombuffer(text.encode(), np.uint8))


@pytest.mark.parametrize("said", HOSTILE)
def test_a_hostile_recording_is_refused_before_it_takes_memory(said, thin, tmp_path, capsys):
    sampled = thin("vgg19", "--samples", "50")
    name, make = HOSTILE[said]
    path = str(tmp_path / "hostile.npz")
    with zipfile.ZipFile(sampled) as good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in good.namelist():
            if entry != f"{name}.npy":
                written.writestr(entry, good.read(entry))
        written.writestr(f"{name}.npy", make())
        if name == "layer/nothing":
            written.filelist[-1].file_size = 1 << 40  # as the directory will have it
    capsys.readouterr()
    tracemalloc.start()
    try:
        assert main(["compare", sampled, path]) == 2
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    printed = capsys.readouterr().err
    assert said in printed and f"{path}: cut short or damaged: " in printed and len(printed) < 500
    assert peak < 100e6


def test_what_is_no_number_in_the_surroundings_is_text_in_json(thin, tmp_path, capsys):
    edited(thin("vgg16"), tmp_path / "b.npz", "surroundings.cpu=NaN")
    capsys.readouterr()
    assert main(["compare", thin("vgg16"), str(tmp_path / "b.npz"), "--json"]) == 0
    assert '"b": "NaN"' in capsys.readouterr().out


def test_help_needs_no_numpy():
    code = (
        "import sys; from tensorflow_vgg._command.main import main\n"
        "try: main(['dump', '--help'])\nfinally: print(*sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode()
    assert "numpy" not in output.split()
