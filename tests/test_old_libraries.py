"""What scripts of TensorFlow 1 see of TensorFlow, NumPy, scikit-image and Matplotlib, in this process."""

import gzip
import itertools
import operator
import os
import pickle
import re
import shutil
import sys
import zipfile

import numpy as np
import pytest
from conftest import GOLDEN

from tensorflow_vgg._run.imports import import_module
from tensorflow_vgg._run.numpy_load import load_of

IS_TF1 = sys.version_info < (3, 8)


@pytest.fixture
def script(tmp_path):
    """script(text): the module of this text, imported as a script's own are. No two have one name."""
    numbers = itertools.count()

    def imported(text):
        name = f"script_{next(numbers)}"
        (tmp_path / f"{name}.py").write_text(text)
        return import_module(name, str(tmp_path))

    return imported


# TensorFlow.


OLD_NAMES = (
    "audio_summary batch_matmul complex_abs histogram_summary image.per_image_whitening inv listdiff mul "
    "neg nn.rnn pack scalar_summary select sub train.SummaryWriter unpack"
)


@pytest.mark.parametrize("name", OLD_NAMES.split())
def test_what_takes_the_place_of_a_name_is_said(script, name):
    tf = pytest.importorskip("tensorflow.compat.v1")
    module = script(f"import tensorflow as tf\ndef use():\n    return tf.{name}\n")
    with pytest.raises(AttributeError) as error:
        module.use()
    line, said, new = re.fullmatch(
        r".*script_0\.py:(\d+): tf\.(\S+) is not in .*; today it is tf\.(\S+)", str(error.value)
    ).groups()
    assert (line, said) == ("3", name)
    assert operator.attrgetter(new)(tf)


@pytest.mark.skipif(IS_TF1, reason="TensorFlow 1 has tf.contrib")
def test_what_is_gone_is_named_with_the_scripts_line(script, tmp_path):
    (tmp_path / "helper.py").write_text("import cPickle\n")
    module = script(
        "import tensorflow as tf\nassert not hasattr(tf.contrib, 'crf')\n"
        "try:\n    from tensorflow.contrib import crf\nexcept ImportError as error:\n    said = [str(error)]\n"
        "try:\n    tf.contrib.rnn.LSTMBlockCell(3)\nexcept AttributeError as error:\n    said.append(str(error))\n"
        "try:\n    import helper\nexcept ImportError as error:\n    said.append(str(error))\n"
        "try:\n    from scipy.misc import face\nexcept ImportError as error:\n    said.append(str(error))\n"
    )
    assert re.search(
        r"script_0\.py:4: tf\.contrib\.crf is gone with TensorFlow 1; of tf\.contrib live on: data", module.said[0]
    )
    assert re.search(
        r"py:8: tf\.contrib\.rnn\.LSTMBlockCell is gone .*; tf\.contrib\.rnn is tf\.nn\.rnn_cell and", module.said[1]
    )
    assert module.said[2] == "No module named 'cPickle'; today it is pickle"
    assert re.search(r"script_0\.py:16: scipy\.misc\.face is not in .*; today it is scipy\.datasets", module.said[3])


@pytest.mark.skipif(IS_TF1, reason="TensorFlow 1 has tf.contrib")
@pytest.mark.parametrize("call", ["layers.dense", "contrib.layers.flatten", "contrib.slim.flatten"])
def test_without_the_extra_the_error_names_it(script, monkeypatch, call):
    for name in [*sys.modules, "tf_slim", "tf_keras"]:
        if name.partition(".")[0] in ("tf_slim", "tf_keras"):
            monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"script_0\.py:2: tf\..*: pip install '\.\[legacy\]' in a checkout"):
        script(f"import tensorflow as tf\ntf.{call}\n")
    script("import tensorflow as tf\ntf.contrib.framework.nest, tf.contrib.framework.get_name_scope()\n")


def test_framework_of_contrib(script, tmp_path, monkeypatch):
    tf = pytest.importorskip("tensorflow.compat.v1")
    pytest.importorskip("tensorflow.contrib.slim" if IS_TF1 else "tf_slim")
    monkeypatch.chdir(tmp_path)
    module = script(
        "import tensorflow as tf\nimport tensorflow.contrib.framework as framework\n"
        "from tensorflow.contrib.framework import nest, add_arg_scope, get_or_create_global_step\n"
        "from tensorflow.contrib.framework.python.ops import arg_scope\n"
        "from tensorflow.contrib.framework.python.ops import variables\n"
        "slim = tf.contrib.slim\n\n\n"
        "@add_arg_scope\ndef scaled(x, by=1):\n    return x * by\n\n\n"
        "def build():\n"
        "    step = get_or_create_global_step()\n"
        "    assert variables.get_global_step() is step and framework.get_global_step() is step\n"
        "    with tf.name_scope('outer'):\n        found = [framework.get_name_scope()]\n"
        "    with arg_scope([scaled], by=3), arg_scope([slim.conv2d], padding='VALID'):\n"
        "        found.append(scaled(2))\n"
        "        net = slim.conv2d(tf.zeros([1, 8, 8, 3]), 2, [3, 3], scope='a')\n"
        "        framework.model_variable('b/w', [2])\n"
        "    found.append(net.shape.as_list())\n"
        "    found.append([v.op.name for v in framework.get_variables('a')])\n"
        "    found.append([v.op.name for v in framework.get_variables_to_restore(exclude=['a', 'global_step'])])\n"
        "    with tf.Session() as session:\n"
        "        session.run(tf.global_variables_initializer())\n"
        "        tf.train.Saver().save(session, './saved')\n"
        "        w = framework.get_unique_variable('b/w')\n"
        "        session.run(tf.assign(w, [1., 2.]))\n"
        "        framework.assign_from_checkpoint_fn('./saved', framework.get_model_variables('b'))(session)\n"
        "        same = framework.load_variable('./saved', 'b/w') == session.run(w)\n"
        "    found.append(bool(same.all()))\n"
        "    found.append(sorted(framework.list_variables('./saved')))\n"
        "    found.append(framework.load_checkpoint('./saved').has_tensor('a/biases'))\n"
        "    return found + [nest.flatten([1, [2, (3,)]])]\n"
    )
    with tf.Graph().as_default():
        assert module.build() == [
            "outer",
            6,
            [1, 6, 6, 2],
            ["a/weights", "a/biases"],
            ["b/w"],
            True,
            [("a/biases", [2]), ("a/weights", [3, 3, 3, 2]), ("b/w", [2]), ("global_step", [])],
            True,
            [1, 2, 3],
        ]


def test_parts_of_contrib(script, tmp_path, monkeypatch):
    """Figures of TensorFlow 1.15.5."""
    tf = pytest.importorskip("tensorflow.compat.v1")
    pytest.importorskip("tensorflow.contrib.slim" if IS_TF1 else "tf_slim")
    (tmp_path / "words.txt").write_text("cat\ndog\n")
    monkeypatch.chdir(tmp_path)
    module = script(
        "import tensorflow as tf\nfrom tensorflow.contrib import rnn\nfrom tensorflow.contrib.rnn import LSTMCell\n"
        "from tensorflow.contrib.data import batch_and_drop_remainder, map_and_batch\n"
        "from tensorflow.contrib.losses import metric_learning\n"
        "from tensorflow.contrib.lookup import HashTable, KeyValueTensorInitializer, index_table_from_file\n"
        "from tensorflow.contrib.metrics.python.ops import metric_ops\n"
        "from tensorflow.contrib.slim.nets import vgg\nfrom tensorflow.contrib.util import constant_value\n"
        "def build():\n"
        "    data = tf.data.Dataset.range(7).apply(map_and_batch(lambda x: x * 2, 2))\n"
        "    data = data.apply(batch_and_drop_remainder(3))\n"
        "    x = tf.reshape(tf.to_float(data.make_one_shot_iterator().get_next()), [3, 2])\n"
        "    cells = rnn.MultiRNNCell([rnn.BasicLSTMCell(2), LSTMCell(2)])\n"
        "    with tf.variable_scope('rnn', initializer=tf.constant_initializer(0.1)):\n"
        "        outputs, _ = rnn.static_rnn(cells, [x, x / 2], dtype=tf.float32)\n"
        "    table = HashTable(KeyValueTensorInitializer(['a'], [5]), -1)\n"
        "    w = tf.get_variable('w', [4 / 2, 3], initializer=tf.ones_initializer())\n"
        "    miou, update = tf.contrib.metrics.streaming_mean_iou(tf.constant([0, 1, 1]), tf.constant([0, 1, 0]), 2)\n"
        "    assert metric_ops.streaming_mean_iou and vgg.vgg_16\n"
        "    points = tf.constant([[1., 0], [0, 1], [.6, .8]])\n"
        "    loss = metric_learning.triplet_semihard_loss(tf.constant([0, 1, 0]), points)\n"
        "    old = tf.contrib.losses.softmax_cross_entropy(tf.constant([[1., 2]]), tf.constant([[0, 1]]))\n"
        "    with tf.Session() as session:\n"
        "        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])\n"
        "        session.run([tf.tables_initializer(), update])\n"
        "        words = index_table_from_file('words.txt').lookup(tf.constant(['dog', 'cow']))\n"
        "        session.run(tf.tables_initializer())\n"
        "        values = table.lookup(tf.constant(['a', 'b']))\n"
        "        found = session.run([outputs[-1][:, 0], miou, loss, old, values, words])\n"
        "    return found, w.shape.as_list(), constant_value(tf.constant(3))\n"
    )
    with tf.Graph().as_default():
        (outputs, *scalars, values, words), shape, constant = module.build()
    np.testing.assert_allclose([*outputs, *scalars], [0.006104, 0.0389, 0.061488, 0.5, 0.7, 0.313262], rtol=1e-4)
    assert (values.tolist(), words.tolist(), shape, constant) == ([5, -1], [1, -1], [2, 3], 3)


def test_scipys_minimisers_on_variables(script):
    """What SciPy finds is where the minimum is: in the open, within bounds, and where a sum is to be 2."""
    tf = pytest.importorskip("tensorflow.compat.v1")
    module = script(
        "import tensorflow as tf\nfrom tensorflow.contrib.opt import ScipyOptimizerInterface\n"
        "def minimise(**options):\n"
        "    a, other = [tf.Variable(start, use_resource=False) for start in ([[5., 5.]], 7.)]  # as under run\n"
        "    scale = tf.placeholder(tf.float32, [])\n"
        "    loss = scale * tf.reduce_sum((a - [[1., 2.]]) ** 2)\n"
        "    if options.pop('bounded', False):\n        options['var_to_bounds'] = {a: (0., [[9., 1.5]])}\n"
        "    if options.pop('summed', False):\n        options['equalities'] = [tf.reduce_sum(a) - 2.]\n"
        "    optimizer = tf.contrib.opt.ScipyOptimizerInterface(loss, **options)\n"
        "    steps, seen = [], []\n"
        "    with tf.Session() as session:\n"
        "        session.run(tf.global_variables_initializer())\n"
        "        optimizer.minimize(session, {scale: 3.}, fetches=[loss, scale], step_callback=steps.append,\n"
        "                           loss_callback=lambda *values: seen.append(values))\n"
        "        return session.run([a, other]), steps, seen\n"
    )
    for options, expected in [
        ({"method": "L-BFGS-B", "options": {"maxiter": 50}}, [1, 2]),
        ({"bounded": True}, [1, 1.5]),
        ({"summed": True, "method": "SLSQP"}, [0.5, 1.5]),
    ]:
        with tf.Graph().as_default():
            (found, other), steps, seen = module.minimise(**options)
        np.testing.assert_allclose(found, [expected], atol=1e-3)
        assert other == 7 and len(steps[-1]) == 3
        value, scale = seen[0]
        assert scale == 3 and value == (48.75 if "bounded" in options else 75) > seen[-1][0]


def write_mnist(folder, plain=()):
    """Four idx files of 14 and 5 images of 3x2 pixels."""
    for name, number in (("train", 14), ("t10k", 5)):
        images = (np.arange(number * 6) * 7 % 256).astype(np.uint8)
        header = np.array([2051, number, 3, 2], ">i4").tobytes()
        labels = np.array([2049, number], ">i4").tobytes() + bytes(index % 10 for index in range(number))
        parts = {"images-idx3": header + images.tobytes(), "labels-idx1": labels}
        for kind, content in parts.items():
            file_name = f"{name}-{kind}-ubyte"
            opened = open if file_name in plain else gzip.open
            with opened(str(folder / (file_name if file_name in plain else f"{file_name}.gz")), "wb") as file:
                file.write(content)


def test_mnist_in_the_batches_of_tensorflow_1(script, tmp_path, capsys):
    tf = pytest.importorskip("tensorflow.compat.v1")
    plain = () if IS_TF1 else ("t10k-labels-idx1-ubyte",)
    write_mnist(tmp_path, plain)
    module = script(
        "import tensorflow as tf\nfrom tensorflow.examples.tutorials.mnist import input_data\n"
        "def read(folder, **options):\n    return input_data.read_data_sets(folder, **options)\n"
    )
    data = module.read(str(tmp_path), one_hot=True, validation_size=4, seed=3)
    assert capsys.readouterr().out.splitlines() == [
        f"Extracting {tmp_path}/{name}-ubyte.gz"
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    ]
    batches = [data.train.next_batch(4)[1].argmax(axis=1).tolist() for _ in range(4)]
    # Of TensorFlow 1.15.5.
    assert batches == [[9, 8, 5, 6], [3, 0, 1, 4], [7, 2, 6, 7], [5, 8, 2, 3]]
    assert data.train.epochs_completed == 1 and data.train.num_examples == 10
    images, labels = data.test.next_batch(5, shuffle=False)
    assert images.dtype == np.float32 and labels.dtype == np.float64 and images.shape == (5, 6)
    np.testing.assert_array_equal(images[0], np.float32(np.arange(6) * 7) * np.float32(1 / 255))
    data = module.read(str(tmp_path), dtype=tf.uint8, reshape=False, validation_size=0)
    assert data.train.images.shape == (14, 3, 2, 1) and data.train.images.dtype == data.train.labels.dtype == np.uint8
    assert len(data.validation.images) == 0


@pytest.mark.skipif(IS_TF1, reason="TensorFlow 1 downloads them")
def test_mnist_that_is_not_there_is_named(script, tmp_path):
    module = script("from tensorflow.examples.tutorials.mnist.input_data import read_data_sets\n")
    with pytest.raises(OSError, match=r"data/train-images-idx3-ubyte.gz: no such file.*t10k-labels-idx1-ubyte.gz in"):
        module.read_data_sets(str(tmp_path / "data"))
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz: expected an idx file of 3 axes"):
        module.read_data_sets(str(tmp_path), validation_size=0)


# NumPy.


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


_OBJECTS = """
import collections, io
import numpy as np
kept = {"loss": [np.float32(0.5)], "step": np.int64(3), "seen": {1, 2}, "z": 1j, "by": collections.defaultdict(list)}
np.save("history.npy", kept)
found = np.load("history.npy").item()
found["by"]["new"].append(1)
assert (found["loss"], found["step"], found["seen"], found["z"], found["by"]) == (
    [0.5], 3, {1, 2}, 1j, {"new": [1]})
np.savez("both.npz", plain=np.arange(3), objects=np.array(kept))
for mode in (None, "r"):
    both = np.load("both.npz", mode)
    assert both["plain"].sum() == 3 and both["objects"].item()["step"] == 3
    assert sorted(both.files) == ["objects", "plain"] and both.f.objects.shape == ()
stream = io.BytesIO(open("history.npy", "rb").read())
assert np.load(stream).item()["step"] == 3 and np.load("numbers.pkl") == [1, 2.5]
python2 = [sorted(np.load("python2.npy", encoding=name).item())[0] for name in ("bytes", "latin1")]
refused = []
for name in ("hostile.npy", "hostile.npz", "hostile.pkl"):
    for file in (name, open(name, "rb"), io.BytesIO(open(name, "rb").read())):
        try:
            loaded = np.load(file, allow_pickle=True)
            loaded["x"]
        except Exception as error:
            refused.append("refused" in str(error))
# In a header of version 3, behind a name in bytes, and where a map is asked for.
for file, mode in (("hostile3.npy", None), ("hostile3.npz", None), (b"hostile.npy", None), ("hostile.pkl", "r")):
    try:
        np.load(file, mode, allow_pickle=True)["x"]
    except ValueError as error:
        refused.append(True)
try:
    np.load("history.npy", allow_pickle=False)
except ValueError as error:
    refused.append("pickle" in str(error))
"""


def test_what_numpy_load_reads_and_what_it_never_runs(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = np.empty((), object)
    hostile[()] = Hostile()
    np.save("hostile.npy", hostile)
    np.savez("hostile.npz", x=hostile)
    (tmp_path / "hostile.pkl").write_bytes(pickle.dumps(Hostile()))
    (tmp_path / "numbers.pkl").write_bytes(pickle.dumps([1, 2.5], 2))
    shutil.copy(os.path.join(GOLDEN, "formats", "python2_numpy1.16_dict.npy"), "python2.npy")
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
    content = b"\x93NUMPY\x03\x00" + len(header).to_bytes(4, "little") + header + pickle.dumps(Hostile())
    (tmp_path / "hostile3.npy").write_bytes(content)
    with zipfile.ZipFile("hostile3.npz", "w") as archive:
        archive.writestr("x.npy", content)
    module = script(_OBJECTS)
    assert module.refused == [True] * 14
    assert module.python2 == [b"conv1_1", "conv1_1"]
    assert not (tmp_path / "pwned").exists()


def test_numpy_load_asks_for_weights_first(tmp_path):
    layers = {"conv1_1": [np.zeros(3), np.ones(3)]}
    asked = []
    load = load_of(lambda path: asked.append(path) or layers)
    found = load(tmp_path / "vgg19.npy", encoding="latin1")
    assert found.shape == () and found.dtype == object and found.item() is layers
    assert asked == [str(tmp_path / "vgg19.npy")]
    for options in ({"encoding": "bytes"}, {"allow_pickle": False}, {"mmap_mode": "r"}):
        with pytest.raises(OSError):
            load(tmp_path / "vgg19.npy", **options)
    np.save(str(tmp_path / "plain.npy"), np.arange(4))
    assert load_of(lambda path: None)(str(tmp_path / "plain.npy")).sum() == 6


def test_numpy_of_2017(script):
    module = script(
        "import numpy as np\nimport numpy.lib.stride_tricks\nfrom numpy.lib.arraysetops import unique\n"
        "from numpy.lib import pad\nimport numpy.lib.recfunctions as recfunctions\n"
        "x = np.lib.pad(np.ones((2, 2)), ((1, 1), (1, 1)), 'constant', constant_values=0)\n"
        "same = np.lib.pad is pad, np.lib.arraypad.pad is np.pad, unique is np.unique\n"
        "view = np.lib.stride_tricks.as_strided(x, (3,), (8,))\n"
        "types = [np.zeros(1, kind).dtype.name for kind in (np.float, np.int, np.bool, np.float_, np.cfloat)]\n"
        "others = np.alltrue([1]), np.in1d([1, 5], [5]).tolist(), np.Inf, np.NINF, np.product([2, 3]), np.rank(x)\n"
        "ragged = np.array([[1, 2], [3]])\n"
    )
    if not hasattr(np.lib, "pad") or IS_TF1:
        assert module.same == (True, True, True)
    assert module.x.sum() == 4 and module.x.shape == (4, 4) and module.view.shape == (3,)
    assert module.types == ["float64", "int64", "bool", "float64", "complex128"]
    assert module.others == (True, [False, True], np.inf, -np.inf, 6, 2)
    assert module.ragged.dtype == object
    assert not hasattr(np, "asscalar") or np.__version__ < "2"


# scikit-image and Matplotlib.


@pytest.mark.parametrize("kind", ["mask", "single", "order 0", "order 3"])
def test_resize_samples_as_it_did(script, kind):
    """Figures of scikit-image 0.14.5."""
    ramp = (np.arange(600.0).reshape(20, 30) / 600) ** 2
    image, options, expected = {
        "mask": (np.eye(20) > 0, {}, 1.6250000000000038),
        "single": (ramp.astype("float32"), {}, 15.783868701161712),
        "order 0": (ramp, {"order": 0}, 15.537213519320986),
        "order 3": (ramp, {"order": 3}, 16.19697766911925),
    }[kind]
    found = script("from skimage.transform import resize\n").resize(image, (8, 10), **options)
    assert found.dtype == np.float64
    np.testing.assert_allclose((found**2).sum(), expected, rtol=1e-9)


def test_names_that_have_moved(script):
    """Figures of scikit-image 0.14.5."""
    module = script(
        "import base64, collections, time\nimport PIL.Image\nimport numpy as np\nimport scipy as sp\n"
        "from collections import Iterable, OrderedDict\nfrom fractions import gcd\nfrom PIL import Image\n"
        "from scipy.integrate import simps\nfrom scipy.signal import gaussian\n"
        "from skimage.measure import compare_mse, compare_psnr, compare_ssim\n"
        "from skimage.color import rgb2grey\nfrom skimage.morphology import watershed\n"
        "assert Image.ANTIALIAS == PIL.Image.LANCZOS and isinstance(Image.new('L', (2, 2)), PIL.Image.Image)\n"
        "assert isinstance([], Iterable) and isinstance(OrderedDict(), collections.Mapping) and time.clock() >= 0\n"
        "ramp = np.arange(192).reshape(8, 8, 3) / 255.0\nchanged = ramp ** 2\nbytes_ = np.uint8(ramp * 255)\n"
        "numbers = [gcd(12, 18), simps([1, 2, 4]), gaussian(3, 1.0)[0], sp.mean(sp.array([1, 2]))]\n"
        "numbers += [compare_mse(ramp, changed), compare_psnr(bytes_, bytes_ // 2)]\n"
        "numbers += [compare_ssim(ramp, changed, multichannel=True)]\n"
        "numbers += [compare_ssim(bytes_[..., 0], bytes_[..., 1] // 2)]\n"
        "text = base64.encodestring(b'ab')\n"
    )
    np.testing.assert_allclose(
        module.numbers, [6, 13 / 3, np.exp(-0.5), 1.5, 0.039734, 13.256356, 0.724441, 0.645221], rtol=1e-5
    )
    assert module.text == b"YWI=\n"


def test_get_cmap_of_matplotlib(script):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    module = script(
        "import matplotlib\nmatplotlib.use('Agg', warn=False)\n"
        "import matplotlib.pyplot as plt\nimport matplotlib.cm as cm\n"
        "from matplotlib import pyplot\n"
        "colours = [plt.cm.get_cmap('jet', 5)(4), cm.get_cmap('jet')(1.0), matplotlib.cm.get_cmap()(0)]\n"
        "same = plt is pyplot and plt.cm is cm and cm.jet(1.0) == colours[1]\n"
        "plt.figure()\nplt.imshow([[1, 2]], cmap=plt.cm.get_cmap('gray'))\nplt.close()\n"
    )
    assert module.same
    assert module.colours[0] == module.colours[1] == (0.5, 0.0, 0.0, 1.0)
    np.testing.assert_allclose(module.colours[2], (0.267004, 0.004874, 0.329415, 1.0), rtol=1e-6)
