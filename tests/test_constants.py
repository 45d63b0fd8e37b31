"""Mapped weights in a graph: whatever reads them gives a constant's numbers, and nothing writes into their pages.

With TENSORFLOW_VGG_ALL_OPS=1 in the environment all operations are tried on the large weight, too: six minutes.
"""

import inspect
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tensorflow_vgg._network import constants

_SMALL = (1024, 4096)  # 16 MB, of fc8's size
_LARGE = (25088, 4096)  # 411 MB, fc6's
# One reads what it is given in place where it can, each in a way of its own.
_SOME = ("Abs", "Neg", "Square", "Relu", "Sigmoid", "Exp", "AddV2", "Mul", "Sub", "Maximum")

_CONTROL_FLOW = ("Exit", "NextIteration", "RefExit", "RefNextIteration")  # kill TensorFlow 1 outside a loop


def _elementwise():
    """The names of TensorFlow's ops that make of one or two float32 tensors a third of their shape."""
    found = []
    for name in sorted(dir(tf.raw_ops)):
        if name.startswith("_") or name in _CONTROL_FLOW:
            continue
        parameters = list(inspect.signature(getattr(tf.raw_ops, name)).parameters)
        if not 2 <= len(parameters) <= 3 or parameters[-1] != "name":
            continue
        with tf.Graph().as_default(), tf.Session() as session:
            values = tf.constant(0.5, tf.float32, [5, 7])
            try:
                output = getattr(tf.raw_ops, name)(**dict.fromkeys(parameters[:-1], values))
                if isinstance(output, tf.Tensor) and np.shape(session.run(output)) == (5, 7):
                    found.append(name)
            except (NotImplementedError, TypeError, ValueError, tf.errors.OpError):
                pass  # gone, of other inputs, or not elementwise
    return found


def _check(names, path, values):
    ops = {name: getattr(tf.raw_ops, name) for name in names}
    inputs = {name: list(inspect.signature(op).parameters)[:-1] for name, op in ops.items()}
    with tf.Graph().as_default():
        fed = tf.placeholder(tf.float32, values.shape)
        rows = slice(0, None, max(1, len(values) // 8))
        pairs = {}
        for name, op in ops.items():
            mapped = constants.guarded(path, values.shape, "weights")
            # An op reuses the buffer of its first input, or of its second.
            made = [op(**{key: mapped if key == own else 2.0 * fed for key in inputs[name]}) for own in inputs[name]]
            made.append(op(**dict.fromkeys(inputs[name], mapped)))
            expected = [op(**{key: fed if key == own else 2.0 * fed for key in inputs[name]}) for own in inputs[name]]
            expected.append(op(**dict.fromkeys(inputs[name], fed)))
            pairs[name] = [tensor[rows] for tensor in made], [tensor[rows] for tensor in expected]
        with tf.Session() as session:
            for name in names:
                found, expected = session.run(pairs[name], {fed: values})
                for one, other in zip(found, expected):
                    np.testing.assert_array_equal(one, other, name)
    np.testing.assert_array_equal(np.fromfile(path, np.float32, 4096), values.reshape(-1)[:4096])


@pytest.mark.parametrize("shape", [_SMALL, _LARGE])
def test_elementwise_operations_on_mapped_weights(tmp_path, shape, collected):
    names = _elementwise()
    assert len(names) > 80 and set(_SOME) <= set(names)
    values = np.random.RandomState(1).standard_normal(shape[0] * shape[1] // 64).astype(np.float32)
    values = np.tile(values, 64).reshape(shape)
    path = str(tmp_path / "weights.bin")
    values.tofile(path)
    everything = shape == _SMALL or os.environ.get("TENSORFLOW_VGG_ALL_OPS")
    _check([name for name in names if everything or name in _SOME], path, values)
    os.remove(path)
