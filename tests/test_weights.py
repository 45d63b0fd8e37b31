"""Weight files: every generation of Python and NumPy, broken and hostile ones, and what is written."""

import collections
import glob
import io
import os
import pickle
import resource
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import GOLDEN

import tensorflow_vgg
from tensorflow_vgg import weights

FORMATS = sorted(glob.glob(os.path.join(GOLDEN, "formats", "*.npy")))


def three_layers():
    """What all six files of golden/formats hold, by their README."""
    random = np.random.RandomState(5)
    result = {}
    for name, shape in (("conv1_1", (3, 3, 3, 2)), ("conv1_2", (3, 3, 2, 2)), ("fc8", (6, 5))):
        kernel = random.standard_normal(shape).astype(np.float32)
        result[name] = [kernel, random.standard_normal(shape[-1]).astype(np.float32)]
    return result


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name in expected:
        for index in (0, 1):
            assert type(found[name][index]) is np.ndarray
            assert found[name][index].dtype == expected[name][index].dtype
            assert found[name][index].flags.writeable
            np.testing.assert_array_equal(found[name][index], expected[name][index])


@pytest.mark.parametrize("path", FORMATS, ids=os.path.basename)
def test_reads_files_of_every_generation(path):
    found = weights.read(path)
    assert_same(found, three_layers())
    assert {type(layer) for layer in found.values()} == {dict if "_dict" in path else list}


@pytest.mark.parametrize("encoding", ["ASCII", "latin1"])
@pytest.mark.parametrize("pair", [list, tuple, lambda layer: {0: layer[0], 1: layer[1]}])
def test_plain_numpy_loads_what_is_written(tmp_path, encoding, pair):
    path = str(tmp_path / "weights.npy")
    expected = {name: pair(layer) for name, layer in three_layers().items()}
    expected["conv1_1"][0].setflags(write=True)
    weights.write(path, expected)
    assert_same(np.load(path, allow_pickle=True, encoding=encoding).item(), expected)
    assert_same(weights.read(path), expected)
    assert os.listdir(str(tmp_path)) == ["weights.npy"]


def test_what_is_written_names_nothing_private(tmp_path):
    """NumPy 2 names numpy._core, which NumPy 1.16 does not have, and that is what upstream's users have."""
    path = str(tmp_path / "weights.npy")
    # A transposed array and an empty one: not every array is in C order, or has bytes.
    weights.write(path, {"fc8": [np.arange(6, dtype=np.float32).reshape(2, 3).T, np.zeros(0, np.float32)]})
    named = []

    class Names(pickle.Unpickler):
        def find_class(self, module, name):
            named.append((module, name))
            return super().find_class(module, name)

    with open(path, "rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        array = Names(file).load()
    assert set(named) == {("numpy", "ndarray"), ("numpy", "dtype")}
    np.testing.assert_array_equal(array.item()["fc8"][0], [[0, 3], [1, 4], [2, 5]])


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = str(tmp_path / "weights.npy")
    weights.write(path, three_layers())
    with pytest.raises(Exception, match=r"pickle|local object"):  # as Python up to 3.12 says it, and since
        weights.write(path, {"conv1_1": [lambda: None, 1]})
    assert_same(weights.read(path), three_layers())
    assert os.listdir(str(tmp_path)) == ["weights.npy"]


def test_writing_through_a_symbolic_link_keeps_it(tmp_path):
    target, link = tmp_path / "target.npy", tmp_path / "link.npy"
    target.write_bytes(b"old")
    link.symlink_to(target)
    weights.write(str(link), three_layers())
    assert link.is_symlink()
    assert_same(weights.read(str(target)), three_layers())


def test_replacing_keeps_the_mode_and_leaves_nothing_behind(tmp_path):
    old, new = tmp_path / "old.npy", tmp_path / "new.npy"
    old.write_bytes(b"old")
    old.chmod(0o640)
    mask = os.umask(0o027)
    try:
        for path in (old, new):
            with weights.replacing(str(path)) as file, weights.replacing(str(path)) as other:  # two at once
                file.write(b"1")
                other.write(b"22")
            assert path.read_bytes() == b"1" and path.stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(mask)
    for error in (KeyboardInterrupt, OSError, ValueError):
        with pytest.raises(error), weights.replacing(str(old)) as file:
            file.write(b"3")
            raise error
    assert old.read_bytes() == b"1" and sorted(os.listdir(str(tmp_path))) == ["new.npy", "old.npy"]
    with pytest.raises(OSError, match=r"none/new\.npy'"), weights.replacing(str(tmp_path / "none" / "new.npy")):
        pass


# What is no weight file.


def npy(pickled):
    """A .npy file of an object array whose pickle is `pickled`."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    return file.getvalue() + pickled


def refuse(tmp_path, content, match):
    path = tmp_path / "vgg19.npy"
    path.write_bytes(content)
    with pytest.raises(weights.WeightsError, match=match) as caught:
        weights.read(str(path))
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))


@pytest.mark.parametrize(("content", "match"), [
    (b"", "an empty file"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 574670860\n", "git lfs pull"),
    (b"\n<!DOCTYPE html>\n<html>not found</html>", "a web page"),
    (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file"),
    (b"PK\x03\x04" + bytes(40), "a zip archive"),
    (b"\x93NUMPZ" + bytes(40), r"got a file that begins with b'\\x93NUMPZ"),
    (b"\x93NUMPY\x09\x00" + bytes(40), "damaged"),
    (npy(b""), "cut short"),
    (npy(pickle.dumps([1, 2])), "expected a dict of layers, got list"),
    (npy(pickle.dumps({"conv1_1": 1})[:-5]), "cut short"),
    (npy(b"\x80\x03\xff."), "damaged"),
])  # fmt: skip
def test_broken_files(tmp_path, content, match):
    refuse(tmp_path, content, match)


def test_an_array_that_is_no_dict(tmp_path):
    file = io.BytesIO()
    np.save(file, np.zeros((3, 4)))
    refuse(tmp_path, file.getvalue(), r"expected a dict of layers, got an array of float64, shape \(3, 4\)")


@pytest.mark.parametrize("path", FORMATS, ids=os.path.basename)
def test_cut_short_anywhere(tmp_path, path):
    with open(path, "rb") as file:
        content = file.read()
    for size in range(130, len(content), 37):
        refuse(tmp_path, content[:size], "cut short|damaged")


# Pickles that want to run code. `touch` would leave a file behind.


class Call:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def raw(*opcodes):
    return b"\x80\x02" + b"".join(opcodes) + b"."


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
DTYPE = b"cnumpy\ndtype\n"
# A dtype "O8" whose flags, from the pickle, deny that its bytes are pointers.
LYING_DTYPE = (
    DTYPE + b"(X\x02\x00\x00\x00O8K\x00K\x01tR"
    b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)  # fmt: skip

HOSTILE = {
    "os.system": lambda mark: pickle.dumps(Call(os.system, f"touch {mark}")),
    "builtins.eval": lambda mark: pickle.dumps(Call(eval, f"open({mark!r}, 'w')")),
    "subprocess in a dict": lambda mark: pickle.dumps({"conv1_1": [Call(subprocess.call, ["touch", mark]), 0]}),
    "open in nested containers": lambda mark: pickle.dumps({"a": [({"b": [Call(open, mark, "w")]},)]}),
    "a dict key": lambda mark: pickle.dumps({Call(open, mark, "w"): 1}, protocol=2),
    "numpy's own file functions": lambda mark: raw(
        b"cnumpy\nsavetxt\n(X", struct.pack("<I", len(mark)), mark.encode(), b"]K\x01atR"
    ),
    "dotted name": lambda mark: (
        b"\x80\x04\x8c\x05numpy\x8c\x0btesting.sys\x93."
    ),
    "INST of protocol 0": lambda mark: f"(S'touch {mark}'\nios\nsystem\n.".encode(),
    "OBJ of protocol 1": lambda mark: f"(cos\nsystem\nS'touch {mark}'\no.".encode(),
    "NEWOBJ of an allowed name": lambda mark: raw(NDARRAY, b"(K\x01t\x81"),
    "an extension code": lambda mark: raw(b"\x82\x01"),
    "a persistent id": lambda mark: raw(b"K\x01Q"),
    "an allowed codec function, another codec": lambda mark: raw(
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x04\x00\x00\x00zliItR".replace(b"zliI", b"zlib")
    ),
    "another class for _reconstruct": lambda mark: raw(RECONSTRUCT, b"(cos\nsystem\n(K\x00tC\x01btR"),
    "_reconstruct of dtype": lambda mark: raw(RECONSTRUCT, b"(", DTYPE, b"(K\x00tC\x01btR"),
    "setting attributes of an allowed function": lambda mark: raw(RECONSTRUCT, b"}X\x01\x00\x00\x00aK\x01sb"),
    "setting slots of an allowed function": lambda mark: raw(NDARRAY, b"N}X\x01\x00\x00\x00aK\x01s\x86b"),
    "bytes as pointers": lambda mark: raw(
        RECONSTRUCT, b"(", NDARRAY, b"K\x00\x85C\x01btR(K\x01K\x01\x85", LYING_DTYPE, b"\x89C\x08AAAAAAAAtb"
    ),
    "a dtype made of Python objects": lambda mark: raw(
        RECONSTRUCT, b"(", NDARRAY, b"K\x00\x85C\x01btR(K\x01K\x01\x85K\x07\x89C\x08AAAAAAAAtb"
    ),
    "a structured dtype": lambda mark: pickle.dumps(np.zeros(2, [("a", "O"), ("b", "f4")]), protocol=2),
    "data shorter than its shape": lambda mark: raw(
        RECONSTRUCT, b"(", NDARRAY, b"K\x00\x85C\x01btR(K\x01J\xff\xff\xff\x7f\x85", DTYPE,
        b"(X\x02\x00\x00\x00f4K\x00K\x01tR\x89C\x08AAAAAAAAtb"
    ),
    "a negative size": lambda mark: raw(
        RECONSTRUCT, b"(", NDARRAY, b"K\x00\x85C\x01btR(K\x01J\xff\xff\xff\xff\x85", DTYPE,
        b"(X\x02\x00\x00\x00f4K\x00K\x01tR\x89C\x00tb"
    ),
    "an array that was never filled": lambda mark: raw(RECONSTRUCT, b"(", NDARRAY, b"K\x00\x85C\x01btR"),
    "a list that holds itself": lambda mark: raw(b"]q\x00h\x00a"),
    "an allowed function as a value": lambda mark: raw(b"}X\x01\x00\x00\x00a", NDARRAY, b"s"),
}  # fmt: skip


@pytest.mark.parametrize("way", HOSTILE)
def test_hostile_pickles_run_nothing(tmp_path, way):
    mark = tmp_path / "mark"
    pickled = HOSTILE[way](str(mark))
    refuse(tmp_path, npy(pickled), "refused|expected|damaged|has data of another size")
    assert not mark.exists()
    # Nothing the pickle did lasts: a good file reads as before.
    assert_same(weights.read(FORMATS[0]), three_layers())


# Small files that ask for much.

BIG = struct.pack("<I", 1 << 28)
SHARED_BYTES = b"T" + struct.pack("<I", 1 << 20) + bytes(1 << 20) + b"q\x00"
ONE_ARRAY = (
    RECONSTRUCT + b"(" + NDARRAY + b"K\x00\x85C\x01btR(K\x01(J" + struct.pack("<I", 1 << 20) + b"t"
    + DTYPE + b"(X\x02\x00\x00\x00u1K\x00K\x01tR\x89h\x00tb"
)  # fmt: skip

GREEDY = {
    "a tuple a million deep as a key": b"}N" + b"\x85" * 10**6 + b"Ns.",
    "a tuple a million deep as a value": b"}K\x01N" + b"\x85" * 10**6 + b"s.",
    "a tuple of two, forty times over, as a key": b"}N" + b"2\x86" * 40 + b"Ns.",
    "a tuple of two, forty times over, in a set": b"\x8f(N" + b"2\x86" * 40 + b"\x90.",
    "a tuple of two, forty times over, in a frozenset": b"(N" + b"2\x86" * 40 + b"\x91.",
    "a tuple of two, forty times over, for set()": b"cbuiltins\nset\n]N" + b"2\x86" * 40 + b"a\x85R.",
    "a memo of 4 GB": b"}Nr" + BIG + b"Ns.",
    "a memo by a number of many digits": b"Np" + b"9" * 10**6 + b"\n.",
    "a string of 4 GB": b"}T\xff\xff\xff\xffabc.",
    "bytes of an exabyte": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"abc.",
    "a number of a million digits": b"}L" + b"9" * 10**6 + b"L\nNs.",
    "a number of a million bytes": b"}\x8b" + struct.pack("<I", 10**6) + b"\x7f" * 10**6 + b"Ns.",
    "int() of a million digits": b"cbuiltins\nint\nX" + struct.pack("<I", 10**6) + b"9" * 10**6 + b"\x85R.",
    "a million lists": b"(" + b"]" * 10**6 + b"l.",
    "a million sets": b"(" + b"\x8f" * 10**6 + b"l.",
    "the bytes of one array in a thousand": SHARED_BYTES + b"](" + ONE_ARRAY * 1000 + b"e.",
    "a long list for a thousand sets": (
        b"](" + b"K\x01" * 10**5 + b"eq\x00](" + b"cbuiltins\nset\nh\x00\x85R" * 1000 + b"e."
    ),
    "a shape of many dimensions": raw(
        RECONSTRUCT, b"(", NDARRAY, b"K\x00\x85C\x01btR(K\x01(", b"K\x02" * 10**5, b"t",
        DTYPE, b"(X\x02\x00\x00\x00f4K\x00K\x01tR\x89C\x00tb",
    ),
    "a size of many digits": raw(
        RECONSTRUCT, b"(", NDARRAY, b"K\x00\x85C\x01btR(K\x01\x8a\xff" + b"\x7f" * 255 + b"\x85",
        DTYPE, b"(X\x02\x00\x00\x00f4K\x00K\x01tR\x89C\x00tb",
    ),
    "an array in an array, fifty thousand times": (
        b"\x80\x02" + RECONSTRUCT + b"q\x00(" + NDARRAY + b"K\x00\x85C\x01btq\x01K\x01\x85q\x02"
        + DTYPE + b"(X\x02\x00\x00\x00O8K\x00K\x01tR(K\x03X\x01\x00\x00\x00|NNNK\x00K\x00K\x00tbq\x03Nq\x04}("
        + b"".join(b"M" + struct.pack("<H", number) + b"h\x00h\x01R(K\x01h\x02h\x03\x89]h\x04atbq\x04"
                   for number in range(50000))
        + b"u."
    ),
    "keys that all have one hash": (
        b"}(" + b"".join(b"\x8a\x0a" + (number * sys.hash_info.modulus).to_bytes(10, "little") + b"N"
                        for number in range(1, 10**5)) + b"u."
    ),
    "keys that are no number": b"}(" + b"G\x7f\xf8\x00\x00\x00\x00\x00\x00N" * 10**5 + b"u.",
    "a long name": b"c" + b"m" * 10**6 + b"\nsystem\n.",
    "a long name by strings": b"X" + struct.pack("<I", 10**6) + b"m" * 10**6 + b"X\x01\x00\x00\x00a\x93.",
    "a name with control characters": b"X\x03\x00\x00\x00a\x1b[X\x01\x00\x00\x00\n\x93.",
    "a long dtype": DTYPE + b"(X" + struct.pack("<I", 10**6) + b"x" * 10**6 + b"K\x00K\x01tR.",
    "a long codec": b"c_codecs\nencode\n(X\x01\x00\x00\x00aX" + struct.pack("<I", 10**6) + b"z" * 10**6 + b"tR.",
}  # fmt: skip


@pytest.mark.parametrize("way", GREEDY)
def test_greedy_pickles_get_nothing(tmp_path, way):
    """Refused in a moment, by a line that a terminal can show, whatever memory and time they ask for."""
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(tmp_path, npy(GREEDY[way]), r"\A.{,400}\Z")
    assert time.process_time() - began < 5 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10


def test_a_header_of_4_gb(tmp_path):
    refuse(tmp_path, b"\x93NUMPY\x02\x00\xff\xff\xff\xff{" + bytes(100), "header too long")


def test_what_is_no_file(tmp_path):
    os.mkfifo(str(tmp_path / "pipe.npy"))
    with pytest.raises(weights.WeightsError, match="got a pipe or device"):
        weights.read(str(tmp_path / "pipe.npy"))


def test_other_objects_are_read_as_numpy_does(tmp_path):
    """What scripts save beside weights, in the protocols that NumPy has written."""
    ordered = collections.OrderedDict([("b", 1), ("a", [1.5, None, True])])
    defaults = collections.defaultdict(list, {"x": [np.float32(2.5), np.arange(3)]})
    text = np.array(["\u00e9", "abc"])
    values = [
        1,
        -(2**70),
        2.5,
        1j,
        "\u00e9\n'",
        b"\x00\xff",
        (),
        (1, (2,)),
        {1: "a", b"b": {}},
        {1, 2},
        frozenset("a"),
    ]
    values += [
        ordered,
        defaults,
        np.float64(3),
        np.str_("s"),
        np.array([[1, "x"], [None, {}]], object),
        text,
        np.array(5),
    ]
    for protocol in range(5):
        for value in values:
            found = weights.read_objects(io.BytesIO(pickle.dumps(value, protocol)), "it", bare=True, keep_bytes=True)
            assert type(found) is type(value) and repr(found) == repr(value), protocol
    assert weights.read_objects(io.BytesIO(pickle.dumps(defaults)), "it", bare=True)["new"] == []
    large = np.random.RandomState(0).standard_normal(1 << 20).astype(np.float32)
    for protocol in range(5):
        found = weights.read_objects(io.BytesIO(pickle.dumps([large, large + 1], protocol)), "it", bare=True)
        assert np.array_equal(found, [large, large + 1]), protocol


@pytest.mark.parametrize("path", FORMATS, ids=os.path.basename)
def test_a_hostile_call_in_each_format(tmp_path, path):
    """The first thing each format's pickle would call, exchanged for os.system."""
    with open(path, "rb") as file:
        content = file.read()
    at = content.index(b"multiarray")
    start = content.rindex(b"numpy", 0, at)
    end = content.index(b"_reconstruct") + len(b"_reconstruct")
    if content[start - 1 : start] == b"c":
        content = content[:start] + b"os\nsystem" + content[end:]
    else:  # protocol 4: two short strings, each with its length
        content = content.replace(b"_reconstruct", b"setbufsize\x00\x00")
    refuse(tmp_path, content, "refused|damaged|cut short")


# What the file must hold.


def test_check_names_the_first_fault(seeded):
    thin = seeded("vgg19", thin=True, attention=True)
    weights.check(thin, "vgg19", thin=True)
    weights.check(seeded("vgg16", thin=True), "vgg16", thin=True)

    def fault(message, thin_too=True, **changes):
        changed = {**thin, **changes}
        changed = {name: layer for name, layer in changed.items() if layer is not None}
        with pytest.raises(weights.WeightsError) as caught:
            weights.check(changed, "vgg19", "vgg19.npy", thin=thin_too)
        assert str(caught.value) == "vgg19.npy: " + message

    kernel, biases = thin["conv1_1"]
    spoilt = kernel.copy()
    spoilt[1, 2, 0, 1] = np.nan
    fault("conv1_1 kernel: expected (3, 3, 3, 64), got (3, 3, 3, 2)", thin_too=False)
    fault("conv1_1 kernel: expected (3, 3, 3, 2), got (3, 3, 1, 2)", conv1_1=[kernel[:, :, :1], biases])
    fault("conv1_1 biases: expected (2,), got (1,)", conv1_1=[kernel, biases[:1]])
    fault("conv1_1 biases: missing; expected (2,)", conv1_1=[kernel])
    fault("conv1_1 kernel: expected float32, got float64", conv1_1=[kernel.astype(float), biases])
    fault("conv1_1 kernel: expected finite values, got nan at (1, 2, 0, 1) (1 such values)", conv1_1=[spoilt, biases])
    fault("conv1_1: expected [kernel, biases], got int", conv1_1=7)
    fault("conv1_1 kernel: expected 4 dimensions, got (2,)", conv1_1=[biases, biases])
    fault("conv3_4 is missing; it has 18 of the 19 layers of vgg19", conv3_4=None)
    fault("conv3_4 is missing; this is a file of vgg16", conv3_4=None, conv4_4=None, conv5_4=None)
    fault("fc6 kernel: expected (784, 4096), got (784, 64)", fc6=[thin["fc6"][0][:, :64], thin["fc6"][1]])
    fault(
        "expected all three layers of the attention block or none, got cbam/fc_1, cbam/spatial_attention_conv "
        "without cbam/fc_2",
        **{"cbam/fc_2": None},
    )
    fault("cbam/fc_1 kernel: expected (16, 4), got (8, 4)", **weights.seeded_attention(8))


def test_seeded_weights_follow_the_recipe():
    """The recipe of golden/README.md written out for the first layer and the first of fc8."""
    random = np.random.RandomState(7)
    kernel = (random.standard_normal((3, 3, 3, 64)) * np.sqrt(2 / 27)).astype(np.float32)
    biases = (random.standard_normal(64) * 0.1).astype(np.float32)
    found = weights.seeded("vgg16", 7, thin=False)
    np.testing.assert_array_equal(found["conv1_1"][0], kernel)
    np.testing.assert_array_equal(found["conv1_1"][1], biases)
    assert {name: layer[0].shape for name, layer in found.items()} == weights.KERNEL_SHAPES["vgg16"]
    assert abs(found["fc8"][0].std() / (np.sqrt(2 / 4096) * 0.05) - 1) < 1e-3


def test_where_files_are_looked_for(home, monkeypatch):
    folders = weights.search_folders()
    package = os.path.dirname(os.path.abspath(tensorflow_vgg.__file__))
    assert folders == [str(home), package, str(home), weights.data_folder()]
    monkeypatch.delenv("TENSORFLOW_VGG_HOME")
    with pytest.raises(FileNotFoundError) as caught:
        weights.find("vgg7.npy")
    for folder in (package, str(home), weights.data_folder()):
        assert folder in str(caught.value)
    data = weights.data_folder()
    os.makedirs(data)
    for folder in (data, str(home)):  # the later is found before the earlier
        open(os.path.join(folder, "vgg7.npy"), "w").close()
        assert weights.find("vgg7.npy") == os.path.join(folder, "vgg7.npy")


def test_reading_loads_no_tensorflow():
    code = f"import sys; from tensorflow_vgg import weights; weights.read({FORMATS[0]!r}); print(*sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    assert not {"tensorflow", "skimage"} & set(output)


@pytest.mark.parametrize("start", ["pass-through", "open", "glorot"])
def test_the_block_is_the_same_in_weight_files_and_in_attention(start):
    """Names, shapes and starts stand twice, since attention.py stands alone. Glorot's numbers are random."""
    import tensorflow.compat.v1 as tf

    import attention

    layers = {}
    with tf.Graph().as_default(), tf.Session() as session:
        attention.convolutional_block_attention_module(tf.placeholder(tf.float32, [1, 2, 2, 10]), 0, start=start)
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():
            layer, _, _ = variable.op.name.rpartition("/")
            layers.setdefault(layer, []).append(session.run(variable))  # the kernel is made before its bias
    expected = weights.attention_start(10, start)
    assert list(layers) == list(expected) == list(weights.ATTENTION_LAYERS)
    for name, layer in expected.items():
        for found, array in zip(layers[name], layer):
            assert found.shape == array.shape and found.any() == array.any()
            if array.ndim == 1 or not array.any():
                np.testing.assert_array_equal(found, array)
