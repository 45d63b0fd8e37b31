"""What scripts of TensorFlow 1 see of TensorFlow, NumPy, scikit-image and Matplotlib, in this process."""

import gzip
import itertools
import operator
import re
import sys

import numpy as np
import pytest

from tensorflow_vgg._run.legacy import import_module

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
