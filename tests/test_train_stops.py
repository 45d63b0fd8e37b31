"""tensorflow-vgg train that is stopped, killed, moved or damaged, and on several machines."""

import json
import os
import shutil
import signal
import socket

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from trainings import assert_same_weights, command, kept, lines, until

from tensorflow_vgg import weights
from tensorflow_vgg._command.main import main
from tensorflow_vgg._train import checkpoints, results, session
from tensorflow_vgg._train import cluster as machines


@pytest.fixture
def forks(command):
    """Runs the command, see forking.py; what runs ends with the test."""
    yield command
    command.end_all()


def begin(forks, arguments, told="told"):
    """Starts the command here; what it prints is added to the file `told`. Returns the process id."""
    here = os.getcwd()
    return forks.start(arguments, here, [told, told], TENSORFLOW_VGG_HOME=here)


def last_step(run):
    return max([line["step"] for line in lines(run)], default=0)


def until_step(run, step):
    until(lambda: last_step(run) >= step)


def test_killed_a_run_ends_with_the_same_weights(start, images, forks):
    """Killed at given steps and stopped with Ctrl-C and SIGTERM: what follows is as if nothing had happened."""
    options = ["--train", "head", "--epochs", "25", "--batch", "10", "--dropout", "1"]
    options += ["--save-every", "0.1", "--pictures", "1"]
    assert main(command(images, "whole", *options)) == 0
    kill, stop, end = signal.SIGKILL, signal.SIGINT, signal.SIGTERM
    for step, how in [(1, kill), (9, stop), (20, kill), (33, end), (50, kill)]:
        process = begin(forks, command(images, "killed", *options))
        until_step("killed", step)
        assert forks.end(process, how) == (-kill if how == kill else 130)
        if how != kill:
            assert kept("killed")["last.npy"] == last_step("killed") and os.path.exists("killed/curves.png")
    assert forks.wait(begin(forks, command(images, "killed", *options))) == 0
    for name in ("weights.npy", "last.npy"):
        assert_same_weights(f"whole/{name}", f"killed/{name}")
    for of_epochs in (False, True):
        assert lines("whole", of_epochs) == lines("killed", of_epochs)
    assert kept("whole") == kept("killed")
    assert not [name for name in os.listdir("killed") if name.endswith(".tmp") or "tempstate" in name]
    with open("told") as file:
        assert file.read().count("killed: stopped; the same command goes on") == 2


def test_stopped_before_the_first_step_nothing_is_lost(start, images, forks):
    process = begin(forks, command(images, "run", "--epochs", "1", "--batch", "1"))
    until(lambda: os.path.exists("run/pool5.bin.partial"))
    assert forks.end(process, signal.SIGINT) == 130
    with open("told") as file:
        assert "run: stopped, and nothing was lost; the same command starts again\n" in file.read()
    assert main(command(images, "run", "--epochs", "1", "--batch", "1")) == 0


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_checkpoint(start, images, capsys):
    options = ["--optimizer", "sgd", "--learning-rate", "1e30", "--batch", "10", "--save-every", "0.001"]
    assert main(command(images, "run", *options)) == 2
    (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("tensorflow-vgg: run: ")]
    assert "not finite any more after step 1" in error or "at step 2" in error
    assert "the last good checkpoint is" in error and "run/model.ckpt-0;" in error
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint("run"))
    assert all(np.isfinite(reader.get_tensor(name)).all() for name in reader.get_variable_to_shape_map())
    assert not os.path.exists("run/weights.npy")


def files(folder):
    return {name: weights.file_digest(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}


def test_a_copy_goes_on_by_itself_and_the_original_stays(start, images):
    """Also of a run from before: absolute paths, no digest of pool5, the last weights kept."""
    options = ["--train", "head", "--batch", "10", "--save-every", "0.01", "--epochs"]
    assert main(command(images, "first", *options, "2", "--keep", "last")) == 0
    for name, of_before in (("images.json", "pool5_sha256"), ("config.json", "keep")):
        with open(f"first/{name}") as file:
            found = json.load(file)
        found.get("settings", found).pop(of_before)
        with open(f"first/{name}", "w") as file:
            json.dump(found, file)
    here = os.path.abspath("first/model.ckpt")
    with open("first/checkpoint", "w") as file:
        file.write(f'model_checkpoint_path: "{here}-6"\n')
        file.writelines(f'all_model_checkpoint_paths: "{here}-{step}"\n' for step in (5, 6))
    before = files("first")
    shutil.copytree("first", "copy")
    again = ["train", os.path.join(images, "training"), "-o"]
    assert main([*again, "copy", "--epochs", "4"]) == 0
    assert files("first") == before
    assert [line["step"] for line in lines("copy")] == list(range(1, 13))
    shutil.move("copy", "moved")
    with open("moved/checkpoint") as file:
        assert "/" not in file.read()
    assert main([*again, "moved", "--epochs", "5"]) == 0
    assert last_step("moved") == 15 and kept("moved") == {"weights.npy": 15}


def cut(path):
    with open(path, "r+b") as file:
        file.truncate(os.path.getsize(path) // 2)


def flip(path):
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 3)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x80]))


def other_type(path):
    with open(path, "w") as file:
        file.write("[1, 2]")


def folder_instead(path):
    os.remove(path)
    os.mkdir(path)


@pytest.fixture(scope="module")
def damageable(tmp_path_factory, images):
    """A run of two epochs."""
    folder = tmp_path_factory.mktemp("damageable")
    thin = weights.seeded("vgg19", 19, thin=True)
    weights.write(str(folder / "thin.npy"), thin)
    options = ["--train", "head", "--epochs", "2", "--save-every", "0.01", "--dropout", "1"]
    arguments = command(images, str(folder / "run"), *options)
    arguments[arguments.index("thin.npy")] = str(folder / "thin.npy")
    assert main(arguments) == 0
    return str(folder / "run")


@pytest.mark.parametrize("name", ["config.json", "images.json", "pool5.bin"])
@pytest.mark.parametrize("damage", [cut, flip, other_type, folder_instead, os.remove])
def test_a_damaged_run_is_one_line(home, images, damageable, capsys, name, damage):
    """The file's name and what to do; pool5.bin is computed again, and what was trained comes from the same."""
    shutil.copytree(damageable, "run")
    whole = weights.file_digest("run/pool5.bin")
    damage(f"run/{name}")
    status = main(["train", os.path.join(images, "training"), "-o", "run", "--epochs", "3"])
    error = capsys.readouterr().err
    if name == "pool5.bin" and damage is not folder_instead:
        assert status == 0 and weights.file_digest("run/pool5.bin") == whole
        assert ("run/pool5.bin: not as it was written; it is computed again" in error) == (damage is not os.remove)
        return
    assert status == 2 and last_step("run") == last_step(damageable)
    (line,) = error.splitlines()
    if (name, damage) == ("config.json", os.remove):
        assert line.endswith("run: expected a new folder or that of a run, found a folder of other files")
    else:
        assert line.startswith(f"tensorflow-vgg: run/{name}: ")
        assert line.endswith((
            "put back a copy of the file, or start another run in another folder",
            "move away what is there, and it is computed again",
        ))  # fmt: skip


def test_from_a_damaged_checkpoint_it_goes_back_to_the_one_before(home, images, damageable, capsys):
    shutil.copytree(damageable, "run")
    *_, earlier, last = checkpoints.steps("run")
    flip(f"run/model.ckpt-{last}.data-00000-of-00001")
    assert main(["train", os.path.join(images, "training"), "-o", "run"]) == 0
    printed = capsys.readouterr()
    assert f"run/model.ckpt-{last}: damaged; going on from the checkpoint before" in printed.err
    assert f"going on at step {earlier} of {last}" in printed.out
    assert lines("run") == lines(damageable)
    assert_same_weights("run/last.npy", f"{damageable}/last.npy")
    for step in checkpoints.steps("run"):
        cut(f"run/model.ckpt-{step}.data-00000-of-00001")
    for _ in range(2):
        assert main(["train", os.path.join(images, "training"), "-o", "run", "--epochs", "3"]) == 2
        assert "run: none of its checkpoints can be read" in capsys.readouterr().err


def test_one_training_at_a_time_on_a_folder_and_its_lock_is_no_trap(home, images, damageable, capsys):
    shutil.copytree(damageable, "run")
    again = ["train", os.path.join(images, "training"), "-o", "run", "--epochs", "3"]
    with checkpoints.alone("run"):
        assert main(again) == 2
    assert "run: another process is training this run; wait for it or stop it" in capsys.readouterr().err
    os.remove("run/.lock")
    with open("mine", "w") as file:
        file.write("mine")
    os.symlink(os.path.abspath("mine"), "run/.lock")
    assert main(again) == 2
    assert "run/.lock: " in capsys.readouterr().err
    with open("mine") as file:
        assert file.read() == "mine"


@pytest.mark.parametrize(("config", "found"), [
    (
        {"cluster": {"ps": ["a:1"], "worker": ["b:1", "c:1"]}, "task": {"type": "worker", "index": 1}},
        (["a:1"], [("worker", 0), ("worker", 1)], "worker", 1),
    ),
    (
        {"cluster": {"chief": ["d:1"], "ps": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}},
        (["a:1"], [("chief", 0), ("worker", 0)], "worker", 0),
    ),
    (
        {"cluster": {"ps": ["a:1"], "worker": ["b:1"]}, "task": {"type": "ps", "index": 0}},
        (["a:1"], [("worker", 0)], "ps", 0),
    ),
])  # fmt: skip
def test_a_cluster_from_tf_config(monkeypatch, config, found):
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    cluster = machines.read_cluster()
    assert (cluster.ps, cluster.workers, cluster.job, cluster.index) == found
    assert cluster.jobs == config["cluster"] and (cluster.job == "ps" or cluster.number == 1)
    monkeypatch.setenv("TF_CONFIG", json.dumps({**config, "task": {"type": "worker", "index": 9}}))
    with pytest.raises(ValueError, match="TF_CONFIG: expected a task of the cluster"):
        machines.read_cluster()
    monkeypatch.setenv("TF_CONFIG", "[")
    with pytest.raises(ValueError, match="TF_CONFIG: expected JSON with cluster and task"):
        machines.read_cluster()
    monkeypatch.delenv("TF_CONFIG")
    assert machines.read_cluster() is None


def test_a_worker_whose_loss_is_not_finite_removes_no_checkpoint(home, images, damageable, capsys, monkeypatch):
    """They are the chief's."""

    def fails(*_):
        raise results.NotFinite("the loss is nan at step 1", 0)

    shutil.copytree(damageable, "run")
    monkeypatch.setattr(session, "train", fails)
    before = files("run")
    cluster = ["--ps", "a:1", "--workers", "b:1,c:1", "--task", "worker:1"]
    assert main(["train", os.path.join(images, "training"), "-o", "run", *cluster]) == 2
    assert "run: the loss is nan at step 1; the last good checkpoint is " in capsys.readouterr().err
    assert files("run") == before


def free_address():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % found.getsockname()[1]


def test_on_several_machines_each_of_which_is_killed_and_started_again(start, images, forks):
    """A parameter server and two workers: the second worker, the chief and the server in turn."""
    ps, workers = free_address(), f"{free_address()},{free_address()}"

    def start_task(task):
        cluster = ["--ps", ps, "--workers", workers, "--task", task]
        options = ["--batch", "10", "--learning-rate", "1e-4", "--epochs", "60", "--save-every", "0.2"]
        return begin(forks, command(images, "run", *options, *cluster), f"told.{task}")

    def of_the_second():
        """How many steps the second worker made, which the chief does not record."""
        steps = [line["step"] for line in lines("run")]
        return steps[-1] - len(steps) if steps else 0

    tasks = {task: start_task(task) for task in ("ps:0", "worker:0", "worker:1")}
    until(lambda: of_the_second() >= 5)
    for task in ("worker:1", "worker:0", "ps:0"):
        before = last_step("run")
        forks.end(tasks[task])
        tasks[task] = start_task(task)
        until_step("run", before + 10)
    assert [forks.wait(tasks[task]) for task in ("worker:0", "worker:1")] == [0, 0]
    assert last_step("run") >= 180
    with open("told.worker:0") as file:
        told = file.read()
    assert "run: a parameter server was lost; going on from the last checkpoint" in told and "run/last.npy: " in told
    with open("told.worker:1") as file:
        assert "run: all steps are done; the chief writes the weights" in file.read()
    assert set(weights.read("run/weights.npy")) == set(start) | set(weights.ATTENTION_LAYERS)
