"""`tf.contrib.opt.ScipyOptimizerInterface`: SciPy's minimisers, L-BFGS first of all, on TensorFlow's variables."""

import numpy as np
import tensorflow.compat.v1 as tf
from scipy import optimize

__all__ = ["ScipyOptimizerInterface"]


class ScipyOptimizerInterface:
    """As TensorFlow 1.15 has it.

    Args:
      loss: a scalar tensor.
      var_list: the variables; None: all that are trainable.
      equalities, inequalities: scalar tensors that shall be zero, and shall not be negative, where the method can.
      var_to_bounds: {variable: (least, most)}, numbers or arrays.
      **options: of `scipy.optimize.minimize`; `method` is L-BFGS-B by default.
    """

    def __init__(self, loss, var_list=None, equalities=(), inequalities=(), var_to_bounds=None, **options):
        self._variables = list(tf.trainable_variables() if var_list is None else var_list)
        self._shapes = [variable.shape.as_list() for variable in self._variables]
        self._loss = loss, self._gradient(loss)
        self._constraints = [("eq", each, self._gradient(each)) for each in equalities or ()]
        self._constraints += [("ineq", each, self._gradient(each)) for each in inequalities or ()]
        self._bounds = None if var_to_bounds is None else self._packed_bounds(var_to_bounds)
        self._options = {"method": "L-BFGS-B", **options}
        self._values = [tf.placeholder(variable.dtype.base_dtype, variable.shape) for variable in self._variables]
        self._assign = [tf.assign(*pair) for pair in zip(self._variables, self._values)]

    def minimize(
        self, session=None, feed_dict=None, fetches=None, step_callback=None, loss_callback=None, **run_options
    ):
        """Minimises, and gives the variables the values that were found.

        Args:
          step_callback: called with all variables in one vector after each step.
          loss_callback: called with the values of `fetches` whenever the loss has been computed.
        """
        session = session or tf.get_default_session()

        def computed(tensors, packed, fetched=()):
            fed = {**(feed_dict or {}), **dict(zip(self._variables, self._unpacked(packed)))}
            values = session.run([*tensors, *fetched], fed, **run_options)
            return [np.float64(value) for value in values[: len(tensors)]] + values[len(tensors) :]

        def loss(packed):
            value, gradient, *others = computed(self._loss, packed, fetches or ())
            if loss_callback is not None:
                loss_callback(*others)
            return value, gradient

        given = {"callback": step_callback, "bounds": self._bounds, "jac": True, **self._options}
        if self._constraints:
            given["constraints"] = [
                {
                    "type": kind,
                    "fun": lambda packed, value=value: computed([value], packed)[0],
                    "jac": lambda packed, gradient=gradient: computed([gradient], packed)[0],
                }
                for kind, value, gradient in self._constraints
            ]
        start = np.concatenate([np.float64(value).ravel() for value in session.run(self._variables)])
        found = optimize.minimize(loss, start, **given)
        tf.logging.info(
            "Optimization terminated with:\n  Message: %s\n  Objective function value: %f\n"
            "  Number of iterations: %d\n  Number of functions evaluations: %d",
            found.message, found.fun, found.nit, found.nfev,
        )  # fmt: skip
        session.run(self._assign, dict(zip(self._values, self._unpacked(found.x))), **run_options)

    def _gradient(self, value):
        """The gradient by all variables in one vector."""
        gradients = tf.gradients(value, self._variables)
        pairs = zip(self._variables, gradients)
        parts = [tf.zeros_like(variable) if gradient is None else gradient for variable, gradient in pairs]
        return tf.concat([tf.reshape(part, [-1]) for part in parts], 0)

    def _unpacked(self, packed):
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in self._shapes])
        return [part.reshape(shape) for part, shape in zip(np.split(packed, ends[:-1]), self._shapes)]

    def _packed_bounds(self, of_variable):
        bounds = []
        for variable, shape in zip(self._variables, self._shapes):
            least, most = of_variable.get(variable, (-np.inf, np.inf))
            bounds += zip(np.broadcast_to(least, shape).ravel(), np.broadcast_to(most, shape).ravel())
        return bounds
