"""What happens around the steps of a session: where it begins and stops, what is recorded, what is kept."""

import contextlib
import json
import os
import re
import signal
import threading
import time

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import weights
from tensorflow_vgg._train.settings import best_epoch, read_metrics

__all__ = ["Begin", "Best", "Finite", "NotFinite", "Record", "Saver", "Stop"]

_DIVERGING = 10.0  # times the first epoch's loss


class NotFinite(ValueError):
    """The loss or a weight is no finite number any more; `step` is the one whose weights give that."""

    def __init__(self, message, step):
        super().__init__(message)
        self.step = step


class Begin(tf.train.SessionRunHook):
    """Has a session begin with the batch that comes after the step it begins at."""

    def __init__(self, initializer, first, number, workers):
        self._initializer = initializer
        self._first = first
        self._number = number
        self._workers = workers

    def after_create_session(self, session, coord):
        step = _step(session)
        session.run(self._initializer, {self._first: step + (self._number - step) % self._workers})


def _step(session):
    return int(session.run(tf.train.get_global_step(session.graph)))


class Finite(tf.train.SessionRunHook):
    """Raises when the loss is not finite, before a checkpoint is made of that."""

    def __init__(self, loss):
        self._loss = loss

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context, run_values):
        if not np.isfinite(run_values.results):
            step = _step(run_context.session)
            raise NotFinite(f"the loss is {run_values.results} at step {step}", step - 1)


class Saver(tf.train.Saver):
    """Makes checkpoints, with relative paths, of weights that are finite, and keeps the best epoch with them.

    Args:
      best: the `Best` of the run.
      report: where to tell that it writes.
    """

    def __init__(self, best, report):
        variables = tf.global_variables()
        super().__init__(variables, max_to_keep=2, save_relative_paths=True)
        sums = [tf.reduce_sum(variable) for variable in variables if variable.dtype.is_floating]
        self._all_finite = tf.reduce_all(tf.is_finite(tf.stack(sums)))
        self._best = best
        self._report = report

    def save(self, sess, *args, **options):
        if not sess.run(self._all_finite):  # which only the loss of the next step would tell
            step = _step(sess)
            raise NotFinite(f"the weights are not finite any more after step {step}", step)
        self._report.show("writing a checkpoint")
        self._best.write()
        path = super().save(sess, *args, **options)
        self._best.clean()
        return path


class Best:
    """The trained weights after the epoch of the least validation loss, in the run's best-STEP.npy.

    They are held in memory until the next checkpoint is made: a file is written before the checkpoint that knows of
    it, and an older one is removed after. So each checkpoint has its best epoch beside it, whenever a process is
    killed.

    Args:
      run: the folder.
      variables: {(layer, 0 or 1): variable}; empty: only which epoch it is is found out.
    """

    def __init__(self, run, variables):
        self._run = run
        self._variables = variables
        self._held = None
        self._step = None
        self._loss = float("inf")

    def begin(self, history):
        """Goes on after the lines of metrics.jsonl."""
        line = best_epoch(history) or {"step": None, "validation_loss": float("inf")}
        self._held, self._step, self._loss = None, line["step"], line["validation_loss"]

    def offer(self, session, step, loss):
        """Keeps the weights as they are if their validation loss is the least; returns whether it is."""
        if not loss < self._loss:
            return False
        self._step, self._loss = step, loss
        if self._variables:
            self._held = {}
            for (layer, index), value in session.run(self._variables).items():
                self._held.setdefault(layer, {})[index] = value
        return True

    def write(self):
        """Writes what is held."""
        if self._held is not None:
            weights.write(os.path.join(self._run, f"best-{self._step}.npy"), self._held)
            self._held = None

    def clean(self):
        """Removes the files of earlier epochs."""
        for name in os.listdir(self._run):
            if re.fullmatch(r"best-\d+\.npy", name) and name != f"best-{self._step}.npy":
                os.remove(os.path.join(self._run, name))


class Stop(tf.train.SessionRunHook):
    """Ends a session after the step during which the process is asked to stop, so that nothing is lost."""

    def __init__(self):
        self.asked = False
        self.running = False
        self.interrupted = False

    @contextlib.contextmanager
    def listening(self):
        """Within the block the first Ctrl-C or SIGTERM asks while steps run; else it raises KeyboardInterrupt."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may handle signals
            return

        def ask(*_):
            if self.asked or not self.running:
                self.interrupted = True
                raise KeyboardInterrupt
            self.asked = True

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def expect_none(self):
        """Raises KeyboardInterrupt again where a library, such as in a callback, has swallowed it."""
        if self.interrupted:
            raise KeyboardInterrupt

    def after_create_session(self, session, coord):
        self.expect_none()
        self.running = True

    def after_run(self, run_context, run_values):
        if self.asked:
            run_context.request_stop()


class Record(tf.train.SessionRunHook):
    """Keeps metrics.jsonl and TensorBoard's events, validates after each epoch, and tells how it goes.

    Args:
      run: the `Run`.
      batches: its `Batches`.
      graph: its `Graph`.
      best: its `Best`.
    """

    def __init__(self, run, batches, graph, best):
        self._path = os.path.join(run.path, "metrics.jsonl")
        self._report = run.report
        self._epochs = run.settings["epochs"]
        self._last = run.last
        self._batches = batches
        self._graph = graph
        self._best = best
        self._scalars = {"loss": graph.loss, "accuracy": graph.accuracy, "rate": graph.rate}
        self._watched = {**self._scalars, "images": tf.size(graph.labels)}
        # TensorFlow keeps a writer for each path, wherever the process then is.
        self._events = tf.summary.FileWriterCache.get(os.path.abspath(run.path))
        self._epoch_began = time.monotonic()

    def after_create_session(self, session, coord):
        step = _step(session)
        # Steps after the checkpoint come again.
        history = [line for line in read_metrics(self._path) if line["step"] <= step and "kept" not in line]
        with weights.replacing(self._path) as file:
            file.write("".join(json.dumps(line) + "\n" for line in history).encode())
        self._events.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)
        self._best.begin(history)
        epochs = [line for line in history if "epoch" in line]
        self._ended = max([line["epoch"] for line in epochs], default=0)
        self._first_loss = next((line["loss"] for line in epochs if line["epoch"] == 1), None)
        self._told = False
        ended_at = self._ended * self._batches.steps_per_epoch
        self._of_epoch = [line for line in history if "epoch" not in line and line["step"] > ended_at]
        self._began = self._stepped = time.monotonic()
        self._first = step

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(self._watched)

    def after_run(self, run_context, run_values):
        step = _step(run_context.session)
        values = {name: value.item() for name, value in run_values.results.items()}
        self._note({"step": step, **values}, self._scalars)
        self._of_epoch.append(values)
        now = time.monotonic()
        left = int((self._last - step) * (now - self._began) / max(1, step - self._first))
        self._report.show(
            f"epoch {self._ended + 1}/{self._epochs}  step {step}/{self._last}  "
            f"loss {values['loss']:.4f}  accuracy {values['accuracy']:.3f}  "
            f"{values['images'] / (now - self._stepped):.1f} images/s  {left // 60}:{left % 60:02} left"
        )
        epoch = step // self._batches.steps_per_epoch
        if epoch > self._ended:
            self._end_epoch(run_context.session, epoch, step)
        self._stepped = time.monotonic()

    def end(self, session):
        self._events.flush()

    def _end_epoch(self, session, epoch, step):
        images = [line["images"] for line in self._of_epoch]
        means = {
            name: float(np.average([line[name] for line in self._of_epoch], weights=images))
            for name in ("loss", "accuracy")
        }
        validated = self._validate(session)
        found = {**means, **validated}
        best = self._best.offer(session, step, found.get("validation_loss", float("inf")))
        now = time.monotonic()
        seconds = now - self._epoch_began
        self._note({"epoch": epoch, "step": step, **found, "best": best, "seconds": seconds}, validated)
        told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
        mark = ", the best so far" if best else ""
        self._report.line(f"epoch {epoch}/{self._epochs}: {told}, {seconds:.1f} s{mark}")
        self._tell_diverging(epoch, found["loss"])
        self._ended = epoch
        self._epoch_began = now
        self._of_epoch = []

    def _validate(self, session):
        """{"validation_loss": mean, "validation_accuracy": mean}; without validation images an empty dict."""
        graph = self._graph
        sums, count = np.zeros(2), 0
        for values, labels in self._batches.validation():
            fed = {graph.values: values, graph.labels: labels, graph.train_mode: False}
            sums += session.run([graph.losses, graph.right], fed)
            count += len(labels)
        return dict(zip(("validation_loss", "validation_accuracy"), (sums / count).tolist())) if count else {}

    def _tell_diverging(self, epoch, loss):
        if self._first_loss is None:
            self._first_loss = loss
        if not self._told and loss >= _DIVERGING * self._first_loss:
            self._told = True
            self._report.problem(
                f"diverging: the loss of epoch {epoch}, {loss:.4g}, is more than {_DIVERGING:g} times the first "
                f"epoch's, {self._first_loss:.4g}; stop, and start another run with a lower --learning-rate"
            )

    def _note(self, line, scalars):
        """Adds a line to metrics.jsonl, and those of its values that are named in `scalars` to the events."""
        with open(self._path, "a") as file:
            file.write(json.dumps(line) + "\n")
        values = [tf.Summary.Value(tag=name, simple_value=line[name]) for name in scalars]
        self._events.add_summary(tf.Summary(value=values), line["step"])
