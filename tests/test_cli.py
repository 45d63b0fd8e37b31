"""The command, through main([...])."""

import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import TEST_DATA, assert_close, golden_arrays

import tensorflow_vgg
from tensorflow_vgg import utils, weights
from tensorflow_vgg._command.main import VERBS, main
from tensorflow_vgg._weights.seeded import looks_seeded

ROOT = os.path.dirname(TEST_DATA)


@pytest.fixture
def thin_home(home, seeded):
    """`home` with thin weights for both networks, and the sample images."""
    for net in ("vgg16", "vgg19"):
        weights.write(str(home / f"{net}.npy"), seeded(net, thin=True))
    shutil.copytree(TEST_DATA, str(home / "images"))
    (home / "images" / "notes.txt").write_text("no image")
    return home


def test_prints_as_print_prob_does(thin_home, capsys):
    assert main(["classify", os.path.join(TEST_DATA, "tiger.jpeg"), "--net", "vgg16"]) == 0
    printed = capsys.readouterr()
    prob = golden_arrays("vgg16_thin")["prob"][0]
    utils.print_prob(prob, utils.SYNSET)
    expected = capsys.readouterr().out
    label = utils.read_labels(utils.SYNSET)[int(prob.argmax())]
    lines = printed.out.splitlines()
    assert lines[0] == os.path.join(TEST_DATA, "tiger.jpeg")
    assert lines[1].startswith(f"('Top1: ', {label!r}, ")
    assert [line.count("n0") + line.count("n1") for line in lines[1:]] == [
        line.count("n0") + line.count("n1") for line in expected.splitlines()
    ]


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_json_of_a_folder(thin_home, capsys, batch):
    assert main(["classify", "images", "--json", "--top", "1000", "--batch", str(batch)]) == 0
    printed = capsys.readouterr()
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert list(rows[0]) == ["file", "wnid", "label", "probability"]
    names = ["cat", "coffee", "puzzle", "tiger"]
    assert [row["file"] for row in rows[::1000]] == [os.path.join("images", f"{name}.jpeg") for name in names]
    order = {label: index for index, label in enumerate(utils.read_labels(utils.SYNSET))}
    prob = np.zeros((4, 1000), np.float32)
    for number, row in enumerate(rows):
        prob[number // 1000, order[f"{row['wnid']} {row['label']}"]] = row["probability"]
    assert_close(prob[[3, 2]], golden_arrays("vgg19_thin")["prob"], 1e-4)
    probabilities = [row["probability"] for row in rows[:1000]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert "npy" not in printed.out


def test_a_table_on_a_terminal(thin_home, capsys, monkeypatch):
    """Names of files are shown, whatever is in them, and never obeyed."""
    os.rename("images/cat.jpeg", "images/a\x1b[2J\nb\u202e.jpeg")
    assert main(["classify", "images", "--top", "2"]) == 0
    tuples = capsys.readouterr()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["classify", "images", "--top", "2", "--upstream"]) == 0
    assert capsys.readouterr().out == tuples.out
    assert main(["classify", "images", "--top", "2"]) == 0
    table = capsys.readouterr()
    assert tuples.err.splitlines()[-1] == table.err.splitlines()[-1] == "tensorflow-vgg: 4 classified, 0 left out"
    lines = table.out.splitlines()
    prob = golden_arrays("vgg19_thin")["prob"][0]
    best = prob.argsort()[::-1][:2]
    labels = [utils.read_labels(utils.SYNSET)[index].split(" ", 1)[1] for index in best]
    assert lines[-3:] == ["images/tiger.jpeg", *(f"{prob[i]:8.2%}  {label}" for i, label in zip(best, labels))]
    assert lines[0] == tuples.out.splitlines()[0] == r"images/a\x1b[2J\nb\u202e.jpeg"


def test_unreadable_images_are_reported_and_left_out(thin_home, capsys):
    (thin_home / "images" / "broken.png").write_bytes(b"no image")
    (thin_home / "other").write_bytes(b"no image either")
    assert main(["classify", "images", "other", "--json", "--top", "1", "--batch", "2"]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 4
    complaints = [line for line in printed.err.splitlines() if line.startswith("tensorflow-vgg: ")]
    assert complaints[2:] == ["tensorflow-vgg: 4 classified, 2 left out"]
    assert "broken.png: not an image" in complaints[0] and "other: not an image" in complaints[1]
    assert "\r" not in printed.err  # no progress bar where nobody sees it


def test_trained_weights_of_other_classes_with_their_labels(thin_home, seeded, capsys):
    thin = seeded("vgg19", thin=True, attention=True)
    thin["fc8"] = [thin["fc8"][0][:, :2].copy(), thin["fc8"][1][:2].copy()]
    weights.write("own.npy", thin)
    (thin_home / "names.txt").write_text("grass\ngravel\n")
    command = ["classify", "images/cat.jpeg", "--weights", "own.npy"]
    assert main(command) == 2
    assert "expected a label for each of the 2 classes of own.npy, got 1000" in capsys.readouterr().err
    assert main([*command, "--labels", "names.txt", "--json"]) == 0
    with_block = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["label"] for row in with_block} == {"grass", "gravel"} and with_block[0]["wnid"] is None
    assert main([*command, "--labels", "names.txt", "--json", "--no-attention"]) == 0
    without = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert without[0]["probability"] != with_block[0]["probability"]
    (thin_home / "labels.txt").write_text("grass\ngravel\nbrick\n")
    assert main(command) == 2  # another network's
    (thin_home / "names.txt").replace(thin_home / "labels.txt")
    assert main([*command, "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == with_block


@pytest.mark.parametrize(("arguments", "message"), [
    (["images/cat.jpeg", "--weights", "none.npy"], "--weights none.npy: expected a weight file or seeded:N"),
    (["images/cat.jpeg", "--net", "vgg16", "--weights", "vgg19.npy"], "expected a file of vgg16, got one of vgg19"),
    (["images/cat.jpeg", "--weights", "images/cat.jpeg"], "images/cat.jpeg: expected a .npy file of a dict of layers"),
    (["images/cat.jpeg", "--weights", "vgg16.npy"], "vgg16.npy: conv3_4 is missing; this is a file of vgg16"),
    (["images/cat.jpeg", "--weights", "seeded:x"], "--weights seeded:x: expected seeded:N"),
    (["empty"], "empty: expected a folder with images"),
    (["images", "nowhere.jpeg"], "nowhere.jpeg: expected an image file or a folder, found none of that name"),
    (["imagse"], "imagse: expected an image file or a folder, found none of that name; did you mean images?"),
    (["my"], "my: expected an image file or a folder, found none of that name; did you mean 'my photos'?"),
    (["https://example.org/cat.jpg"], "https://example.org/cat.jpg: expected an image file or a folder, got a URL"),
    (["/dev/zero"], "/dev/zero: expected an image file or a folder, found a device, a pipe or the like"),
    (["images/cat.jpeg", "--labels", "none.txt"], "none.txt"),
])  # fmt: skip
def test_bad_input_is_one_line_and_status_2(thin_home, capsys, arguments, message):
    (thin_home / "empty").mkdir()
    (thin_home / "my photos").mkdir()
    assert main(["classify", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1 and message in printed.err


def test_without_weights_it_says_where_it_looked(home, capsys):
    for net in ("vgg16", "vgg19"):
        assert main(["classify", os.path.join(TEST_DATA, "cat.jpeg"), "--net", net]) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1
        assert f"{net}.npy not found in" in error and f"weights fetch --net {net}`" in error
        assert all(part in error for part in (str(home), "TENSORFLOW_VGG_HOME", "seeded:19"))


def test_constants_and_mapped_weights_print_the_same(thin_home, capsys):
    results = []
    for options in ([], [], ["--constants"]):  # the cache made, used, not used
        assert main(["classify", "images", "--json", *options]) == 0
        results.append(capsys.readouterr().out)
    assert results[0] == results[1] == results[2]
    assert main(["weights", "clear"]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{thin_home / 'mapped'}: 0.0 MB freed; 1 of its folders in use by a program, and left\n"
    assert main(["weights", "cache"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{'size':>10}  source",
        f"{'14.3 MB':>10}  {thin_home / 'vgg19.npy'}",
        f"{'14.3 MB':>10}  in {thin_home / 'mapped'}",
    ]


def test_weights_check(home, seeded, capsys, collected):
    full = seeded("vgg19", attention=True)
    weights.write("vgg19.npy", full)
    assert main(["weights", "check", "vgg19.npy"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].split()[:4] == ["conv1_1", "3x3x3x64", "64", "1792"]
    assert printed.splitlines()[1].split()[4] == f"{full['conv1_1'][0].min():.4g}"
    assert f"{143667240 + 2 * 512 * 256 + 256 + 512 + 19}" in printed
    with open("vgg19.npy", "rb") as file:
        content = file.read()
    for digest in (hashlib.sha1(content), hashlib.sha256(content)):
        assert digest.hexdigest() in printed
    assert printed.splitlines()[-2:] == [
        "vgg19.npy: complete weights of vgg19 with an attention block",
        "vgg19.npy: random numbers, as weights make writes them: they have learnt nothing",
    ]
    assert not looks_seeded({**full, "fc7": [full["fc7"][0] * np.float32(1.001), full["fc7"][1]]})

    def fault(message):
        assert main(["weights", "check", "vgg19.npy"]) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and message in error

    with open("vgg19.npy", "r+b") as file:
        file.truncate(len(content) // 2)
    fault("vgg19.npy: cut short at")
    weights.write("vgg19.npy", seeded("vgg19", thin=True))
    fault("vgg19.npy: conv1_1 kernel: expected (3, 3, 3, 64), got (3, 3, 3, 2)")
    weights.write("vgg19.npy", {"conv1_1": full["conv1_1"], "mean": 7})
    fault("vgg19.npy: conv1_2 is missing; it has 1 of the 16 layers of vgg16")
    (home / "vgg19.npy").write_text("version https://git-lfs.github.com/spec/v1\n")
    fault("vgg19.npy: expected a .npy file of a dict of layers, got a Git LFS pointer")


def test_weights_make_attach_and_detach(home, seeded, capsys):
    assert main(["weights", "make", "new/vgg16.npy", "--seed", "3", "--net", "vgg16"]) == 0
    made = weights.read("new/vgg16.npy")
    np.testing.assert_array_equal(made["fc8"][0], weights.seeded("vgg16", 3)["fc8"][0])
    (home / "new" / "vgg16.npy").unlink()

    thin = seeded("vgg19", thin=True)
    weights.write("thin.npy", thin)
    for start in ("pass-through", "open", "glorot"):
        assert main(["weights", "attach", "thin.npy", f"{start}.npy", "--start", start, "--seed", "5"]) == 0
    block = {start: weights.attention_layers(weights.read(f"{start}.npy")) for start in ("open", "glorot")}
    limit = np.sqrt(6 / (16 + 8))
    for start, bias in (("open", 4), ("glorot", 0)):
        assert 0.9 * limit < np.abs(block[start]["cbam/fc_1"][0]).max() <= limit
        assert block[start]["cbam/spatial_attention_conv"][1] == [bias]
        assert (np.abs(block[start]["cbam/fc_2"][0]).max() > 0) == (start == "glorot")
    assert main(["weights", "attach", "open.npy", "twice.npy"]) == 2
    assert "open.npy: has an attention block already" in capsys.readouterr().err
    assert main(["weights", "detach", "open.npy", "plain.npy"]) == 0
    plain = weights.read("plain.npy")
    assert plain.keys() == thin.keys()
    np.testing.assert_array_equal(plain["fc8"][0], thin["fc8"][0])
    assert main(["weights", "detach", "plain.npy", "again.npy"]) == 2
    assert main(["weights", "make", "plain.npy", "--seed", "1"]) == 2
    assert "plain.npy: exists already" in capsys.readouterr().err
    assert not (home / "again.npy").exists()


def save_as_keras_hosts_them(model, path):
    """The layout of the files that keras.applications downloads, older than the one Keras 3 writes."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{kind}_1:0".encode() for kind in "Wb"[: len(layer.weights)]]
            group.attrs["weight_names"] = names
            for name, value in zip(names, layer.get_weights()):
                group.create_dataset(name.decode(), data=value)


@pytest.mark.parametrize(("net", "name"), [("vgg16", "VGG16"), ("vgg19", "VGG19")])
def test_weights_convert_gives_what_keras_gives(home, seeded, pixels, capsys, collected, net, name):
    """Keras's own network with random weights, and its own preprocessing, against the converted file."""
    import tensorflow as tf

    v1 = tf.compat.v1
    images = np.stack([pixels["tiger"], pixels["coffee"]])
    model = getattr(tf.keras.applications, name)(weights=None)
    model.set_weights([array for layer in seeded(net).values() for array in layer])
    if net == "vgg16":
        source = "keras.h5"
        save_as_keras_hosts_them(model, source)
    else:
        source = "keras.weights.h5"
        model.save_weights(source)
    preprocess = getattr(tf.keras.applications, net).preprocess_input
    prepared = preprocess(images * np.float32(255), data_format="channels_last")
    hidden = tf.keras.Model(model.input, model.get_layer("fc2").output).predict(prepared)
    kernel, biases = model.get_layer("predictions").get_weights()
    logits = hidden @ kernel + biases
    tf.keras.backend.clear_session()

    assert main(["weights", "convert", source, f"{net}.npy"]) == 0
    with v1.Graph().as_default(), v1.Session(config=tensorflow_vgg.session_config()) as session:
        rgb = v1.placeholder(v1.float32, [None, 224, 224, 3])
        vgg = getattr(importlib.import_module(f"tensorflow_vgg.{net}"), name.capitalize())(f"{net}.npy", mapped=True)
        vgg.build(rgb)
        assert_close(session.run(vgg.fc8, {rgb: images}), logits, 1e-5)
    other = "vgg16" if net == "vgg19" else "vgg19"
    capsys.readouterr()
    assert main(["weights", "convert", source, "other.npy", "--net", other]) == 2
    assert f"{source}: expected a Keras weights file of {other} with top" in capsys.readouterr().err
    assert not (home / "other.npy").exists()
    for path in home.glob("*.*"):
        path.unlink()


def test_weights_convert_and_fetch_say_what_went_wrong(home, capsys, collected):
    (home / "no.h5").write_bytes(b"no HDF5")
    assert main(["weights", "convert", "no.h5", "out.npy"]) == 2
    assert "no.h5: expected a Keras weights file of vgg16 or vgg19 with top" in capsys.readouterr().err
    assert main(["weights", "convert", "none.h5", "out.npy"]) == 2
    assert "none.h5" in capsys.readouterr().err
    (home / "vgg19.npy").write_text("mine")
    assert main(["weights", "fetch"]) == 2
    assert "vgg19.npy: exists already" in capsys.readouterr().err
    assert (home / "vgg19.npy").read_text() == "mine" and not (home / "out.npy").exists()


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_leaves_tensorflow_alone_and_goes_on(collecting):
    code = f"""
import gc
from tensorflow_vgg._command import terminal
if not {collecting}:
    gc.disable()
terminal.tensorflow()
print(gc.isenabled(), gc.get_freeze_count() > 100000)
"""
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().split() == [str(collecting)] * 2  # who has it off has done without it already


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *([verb, "--help"] for verb in VERBS)])
def test_help_loads_no_tensorflow(arguments):
    code = (
        "import sys, tensorflow_vgg._command.main\n"
        f"try: tensorflow_vgg._command.main.main({arguments!r})\n"
        "finally: print('LOADED', *sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode()
    loaded = set(output[output.index("LOADED") :].split())
    assert not {"tensorflow", "skimage", "numpy"} & loaded
    verbs = {name.split(".")[-1] for name in loaded if name.startswith("tensorflow_vgg._command.")} & set(VERBS)
    assert verbs == set(arguments) & set(VERBS)


@pytest.mark.parametrize(("arguments", "message"), [
    (["clasify"], "clasify: no such verb; did you mean classify?"),
    (["weights", "chek"], "chek: no such verb; did you mean check?"),
    (["xyzzy"], "xyzzy: no such verb; expected one of classify, "),
    (["\x1b[2J\u202e"], r"\x1b[2J\u202e: no such verb"),
    (["train", "folder", "--bar"], "tensorflow-vgg train: error: unrecognized arguments: --bar"),
    (["train", "folder", "--epoks=3"], "unrecognized arguments: --epoks=3; did you mean --epochs?"),
    (["weights", "make", "x", "--seed", "1", "--nett", "a"], "arguments: --nett a; did you mean --net?"),
    (["weights", "check", "x", "--bar\x1b[2J"], r"weights check: error: unrecognized arguments: --bar\x1b"),
    (["classify", "x", "--top", "0"], "--top: expected a whole number from 1, got 0"),
    (["weights", "make", "x", "--seed", "4294967296"], "--seed: expected a whole number from 0 to 4294967295, got 429"),
    (["evaluate", "x", "--weights", "/"], "--weights /: expected a weight file, found a folder; give the file in it"),
    (["patch", "x", "--ratio", "nan"], "--ratio: expected a number above 0, got nan"),
    (["train", "x", "--dropout", "1.5"], "--dropout: expected a number above 0, at most 1, got 1.5"),
])  # fmt: skip
def test_bad_verbs_and_options_are_answered_in_four_lines(capsys, arguments, message):
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert status == 2 and printed.out == "" and len(lines) <= 4 and message in lines[-1]
    if len(lines) > 1:
        assert lines[0].startswith(f"usage: {lines[-1].split(':')[0]} ")


@pytest.mark.parametrize(("command", "status", "lines"), [
    ("$V weights clear >/dev/full", 2, ["tensorflow-vgg: No space left on device"]),
    ("$V classify none 2>&-", 2, []),
    ("$V classify none >&-", 2, ["tensorflow-vgg: none: expected an image file or a folder, found none of that name"]),
    ("$V weights clear >&- 2>&-", 0, []),
    ("PYTHONIOENCODING=ascii $V weights check \u00e9", 2, [r"tensorflow-vgg: \xe9: No such file or directory"]),
    ("LC_ALL=C $V patch \u00e9", 2, None),  # Python 3.7 has its own idea of how C names it
    ("env -u HOME TMPDIR=/proc $V weights check none", 2, ["tensorflow-vgg: none: No such file or directory"]),
])  # fmt: skip
def test_output_that_cannot_be_written(home, command, status, lines):
    """Closed, full, or in an encoding that lacks what is to be said: one line at most, and the status says it."""
    environment = {**os.environ, "V": f"{sys.executable} -m tensorflow_vgg", "PYTHONPATH": ROOT}
    process = subprocess.run(["bash", "-c", command], capture_output=True, env=environment)
    told = process.stderr.decode("utf-8").splitlines()
    assert process.returncode == status
    assert told == lines if lines is not None else len(told) == 1 and "No such file or directory" in told[0]


@pytest.mark.parametrize("arguments", [
    ["weights", "make", "new.npy", "--seed", "1"],
    ["classify", *["images"] * 500],
    ["dump", *["images"] * 99, "-o", "new.npz"],
])  # fmt: skip
def test_ctrl_c_leaves_nothing_behind(thin_home, capsys, arguments):
    before = os.listdir(".")
    timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    assert main(arguments) == 130
    timer.cancel()
    assert sorted(set(os.listdir(".")) - {"mapped"}) == sorted(before)
    assert "Traceback" not in capsys.readouterr().err


def test_module_and_seeded_weights():
    """python -m tensorflow_vgg, with full seeded weights, says that they mean nothing."""
    command = [sys.executable, "-m", "tensorflow_vgg", "classify", TEST_DATA, "--weights", "seeded:19", "--json"]
    process = subprocess.run(command, capture_output=True, check=True)
    rows = [json.loads(line) for line in process.stdout.decode().splitlines()]
    golden = golden_arrays("vgg19_full")["prob"][[2, 3, 1, 0]]
    labels = utils.read_labels(utils.SYNSET)
    for number, prob in enumerate(golden):
        best = rows[number * 5]
        assert f"{best['wnid']} {best['label']}" == labels[int(prob.argmax())]
        assert abs(best["probability"] - prob.max()) < 1e-3
    assert "the labels mean nothing" in process.stderr.decode()


def test_without_tensorflow_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setitem(sys.modules, "tensorflow.compat.v1", None)
    assert main(["run", __file__]) == 2
    assert f"tensorflow is not installed in {sys.executable}: pip install ." in capsys.readouterr().err
