"""tensorflow-vgg train: what it trains, and on what. On parts of three photographs and thin weights."""

import json
import math
import os
import shutil
import sys

import numpy as np
import pytest
import skimage.io
import tensorflow.compat.v1 as tf
from trainings import CLASSES, command, kept, lines

from tensorflow_vgg import session_config, utils, vgg19, weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._train import images as listings
from tensorflow_vgg._train.batches import Batches


def changed(start, run):
    """The tensors of last.npy that are not those it started from: {layer/index}."""
    trained = weights.read(f"{run}/last.npy")
    assert set(start) <= set(trained)
    before = {**weights.attention_start(16, "open", 0), **start}
    return {
        f"{layer}/{index}"
        for layer, arrays in trained.items()
        for index in (0, 1)
        if not np.array_equal(arrays[index], before[layer][index])
    }


BLOCK = {f"{layer}/{index}" for layer in weights.ATTENTION_LAYERS for index in (0, 1)}


@pytest.mark.parametrize(("trained", "layers"), [
    ("head", ["fc8"]),
    ("fc", ["fc6", "fc7", "fc8"]),
    ("all", list(weights.KERNEL_SHAPES["vgg19"])),
])  # fmt: skip
def test_three_steps_move_what_is_trained_and_nothing_else(start, images, trained, layers):
    options = ["--train", trained, "--epochs", "3", "--batch", "30", "--dropout", "1", "--learning-rate", "1e-3"]
    assert main(command(images, "run", *options)) == 0
    assert [line["step"] for line in lines("run")] == [1, 2, 3]
    assert changed(start, "run") == BLOCK | {f"{layer}/{index}" for layer in layers for index in (0, 1)}
    names = {name for name, _ in tf.train.list_variables(tf.train.latest_checkpoint("run"))}
    kind = "filters" if trained == "all" else "weights"
    assert {f"{layers[0]}/{layers[0]}_{kind}", "fc8/fc8_biases", "cbam/fc_1/kernel", "global_step"} <= names
    assert os.path.exists("run/pool5.bin") == (trained != "all")


def test_with_the_open_start_training_begins_where_the_network_without_attention_does(start, images):
    losses = {}
    for name, options in (
        ("without", ["--no-attention"]),
        ("open", []),
        ("glorot", ["--attention-start", "glorot"]),
    ):
        assert main(command(images, name, "--epochs", "1", "--dropout", "1", *options)) == 0
        losses[name] = lines(name)[0]["loss"]
    assert abs(losses["without"] - np.log(3)) > 0.1  # the weights have something to say
    assert abs(losses["open"] - losses["without"]) < 0.05 * losses["without"]
    assert abs(losses["glorot"] - losses["without"]) > abs(losses["open"] - losses["without"])
    assert not any("cbam" in layer for layer in weights.read("without/weights.npy"))


def test_a_pass_through_block_is_too_saturated_to_train_and_starts_open(start, images, capsys):
    weights.write("thin.npy", {**start, **weights.pass_through(16)})
    assert main(command(images, "run", "--train", "head", "--epochs", "1", "--batch", "10")) == 0
    assert "thin.npy: its attention block is pass-through, too saturated to train: it starts open" in (
        capsys.readouterr().out
    )
    assert changed(start, "run") >= BLOCK


def test_a_step_of_gradient_descent_is_kerass(start, images):
    """VGG19 of Keras's layers, in the widths of the weights: its loss and SGD change fc8 by the same."""
    rate = 1e-3
    options = ["--train", "head", "--no-attention", "--optimizer", "sgd", "--learning-rate", str(rate)]
    assert main(command(images, "run", *options, "--dropout", "1", "--epochs", "1", "--batch", "30")) == 0
    found = weights.read("run/last.npy")["fc8"]

    import tensorflow

    keras = tensorflow.keras
    layers = keras.layers
    model = keras.Sequential()
    for name, (kernel, _) in start.items():
        if name == "fc6":
            model.add(layers.Flatten())
        if name.startswith("conv"):
            shape = {} if model.layers else {"input_shape": (224, 224, 3)}
            model.add(layers.Conv2D(kernel.shape[3], 3, padding="same", activation="relu", name=name, **shape))
            if name in ("conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4"):
                model.add(layers.MaxPooling2D())
        else:
            model.add(layers.Dense(kernel.shape[1], "softmax" if name == "fc8" else "relu", name=name))
    model.build((None, 224, 224, 3))
    model.set_weights([array for layer in start.values() for array in layer])
    for layer in model.layers:
        layer.trainable = layer.name == "fc8"
    classes, items = listings.find_images(os.path.join(images, "training"))
    pixels = np.stack([utils.load_image(path) for path, _ in items]).astype(np.float32) * np.float32(255)
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    model.train_on_batch(
        keras.applications.vgg19.preprocess_input(pixels), np.array([label for _, label in items], np.int64)
    )
    expected = model.get_layer("fc8").get_weights()
    keras.backend.clear_session()
    assert classes == CLASSES
    change = [array - before for array, before in zip(expected, start["fc8"])]
    for one, other, moved in zip(found, expected, change):
        assert np.abs(moved).max() > 0 and np.abs(one - other).max() <= 1e-5 * np.abs(change[0]).max()


def test_weight_decay_pulls_at_kernels_and_not_at_biases(start, images):
    """One step of gradient descent: with decay the kernel is rate * decay * kernel smaller than without."""
    rate, decay = 1e-3, 0.5
    options = ["--train", "head", "--optimizer", "sgd", "--learning-rate", str(rate), "--dropout", "1"]
    options += ["--epochs", "1", "--batch", "30"]
    assert main(command(images, "without", *options)) == 0
    assert main(command(images, "with", *options, "--weight-decay", str(decay))) == 0
    without, with_decay = (weights.read(f"{run}/weights.npy")["fc8"] for run in ("without", "with"))
    np.testing.assert_allclose(without[0] - with_decay[0], rate * decay * start["fc8"][0], atol=1e-7)
    np.testing.assert_array_equal(without[1], with_decay[1])


def test_augmentation_and_the_seed(start, images):
    """The same seed gives the same run, dropout and random parts of the images included; another seed another."""
    options = ["--train", "head", "--augment", "--epochs", "1", "--batch", "10", "--learning-rate", "1e-3", "--seed"]
    for run, seed in (("one", "5"), ("same", "5"), ("other", "6")):
        assert main(command(images, run, *options, seed)) == 0
    one, same, other = ([line["loss"] for line in lines(run)] for run in ("one", "same", "other"))
    assert one == same != other
    assert not os.path.exists("one/pool5.bin")


def test_random_parts_of_an_image_are_the_vgg_papers(home):
    """The smaller side scaled to 256, a part of 224x224 of it, mirrored in half of the cases."""
    ramp = np.tile(np.linspace(0, 255, 512).astype(np.uint8)[None, :, None], (300, 1, 3))
    skimage.io.imsave("ramp.png", ramp, check_contrast=False)
    items = [("ramp.png", 0)] * 64
    settings = {"batch": 64, "augment": True, "seed": 1}
    values, labels = Batches(listings.Listing(["a"], items, [], {}), [], None, settings).training_batch(0)
    assert values.shape == (64, 224, 224, 3) and values.dtype == np.float32 and not labels.any()
    slopes = np.diff(values[:, 100, 1:-1, 0], axis=1)
    mirrored = (slopes < 0).all(axis=1)
    assert (mirrored | (slopes > 0).all(axis=1)).all() and 16 < mirrored.sum() < 48
    # 512 columns become round(512 * 256 / 300) = 437, and 224 of them are seen.
    np.testing.assert_allclose(np.abs(slopes).mean(), 1 / 437, rtol=0.02)
    starts = np.minimum(values[:, 100, 0, 0], values[:, 100, -1, 0])
    assert len(np.unique(starts)) > 32 and starts.min() < 0.05 and starts.max() > 1 - 224 / 437 - 0.05


def test_the_split_goes_by_class_and_stays(home, images):
    """The seed and the names decide, and what is held out of a class does not depend on the others."""
    folder = os.path.join(images, "training")
    split = [[name for name, _ in listings.split(folder, "0.3", seed).names()["validation"]] for seed in (0, 0, 1)]
    assert split[0] == split[1] != split[2]
    assert [sum(name.startswith(of_class) for name in split[0]) for of_class in CLASSES] == [3, 3, 3]
    shutil.copytree(folder, "more")
    for number in range(10):
        shutil.copy("more/moon/moon00.png", f"more/moon/new{number}.png")
    more = [name for name, _ in listings.split("more", "0.3", 0).names()["validation"]]
    assert [name for name in more if "moon" not in name] == [name for name in split[0] if "moon" not in name]
    assert sum(name.startswith("moon") for name in more) == 6


def test_what_there_is_to_train_on_is_told_before(start, images, capsys):
    """The classes with their images, those that nothing is validated on, and those too small."""
    for name, count in (("coffee", 10), ("coins", 2), ("moon", 1)):
        os.makedirs(f"few/{name}")
        for number in range(count):
            shutil.copy(f"{images}/training/{name}/{name}0{number}.png", f"few/{name}")
    open("few/coffee/._coffee00.png", "w").close()
    shutil.copy("few/moon/moon00.png", "few/loose.png")
    assert main(["train", "few", "-o", "run", "--weights", "thin.npy", "--epochs", "1"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("3 classes: coffee 10, coins 2, moon 1\n10 images to train on, 3 to validate on\n")
    assert "few: images in no class's folder are left out: 1, such as loose.png" in printed.err
    assert "no image to validate on: moon" in printed.err and "fewer than 5 images: coins, moon" in printed.err
    with open("run/images.json") as file:
        assert [name.split("/")[0] for name, _ in json.load(file)["validation"]] == ["coffee", "coffee", "coins"]


class Terminal:
    """A stderr that is a terminal."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


def test_a_terminal_shows_from_the_start_what_is_done(start, images, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(command(images, "run", "--epochs", "1", "--batch", "20")) == 0
    shown = [text.strip() for text in sys.stderr.text.split("\r\x1b[K") if text.strip()]
    assert shown[:2] == ["starting TensorFlow", "looking for images"] and shown[2].startswith("reading ")
    expected = ["pool5: 20/42, ", "pool5: 42/42, ", "initialising", "writing a checkpoint", "epoch 1/1  step 2/2"]
    places = [next(place for place, text in enumerate(shown) if text.startswith(start)) for start in expected]
    assert places == sorted(places)
    assert "writing run/weights.npy" in shown


def test_the_best_epoch_is_kept_beside_the_last(start, images, capsys):
    """weights.npy gives the least validation loss that was recorded, computed by the frozen network here."""
    options = ["--train", "head", "--epochs", "9", "--batch", "10", "--optimizer", "sgd", "--learning-rate", "1"]
    assert main(command(images, "run", *options)) == 0
    epochs = lines("run", of_epochs=True)
    losses = [line["validation_loss"] for line in epochs]
    best = int(np.argmin(losses))
    assert best < 8
    assert [line["best"] for line in epochs] == [loss < min([9e9] + losses[:at]) for at, loss in enumerate(losses)]
    assert kept("run") == {"weights.npy": 3 * (best + 1), "last.npy": 27}
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2:] == [
        f"run/weights.npy: epoch {best + 1}, the best: validation loss {losses[best]:.4f}",
        "run/last.npy: epoch 9, the last",
    ]
    _, items = listings.find_images(os.path.join(images, "validation"))
    pixels = np.stack([utils.load_image(path) for path, _ in items])
    for name, loss in (("weights.npy", losses[best]), ("last.npy", losses[-1])):
        with tf.Graph().as_default(), tf.Session(config=session_config()) as session:
            rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
            network = vgg19.Vgg19(f"run/{name}")
            network.build(rgb)
            prob = session.run(network.prob, {rgb: pixels})
        np.testing.assert_allclose(-np.log(prob[range(12), [label for _, label in items]]).mean(), loss, rtol=1e-4)

    for keep, expected in (("best", {"weights.npy": 3 * (best + 1)}), ("last", {"weights.npy": 27})):
        assert main(command(images, keep, *options, "--keep", keep)) == 0
        assert kept(keep) == expected and not os.path.exists(f"{keep}/last.npy")


def test_a_finished_run_goes_on_with_more_epochs(start, images, capsys):
    """The rate is then the longer half cosine's. With as many epochs it says what can be done."""
    options = ["--train", "head", "--batch", "10", "--learning-rate", "1e-3", "--epochs"]
    assert main(command(images, "run", *options, "2")) == 0
    before = weights.file_digest("run/weights.npy")
    again = ["train", os.path.join(images, "training"), "-o", "run"]
    capsys.readouterr()
    assert main(again) == 0
    told = capsys.readouterr().out
    assert (
        "run: finished after 2 epochs, its weights are in run/weights.npy, run/last.npy. More epochs: --epochs 4"
        in told
    )
    assert before == weights.file_digest("run/weights.npy") and len(lines("run")) == 6
    assert main([*again, "--epochs", "4"]) == 0
    printed = capsys.readouterr().out
    assert "going on at step 6 of 12" in printed and "4 epochs in place of 2: the learning rate" in printed
    steps = lines("run")
    assert [line["step"] for line in steps] == list(range(1, 13))
    for line in steps:
        last = 6 if line["step"] <= 6 else 12
        np.testing.assert_allclose(line["rate"], 5e-4 * (1 + math.cos(math.pi * (line["step"] - 1) / last)), rtol=1e-5)
    assert main([*again, "--epochs", "3"]) == 2
    assert "epochs: 4 in the run, 3 given" in capsys.readouterr().err


def test_a_loss_that_grows_tenfold_is_told(start, images, capsys):
    options = ["--train", "head", "--optimizer", "sgd", "--learning-rate", "30", "--epochs", "4", "--batch", "30"]
    assert main(command(images, "run", *options)) == 0
    losses = [line["loss"] for line in lines("run", of_epochs=True)]
    (told,) = [line for line in capsys.readouterr().err.splitlines() if "diverging" in line]
    first = next(number for number, loss in enumerate(losses, 1) if loss >= 10 * losses[0])
    assert f"the loss of epoch {first}" in told and "a lower --learning-rate" in told


def test_a_run_from_images_to_labels(start, images, capsys):
    """What it writes, what classify and evaluate make of that, and what it says when it is done already."""
    shutil.copytree(images, "pictures")
    with open("pictures/training/coffee/broken.png", "wb") as file:
        file.write(b"no image")
    options = ["--epochs", "12", "--batch", "10", "--learning-rate", "1e-3", "--dropout", "1"]
    assert main(command("pictures", "run", *options, "--pictures", "3")) == 0
    printed = capsys.readouterr()
    assert printed.err.count("broken.png: not an image") == 1
    assert "\r" not in printed.err  # no progress where nobody sees it
    with open("run/images.json") as file:
        assert json.load(file)["left_out"] == [0]
    steps, epochs = lines("run"), lines("run", of_epochs=True)
    assert [line["step"] for line in steps] == list(range(1, 37))
    assert [line["epoch"] for line in epochs] == list(range(1, 13))
    np.testing.assert_allclose(epochs[2]["loss"], np.mean([line["loss"] for line in steps[6:9]]), rtol=1e-6)
    assert epochs[-1]["validation_accuracy"] > 0.6
    assert skimage.io.imread("run/curves.png").shape[2] == 4

    # The frozen network from the file gives what the trainer's own validation found.
    assert main(["evaluate", "pictures/validation", "--weights", "run/weights.npy", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["images"] == 12 and "top5" not in result
    best = min(epochs, key=lambda line: line["validation_loss"])
    np.testing.assert_allclose(result["top1"], best["validation_accuracy"])
    assert [row["label"] for row in result["classes"]] == CLASSES
    assert main(["classify", "pictures/validation/coffee", "--weights", "run/weights.npy", "--json", "--top", "1"]) == 0
    found = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert found.count("coffee") == result["confusion"]["coffee"].get("coffee", 0)

    tags = {}
    for name in os.listdir("run"):
        if name.startswith("events.out"):
            for event in tf.train.summary_iterator(os.path.join("run", name)):
                tags.update({value.tag: event.step for value in event.summary.value})
    assert {"loss", "accuracy", "rate", "validation_loss", "validation_accuracy"} <= set(tags)
    drawn = sorted(os.listdir("run/attention"))
    assert drawn == ["coffee-coffee00.png", "coins-coins01.png", "moon-moon03.png"]
    assert skimage.io.imread(f"run/attention/{drawn[0]}").shape[0] > 300
    assert {tag for tag in tags if "attention" in tag} == {"attention/" + name[:-4].replace("-", "/") for name in drawn}

    # Done is done: the same command trains no more, and other settings or images are refused.
    before = lines("run")
    assert main(["train", "pictures/training", "-o", "run"]) == 0
    assert lines("run") == before
    assert "run: finished after 12 epochs" in capsys.readouterr().out
    assert main(command("pictures", "run", "--batch", "16", "--learning-rate", "1e-3")) == 2
    assert "run: other settings than the run's: batch: 10 in the run, 16 given." in capsys.readouterr().err
    os.remove("pictures/training/coins/coins03.png")
    assert main(["train", "pictures/training", "-o", "run"]) == 2
    assert "pictures/training: other images than run began with" in capsys.readouterr().err


def test_a_run_is_told_of_other_classes_whatever_part_is_held_out(tmp_path):
    def listing(names, held_out=None):
        folder = tmp_path / names
        for name in names:
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{name}.png").write_bytes(b"1")
            (folder / name / f"{name}{name}.png").write_bytes(b"1")
        return listings.split(str(folder), "0.5", 1, held_out)

    before = listing("abc").names()
    now = listing("xyz", {name for name, _ in before["validation"]}).names()
    with pytest.raises(ValueError, match=r"xyz: other images than run began with \(gone: 6, such as a/a.png; new: 6, "):
        listings.expect_same(before, now, "xyz", "run")
    with pytest.raises(ValueError, match=r"--validation 0.5 of 2 images came to none; name a folder"):
        (tmp_path / "one").mkdir()
        for name in "ab":
            (tmp_path / "one" / name).mkdir()
            (tmp_path / "one" / name / "1.png").write_bytes(b"1")
        listings.split(str(tmp_path / "one"), "0.5", 1)


@pytest.mark.parametrize(("arguments", "message"), [
    (["none", "-o", "run"], "none: expected a folder with one subfolder a class, found no such folder"),
    (["one", "-o", "run"], "one: expected a subfolder for each of two classes or more, found coffee alone"),
    (["two", "-o", "run"], "two/empty: expected images (.bmp, "),
    (["training", "-o", "other"], "other: expected a new folder or that of a run, found a folder of other files"),
    (["training", "-o", "run", "--validation", "1.5"], "--validation 1.5: expected a folder, or a part of the images"),
    (["training", "-o", "run", "--validation", "one"], None),
    (["training", "-o", "run", "--validation", "two"], "two: empty is none of the 3 classes coffee, coins, moon"),
    (["trainin", "-o", "run"], "found no such folder; did you mean training?"),
    (["training", "-o", "run", "--weights", "none.npy"], "--weights none.npy: expected a weight file or seeded:N"),
    (["training", "-o", "thin.npy"], "thin.npy: expected a folder for the run, found a file"),
    (["training", "-o", "training/run"], "training/run: lies in training, the folder of images"),
    (["training", "-o", "run", "--validation", "."], "run: lies in "),
    (["runs", "-o", "run"], "runs/one: is the folder of a run, not one of images"),
    (["runs/one", "-o", "run"], "runs/one: is the folder of a run, not one of images"),
    (["lines", "-o", "run"], "lines: 'a\\nb': the name of this class has a control character; rename the folder"),
    (["spaces", "-o", "run"], "spaces: ' a': the name of this class begins or ends with a space"),
    (["bytes", "-o", "run"], "bytes: '\\udce9t\\udce9': the name of this class is not UTF-8"),
    (["training"], "train: expected FOLDER and -o RUN"),
    (["training", "-o", "run", "--ps", "here:1"], "expected all of --ps, --workers and --task or none"),
    (
        ["training", "-o", "run", "--ps", "here:1", "--workers", "here:2", "--task", "worker:1"],
        "expected a task of the cluster such as worker:0, got worker:1",
    ),
])  # fmt: skip
def test_bad_input_is_one_line(start, images, capsys, monkeypatch, arguments, message):
    for part in ("training", "validation"):
        os.symlink(os.path.join(images, part), part)
    folders = {"one": ["coffee"], "two": ["coffee", "empty"], "other": [], "runs": ["one/attention", "two"]}
    folders.update({"lines": ["a\nb", "c"], "spaces": [" a", "c"], "bytes": [os.fsdecode(b"\xe9t\xe9"), "f"]})
    for folder, names in folders.items():
        for name in names:
            os.makedirs(os.path.join(folder, name))
        os.makedirs(folder, exist_ok=True)
    for folder in ("one", "two"):
        shutil.copy("training/coffee/coffee00.png", f"{folder}/coffee")
    for path in ("other/file", "runs/one/config.json", "runs/one/labels.txt"):
        open(path, "w").close()
    if "--weights" not in arguments:
        arguments = [*arguments, "--weights", "thin.npy"]
    if message is None:
        assert main(["train", *arguments, "--epochs", "1"]) == 0
        return
    assert main(["train", *arguments]) == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tensorflow-vgg: ")]
    assert message in error
