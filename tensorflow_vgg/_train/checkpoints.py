"""The run's folder: one process at a time in it, and the checkpoints."""

import contextlib
import os
import re

from tensorflow_vgg._train.settings import write_text
from tensorflow_vgg._weights import trust

__all__ = ["alone", "last_step", "mend", "steps", "without_later"]

_OURS = re.compile(
    r"(config\.json|images\.json|labels\.txt|metrics\.jsonl|curves\.png|checkpoint|(weights|last|best-\d+)\.npy).*\.tmp"
    r"|model\.ckpt-\d+\..*tempstate\d+"
)


@contextlib.contextmanager
def alone(run):
    """Keeps other processes out of the run, and removes what a killed one left half-written."""
    told = f"{run}: another process is training this run; wait for it or stop it"
    with trust.alone(os.path.join(run, ".lock"), told):
        for name in os.listdir(run):
            if _OURS.fullmatch(name) and not os.path.isdir(os.path.join(run, name)):
                os.remove(os.path.join(run, name))
        yield


def steps(run):
    """The steps of which there is a checkpoint, in order, whether it can be read or not."""
    if not os.path.isdir(run):
        return []
    found = (re.fullmatch(r"model\.ckpt-(\d{1,18})\.index", name) for name in os.listdir(run))
    return sorted(int(match.group(1)) for match in found if match)


def mend(run, report):
    """Makes `checkpoint` name the checkpoints in the folder that can be read, by paths relative to it.

    Whatever it named before: those of a run that was copied are the original's, which TensorFlow would go on from and
    in the end delete.
    """
    found = steps(run)
    good = list(found)
    while good and not _readable(os.path.join(run, f"model.ckpt-{good[-1]}")):
        path = os.path.join(run, f"model.ckpt-{good.pop()}")
        report.problem(f"{path}: damaged; going on from the checkpoint before")
    if good:
        _keep(run, good)
    elif found:
        raise ValueError(f"{run}: none of its checkpoints can be read; start another run in another folder")
    elif os.path.lexists(os.path.join(run, "checkpoint")):
        os.remove(os.path.join(run, "checkpoint"))


def _readable(path):
    """Whether all of a checkpoint can be read; TensorFlow has a checksum for each tensor."""
    import tensorflow.compat.v1 as tf

    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except Exception:  # TensorFlow has many for what is damaged, and IndexError among them
        return False
    return reader.has_tensor("global_step")


def _keep(run, good):
    """Removes the other checkpoints, and names these in `checkpoint`."""
    for name in os.listdir(run):
        found = re.fullmatch(r"model\.ckpt-(\d+)\.(index|meta|data-\d+-of-\d+)", name)
        if found and int(found.group(1)) not in good:
            os.remove(os.path.join(run, name))
    lines = [f'model_checkpoint_path: "model.ckpt-{good[-1]}"']
    lines += [f'all_model_checkpoint_paths: "model.ckpt-{step}"' for step in good]
    write_text(os.path.join(run, "checkpoint"), "".join(f"{line}\n" for line in lines))


def last_step(run):
    """The step of the last checkpoint, or -1."""
    return max(steps(run), default=-1)


def without_later(run, step):
    """Removes the checkpoints from a step on, whose loss is not finite, if there is an earlier one."""
    good = [earlier for earlier in steps(run) if earlier < step]
    if good:
        _keep(run, good)
