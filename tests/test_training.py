"""tensorflow-vgg train and evaluate, on parts of three photographs and, but for Keras's step, on thin weights."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import skimage.io
import tensorflow.compat.v1 as tf
from benchmark import write_crops
from conftest import HERE, environment

from tensorflow_vgg import utils, weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._train import cluster as machines
from tensorflow_vgg._train import images as listings
from tensorflow_vgg._train.batches import Batches
from tensorflow_vgg._train.settings import read_metrics

CLASSES = ["coffee", "coins", "moon"]  # photographs that every scikit-image has


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("images"))
    write_crops(folder, CLASSES, 10)
    return folder


@pytest.fixture
def start(home, seeded):
    """A thin weight file with an fc8 of the three classes, which a fresh one would be too small to show much."""
    thin = seeded("vgg19", thin=True)
    thin["fc8"] = [np.ascontiguousarray(array[..., :3]) for array in thin["fc8"]]
    weights.write("thin.npy", thin)
    return thin


def command(images, run, *options):
    validation = os.path.join(images, "validation")
    training_folder = os.path.join(images, "training")
    return ["train", training_folder, "-o", run, "--validation", validation, "--weights", "thin.npy", *options]


def lines(run, of_epochs=False):
    found = [line for line in read_metrics(f"{run}/metrics.jsonl") if "kept" not in line]
    return [line for line in found if ("epoch" in line) == of_epochs]


def changed(start, run):
    """The tensors of weights.npy that are not those it started from: {layer/index}."""
    trained = weights.read(f"{run}/weights.npy")
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


def test_a_step_of_gradient_descent_is_kerass(home, weight_file, collected):
    """On full weights: Keras's VGG19, loss and SGD change fc8's kernel and biases by the same."""
    write_crops("few", CLASSES, 3)
    rate = 1e-4
    options = ["--train", "head", "--no-attention", "--optimizer", "sgd", "--learning-rate", str(rate)]
    options += ["--dropout", "1", "--epochs", "1", "--batch", "9", "--weights", weight_file("vgg19")]
    assert main(command("few", "run", *options)) == 0
    found = weights.read("run/weights.npy")["fc8"]

    import tensorflow

    keras = tensorflow.keras
    full = weights.read(weight_file("vgg19"))
    model = keras.applications.VGG19(weights=None, classes=3)
    full["fc8"] = first = start_of_fc8("run")
    model.set_weights([array for layer in full.values() for array in layer])
    del full
    for layer in model.layers:
        layer.trainable = layer.name == "predictions"
    classes, items = listings.find_images("few/training")
    images = np.stack([utils.load_image(path) for path, _ in items]).astype(np.float32) * np.float32(255)
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    model.train_on_batch(
        keras.applications.vgg19.preprocess_input(images), np.array([label for _, label in items], np.int64)
    )
    expected = model.get_layer("predictions").get_weights()
    keras.backend.clear_session()
    assert classes == CLASSES
    change = [array - before for array, before in zip(expected, first)]
    assert np.abs(change[0]).max() >= 0.01
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
    options = ["--train", "head", "--augment", "--epochs", "2", "--batch", "10", "--learning-rate", "1e-3", "--seed"]
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


@pytest.mark.parametrize(("config", "found"), [
    (
        {"cluster": {"ps": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"type": "worker", "index": 1}},
        (["a:1"], [("worker", 0, "b:1"), ("worker", 1, "c:1")], "worker", 1, 1),
    ),
    (
        {"cluster": {"chief": ["d:1"], "ps": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}},
        (["a:1"], [("chief", 0, "d:1"), ("worker", 0, "b:1")], "worker", 0, 1),
    ),
    (
        {"cluster": {"ps": ["a:1"], "worker": ["b:1"]}, "task": {"type": "ps", "index": 0}},
        (["a:1"], [("worker", 0, "b:1")], "ps", 0, None),
    ),
])  # fmt: skip
def test_a_cluster_from_tf_config(monkeypatch, config, found):
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    cluster = machines.read_cluster()
    assert (*cluster, cluster.number) == found
    monkeypatch.setenv("TF_CONFIG", json.dumps({**config, "task": {"type": "worker", "index": 9}}))
    with pytest.raises(ValueError, match="TF_CONFIG: expected a task of the cluster"):
        machines.read_cluster()
    monkeypatch.setenv("TF_CONFIG", "[")
    with pytest.raises(ValueError, match="TF_CONFIG: expected JSON with cluster and task"):
        machines.read_cluster()
    monkeypatch.delenv("TF_CONFIG")
    assert machines.read_cluster() is None


def start_of_fc8(run):
    """The kernel and biases of fc8 in the first checkpoint."""
    reader = tf.train.load_checkpoint(f"{run}/model.ckpt-0")
    return [reader.get_tensor(f"fc8/fc8_{kind}") for kind in ("weights", "biases")]


# Starts and kills processes that train. They are forked from one that has TensorFlow loaded already.
KILLER = """
import os, random, signal, sys, time
from tensorflow_vgg._command import main as cli
from tensorflow_vgg._train import cluster as machines
from tensorflow_vgg._train import images as listings
from tensorflow_vgg._train.batches import Batches
from tensorflow_vgg._train.settings import read_metrics
kills, seconds = int(sys.argv[1]), float(sys.argv[2])

def child():
    number = os.fork()
    if number:
        return number
    os._exit(cli.main(sys.argv[3:]))

random.seed(7)
for kill in range(kills):
    number = child()
    time.sleep(random.uniform(0, seconds))
    os.kill(number, signal.SIGKILL if kill % 5 else signal.SIGINT)
    print("ENDED", os.waitpid(number, 0)[1], flush=True)
began = time.time()
print("ENDED", os.waitpid(child(), 0)[1], time.time() - began)
"""


def test_killed_ten_times_a_run_ends_with_the_same_weights(start, images):
    """At random moments, and twice stopped with Ctrl-C: what follows is as if nothing had happened."""
    options = ["--epochs", "25", "--batch", "10", "--dropout", "1", "--save-every", "0.2", "--validation"]
    options.append(os.path.join(images, "validation"))

    def run(name, kills, seconds):
        done = subprocess.run(
            [sys.executable, "-c", KILLER, str(kills), str(seconds), *command(images, name, *options)],
            stdout=subprocess.PIPE,
            env=environment(os.path.dirname(HERE)),
        )
        return [line.split()[1:] for line in done.stdout.decode().splitlines() if line.startswith("ENDED")]

    ((status, seconds),) = run("whole", 0, 0)
    assert status == "0"
    ended = run("killed", 10, 0.4 * float(seconds))
    assert [len(ended), ended[-1][0]] == [11, "0"] and ["9"] in ended
    whole, killed = (weights.read(f"{name}/weights.npy") for name in ("whole", "killed"))
    assert list(whole) == list(killed)
    for layer in whole:
        for index in (0, 1):
            np.testing.assert_array_equal(whole[layer][index], killed[layer][index], err_msg=layer)
    for of_epochs in (False, True):
        histories = [
            [{name: line[name] for name in line if name != "seconds"} for line in lines(run, of_epochs)]
            for run in ("whole", "killed")
        ]
        assert histories[0] == histories[1]
    assert not [name for name in os.listdir("killed") if name.endswith(".tmp") or "tempstate" in name]


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_checkpoint(start, images, capsys):
    options = ["--optimizer", "sgd", "--learning-rate", "1e30", "--batch", "10", "--save-every", "0.001"]
    assert main(command(images, "run", *options)) == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tensorflow-vgg: run: ")]
    assert "not finite any more after step 1" in error or "at step 2" in error
    assert "the last good checkpoint is" in error and "run/model.ckpt-0;" in error
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint("run"))
    assert all(np.isfinite(reader.get_tensor(name)).all() for name in reader.get_variable_to_shape_map())
    assert not os.path.exists("run/weights.npy")


def test_a_run_from_images_to_labels(start, images, capsys):
    """What it writes, what classify and evaluate make of that, and what it says when it is done already."""
    shutil.copytree(images, "pictures")
    with open("pictures/training/coffee/broken.png", "wb") as file:
        file.write(b"no image")
    options = ["--epochs", "12", "--batch", "10", "--learning-rate", "1e-3", "--dropout", "1"]
    assert main(command("pictures", "run", *options)) == 0
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
    (tmp_path,) = {os.path.abspath("pictures/validation")}
    assert main(["evaluate", "pictures/validation", "--weights", "run/weights.npy", "--json", "--plot", "c.png"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["images"] == 30 and "top5" not in result
    best = min(epochs, key=lambda line: line["validation_loss"])
    np.testing.assert_allclose(result["top1"], best["validation_accuracy"])
    assert [row["label"] for row in result["classes"]] == CLASSES
    assert sum(sum(row.values()) for row in result["confusion"].values()) == 30
    assert sum(result["confusion"][name].get(name, 0) for name in CLASSES) == round(30 * result["top1"])
    assert skimage.io.imread("c.png").ndim == 3
    assert main(["evaluate", "pictures/validation", "--weights", "run/weights.npy"]) == 0
    table = capsys.readouterr().out
    assert f"30 images: top-1 {result['top1']:.4f}" in table
    assert main(["classify", tmp_path + "/coffee", "--weights", "run/weights.npy", "--json", "--top", "1"]) == 0
    found = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert found.count("coffee") == result["confusion"]["coffee"].get("coffee", 0)

    tags = {}
    for name in os.listdir("run"):
        if name.startswith("events.out"):
            for event in tf.train.summary_iterator(os.path.join("run", name)):
                tags.update({value.tag: event.step for value in event.summary.value})
    assert {"loss", "accuracy", "rate", "validation_loss", "validation_accuracy"} <= set(tags)

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


def test_what_is_held_out_stays_held_out(home, images):
    """The split goes by the seed and the image's name, whatever other images there are."""
    folder = os.path.join(images, "training")
    split = [[name for name, _ in listings.split(folder, "0.3", seed).names()["validation"]] for seed in (0, 0, 1)]
    assert split[0] == split[1] != split[2] and 3 <= len(split[0]) <= 15
    shutil.copytree(folder, "more")
    for name in CLASSES:
        os.rename(f"more/{name}/{name}00.png", f"more/{name}/new.png")
    more = {name for name, _ in listings.split("more", "0.3", 0).names()["validation"]}
    assert {name for name in split[0] if "00" not in name} == {name for name in more if "new" not in name}


@pytest.mark.parametrize(("arguments", "message"), [
    (["none", "-o", "run"], "none: expected a folder with one subfolder a class, found no such folder"),
    (["one", "-o", "run"], "one: expected a subfolder for each of two classes or more, found coffee alone"),
    (["two", "-o", "run"], "two/empty: expected images (.bmp, "),
    (["training", "-o", "other"], "other: expected a new folder or that of a run, found a folder of other files"),
    (["training", "-o", "run", "--validation", "1.5"], "--validation 1.5: expected a folder, or a part of the images"),
    (["training", "-o", "run", "--validation", "one"], None),
    (["training", "-o", "run", "--validation", "two"], "two: empty is none of the 3 classes coffee, coins, moon"),
    (["training", "-o", "run", "--weights", "none.npy"], "--weights none.npy: expected a weight file or seeded:N"),
    (["training", "-o", "thin.npy"], "thin.npy: expected a folder for the run, found a file"),
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
    for folder, names in (("one", ["coffee"]), ("two", ["coffee", "empty"]), ("other", [])):
        for name in names:
            os.makedirs(os.path.join(folder, name))
        os.makedirs(folder, exist_ok=True)
    for folder in ("one", "two"):
        shutil.copy("training/coffee/coffee00.png", f"{folder}/coffee")
    open("other/file", "w").close()
    if "--weights" not in arguments:
        arguments = [*arguments, "--weights", "thin.npy"]
    if message is None:
        assert main(["train", *arguments, "--epochs", "1"]) == 0
        return
    assert main(["train", *arguments]) == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tensorflow-vgg: ")]
    assert message in error


def free_address():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % found.getsockname()[1]


def test_a_parameter_server_and_two_workers_of_which_one_is_killed(start, images):
    """They reach what one process reaches. The second worker is killed half-way and joins again."""
    options = ["--batch", "10", "--learning-rate", "1e-3", "--dropout", "1", "--epochs"]
    assert main(command(images, "alone", *options, "40")) == 0
    ps, workers = free_address(), f"{free_address()},{free_address()}"

    def begin(task):
        cluster = ["--ps", ps, "--workers", workers, "--task", task]
        program = [sys.executable, "-m", "tensorflow_vgg", *command(images, "together", *options, "120"), *cluster]
        return subprocess.Popen(program, env=environment(os.path.dirname(HERE)))

    def wait_for_steps_of_the_second(count):
        deadline = time.monotonic() + 120
        while True:
            steps = [line["step"] for line in lines("together")]  # the chief's
            if steps and steps[-1] - len(steps) >= count:
                return steps[-1] - len(steps)
            assert chief.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)

    server, chief, second = (begin(task) for task in ("ps:0", "worker:0", "worker:1"))
    try:
        steps = wait_for_steps_of_the_second(20)
        second.kill()
        second.wait()
        second = begin("worker:1")
        wait_for_steps_of_the_second(steps + 20)
        assert chief.wait(timeout=120) == 0
        assert second.wait(timeout=120) == 0
    finally:
        for process in (server, chief, second):
            process.kill()
            process.wait()
    reached = [lines(run, of_epochs=True)[-1]["validation_accuracy"] for run in ("alone", "together")]
    assert reached[0] > 0.6 and reached[1] > reached[0] - 0.1
