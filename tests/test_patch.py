"""tensorflow-vgg patch: the cases of patch_corpus/, each a file as it is, `# output`, and what becomes of it."""

import contextlib
import importlib
import os
import re
import resource
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from forking import environment

from tensorflow_vgg import _network as network
from tensorflow_vgg import vgg16, vgg19, weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._patch import write
from tensorflow_vgg._patch.edit import Options
from tensorflow_vgg._patch.source import PatchError

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "patch_corpus")
CASES = sorted(name[: -len(".py")] for name in os.listdir(CORPUS) if name.endswith(".py"))
BLOCK = "convolutional_block_attention_module"
CALL = f"attention_feature = {BLOCK}(self.pool5, index=0)  # tensorflow-vgg patch\n"

# What is built and run: case -> [(network, its class, its probabilities)].
RUN = {
    "aliases": [("vgg19", "Vgg19", "prob")],
    "average_or_max": [("vgg19", "Vgg19", "prob")],
    "dict_of_layers": [("vgg19", "Net", "prob")],
    "dropout_between": [("vgg19", "Vgg19", "prob")],
    "one_local": [("vgg16", "VGG16", "prob")],
    "scopes": [("vgg19", "Vgg19", "prob")],
    "short_names": [("vgg19", "N", "prob")],
    "trainable": [("vgg19", "Vgg19", "prob")],
    "two_methods": [("vgg16", "vgg16", "probs")],
    "two_networks": [("vgg16", "Vgg16", "prob"), ("vgg19", "Vgg19", "prob")],
}

# The tightest that two orders of the same float32 sums allow; the networks' own weights move fc8 by far more.
TOLERANCE = 1e-6


def case(name):
    """Of a case: the file's text, the options it is patched with, and what becomes of it."""
    with open(os.path.join(CORPUS, name + ".py"), encoding="utf-8", newline="") as file:
        before, output = file.read().split("# output\n")
    options = re.match(r"# options: (.*)\n", before)
    return before, options.group(1).split() if options else [], output


BEFORE, _, AFTER = case("plain")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, first on sys.path; what is imported from it is forgotten after."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    monkeypatch.delitem(sys.modules, "attention", raising=False)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def path(folder):
    """A file of its own with the plain network."""
    path = folder / "plain.py"
    path.write_text(BEFORE)
    return path


def patch(path, *options):
    return main(["patch", str(path), *options])


def snapshot(folder):
    """Every file below a folder: its bytes, its mode, and whether it is a link."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mode, path.is_symlink())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in str(path)
    }


def added(path):
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if "tensorflow-vgg patch" in line]


# ------------------------------------------------------------------------------------------------------- the place


@pytest.mark.parametrize("name", CASES)
def test_case(name, folder, capsys):
    before, options, output = case(name)
    path = folder / "net.py"
    path.write_text(before)
    status = patch(path, "--write", "--no-backup", *options)
    shown = capsys.readouterr()
    if f"import {BLOCK}  # tensorflow-vgg patch\n" in output:
        assert status == 0 and path.read_text() == output
        assert patch(path, "--write", *options) == 0
        assert path.read_text() == output and "nothing to do" in capsys.readouterr().out
        assert patch(path, "--revert") == 0
    elif output.startswith("# nothing to do"):
        assert status == 0 and output[2:] in shown.out
    else:
        assert status == 1 and patch(path, "--check", *options) == 0
        assert shown.err.startswith(f"tensorflow-vgg: {path}: left alone:\n")
        found = shown.err.replace(str(folder) + os.sep, "").splitlines()[1:]
        assert [line.strip() for line in found] == [line[2:] for line in output.splitlines()]
    assert path.read_text() == before


@pytest.fixture(scope="module")
def thin(tmp_path_factory):
    """For vgg16 and vgg19: a weight file, the block's weights, images, and the attended network's probabilities."""
    folder = tmp_path_factory.mktemp("weights")
    images = np.random.RandomState(6).uniform(size=(1, 224, 224, 3)).astype("float32")
    made = {}
    for net in ("vgg16", "vgg19"):
        layers = weights.seeded(net, 19, thin=True, attention=True)
        block = {name: layers[name] for name in weights.ATTENTION_LAYERS}
        path = str(folder / (net + ".npy"))
        weights.write(path, {name: layer for name, layer in layers.items() if name not in block})
        with_block, without = [_reference(net, dict(layers), images, attention) for attention in (True, False)]
        assert np.abs(with_block - without).max() > 1000 * TOLERANCE
        made[net] = path, block, images, with_block
    return made


class _AttendedVgg16(vgg16.Vgg16):
    """The package has no Vgg16 with the block: the block after the fifth pooling, its weights constants."""

    attention = True

    def max_pool(self, bottom, name):
        pool = super().max_pool(bottom, name)
        if name == "pool5" and self.attention:
            with self._constant_block(channels=16):
                pool = network.convolutional_block_attention_module(pool, index=0)
        return pool


def _reference(net, layers, images, attention):
    with tf.Graph().as_default():
        if net == "vgg19":
            reference = vgg19.Vgg19(layers, attention=attention)
        else:
            reference = _AttendedVgg16(layers)
            reference.attention = attention
        rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
        reference.build(rgb)
        with tf.Session() as session:
            return session.run(reference.prob, {rgb: images})


def _set_block(session, block):
    """Gives the block's variables, in whatever scope they are, the values of a weight dict."""
    for layer, arrays in block.items():
        for kinds, array in zip((("kernel", "weights"), ("bias", "biases")), arrays):
            (variable,) = [
                variable
                for variable in tf.global_variables()
                for kind in kinds
                if ("/" + variable.op.name).endswith(f"/{layer}/{kind}")
            ]
            variable.load(array, session)


@pytest.mark.parametrize("name", sorted(RUN))
def test_patched_network_gives_what_the_package_gives(name, folder, thin):
    path = folder / f"{name}.py"
    path.write_text(case(name)[0])
    assert patch(path, "--write", "--compat") == 0
    module = importlib.import_module(name)
    assert os.path.dirname(sys.modules[getattr(module, BLOCK).__module__].__file__) == str(folder)
    for net, class_name, output in RUN[name]:
        weight_file, block, images, expected = thin[net]
        with tf.Graph().as_default():
            rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
            if name == "two_methods":
                built = getattr(module, class_name)(rgb, weight_file)
            else:
                built = getattr(module, class_name)(weight_file)
                built.build(rgb, **({"train_mode": tf.constant(False)} if name == "trainable" else {}))
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                _set_block(session, block)
                found = session.run(getattr(built, output), {rgb: images})
        assert np.abs(found - expected).max() <= TOLERANCE


# ----------------------------------------------------------------------------------------------- bytes and encodings


def _latin1(text):
    return ("# -*- coding: latin-1 -*-\n# é\n" + text).encode("latin-1")


BYTES = {
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "old_mac": lambda text: text.replace("\n", "\r").encode(),
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "latin1": _latin1,
    "euc_jp": lambda text: ("# vim: set fileencoding=euc-jp :\n名 = 'fc6'\n" + text).encode("euc-jp"),
    "tabs": lambda text: text.replace("    ", "\t").encode(),
    "no_final_newline": lambda text: text.rstrip("\n").encode(),
    "form_feed": lambda text: text.replace("class", "\f\nclass").encode(),
}


@pytest.mark.parametrize("how", sorted(BYTES))
def test_only_these_bytes_change(how, path, folder, capsysbinary, monkeypatch):
    before, after = BYTES[how](BEFORE), BYTES[how](AFTER)
    path.write_bytes(before)
    if shutil.which("git") and how != "old_mac":  # whose lines git does not know
        monkeypatch.chdir(folder)
        assert patch(path.name) == 0 and path.read_bytes() == before
        (folder / "change.diff").write_bytes(capsysbinary.readouterr().out)
        subprocess.run(["git", "apply", "-p0", "--whitespace=nowarn", "change.diff"], check=True)
        assert path.read_bytes() == after
        path.write_bytes(before)
    for options in ([], ["--compat", "--start", "open", "--ratio", "0.25"]):
        assert patch(path, "--check", *options) == 1
        assert patch(path, "--write", "--no-backup", *options) == 0
        assert options or path.read_bytes() == after
        assert patch(path, "--revert", "--check") == 1
        assert patch(path, "--revert") == 0 and path.read_bytes() == before


@pytest.mark.parametrize(
    "data, word",
    [
        (b"print 'pool'\n", "2to3"),
        (b"if x:\n        pool = 1\n\tpool = 2\n", "2to3"),
        (b"x = '\xe9'  # pool\n", "encoding"),
        (b"# coding: no-such\n# pool\n", "no-such"),
        (b"# pool \0\n", "null"),
        (b"x = " + b"(" * 3000 + b")" * 3000 + b"  # pool\n", "nothing was changed"),
    ],
)
def test_what_python_cannot_read_changes_nothing_anywhere(data, word, path, folder, capsys):
    (folder / "zzz.py").write_bytes(data)
    before = snapshot(folder)
    for where in ([str(path), str(folder / "zzz.py")], [str(folder)]):
        assert main(["patch", "--write", *where]) == 2
        shown = capsys.readouterr()
        assert word in shown.err.lower() and shown.err.count("\n") == 1 and shown.out == ""
    assert snapshot(folder) == before


@pytest.mark.parametrize("data", [b"", b"# pool\n", b"# pool", b"# tensorflow-vgg patch", b"\r\n# pool\r\n\f"])
def test_files_with_next_to_nothing(data, path):
    path.write_bytes(data)
    assert patch(path, "--write", "--compat") == 1
    assert patch(path, "--revert") == 0
    assert path.read_bytes() == data


# ----------------------------------------------------------------------------------------------- --compat, --revert


def test_compat_changes_the_import_and_the_load_and_nothing_else(folder, capsys):
    path = folder / "net.py"
    before, _, after = case("two_methods")
    path.write_text(before)
    assert patch(path, "--write", "--compat") == 0
    assert "tf_upgrade_v2" in capsys.readouterr().out
    trust = "# allow_pickle=True runs any code that the file holds: load only files you trust (tensorflow-vgg patch)"
    expected = after.replace("import tensorflow as tf", "import tensorflow.compat.v1 as tf")
    expected = expected.replace("module  # tensorflow-vgg patch", "module  # tensorflow-vgg patch --compat tf, 1 load")
    expected = expected.replace("        self.weights = np", "        " + trust + "\n        self.weights = np")
    expected = expected.replace("encoding='latin1',  # saved", "encoding='latin1', allow_pickle=True,  # saved")
    assert path.read_text() == expected

    # Patched by hand: a line of its own says what was changed.
    by_hand = case("by_hand")[0]
    path.write_text(by_hand)
    (folder / "attention.py").write_text("# the tutorial's\n")
    assert patch(path, "--write", "--compat") == 0
    assert "attention.py is another" in capsys.readouterr().err
    lines = path.read_text().splitlines()
    assert lines[1:3] == ["# tensorflow-vgg patch --compat tf, 1 load", "import tensorflow.compat.v1 as tf"]
    assert lines[10:12] == ["        " + trust, by_hand.splitlines()[9].replace("1')", "1', allow_pickle=True)")]
    assert len(lines) == len(by_hand.splitlines()) + 2
    assert patch(path, "--check", "--compat") == 0 == patch(path, "--revert")
    assert path.read_text() == by_hand


@pytest.mark.parametrize(
    "line",
    [
        "x = np.load(p, None, False, encoding='latin1')",
        "x = np.load(*p, encoding='latin1')",
        "x = np.load(p, encoding='x', **k)",
        "x = pickle.load(p, encoding='latin1')",
    ],
)
def test_compat_leaves_other_loads(line, path):
    path.write_text(BEFORE + line + "\n")
    assert patch(path, "--write", "--compat") == 0
    assert path.read_text().endswith("\n" + line + "\n") and path.read_text().count(" allow_pickle=True)") == 1


def test_compat_says_what_it_leaves(path, capsys):
    path.write_text("import tensorflow\n" + BEFORE.replace("tf.nn.softmax", "tf.contrib.layers.softmax"))
    assert patch(path, "--write", "--compat") == 0
    shown = capsys.readouterr().err
    assert "tf.contrib, line 57" in shown and "what is imported, line 1" in shown


def test_revert_after_other_edits(path):
    def edit(text):
        text = text.replace("class Vgg19:", "import sys\n\n\nclass Vgg:").replace(
            "tf.nn.relu(self.fc6", "tf.nn.elu(self.fc6"
        )
        return (
            text
            + "\n\nimport tensorflow.compat.v1 as tf1  # see tensorflow-vgg patch\n# tensorflow-vgg patch was here\n"
        )

    assert patch(path, "--write", "--compat") == 0
    # A linter has added to the comments, and a formatter has broken the lines that were put in.
    text = path.read_text().replace("vgg patch\n", "vgg patch  # noqa: E402\n")
    path.write_text(edit(text.replace("(self.pool5, index=0)", "(\n            self.pool5, index=0\n        )")))
    assert patch(path, "--revert") == 0
    assert path.read_text() == edit(BEFORE)


def test_revert_of_what_an_earlier_version_put_in(path):
    """It gave two networks of a file the same name, and made what another method reads an attribute."""
    call = CALL.replace("attention", "self.attention", 1)
    patched = AFTER.replace(CALL, call).replace("layer(attention", "layer(self.attention")
    path.write_text(AFTER + AFTER[AFTER.index("class ") :].replace("Vgg19", "Other"))
    assert patch(path, "--revert") == 0
    assert path.read_text() == BEFORE + BEFORE[BEFORE.index("class ") :].replace("Vgg19", "Other")
    path.write_text(patched)
    assert patch(path, "--revert") == 0 and path.read_text() == BEFORE


@pytest.mark.parametrize(
    "old, new, word",
    [
        ("        self.relu6 =", "        self.att = attention_feature\n        self.relu6 =", "now it is in lines"),
        ("(attention_feature,", "(self.pool5,", "no line"),
        (f"= {BLOCK}(self.pool5, index=0)", "= self.pool5", "edited"),
        (f"import {BLOCK} ", f"import {BLOCK}, x ", "edited"),
        ("VGG_MEAN = ", f"other = {BLOCK}\nVGG_MEAN = ", f"uses {BLOCK}, which would be gone"),
        (", allow_pickle=True", ",allow_pickle=True", "edited"),
        (CALL, "\n", "uses attention_feature, which would be gone"),
        ("index=0)  # tensorflow-vgg patch", "index=0)  # tensorflow-vgg patch, mine since", "edited"),
        ("# allow_pickle=True runs", "# runs", "tells of 1 loads, but 0 have"),
        ("compat.v1 as tf", "compat.v1 as tf1", "tells of imports as tf"),
        ("        attention_feature =", "        if 1:\n            attention_feature =", "would be no Python"),
    ],
)
def test_revert_refuses_what_it_cannot_take_out_exactly(old, new, word, path, folder, capsys):
    assert patch(path, "--write", "--compat") == 0
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    before = snapshot(folder)
    assert patch(path, "--revert") == 2
    assert word in capsys.readouterr().err
    assert snapshot(folder) == before


# ---------------------------------------------------------------------------------------------------------- options


def test_options_of_the_block(path, capsys):
    assert patch(path, "--write", "--index", "3", "--ratio", "0.25", "--scope", "attend", "--start", "open") == 0
    arguments = 'self.pool5, index=3, inner_units_ratio=0.25, scope="attend", start="open"'
    assert added(path)[1] == f"attention_feature = {BLOCK}({arguments})  # tensorflow-vgg patch"
    advice = capsys.readouterr().out
    for word in ("attend/fc_1/kernel", "attend/spatial_attention_conv/biases", "initialiser", "trained again", "orig"):
        assert word in advice
    assert patch(path, "--write", "--ratio", "0.5") == 0
    assert "keeps its arguments" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options, word",
    [
        (["--index", "-1"], "whole number"),
        (["--ratio", "0"], "above 0"),
        (["--scope", 'x"y'], "letters"),
        (["--start", "zero"], "invalid choice"),
        (["--attention-module", "attention.py"], "module's name"),
        (["--attention-module", "my.class"], "module's name"),
        (["--after", ""], "layer's name"),
        (["--write", "--check"], "not allowed"),
    ],
)
def test_bad_options(options, word, path, capsys):
    with pytest.raises(SystemExit) as ended:
        patch(path, *options)
    assert ended.value.code == 2 and word in capsys.readouterr().err


def test_a_second_block_has_a_scope_of_its_own(path, folder, capsys):
    assert patch(path, "--write") == 0
    assert patch(path, "--write", "--after", "pool4") == 1
    assert "scope cbam" in capsys.readouterr().err
    assert patch(path, "--write", "--after", "pool4", "--scope", "second", "--start", "pass-through") == 0
    # The first backup is not written over.
    assert (folder / "plain.py.orig").read_text() == BEFORE != (folder / "plain.py.orig.1").read_text()
    assert len(added(path)) == 3 and "attention_feature_2" in path.read_text()
    assert patch(path, "--revert") == 0 and path.read_text() == BEFORE


def test_help_shows_it_on_a_file(capsys):
    with contextlib.suppress(SystemExit):
        main(["patch", "--help"])
    assert 'self.fc6 = self.fc_layer(attention_feature, "fc6")' in capsys.readouterr().out


# ----------------------------------------------------------------------------------------------- the block's module


def test_another_attention_module_is_never_written_over(path, folder, capsys):
    other = folder / "attention.py"
    other.write_text("heads = 8\n")
    before = snapshot(folder)
    assert patch(path, "--write") == 2
    message = capsys.readouterr().err
    assert str(other) in message and "--attention-module" in message and snapshot(folder) == before
    assert patch(path, "--write", "--attention-module", "cbam") == 0
    assert "from cbam import" in path.read_text()
    assert other.read_text() == "heads = 8\n" and BLOCK in (folder / "cbam.py").read_text()
    assert patch(path, "--revert") == 0
    for name in ("attention", "my.layers.cbam", "..cbam"):  # the user's own is taken as it is
        assert patch(path, "--write", "--no-backup", "--attention-module", name) == 0
        assert f"from {name} import" in path.read_text()
        assert patch(path, "--revert") == 0
    assert {item.name for item in folder.iterdir()} == {"plain.py", "plain.py.orig", "attention.py", "cbam.py"}


@pytest.mark.parametrize("user", ["plain.py", "other.py", "attention"])
def test_an_attention_module_from_elsewhere_is_not_hidden(user, path, folder, capsys):
    if user == "attention":
        (folder / user).mkdir()
    else:
        with open(str(folder / user), "a") as file:
            file.write("from attention.layers import heads\n")
    before = snapshot(folder)
    assert patch(path, "--write") == 2
    message = capsys.readouterr().err
    assert str(folder / user) in message and "--attention-module" in message and snapshot(folder) == before


@pytest.mark.parametrize(
    "neighbours, line, expected",
    [
        ({}, "", "from attention "),
        ({"__init__.py": ""}, "", "from .attention "),
        ({"__init__.py": "", "utils.py": "", "run.py": "import utils, net\n"}, "", "from attention "),
        ({"__init__.py": "", "utils.py": "", "run.py": "from .net import Vgg19\n"}, "", "from .attention "),
        ({"__init__.py": "", "utils.py": ""}, "import utils\n", "from attention "),
        ({"utils.py": ""}, "from .utils import x\n", "from .attention "),
        ({"__init__.py": "", "utils.py": ""}, "from nets.utils import x\n", "from .attention "),
        ({"utils.py": ""}, "try:\n    from . import utils\nexcept ImportError:\n    import utils\n", ""),
    ],
)
def test_how_the_module_is_imported(neighbours, line, expected, folder, capsys):
    for name, text in neighbours.items():
        (folder / name).write_text(text)
    path = folder / "net.py"
    path.write_text(line + BEFORE)
    status = patch(path, "--write")
    if expected:
        assert status == 0 and added(path)[0].startswith(expected) and (folder / "attention.py").exists()
    else:
        assert status == 1 and "  line 2: from . import utils\n  line 4: import utils\n" in capsys.readouterr().err
        for given in (".attention", "attention"):
            assert patch(path, "--write", "--attention-module", given) == 0
            assert added(path)[0].startswith(f"from {given} ") and patch(path, "--revert") == 0


# -------------------------------------------------------------------------------------------------------- the files


def test_a_folder(tmp_path, capsys):
    root = tmp_path / "code"
    for place in (root, root / "nets", root / ".git", root / "venv"):
        place.mkdir()
        (place / "vgg.py").write_text(BEFORE)
    (root / "venv" / "pyvenv.cfg").write_text("")
    (root / "tool.py").write_text("print 'Python 2, and no network'\n")
    before = snapshot(root)
    assert patch(root, "--check") == 1
    assert patch(root, "--write") == 0
    changed = {path for path, entry in before.items() if snapshot(root)[path] != entry}
    assert changed == {str(root / "vgg.py"), str(root / "nets" / "vgg.py")}
    assert (root / "attention.py").exists() and (root / "nets" / "attention.py").exists()
    assert patch(root, "--check") == 0 == patch(root, "--revert")
    assert {path: snapshot(root)[path] for path in before} == before
    capsys.readouterr()
    assert patch(root, "--revert") == 0
    assert capsys.readouterr().out == f"{root}: nothing to do: nothing in it was put in by this command\n"
    (tmp_path / "empty").mkdir()
    assert patch(tmp_path / "empty") == 1 and "no network found" in capsys.readouterr().err
    assert patch(tmp_path / "nowhere.py") == 2


def test_backup_mode_and_no_backup(path, folder):
    path.chmod(0o754)
    assert patch(path, "--write") == 0
    backup = folder / "plain.py.orig"
    assert backup.read_text() == BEFORE
    assert [stat.S_IMODE(item.stat().st_mode) for item in (path, backup)] == [0o754, 0o754]
    assert patch(path, "--revert") == 0
    backup.unlink()
    assert patch(path, "--write", "--no-backup") == 0
    assert {item.name for item in folder.iterdir()} == {"plain.py", "attention.py"}


@pytest.mark.parametrize("protected", ["file", "folder", "revert"])
def test_read_only(protected, path, folder, capsys):
    other = folder / "other.py"
    other.write_text(BEFORE)
    if protected == "revert":
        assert patch(path, str(other), "--write") == 0
    (folder if protected == "folder" else path).chmod(0o555 if protected == "folder" else 0o444)
    before = snapshot(folder)
    try:
        assert patch(other, str(path), "--revert" if protected == "revert" else "--write") == 2
    finally:
        folder.chmod(0o755)
    assert "read-only" in capsys.readouterr().err and snapshot(folder) == before


def test_links(path, folder, capsys):
    (folder / "elsewhere").mkdir()
    link = folder / "elsewhere" / "vgg19.py"
    link.symlink_to(os.path.join("..", "plain.py"))
    os.link(str(path), str(folder / "hard.py"))
    # Named twice, it is patched once; whoever imports the one or the other finds the block.
    assert patch(link, str(path), "--write") == 0
    assert "has 1 more name (hard links)" in capsys.readouterr().err
    assert link.is_symlink() and not path.is_symlink() and len(added(path)) == 2
    assert (folder / "attention.py").exists() and (folder / "elsewhere" / "attention.py").exists()
    assert (folder / "plain.py.orig").read_text() == (folder / "hard.py").read_text() == BEFORE
    assert patch(link, "--revert") == 0 and link.is_symlink() and path.read_text() == BEFORE


def test_changed_while_it_runs(path, folder):
    planned = write.plan(str(path), Options())
    path.write_text(BEFORE + "# an editor saved this\n")
    before = snapshot(folder)
    with pytest.raises(PatchError, match="changed while"):
        write.apply(planned)
    assert snapshot(folder) == before
    path.write_bytes(planned.after)  # another run of the command was faster
    write.apply(planned)
    assert path.read_bytes() == planned.after and (folder / "attention.py").exists()


@pytest.mark.parametrize("fails", ["os.replace", "shutil.copymode", "os.fsync"])
def test_interrupted_all_is_as_it_was(fails, path, folder, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    before = snapshot(folder)
    module, name = fails.split(".")
    monkeypatch.setattr(sys.modules[module], name, interrupt)
    assert patch(path, "--write") == 130
    assert snapshot(folder) == before


@pytest.mark.parametrize("limit", ["backup", "attention.py", "second file"])
def test_full_disk(limit, path, folder):
    size, options = len(BEFORE), []
    if limit == "second file":
        (folder / "plain_2.py").write_text(BEFORE + "#" * 30000)
        size, options = 30000, ["--no-backup"]
    before = snapshot(folder)
    size -= limit == "backup"
    run = subprocess.run(
        [sys.executable, "-B", "-m", "tensorflow_vgg", "patch", str(folder), "--write", *options],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        stderr=subprocess.PIPE,
        env=environment(os.path.dirname(HERE), *sys.path),
    )
    assert run.returncode == 2 and b"Traceback" not in run.stderr
    if limit == "second file":
        assert run.stderr.startswith(b"tensorflow-vgg: changed before the error: %s\n" % str(path).encode())
        assert len(added(path)) == 2 and (folder / "plain_2.py").read_text() == BEFORE + "#" * 30000
    else:
        assert run.stderr.count(b"\n") == 1 and snapshot(folder) == before


def test_names_and_lines_that_a_terminal_would_obey(folder, capsys):
    path = folder / "\x1b[31mnet.py"
    path.write_text(case("one_line")[0].replace("; self.fc6", "; a = '\x1b[2J'; self.fc6"))
    assert patch(path) == 1
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err and "\\x1b[2J" in shown.err and "\\x1b[31mnet.py" in shown.err
