"""The command, through main([...])."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import TEST_DATA, assert_close, golden_arrays

from tensorflow_vgg import utils, weights
from tensorflow_vgg.cli import main


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


def test_unreadable_images_are_reported_and_left_out(thin_home, capsys):
    (thin_home / "images" / "broken.png").write_bytes(b"no image")
    assert main(["classify", "images", "nowhere.jpeg", "--json", "--top", "1", "--batch", "2"]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 4
    complaints = [line for line in printed.err.splitlines() if line.startswith("tensorflow-vgg: ")]
    assert len(complaints) == 2
    assert "broken.png: not an image" in complaints[0] and "nowhere.jpeg" in complaints[1]
    assert "\r" not in printed.err  # no progress bar where nobody sees it


def test_trained_weights_of_other_classes_with_their_labels(thin_home, seeded, capsys):
    thin = seeded("vgg19", thin=True, attention=True)
    thin["fc8"] = [thin["fc8"][0][:, :2].copy(), thin["fc8"][1][:2].copy()]
    weights.write("own.npy", thin)
    (thin_home / "labels.txt").write_text("grass\ngravel\n")
    command = ["classify", "images/cat.jpeg", "--weights", "own.npy"]
    assert main(command) == 2
    assert "expected a label for each of the 2 classes of own.npy, got 1000" in capsys.readouterr().err
    assert main([*command, "--labels", "labels.txt", "--json"]) == 0
    with_block = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["label"] for row in with_block} == {"grass", "gravel"} and with_block[0]["wnid"] is None
    assert main([*command, "--labels", "labels.txt", "--json", "--no-attention"]) == 0
    without = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert without[0]["probability"] != with_block[0]["probability"]


@pytest.mark.parametrize(("arguments", "message"), [
    (["images/cat.jpeg", "--weights", "none.npy"], "none.npy"),
    (["images/cat.jpeg", "--weights", "images/cat.jpeg"], "images/cat.jpeg: expected a .npy file of a dict of layers"),
    (["images/cat.jpeg", "--weights", "vgg16.npy"], "vgg16.npy: conv3_4 is missing; this is a file of vgg16"),
    (["images/cat.jpeg", "--weights", "seeded:x"], "--weights seeded:x: expected seeded:N"),
    (["empty"], "empty: expected a folder with images"),
    (["images/cat.jpeg", "--labels", "none.txt"], "none.txt"),
])  # fmt: skip
def test_bad_input_is_one_line_and_status_2(thin_home, capsys, arguments, message):
    (thin_home / "empty").mkdir()
    assert main(["classify", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1 and message in printed.err


def test_without_weights_it_says_where_it_looked(home, capsys):
    assert main(["classify", os.path.join(TEST_DATA, "cat.jpeg")]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    for part in ("vgg19.npy not found in", str(home), "TENSORFLOW_VGG_HOME", "README", "seeded:19"):
        assert part in error


@pytest.mark.parametrize("arguments", [["--help"], ["classify", "--help"], ["--version"]])
def test_help_loads_no_tensorflow(arguments):
    code = (
        "import sys, tensorflow_vgg.cli\n"
        f"try: tensorflow_vgg.cli.main({arguments!r})\n"
        "finally: print('LOADED', *sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode()
    loaded = set(output[output.index("LOADED") :].split())
    assert not {"tensorflow", "skimage", "numpy"} & loaded


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
