"""A run: what makes it, goes on with it and ends it.

It is a folder. It holds what is needed to go on where a process stopped, and at every end the weights:

    config.json    settings and versions           images.json     the images, in order, and those left out
    pool5.bin      what frozen layers make of them  model.ckpt-*    checkpoints of what is trained
    metrics.jsonl  a line a step, an epoch, an end  events.out.*    the same for TensorBoard
    weights.npy    upstream's format                labels.txt      the classes
    last.npy       after the last step              best-*.npy      the best epoch's layers that are trained
    curves.png     loss and accuracy
"""

import contextlib
import os

import tensorflow.compat.v1 as tf

from tensorflow_vgg._train import batches, checkpoints, images, network, results, session, settings
from tensorflow_vgg._train import cluster as machines

__all__ = ["Run"]


class Run:
    """Trains VGG19 on a folder of images, or goes on with a run that stopped.

    Args:
      path: the folder of the run. A new one is made; one that is there goes on at its last checkpoint.
      folder: has one subfolder of images a class.
      given: settings by name, as in `settings.DEFAULTS`; None and absent ones are the run's, or the default.
      load_weights: called with the setting `weights`: the weight dict to start from.
      report: where to tell how it goes: has line(text), problem(text), show(text) for what the next one may replace,
        and progress(total, what, done=0), a context manager of what has advance(count).
      cluster: the `Cluster` that this process, a worker, is of; None: it trains alone.
      save_every: seconds between checkpoints.
      draws: whether to draw curves.png; False at the end, too, where there is no matplotlib.
    """

    def __init__(self, path, folder, given, load_weights, report, cluster=None, save_every=60.0, draws=True):
        self.path = path
        self.folder = folder
        self.report = report
        self.chief = cluster is None or cluster.number == 0
        self._given = given
        self._load_weights = load_weights
        self.cluster = cluster
        self.save_every = save_every
        self.draws = draws
        self.stop = session.Stop()
        self.trained_now = False  # whether this process, a chief, has made the last step

    def train(self):
        """Trains until the last step, or until the process is asked to stop.

        Returns:
          Whether the run has come to its end.

        Raises:
          ValueError: the images, weights or settings are not usable, or not the run's; or the loss or a weight is not
            finite any more: the last checkpoint is then from before.
          OSError: a file cannot be read or written.
        """
        with self.stop.listening():
            try:
                return self._train()
            except BaseException:
                # Some libraries make other exceptions of a KeyboardInterrupt.
                if not self.stop.interrupted:
                    raise
            step = checkpoints.last_step(self.path)
            where = f"goes on at step {step}" if step > 0 else "starts again"
            self.report.problem(f"{self.path}: stopped, and nothing was lost; the same command {where}")
            return False

    def _train(self):
        self.settings, epochs_before = settings.choose(self.path, self._given)
        images.check_place(self.path, self.folder, self.settings["validation"])
        self.report.show("looking for images")
        if not self.chief:
            # A worker that begins before there is a checkpoint would look for the chief's variables for long.
            path = self._in("checkpoint")
            machines.wait(lambda: os.path.exists(path), f"waiting until the chief has made {path}", self.report)
        recorded = images.recorded(self.path, checkpoints.last_step(self.path) >= 0)
        self.listing = images.listed(self.path, self.folder, self.settings, recorded, self.report)
        self.report.show(f"reading {self.settings['weights']}")
        weight_dict = network.start(self._load_weights(self.settings["weights"]), self.settings, self.report)
        os.makedirs(self.path, exist_ok=True)
        with checkpoints.alone(self.path) if self.chief else contextlib.nullcontext():
            if self.chief:
                checkpoints.mend(self.path, self.report)
                settings.write_config(self.path, self.settings)
                settings.write_text(self._in("labels.txt"), "".join(f"{name}\n" for name in self.listing.classes))
            self.batches = batches.prepared(self, recorded or self.listing.names(), weight_dict)
            self.stop.expect_none()
            self.last = self.settings["epochs"] * self.batches.steps_per_epoch
            step = checkpoints.last_step(self.path)
            going_on = f"; going on at step {step} of {self.last}" if 0 <= step < self.last else ""
            self.report.line(self.batches.text() + going_on)
            if epochs_before not in (None, self.settings["epochs"]):
                self.report.line(
                    f"{self.settings['epochs']} epochs in place of {epochs_before}: the learning rate, which falls to "
                    "zero in half a cosine, does so at the new end"
                )
            if self.chief and step >= self.last and self._is_finished():
                return True
            self._steps_and_end(weight_dict, step)
        if not self.chief and not self.stop.asked:
            self.report.line(f"{self.path}: all steps are done; the chief writes the weights")
        return not self.stop.asked

    def _in(self, name):
        return os.path.join(self.path, name)

    def _is_finished(self):
        """Whether all there is to write has been written; then it says so."""
        metrics = settings.read_metrics(self._in("metrics.jsonl"))
        kept = [line["kept"] for line in metrics if line["step"] == self.last and "kept" in line]
        if not kept or not all(os.path.exists(self._in(name)) for name in kept[-1]):
            return False
        epochs = self.settings["epochs"]
        self.report.line(
            f"{self.path}: finished after {epochs} epochs, its weights are in {', '.join(map(self._in, kept[-1]))}. "
            f"More epochs: --epochs {2 * epochs}. Other settings: another run, from these weights with --weights"
        )
        return True

    def _steps_and_end(self, weight_dict, step):
        """Trains, and whichever way that ends writes what has come of it."""
        start, failure = weight_dict, None
        if step >= 0:
            # The checkpoint has the run's own fc8: the file's, of other classes, is no news any more.
            start = {name: layer for name, layer in weight_dict.items() if name != "fc8"}
        if not self.chief or step < self.last:
            try:
                session.train(self, start)
            except results.NotFinite as error:
                failure, good = error.args
                if self.chief:  # whose checkpoints they are
                    checkpoints.without_later(self.path, good)
            except tf.errors.OpError as error:
                raise OSError(f"{self.path}: {(error.message or type(error).__name__).splitlines()[0]}") from error
        if self.chief and checkpoints.last_step(self.path) > 0:
            results.write(self, weight_dict)
            self.trained_now = not self.stop.asked
        if failure:
            raise ValueError(
                f"{self.path}: {failure}; the last good checkpoint is {tf.train.latest_checkpoint(self.path)}; start "
                f"another run with a --learning-rate below {self.settings['learning_rate']:g}"
            )
        if self.stop.asked:
            self.report.problem(f"{self.path}: stopped; the same command goes on")
