"""Mapped weights: the same bits as constants, and a cache that is whole or not used."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from conftest import golden_json

from tensorflow_vgg import session_config, vgg16, vgg19, vgg19_trainable, weights
from tensorflow_vgg._weights import mapped

LAYERS = golden_json("graphs/vgg19_trainable_variables.tf1.15.5.json")["attributes"]


@pytest.fixture
def thin_file(home, seeded):
    path = str(home / "vgg19.npy")
    weights.write(path, seeded("vgg19", thin=True, attention=True))
    return path


def assert_mapped(found, expected):
    assert found.keys() == expected.keys()
    for name, layer in expected.items():
        for index in (0, 1):
            assert isinstance(found[name][index], mapped.MappedArray) and found[name][index].region
            np.testing.assert_array_equal(found[name][index], layer[index])


def entries():
    return [name for name in os.listdir(mapped.folder()) if name != ".lock"]


@pytest.mark.parametrize("cls", [vgg16.Vgg16, vgg19.Vgg19])
def test_same_bits_and_names_as_constants(thin_file, pixels, cls):
    names = [name for name in LAYERS if cls is vgg19.Vgg19 or name not in ("conv3_4", "conv4_4", "conv5_4")]
    results, nodes = [], []
    for is_mapped in (False, True):
        # TensorFlow 2's graph optimiser fuses constants, and only them, into kernels that round otherwise.
        with tf.Graph().as_default() as graph, tf.Session(config=session_config()) as session:
            rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
            network = cls(thin_file, mapped=is_mapped)
            network.build(rgb)
            results.append(session.run([getattr(network, name) for name in names], {rgb: [pixels["tiger"]]}))
            nodes.append([(op.name, op.type) for op in graph.get_operations()])
    for name, constant, mapped_one in zip(names, *results):
        np.testing.assert_array_equal(constant, mapped_one, err_msg=name)
    assert [name for name, _ in nodes[0]] == [name for name, _ in nodes[1]]
    changed = {name.rsplit("/", 1)[1] for (name, kind), other in zip(*nodes) if kind != other[1]}
    assert {kind for (_, kind), other in zip(nodes[1], nodes[0]) if kind != other[1]} == {"ImmutableConst"}
    assert {"filter", "biases", "weights"} <= changed <= {"filter", "biases", "weights", "kernel", "bias"}


def test_training_step_from_full_mapped_weights(home, weight_file, seeded, pixels, collected):
    """Without a copy of its own the 411 MB of fc6 would be the read-only page, and the step the process's end."""
    path = str(home / "vgg19.npy")
    os.link(weight_file("vgg19"), path)
    results, nodes = [], []
    for is_mapped in (True, False):
        with tf.Graph().as_default() as graph, tf.Session(config=session_config()) as session:
            rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
            network = vgg19_trainable.Vgg19(path, dropout=1.0, mapped=is_mapped)
            network.build(rgb)
            nodes.append({op.name for op in graph.get_operations()})
            assert is_mapped == (graph.as_graph_def().ByteSize() < 1e6)
            kernel = network.var_dict["fc6", 0]
            loss = tf.reduce_sum(tf.square(network.fc8))
            step = tf.train.GradientDescentOptimizer(1e-6).minimize(loss, var_list=[kernel])
            session.run(tf.global_variables_initializer())
            session.run(step, {rgb: [pixels["tiger"]]})
            results.append(session.run([kernel[::1000], network.fc8], {rgb: [pixels["tiger"]]}))
    os.unlink(path)
    mapped.clear()
    assert np.abs(results[0][0] - seeded("vgg19")["fc6"][0][::1000]).max() > 0
    for constant, mapped_one in zip(results[1], results[0]):
        np.testing.assert_array_equal(constant, mapped_one)
    assert {name.rsplit("/", 1)[1] for name in nodes[0] - nodes[1]} == {"mapped"} and nodes[1] < nodes[0]


def test_making_takes_little_more_memory_than_the_file(home, weight_file):
    path = str(home / "vgg19.npy")
    os.link(weight_file("vgg19"), path)
    code = (
        "import resource, sys; from tensorflow_vgg._weights import mapped\n"
        "before = resource.getrusage(resource.RUSAGE_SELF)\n"
        "mapped.load(sys.argv[1]); after = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print((after.ru_maxrss - before.ru_maxrss) * 1024)"
    )
    grown = int(subprocess.run([sys.executable, "-c", code, path], stdout=subprocess.PIPE, check=True).stdout)
    largest = 25088 * 4096 * 4
    size = os.path.getsize(path)
    os.unlink(path)
    mapped.clear()
    assert grown < size + 2 * largest


def test_what_is_saved_of_mapped_weights_needs_no_cache(thin_file, home):
    loaded = mapped.load(thin_file)
    del loaded["fc8"]
    np.save(str(home / "saved.npy"), loaded)
    with open(str(home / "saved.npy"), "rb") as file:
        assert b"tensorflow_vgg" not in file.read()
    found = weights.read(str(home / "saved.npy"))
    assert found.keys() == loaded.keys() and np.array_equal(found["fc7"][0], loaded["fc7"][0])


def test_a_part_of_a_mapped_array_is_an_ordinary_constant(thin_file):
    kernel = mapped.load(thin_file)["fc7"][0]
    assert kernel.region and kernel.reshape(-1).region
    assert kernel[1:].region is None and kernel.T.region is None and kernel[::-1].region is None


def spoil_manifest(entry, **changes):
    path = os.path.join(entry, "manifest.json")
    with open(path) as file:
        manifest = json.load(file)
    manifest.update(changes)
    with open(path, "w") as file:
        json.dump(manifest, file)


def cut(entry):
    with open(os.path.join(entry, "004.bin"), "r+b") as file:
        file.truncate(os.path.getsize(file.name) // 2)


@pytest.mark.parametrize("spoil", [
    cut,
    lambda entry: os.unlink(os.path.join(entry, "003.bin")),
    lambda entry: os.unlink(os.path.join(entry, "manifest.json")),
    lambda entry: open(os.path.join(entry, "manifest.json"), "w").close(),
    lambda entry: spoil_manifest(entry, version=0),
    lambda entry: spoil_manifest(entry, source={"path": "elsewhere"}),
    lambda entry: spoil_manifest(entry, tensors=[{"layer": "conv1_1"}]),
], ids=["cut", "lost", "no manifest", "empty manifest", "version", "source", "tensors"])  # fmt: skip
def test_a_damaged_cache_is_made_anew(thin_file, spoil):
    expected = weights.read(thin_file)
    assert_mapped(mapped.load(thin_file), expected)
    (entry,) = entries()
    spoil(os.path.join(mapped.folder(), entry))
    assert_mapped(mapped.load(thin_file), expected)
    assert entries() == [entry]


def test_a_changed_file_is_laid_out_again(thin_file, seeded):
    first = mapped.load(thin_file)
    with open(os.path.join(mapped.folder(), entries()[0], "manifest.json")) as file:
        source = json.load(file)["source"]
    assert source["size"] == os.path.getsize(thin_file) and len(source["sha256"]) == 64
    inode = os.stat(first["fc6"][0].filename).st_ino
    assert os.stat(mapped.load(thin_file)["fc6"][0].filename).st_ino == inode  # used, not made again
    other = {name: [layer[0] + 1, layer[1]] for name, layer in seeded("vgg19", thin=True).items()}
    weights.write(thin_file, other)
    os.utime(thin_file, (1, 1))
    assert_mapped(mapped.load(thin_file), other)
    assert len(entries()) == 1


def test_killed_at_any_moment(thin_file):
    """What a killed process leaves is never taken for a cache."""
    expected = weights.read(thin_file)
    code = (
        "import sys; from tensorflow_vgg._weights import mapped; print('ready', flush=True)\n"
        "mapped.load(sys.argv[1]); print('done', flush=True)"
    )

    def start():
        process = subprocess.Popen([sys.executable, "-c", code, thin_file], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        return process

    began = time.time()
    process = start()
    began = time.time()
    assert process.stdout.readline() == b"done\n"
    duration = time.time() - began
    process.communicate()
    killed = 0
    for _ in range(20):
        mapped.clear()
        process = start()
        time.sleep(random.uniform(0, duration))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL and b"done" not in process.stdout.read()
        process.stdout.close()
        for entry in os.listdir(mapped.folder()) if os.path.isdir(mapped.folder()) else []:
            if not entry.startswith("."):  # in place, so it must be whole
                files = os.listdir(os.path.join(mapped.folder(), entry))
                assert "manifest.json" in files and len(files) == 2 * len(expected) + 1
        assert_mapped(mapped.load(thin_file), expected)
        assert len(entries()) == 1
    assert killed >= 5


def test_several_processes_at_once(thin_file):
    code = (
        "import sys; from tensorflow_vgg._weights import mapped; sys.stdin.read()\n"
        "found = mapped.load(sys.argv[1]); print(found['fc6'][0].region, found['fc6'][0].sum())"
    )
    command = [sys.executable, "-c", code, thin_file]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        process.stdin.close()
    outputs = {process.stdout.read() for process in processes}
    assert [process.wait() for process in processes] == [0] * 4
    for process in processes:
        process.stdout.close()
    assert len(outputs) == 1 and len(entries()) == 1


def test_without_room_for_a_cache_there_is_a_warning(thin_file, home):
    code = (
        "import resource, sys; from tensorflow_vgg._weights import mapped\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "print(type(mapped.load(sys.argv[1])['fc6'][0]).__name__)"
    )
    process = subprocess.run([sys.executable, "-c", code, thin_file], capture_output=True, check=True)
    assert process.stdout == b"ndarray\n"
    assert b"weights are not mapped" in process.stderr and b"File too large" in process.stderr
    assert entries() == []


def test_a_cache_folder_that_cannot_be_made(thin_file, home, monkeypatch):
    (home / "file").write_text("")
    monkeypatch.setenv("TENSORFLOW_VGG_HOME", str(home / "file"))
    with pytest.warns(RuntimeWarning, match="weights are not mapped"):
        assert type(mapped.load(thin_file)["fc6"][0]) is np.ndarray


def test_what_cannot_be_mapped(thin_file, home, seeded):
    array = np.zeros(3, np.float32)
    for number, layer in enumerate([[np.zeros(3), np.zeros(3)], 7, {"kernel": array, "biases": array}, [array]]):
        weights.write(f"{thin_file}{number}", {"mine": layer})
        with pytest.warns(RuntimeWarning, match=r"mine is not \[kernel, biases\] in float32"):
            assert set(mapped.load(f"{thin_file}{number}")) == {"mine"}
    (home / "broken.npy").write_bytes(b"")
    with pytest.raises(weights.WeightsError, match=r"broken\.npy: .*an empty file"):
        mapped.load(str(home / "broken.npy"))
    with pytest.raises(ValueError, match="mapped=True: expected the path of a weight file, got a weight dict"):
        vgg19.Vgg19(seeded("vgg19", thin=True), mapped=True)


def test_cache_folders(monkeypatch, tmp_path):
    monkeypatch.setenv("TENSORFLOW_VGG_HOME", str(tmp_path / "home"))
    assert mapped.folder() == str(tmp_path / "home" / "mapped")
    monkeypatch.delenv("TENSORFLOW_VGG_HOME")
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        assert mapped.folder() == str(tmp_path / "cache" / "tensorflow-vgg" / "mapped")


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files as Linux shows them")
def test_a_built_network_keeps_no_file_open(thin_file):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with tf.Graph().as_default():
            network = vgg19.Vgg19(thin_file, mapped=True)
            network.build(tf.placeholder(tf.float32, [None, 224, 224, 3]))
    assert len(os.listdir("/proc/self/fd")) <= before + 2
