"""Mapped weights: the same bits as constants, and a cache that is whole or not used."""

import collections
import contextlib
import copy
import hashlib
import json
import multiprocessing
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings

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
        assert type(found[name]) is type(layer)
        for index in (0, 1):
            assert isinstance(found[name][index], mapped.MappedArray) and mapped.region_of(found[name][index])
            np.testing.assert_array_equal(found[name][index], layer[index])


def entries():
    return [name for name in os.listdir(mapped.folder()) if name != ".lock"]


def entry():
    (name,) = entries()
    return os.path.join(mapped.folder(), name)


def elsewhere(function, *arguments):
    """What a function returns in a process of its own, whose locks end with it."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, arguments)


def load_elsewhere(path, expected):
    """Loads a file in a process of its own; the path of the entry that it used, and what it warned of."""
    return elsewhere(_load, path, expected)


def _load(path, expected):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = mapped.load(path)
    if not caught:
        assert_mapped(found, expected)
    for name, layer in expected.items():
        np.testing.assert_array_equal(found[name][0], layer[0])
    return os.path.dirname(mapped.region_of(found["fc6"][0]) or "") if not caught else None, [
        str(one.message) for one in caught
    ]


@contextlib.contextmanager
def running(path):
    """Within the block another process has loaded a file; gives what asks it for the sum of all weights."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_run, args=(path, child))
    process.start()

    def ask():
        parent.send("sum")
        return parent.recv()

    assert parent.recv() == "ready"
    yield ask
    parent.send("end")
    process.join()


def _run(path, pipe):
    found = mapped.load(path)
    regions = [mapped.region_of(array) for layer in found.values() for array in layer]
    pipe.send("ready")
    while pipe.recv() == "sum":  # as TensorFlow maps the files: by their names, when they are needed
        pipe.send(sum(float(np.fromfile(region, "<f4").sum(dtype=float)) for region in regions))


def sum_of(weight_dict):
    return sum(float(array.sum(dtype=float)) for layer in weight_dict.values() for array in layer)


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
    kinds = dict(nodes[1])
    assert [name for name, _ in nodes[0]] == [name for name, _ in nodes[1] if name in dict(nodes[0])]
    changed = {name.rsplit("/", 1)[1] for name, kind in nodes[0] if kinds[name] != kind}
    assert {"filter", "biases", "weights"} <= changed <= {"filter", "biases", "weights", "kernel", "bias"}
    sources = [name for name, kind in nodes[1] if kind == "ImmutableConst"]
    assert len(sources) == sum(kinds[name] != kind for name, kind in nodes[0])


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
    shutil.rmtree(mapped.folder())
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


def test_only_the_whole_as_it_is_in_the_file_has_a_region(thin_file):
    whole = mapped.load(thin_file, writable=True)["fc7"][0]
    assert mapped.holds(whole) and mapped.region_of(whole.reshape(-1)) == mapped.region_of(whole)
    out = np.empty_like(whole)
    others = {
        "parts": (whole[1:], whole[:, 0], whole[0, 0], whole.T, whole[::-1], np.asarray(whole), whole.view(np.int32)),
        "results": (whole * 2, 1 + whole, -whole, np.abs(whole), np.add(whole, 1, out=out), whole.dot(whole.T), out),
        "copies": (whole.copy(), whole.astype("f4"), whole.astype("f2"), copy.copy(whole), copy.deepcopy(whole)),
        "others": (pickle.loads(pickle.dumps(whole)), np.zeros(3), whole.mean(0), 7),
    }
    for kind, arrays in others.items():
        for array in arrays:
            assert mapped.region_of(array) is None and not mapped.holds(array), kind
    assert {type(array) for array in others["results"][:3]} == {np.ndarray} and type(whole.sum()) is np.float32
    assert repr(whole[0]).startswith("array(")

    same = whole
    whole *= 0.5
    assert whole is same and mapped.region_of(whole) and not mapped.holds(whole)
    whole *= 2
    assert mapped.holds(whole)
    whole[-1, -1] = np.nextafter(whole[-1, -1], np.float32(9))
    assert not mapped.holds(whole)
    assert_mapped(mapped.load(thin_file), weights.read(thin_file))  # the change is the process's own


@pytest.mark.parametrize("kind", [list, tuple, lambda layer: {0: layer[0], 1: layer[1]}, collections.OrderedDict])
def test_containers_are_the_files(home, kind):
    pairs = {"b": [np.ones((2, 3), "f4").T, np.ones(3, "f4")], "a": [np.zeros((2, 1), "f4"), np.ones(1, "f4")]}
    expected = {
        name: kind(enumerate(pair) if kind is collections.OrderedDict else pair) for name, pair in pairs.items()
    }
    weights.write("own.npy", expected)
    for _ in range(2):
        found = mapped.load("own.npy")
        assert list(found) == ["b", "a"]
        assert_mapped(found, expected)


def test_seeded_weights_are_made_once(home):
    expected = weights.seeded("vgg16", 3, thin=True)
    assert_mapped(mapped.seeded("vgg16", 3, thin=True), expected)
    made = os.stat(entry()).st_ino
    found = mapped.seeded("vgg16", 3, thin=True, writable=True)
    assert_mapped(found, expected)
    assert os.stat(entry()).st_ino == made and found["fc6"][1].flags.writeable
    assert [(one.source, one.useful) for one in mapped.entries()] == [("seeded:vgg16:3 thin", True)]


def changed(path, change):
    """Changes a file's bytes, and leaves size and modification time as they are."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        content = bytearray(file.read())
        change(content)
        file.seek(0)
        file.write(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip(content):
    content[len(content) // 2] ^= 1


def zero(content):
    content[:] = bytes(len(content))


def replaced_by(make):
    def spoil(path):
        with open(path, "rb") as file:
            content = file.read()
        os.unlink(path)
        make(path, content)

    return spoil


def link_to_copy(path, content):
    with open(path + ".other", "wb") as file:
        file.write(content)
    os.symlink(path + ".other", path)


def manifest(change):
    """Changes the manifest, and what it says of itself."""

    def spoil(path):
        with open(path) as file:
            content = json.load(file)
        del content["digest"]
        change(content, content["layers"][2]["tensors"][0])
        content["digest"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        with open(path, "w") as file:
            json.dump(content, file)

    return spoil


def text(content):
    return replaced_by(lambda path, _: open(path, "w").write(content))


SPOILT = {
    "cut": ("004.bin", lambda path: os.truncate(path, 8)),
    "lost": ("003.bin", os.unlink),
    "a flipped bit": ("004.bin", lambda path: changed(path, flip)),
    "zeroed": ("024.bin", lambda path: changed(path, zero)),
    "a link to a file of the same size": ("004.bin", replaced_by(link_to_copy)),
    "a pipe": ("004.bin", replaced_by(lambda path, _: os.mkfifo(path))),
    "a folder": ("004.bin", replaced_by(lambda path, _: os.mkdir(path))),
    "no manifest": ("manifest.json", os.unlink),
    "an empty manifest": ("manifest.json", text("")),
    "a manifest of another kind": ("manifest.json", text("[1]")),
    "a manifest too deep": ("manifest.json", text("[" * 100000)),
    "a pipe as manifest": ("manifest.json", replaced_by(lambda path, _: os.mkfifo(path))),
    "a bit of the manifest": ("manifest.json", lambda path: changed(path, flip)),
    "another version": ("manifest.json", manifest(lambda all, one: all.update(version=0))),
    "no layers": ("manifest.json", manifest(lambda all, one: all.pop("layers"))),
    "a path of another place": ("manifest.json", manifest(lambda all, one: one.update(file=os.path.abspath(__file__)))),
    "a path upwards": ("manifest.json", manifest(lambda all, one: one.update(file="../004.bin"))),
    "another shape": ("manifest.json", manifest(lambda all, one: one.update(shape=[2**70, -1]))),
    "another container": ("manifest.json", manifest(lambda all, one: all.update(kind="eval"))),
    "no lock": ("lock", os.unlink),
    "a link as lock": ("lock", replaced_by(lambda path, _: os.symlink("/dev/zero", path))),
}


@pytest.mark.parametrize("way", SPOILT)
def test_a_damaged_cache_is_made_anew(thin_file, way):
    expected = weights.read(thin_file)
    before, _ = load_elsewhere(thin_file, expected)
    name, spoil = SPOILT[way]
    spoil(os.path.join(before, name))
    after, warned = load_elsewhere(thin_file, expected)
    assert after != before and not warned
    assert entry() == after  # nothing is left of the damaged one
    assert load_elsewhere(thin_file, expected) == (after, [])


def test_a_copied_cache_is_checked_and_used(thin_file):
    expected = weights.read(thin_file)
    before, _ = load_elsewhere(thin_file, expected)
    shutil.copytree(before, before + ".copy")
    shutil.rmtree(before)
    assert load_elsewhere(thin_file, expected) == (before + ".copy", [])


def test_a_file_of_the_same_size_and_time_is_laid_out_again(thin_file):
    # Made alike, as a pickle's size also depends on which strings and dtypes are one object.
    weights.write(thin_file, {name: [layer[0] + 0, layer[1]] for name, layer in weights.read(thin_file).items()})
    before, _ = load_elsewhere(thin_file, weights.read(thin_file))
    status = os.stat(thin_file)
    other = {name: [layer[0] + 1, layer[1]] for name, layer in weights.read(thin_file).items()}
    weights.write(thin_file, other)
    os.utime(thin_file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert os.stat(thin_file).st_size == status.st_size and os.stat(thin_file).st_mtime_ns == status.st_mtime_ns
    after, _ = load_elsewhere(thin_file, other)
    assert after != before and entry() == after
    changed(thin_file, flip)
    assert load_elsewhere(thin_file, weights.read(thin_file))[0] != after


def test_a_running_process_keeps_what_it_maps(thin_file):
    """While it runs the file is replaced and loaded by somebody, and the cache is cleared."""
    first = weights.read(thin_file)
    with running(thin_file) as ask:
        other = {name: [layer[0] + 1, layer[1]] for name, layer in first.items()}
        weights.write(thin_file, other)
        load_elsewhere(thin_file, other)
        assert len(entries()) == 2 and [one.useful for one in mapped.entries()].count(False) == 1
        freed, left = elsewhere(mapped.clear)
        assert freed > 0 and len(left) == 1 == len(entries())
        load_elsewhere(thin_file, other)
        assert ask() == sum_of(first)
    load_elsewhere(thin_file, other)
    assert len(entries()) == 1


def test_entries_whose_file_is_gone_go_at_the_next_use(thin_file):
    load_elsewhere(thin_file, weights.read(thin_file))
    os.rename(thin_file, "moved.npy")
    after, _ = load_elsewhere("moved.npy", weights.read("moved.npy"))
    assert entry() == after and [one.source for one in mapped.entries()] == [os.path.abspath("moved.npy")]


def test_clear_removes_nothing_but_entries(thin_file):
    load_elsewhere(thin_file, weights.read(thin_file))
    for name in ("mine", "f" * 32 + "-12345678"):
        os.mkdir(os.path.join(mapped.folder(), name))
        open(os.path.join(mapped.folder(), name, "manifest.json"), "w").close()
    os.symlink(os.path.dirname(thin_file), os.path.join(mapped.folder(), "link"))
    open(os.path.join(mapped.folder(), "note.txt"), "w").close()
    freed, left = elsewhere(mapped.clear)
    assert freed > 1e6 and left == []
    assert sorted(entries()) == sorted(["mine", "f" * 32 + "-12345678", "link", "note.txt"])
    assert os.path.exists(thin_file)


# Others on the same machine.


def test_folders_are_the_users_alone(thin_file):
    folder = mapped.folder()
    os.mkdir(folder)
    os.chmod(folder, 0o777)  # others may have put something there
    load_elsewhere(thin_file, weights.read(thin_file))
    assert os.stat(folder).st_mode & 0o777 == 0o755 and os.stat(entry()).st_mode & 0o777 == 0o700
    before = entry()
    os.chmod(before, 0o770)  # now its group can
    assert load_elsewhere(thin_file, weights.read(thin_file))[0] != before


def test_a_planted_lock_empties_no_file(thin_file):
    os.mkdir(mapped.folder())
    os.symlink(thin_file, os.path.join(mapped.folder(), ".lock"))
    expected = weights.read(thin_file)
    _, warned = load_elsewhere(thin_file, expected)
    assert len(warned) == 1 and "weights are not mapped" in warned[0]


def _load_as(user, path, expected):
    os.setuid(user)
    return _load(path, expected)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else")
def test_of_others_only_roots_cache_is_used(seeded, monkeypatch):
    with tempfile.TemporaryDirectory() as folder:
        path, own = os.path.join(folder, "vgg19.npy"), os.path.join(folder, "own")
        os.mkdir(own)
        os.chmod(own, 0o777)
        os.chmod(folder, 0o755)
        monkeypatch.setenv("TENSORFLOW_VGG_HOME", folder)
        monkeypatch.setenv("XDG_CACHE_HOME", own)
        expected = seeded("vgg19", thin=True)
        weights.write(path, expected)
        os.chmod(path, 0o644)
        shared, _ = load_elsewhere(path, expected)
        tree = [mapped.folder(), shared, *(os.path.join(shared, name) for name in os.listdir(shared))]
        for part in tree:
            os.chmod(part, 0o755)
        assert elsewhere(_load_as, 12345, path, expected) == (shared, [])
        for part in tree[1:]:
            os.chown(part, 54321, 54321)
        used, warned = elsewhere(_load_as, 12345, path, expected)
        assert not warned and used.startswith(own)
        shutil.rmtree(os.path.join(own, "tensorflow-vgg"))
        os.chown(mapped.folder(), 54321, 54321)
        used, warned = load_elsewhere(path, expected)
        assert not warned and used.startswith(own)


def test_without_a_home_folder_none_is_made_up(thin_file, home, monkeypatch):
    expected = weights.read(thin_file)
    for variable in ("TENSORFLOW_VGG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", "~")  # as expanduser has it for a user that the system does not know
    _, (warned,) = load_elsewhere(thin_file, expected)
    assert "no home folder" in warned and os.listdir(str(home)) == ["vgg19.npy"]
    assert len(weights.search_folders()) == 2
    with pytest.raises(FileNotFoundError, match="no home folder"):
        weights.data_folder()


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
        elsewhere(mapped.clear)
        process = start()
        time.sleep(random.uniform(0, duration))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL and b"done" not in process.stdout.read()
        process.stdout.close()
        for entry in os.listdir(mapped.folder()) if os.path.isdir(mapped.folder()) else []:
            if not entry.startswith("."):  # in place, so it must be whole
                files = os.listdir(os.path.join(mapped.folder(), entry))
                assert {"manifest.json", "lock"} < set(files) and len(files) == 2 * len(expected) + 2
        load_elsewhere(thin_file, expected)
        assert len(entries()) == 1
    assert killed >= 5


def test_several_processes_at_once(thin_file):
    code = (
        "import sys; from tensorflow_vgg._weights import mapped; sys.stdin.read()\n"
        "found = mapped.load(sys.argv[1]); print(mapped.region_of(found['fc6'][0]), found['fc6'][0].sum())"
    )
    command = [sys.executable, "-c", code, thin_file]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(8)]
    for process in processes:
        process.stdin.close()
    outputs = {process.stdout.read() for process in processes}
    assert [process.wait() for process in processes] == [0] * 8
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
    pair = [np.zeros(3, np.float32), np.zeros(3, np.float32)]
    others = [[array.astype(float) for array in pair], 7, dict(zip("ab", pair)), pair[:1], pair * 2, np.array(pair), {}]
    for number, layer in enumerate([*others, [np.zeros(0, np.float32)] * 2, {0: pair[0], "1": pair[1]}]):
        weights.write(f"{thin_file}{number}", {"fc6": pair, "mine": layer})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert type(mapped.load(f"{thin_file}{number}")["fc6"][0]) is np.ndarray
    pair = [np.ones((9, 99), "f4")] * 2
    weights.write("many.npy", {f"layer{number}": pair for number in range(99)})
    assert os.path.getsize("many.npy") < 10000 and type(mapped.load("many.npy")["layer98"][1]) is np.ndarray
    assert entries() == []
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
