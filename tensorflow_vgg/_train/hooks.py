"""What happens around the steps of a session: where it stops, what is recorded, what is kept."""

import contextlib
import json
import math
import os
import re
import signal
import time

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import weights
from tensorflow_vgg._train.settings import best_epoch, read_metrics, write_text

__all__ = ["Finite", "NotFinite", "Record", "Saver", "Stop"]

_DIVERGING = 10.0  # times the first epoch's loss


class NotFinite(ValueError):
    """The loss or a weight is no finite number any more: a text, and the step whose weights give that."""


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
    """Makes checkpoints, with relative paths, of weights that are finite, each with best-STEP.npy beside it.

    That has the layers trained as they were after `best`, the step at which the best epoch ended. They are `held` in
    memory until the next checkpoint: their file is written before the checkpoint that knows of it, and an older one
    is removed after, so that it is there whenever a process is killed. `trained` is {(layer, 0 or 1): variable}.
    """

    def __init__(self, run, trained):
        variables = tf.global_variables()
        super().__init__(variables, max_to_keep=2, save_relative_paths=True)
        sums = [tf.reduce_sum(variable) for variable in variables if variable.dtype.is_floating]
        self._all_finite = tf.reduce_all(tf.is_finite(tf.stack(sums)))
        self._run = run
        self._trained = trained if run.settings["keep"] != "last" else {}
        self.best = None
        self.held = {}

    def hold(self, session, step):
        """Holds the layers as those of the best epoch."""
        self.best, self.held = step, {}
        for (layer, index), value in session.run(self._trained).items():
            self.held.setdefault(layer, {})[index] = value

    def save(self, sess, *args, **options):
        if not sess.run(self._all_finite):  # which only the loss of the next step would tell
            step = _step(sess)
            raise NotFinite(f"the weights are not finite any more after step {step}", step)
        self._run.report.show("writing a checkpoint")
        best = f"best-{self.best}.npy"
        if self.held:
            weights.write(os.path.join(self._run.path, best), self.held)
            self.held = {}
        path = super().save(sess, *args, **options)
        for name in os.listdir(self._run.path):
            if re.fullmatch(r"best-\d+\.npy", name) and name != best:
                os.remove(os.path.join(self._run.path, name))
        return path


class Stop(tf.train.SessionRunHook):
    """Ends a session after the step during which the process is asked to stop, so that nothing is lost."""

    def __init__(self):
        self.asked = False
        self.running = False
        self.interrupted = False

    @contextlib.contextmanager
    def listening(self):
        """Within the block the first Ctrl-C or SIGTERM asks while steps run; else it raises KeyboardInterrupt."""

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
    """Keeps metrics.jsonl and TensorBoard's events, validates after each epoch, and tells how it goes."""

    def __init__(self, run, batches, graph, saver):
        self._path = os.path.join(run.path, "metrics.jsonl")
        self._run = run
        self._batches = batches
        self._graph = graph
        self._saver = saver
        self._scalars = {"loss": graph.loss, "accuracy": graph.accuracy, "rate": graph.rate}
        self._watched = {**self._scalars, "images": tf.size(graph.labels)}
        # TensorFlow keeps a writer for each path, wherever the process then is.
        self._events = tf.summary.FileWriterCache.get(os.path.abspath(run.path))
        self._epoch_began = time.monotonic()

    def after_create_session(self, session, coord):
        self._first = step = _step(session)
        # Steps after the checkpoint come again.
        history = [line for line in read_metrics(self._path) if line["step"] <= step and "kept" not in line]
        write_text(self._path, "".join(json.dumps(line) + "\n" for line in history))
        self._events.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)
        best = best_epoch(history) or {"validation_loss": math.inf, "step": None}
        self._least = best["validation_loss"]
        self._saver.best, self._saver.held = best["step"], {}
        epochs = [line for line in history if "epoch" in line]
        self._losses = [line["loss"] for line in epochs]
        self._ended = max([line["epoch"] for line in epochs], default=0)
        ended_at = self._ended * self._batches.steps_per_epoch
        self._of_epoch = [line for line in history if "epoch" not in line and line["step"] > ended_at]
        self._began = self._stepped = time.monotonic()

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(self._watched)

    def after_run(self, run_context, run_values):
        step = _step(run_context.session)
        values = {name: value.item() for name, value in run_values.results.items()}
        self._note({"step": step, **values}, self._scalars)
        self._of_epoch.append(values)
        now = time.monotonic()
        left = int((self._run.last - step) * (now - self._began) / max(1, step - self._first))
        self._run.report.show(
            f"epoch {self._ended + 1}/{self._run.settings['epochs']}  step {step}/{self._run.last}  "
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
        best = found.get("validation_loss", math.inf) < self._least
        if best:
            self._least = found["validation_loss"]
            self._saver.hold(session, step)
        now = time.monotonic()
        seconds = now - self._epoch_began
        self._note({"epoch": epoch, "step": step, **found, "best": best, "seconds": seconds}, validated)
        told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
        mark = ", the best so far" if best else ""
        self._run.report.line(f"epoch {epoch}/{self._run.settings['epochs']}: {told}, {seconds:.1f} s{mark}")
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
        """Tells it once, of the first epoch of which it holds."""
        first = (self._losses or [loss])[0]
        if loss >= _DIVERGING * first > max(self._losses, default=0):
            self._run.report.problem(
                f"diverging: the loss of epoch {epoch}, {loss:.4g}, is more than {_DIVERGING:g} times the first "
                f"epoch's, {first:.4g}; stop, and start another run with a lower --learning-rate"
            )
        self._losses.append(loss)

    def _note(self, line, scalars):
        """Adds a line to metrics.jsonl, and those of its values that are named in `scalars` to the events."""
        with open(self._path, "a") as file:
            file.write(json.dumps(line) + "\n")
        values = [tf.Summary.Value(tag=name, simple_value=line[name]) for name in scalars]
        self._events.add_summary(tf.Summary(value=values), line["step"])
