"""tensorflow-vgg run: what scripts do with their weights, which are mapped from the cache."""

import json
import os
import pickle
import shutil

import numpy as np
from trainings import until

from tensorflow_vgg import weights

# Each prints numbers and types that are the same whether the weights are mapped or not.
_USES = {
    "constant": "w = tf.constant(d['conv1_2'][0], name='filter')",
    "variable": "w = tf.Variable(d['conv1_2'][0], name='filter')",
    "variable, its name in its place": "w = tf.Variable(d['conv1_2'][0], True, None, True, None, 'filter')",
    "get_variable": "w = tf.get_variable('filter', initializer=d['conv1_2'][0])",
    "constant_initializer": "w = tf.get_variable('filter', d['conv1_2'][0].shape, "
    "initializer=tf.constant_initializer(d['conv1_2'][0]))",
    "convert_to_tensor": "w = tf.convert_to_tensor(d['conv1_2'][0])",
    "changed in place": "d['conv1_2'][0][:] *= 0.5; w = tf.constant(d['conv1_2'][0])",
    "changed in part": "d['conv1_2'][0][1, 1, 0, 0] += 1; w = tf.Variable(d['conv1_2'][0])",
    "scaled": "w = tf.constant(d['conv1_2'][0] * 2)",
    "scaled copy": "c = d['conv1_2'][0].copy(); c *= 3; w = tf.constant(c)",
    "transposed": "w = tf.constant(d['conv1_2'][0].transpose(1, 0, 2, 3))",
    "transposed and square": "w = tf.constant(d['fc7'][0].T)",
    "cut": "w = tf.constant(d['conv1_2'][0][:, :, :1])",
    "reshaped": "w = tf.constant(d['conv1_2'][0], shape=[9, 4])",
    "float16": "w = tf.constant(d['conv1_2'][0].astype('float16'))",
    "float64": "w = tf.constant(d['conv1_2'][0], tf.float64)",
    "passed on": "w = tf.nn.relu(d['conv1_2'][0])",
    "deepcopy": "import copy; e = copy.deepcopy(d); e['conv1_2'][0][:] = 1; w = tf.constant(e['conv1_2'][0])",
    "elementwise": "w = tf.abs(tf.constant(d['fc8'][0])) * 2.0",
    "assigned": "w = tf.Variable(tf.zeros(d['conv1_2'][0].shape)); assign = w.assign(d['conv1_2'][0])",
}
_SCRIPT = """
import json
import numpy as np
import tensorflow as tf
values, told = {}, {}
for use, code in json.load(open("uses.json")).items():
    d = np.load("vgg16.npy", encoding="latin1").item()
    names = {"np": np, "tf": tf, "d": d}
    with tf.Graph().as_default() as graph, tf.Session() as session:
        exec(code, names)
        session.run(tf.global_variables_initializer())
        if "assign" in names:
            session.run(names["assign"])
        values[use] = session.run(names["w"])
        np.save("saved.npy", d)
    saved = np.load("saved.npy").item()
    mapped = "ImmutableConst" in {op.type for op in graph.get_operations()}
    same = all((saved[layer][i] == d[layer][i]).all() for layer in d for i in (0, 1))
    told[use] = [mapped, same, names["w"].name, type(d["conv1_2"]).__name__, isinstance(d["conv1_2"][0], np.ndarray)]
np.savez("values.npz", **values)
json.dump(told, open("told.json", "w"))
"""
_MAPPED = ("constant", "constant_initializer", "convert_to_tensor", "elementwise", "get_variable", "variable",
           "variable, its name in its place")  # fmt: skip


def _run(command, folder, text, *options, **variables):
    (folder / "script.py").write_text(text)
    done = command(["run", *options, "script.py"], folder, TENSORFLOW_VGG_HOME=str(folder / "home"), **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _outcome(command, folder, *options):
    _run(command, folder, _SCRIPT, *options)
    with np.load(str(folder / "values.npz")) as values, open(str(folder / "told.json")) as told:
        return dict(values), json.load(told)


def test_a_script_gets_the_numbers_that_tensorflow_1_gives(command, tmp_path):
    """`--constants`, under which NumPy reads and TensorFlow copies, is what the mapped weights are held to."""
    weight_dict = weights.seeded("vgg16", 3, thin=True)
    weights.write(str(tmp_path / "vgg16.npy"), weight_dict)
    (tmp_path / "uses.json").write_text(json.dumps(_USES))
    mapped, told = _outcome(command, tmp_path)
    plain, told_plain = _outcome(command, tmp_path, "--constants")
    for use in _USES:
        np.testing.assert_array_equal(mapped[use], plain[use], use)
        assert mapped[use].dtype == plain[use].dtype, use
        assert told[use][1:] == told_plain[use][1:] == [True, told[use][2], "list", True], use
    assert tuple(sorted(use for use in told if told[use][0])) == _MAPPED
    assert not any(told_plain[use][0] for use in told)
    # The script's copies alone were changed, neither the file nor the cache.
    np.testing.assert_array_equal(mapped["deepcopy"], np.ones_like(mapped["deepcopy"]))
    again, _ = _outcome(command, tmp_path)
    np.testing.assert_array_equal(again["constant"], weight_dict["conv1_2"][0])
    np.testing.assert_array_equal(again["changed in place"], weight_dict["conv1_2"][0] * np.float32(0.5))


_TYPES = """
import copy, pickle
import numpy as np
import tensorflow as tf
d = np.load("vgg16.npy", encoding="latin1").item()
pairs = np.load("pairs.npy").item()
print(pairs["conv1_1"][0].shape, type(pairs["conv1_1"]).__name__, sorted(pairs["conv1_1"]))
w = d["conv1_1"][0]
others = [w + 1, w * 2, w.copy(), w.astype("float16"), -w, w.sum(), pickle.loads(pickle.dumps(w)), copy.deepcopy(w)]
print([isinstance(x, np.ndarray) for x in others], others[3].dtype, tf.constant(others[2]).op.type)
w *= 0.5
print(np.load(open("vgg16.npy", "rb")).item()["conv1_1"][0].sum() == 2 * w.sum())
for name in ("objects", "three", "float64", "plain", "history"):
    found = np.load(name + ".npy")
    print(name, found.dtype, found.shape, type(found.item()).__name__ if found.shape == () else "")
class Mine(tf.Variable):
    pass
print(isinstance(tf.Variable(w), tf.Variable), isinstance(tf.get_variable("v", initializer=w), tf.Variable),
      issubclass(Mine, tf.Variable), Mine.__name__, isinstance(3, tf.Variable))
"""


def test_what_numpy_load_gives(command, tmp_path):
    full = weights.seeded("vgg16", 3, thin=True)
    weights.write(str(tmp_path / "vgg16.npy"), full)
    weights.write(str(tmp_path / "pairs.npy"), {name: dict(enumerate(layer)) for name, layer in full.items()})
    objects = np.empty(2, object)
    objects[:] = ["x", (1, 2)]
    three = {"conv": [np.zeros((3, 3), np.float32), np.zeros(3, np.float32), np.zeros(3, np.float32)]}
    float64 = {"conv": [np.zeros((3, 3)), np.zeros(3)]}
    for name, value in (("objects", objects), ("three", three), ("float64", float64), ("plain", np.arange(3)),
                        ("history", {"loss": [1.0, 2.0]})):  # fmt: skip
        np.save(str(tmp_path / f"{name}.npy"), value)
    lines = _run(command, tmp_path, _TYPES)
    assert lines[0] == "(3, 3, 3, 2) dict [0, 1]"
    assert lines[1] == f"{[True] * 5 + [False] + [True] * 2} float16 Const"
    assert lines[2:] == [
        "True",
        "objects object (2,) ",
        "three object () dict",
        "float64 object () dict",
        "plain int64 (3,) ",
        "history object () dict",
        "True True True Mine False",
    ]
    assert len([name for name in os.listdir(str(tmp_path / "home" / "mapped")) if name[0] != "."]) == 2


_NAMED = """
import numpy as np
def first(path):
    return float(np.load(path, encoding="latin1").item()["conv1_1"][0].sum())
print(first("./vgg16.npy"), first("data/vgg19.npy"))
np.save("other.npy", {"conv1_1": [np.zeros((3, 3, 3, 2), "float32"), np.zeros(2, "float32")]})
import os
os.makedirs("mine")
np.save("mine/vgg16.npy", {"conv1_1": [np.ones((3, 3, 3, 2), "float32"), np.zeros(2, "float32")]})
print(first("other.npy"), first("mine/vgg16.npy"))
"""


def test_weights_stand_for_the_files_that_scripts_name(command, tmp_path):
    sums = {}
    for seed, name in ((1, "vgg16"), (2, "vgg19"), (5, "five")):
        weight_dict = weights.seeded(name if name != "five" else "vgg16", seed, thin=True)
        sums[name] = float(weight_dict["conv1_1"][0].sum())
        weights.write(str(tmp_path / f"{name}.npy"), weight_dict)
    os.mkdir(str(tmp_path / "home"))
    shutil.move(
        str(tmp_path / "vgg19.npy"), str(tmp_path / "home")
    )  # data/vgg19.npy is not there: a usual folder has it
    assert _run(command, tmp_path, _NAMED) == [f"{sums['vgg16']} {sums['vgg19']}", "0.0 54.0"]
    shutil.rmtree(str(tmp_path / "mine"))
    lines = _run(command, tmp_path, _NAMED, "--weights", "five.npy")
    assert lines == [f"{sums['five']} {sums['five']}", "0.0 54.0"]
    np.save(str(tmp_path / "plain.npy"), np.arange(3.0))
    done = command(["run", "--weights", "plain.npy", "script.py"], tmp_path, TENSORFLOW_VGG_HOME=str(tmp_path / "home"))
    assert done.returncode == 1 and "plain.npy: expected a dict of layers" in done.stderr and not done.stdout


_EXPORTS = """
import numpy as np
import tensorflow as tf
d = np.load("vgg16.npy", encoding="latin1").item()
x = tf.placeholder(tf.float32, [None, 8, 8, 3], name="x")
with tf.name_scope("net"), tf.control_dependencies([tf.identity(x)]):
    y = tf.nn.conv2d(x, tf.constant(d["conv1_1"][0], name="filter"), [1, 1, 1, 1], "SAME")
v = tf.Variable(d["conv1_1"][1], name="biases")
y = tf.identity(y + v, name="y")
pixels = np.linspace(0, 1, 192).reshape(1, 8, 8, 3)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(float(session.run(y, {x: pixels}).sum()))
    print(type(session.graph.get_operation_by_name("net/filter").type).__name__)
    frozen = tf.graph_util.convert_variables_to_constants(session, session.graph.as_graph_def(), ["y"])
    tf.train.write_graph(frozen, ".", "frozen.pb", as_text=False)
    tf.train.Saver().save(session, "./model")
    tf.saved_model.simple_save(session, "saved", {"x": x}, {"y": y})
"""
_IMPORTS = """
import numpy as np
import tensorflow.compat.v1 as tf
pixels = np.linspace(0, 1, 192).reshape(1, 8, 8, 3)
found = []
def use(restore):
    with tf.Graph().as_default() as graph, tf.Session() as session:
        restore(session)
        found.append(float(session.run("y:0", {"x:0": pixels}).sum()))
        assert graph.get_operation_by_name("net/filter").type == "Const"
        assert not {"ImmutableConst", "TensorArrayV3"} & {op.type for op in graph.get_operations()}
definition = tf.GraphDef()
definition.ParseFromString(open("frozen.pb", "rb").read())
use(lambda session: tf.import_graph_def(definition, name=""))
use(lambda session: tf.train.import_meta_graph("model.meta").restore(session, "./model"))
def again(session):
    tf.train.import_meta_graph("model.meta")
    session.run(tf.global_variables_initializer())  # from the constants that it starts from
use(again)
use(lambda session: tf.saved_model.load(session, ["serve"], "saved"))
"""


def test_exported_graphs_load_without_the_cache(command, tmp_path, monkeypatch):
    weights.write(str(tmp_path / "vgg16.npy"), weights.seeded("vgg16", 3, thin=True))
    total = _run(command, tmp_path, _EXPORTS)[0]
    shutil.rmtree(str(tmp_path / "home"))
    (tmp_path / "vgg16.npy").unlink()
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(_IMPORTS, names)
    np.testing.assert_allclose(names["found"], [float(total)] * 4, rtol=1e-6)


_SESSION = """
import os
import numpy as np
import tensorflow as tf
d = np.load("vgg16.npy", encoding="latin1").item()
w = tf.constant(d["fc8"][0])
session = tf.Session()
before = session.run(tf.reduce_sum(w))
open("running", "w").close()
input_file = "go"
while not os.path.exists(input_file):
    pass
print(before == session.run(tf.reduce_sum(w)), before == d["fc8"][0].sum(dtype="float32") or abs(before) > 0)
"""


def test_a_running_session_outlives_its_file_and_the_cache(command, tmp_path):
    """The file is written anew and loaded by others, and the cache is cleared, while a session maps the old state."""
    path, home = str(tmp_path / "vgg16.npy"), str(tmp_path / "home")
    weights.write(path, weights.seeded("vgg16", 3, thin=True))
    (tmp_path / "running.py").write_text(_SESSION)
    files = [str(tmp_path / name) for name in ("stdout", "stderr")]
    process = command.start(["run", "running.py"], tmp_path, files, TENSORFLOW_VGG_HOME=home)
    until((tmp_path / "running").exists)
    weights.write(path, weights.seeded("vgg16", 4, thin=True))
    assert _run(command, tmp_path, "import numpy as np\nprint(len(np.load('vgg16.npy').item()))\n") == ["16"]
    cleared = command(["weights", "clear"], tmp_path, TENSORFLOW_VGG_HOME=home)
    assert cleared.returncode == 0
    (tmp_path / "go").touch()
    assert command.wait(process) == 0 and (tmp_path / "stdout").read_text() == "True True\n"


class _Hostile:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_a_hostile_weight_file_runs_nothing(command, tmp_path):
    hostile = np.empty((), object)
    hostile[()] = {"conv1_1": _Hostile()}
    np.save(str(tmp_path / "vgg16.npy"), hostile)
    (tmp_path / "hostile.pkl").write_bytes(pickle.dumps(_Hostile()))
    (tmp_path / "script.py").write_text("import numpy as np\nnp.load('vgg16.npy')\n")
    done = command(["run", "script.py"], tmp_path, TENSORFLOW_VGG_HOME=str(tmp_path))
    assert done.returncode == 1 and "refused" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "pwned").exists()
