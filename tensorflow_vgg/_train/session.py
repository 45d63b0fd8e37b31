"""The session in which a run's steps are made, alone or with others, and what happens around them."""

import contextlib
import json
import math
import os
import signal
import time

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import session_config
from tensorflow_vgg._train import network
from tensorflow_vgg._train.results import NotFinite, Saver
from tensorflow_vgg._train.settings import best_epoch, read_metrics, write_text

__all__ = ["Stop", "train"]

_CHECK_SECONDS = 1  # between a worker's looks whether the chief has made the variables ready
_WAIT_SECONDS = 7 * 24 * 3600
_DIVERGING = 10.0  # times the first epoch's loss


def train(run, weight_dict):
    """Trains from the last checkpoint, or from `weight_dict`, to the end, or until the process is asked to stop."""
    cluster, batches, config = run.cluster, run.batches, session_config()
    number, workers, target, setter, own = 0, 1, "", None, None
    if cluster:
        number, workers, server = cluster.number, len(cluster.workers), cluster.server()
        target, own = server.target, f"/job:{cluster.job}/task:{cluster.index}"
        setter = tf.train.replica_device_setter(worker_device=own, ps_tasks=len(cluster.ps))
        # A session that waited for all workers would end with any of them.
        config.device_filters.extend(["/job:ps", own])
    with tf.Graph().as_default(), tf.device(setter):
        tf.set_random_seed(run.settings["seed"])
        global_step = tf.train.get_or_create_global_step()
        first = tf.placeholder(tf.int64, [], name="first_step")
        iterator = tf.data.make_initializable_iterator(batches.dataset(first, workers))
        graph = network.build(run, weight_dict, *iterator.get_next(), batches.pool5 is not None, own)
        record = _Record(run, graph) if run.chief else None
        scaffold = tf.train.Scaffold(saver=record and record.saver)
        while True:
            try:
                with contextlib.closing(_session(run, target, scaffold, config)) as session:
                    step = int(session.run(global_step))
                    # It begins with the batch that comes after this step.
                    session.run(iterator.initializer, {first: step + (number - step) % workers})
                    return _make_steps(run, session, graph, record, step)
            except (tf.errors.AbortedError, tf.errors.UnavailableError):
                if run.stop.asked:
                    raise KeyboardInterrupt from None
                run.report.problem(f"{run.path}: a parameter server was lost; going on from the last checkpoint")


def _session(run, target, scaffold, config):
    """A session whose variables are ready: the chief makes them so, with what the last checkpoint holds."""
    if run.cluster:
        run.cluster.wait_for_parameters(run.report)
    if run.chief:
        run.report.show("initialising the network")
        return tf.train.ChiefSessionCreator(scaffold, target, config, os.path.abspath(run.path)).create_session()
    run.report.show("waiting until the chief has the parameters ready")
    scaffold.finalize()
    manager = tf.train.SessionManager(
        local_init_op=scaffold.local_init_op,
        ready_op=scaffold.ready_op,
        ready_for_local_init_op=scaffold.ready_for_local_init_op,
        recovery_wait_secs=_CHECK_SECONDS,
    )
    return manager.wait_for_session(target, config, _WAIT_SECONDS)


def _make_steps(run, session, graph, record, step):
    if record:
        record.begin(session, step)
    run.stop.expect_none()
    run.stop.running = True
    try:
        while step < run.last and not run.stop.asked:
            _, target, watched = session.run([graph.train_step, graph.target, graph.watched])
            step = int(session.run(graph.step))
            if not np.isfinite(target):  # before a checkpoint is made of that
                raise NotFinite(f"the loss is {target} at step {step}", step - 1)
            if record:
                record.step(session, step, {name: value.item() for name, value in watched.items()})
        if record:
            record.end(session, step)
    finally:
        run.stop.running = False


class Stop:
    """Ends the steps after the one during which the process is asked to stop, so that nothing is lost."""

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


class _Record:
    """Keeps checkpoints, metrics.jsonl and TensorBoard's events, validates after each epoch, and tells how it goes."""

    def __init__(self, run, graph):
        self._path = os.path.join(run.path, "metrics.jsonl")
        self._run = run
        self._graph = graph
        self.saver = Saver(run, graph.trained)
        self._events = tf.summary.FileWriter(run.path)
        self._epoch_began = time.monotonic()

    def begin(self, session, step):
        """Begins after a step that the last checkpoint is of, or again where a session was lost."""
        # Steps after the checkpoint come again.
        history = [line for line in read_metrics(self._path) if line["step"] <= step and "kept" not in line]
        write_text(self._path, "".join(json.dumps(line) + "\n" for line in history))
        self._events.add_graph(session.graph)
        self._events.add_session_log(tf.SessionLog(status=tf.SessionLog.START), step + 1)
        best = best_epoch(history) or {"validation_loss": math.inf, "step": None}
        self._least = best["validation_loss"]
        self.saver.best, self.saver.held = best["step"], {}
        epochs = [line for line in history if "epoch" in line]
        self._losses = [line["loss"] for line in epochs]
        self._ended = max([line["epoch"] for line in epochs], default=0)
        ended_at = self._ended * self._run.batches.steps_per_epoch
        self._of_epoch = [line for line in history if "epoch" not in line and line["step"] > ended_at]
        self._save(session, step)
        self._first, self._began = step, time.monotonic()
        self._stepped = self._began

    def step(self, session, step, values):
        """What follows a step, of which `values` has loss, accuracy, rate and the number of images."""
        self._note({"step": step, **values}, ("loss", "accuracy", "rate"))
        self._of_epoch.append(values)
        now = time.monotonic()
        left = int((self._run.last - step) * (now - self._began) / max(1, step - self._first))
        self._run.report.show(
            f"epoch {self._ended + 1}/{self._run.settings['epochs']}  step {step}/{self._run.last}  "
            f"loss {values['loss']:.4f}  accuracy {values['accuracy']:.3f}  "
            f"{values['images'] / (now - self._stepped):.1f} images/s  {left // 60}:{left % 60:02} left"
        )
        epoch = step // self._run.batches.steps_per_epoch
        if epoch > self._ended:
            self._end_epoch(session, epoch, step)
        # Last, since what a checkpoint holds has been recorded.
        if time.monotonic() - self._saved >= self._run.save_every:
            self._save(session, step)
        self._stepped = time.monotonic()

    def end(self, session, step):
        """What follows the last step of this process."""
        if step != self._saved_step:
            self._save(session, step)
        self._events.close()

    def _save(self, session, step):
        self._saved, self._saved_step = time.monotonic(), step
        self.saver.keep(session, step)

    def _end_epoch(self, session, epoch, step):
        images = [line["images"] for line in self._of_epoch]
        means = {
            name: float(np.average([line[name] for line in self._of_epoch], weights=images))
            for name in ("loss", "accuracy")
        }
        found = {**means, **self._validate(session)}
        best = found.get("validation_loss", math.inf) < self._least
        if best:
            self._least = found["validation_loss"]
            self.saver.hold(session, step)
        now = time.monotonic()
        seconds = now - self._epoch_began
        self._note(
            {"epoch": epoch, "step": step, **found, "best": best, "seconds": seconds}, found.keys() - means.keys()
        )
        told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
        mark = ", the best so far" if best else ""
        self._run.report.line(f"epoch {epoch}/{self._run.settings['epochs']}: {told}, {seconds:.1f} s{mark}")
        self._losses.append(found["loss"])
        *earlier, loss = self._losses
        if loss >= _DIVERGING * self._losses[0] > max(earlier, default=0):  # told once
            self._run.report.problem(
                f"diverging: the loss of epoch {epoch}, {loss:.4g}, is more than {_DIVERGING:g} times the first "
                f"epoch's, {self._losses[0]:.4g}; stop, and start another run with a lower --learning-rate"
            )
        self._ended = epoch
        self._epoch_began = now
        self._of_epoch = []

    def _validate(self, session):
        """{"validation_loss": mean, "validation_accuracy": mean}; without validation images an empty dict."""
        graph = self._graph
        sums, count = np.zeros(2), 0
        for values, labels in self._run.batches.validation():
            fed = {graph.values: values, graph.labels: labels, graph.train_mode: False}
            sums += session.run([graph.losses, graph.right], fed)
            count += len(labels)
        return dict(zip(("validation_loss", "validation_accuracy"), (sums / count).tolist())) if count else {}

    def _note(self, line, scalars):
        """Adds a line to metrics.jsonl, and those of its values that are named in `scalars` to the events."""
        with open(self._path, "a") as file:
            file.write(json.dumps(line) + "\n")
        values = [tf.Summary.Value(tag=name, simple_value=line[name]) for name in scalars]
        self._events.add_summary(tf.Summary(value=values), line["step"])
