"""Retrains VGG19 with attention on a folder of images, and tells how well weights classify one.

A run is a folder. It holds what is needed to go on where a process stopped, and in the end the weights:

    config.json    settings and versions           images.json     the images, in order, and those left out
    pool5.bin      what frozen layers make of them  model.ckpt-*    checkpoints of what is trained
    metrics.jsonl  a line a step, a line an epoch   events.out.*    the same for TensorBoard, and attention
    weights.npy    upstream's format                labels.txt      the classes
    curves.png     loss and accuracy

What is random depends on the seed and the number of the step alone, apart from dropout.
"""

import collections
import contextlib
import functools
import hashlib
import itertools
import json
import os
import platform
import signal
import socket
import threading
import time

import numpy as np
import tensorflow.compat.v1 as tf

from tensorflow_vgg import __version__, session_config, utils, vgg19_trainable, weights

__all__ = [
    "DEFAULTS",
    "LEARNING_RATES",
    "Batches",
    "Cluster",
    "Listing",
    "NotFinite",
    "find_images",
    "plot_confusion",
    "read_cluster",
    "read_metrics",
    "score",
    "serve_parameters",
    "split",
    "text",
    "train",
]

LEARNING_RATES = {"adam": 3e-5, "momentum": 1e-3, "sgd": 1e-2}
DEFAULTS = {
    "weights": None,
    "validation": "0.2",
    "attention": True,
    "attention_start": "open",
    "train": "fc",
    "epochs": 30,
    "batch": 16,
    "optimizer": "adam",
    "learning_rate": None,
    "weight_decay": 0.0,
    "dropout": 0.8,
    "augment": False,
    "seed": 0,
}

_TRAINED = {
    "head": {"fc8", *weights.ATTENTION_LAYERS},
    "fc": {"fc6", "fc7", "fc8", *weights.ATTENTION_LAYERS},
    "all": {*weights.KERNEL_SHAPES["vgg19"], *weights.ATTENTION_LAYERS},
}
_SCALED_TO = 256  # smaller side of an image from which augmentation cuts
_PICTURES = 4  # validation images whose attention TensorBoard shows
_AHEAD = 2  # batches that are made while one is trained on


class Cluster(collections.namedtuple("Cluster", "ps workers job index")):
    """The machines of a run: addresses of parameter servers and workers, and which of them this process is.

    `workers` is a list of (job, index, address), the chief first.
    """

    @property
    def number(self):
        """This worker's place among the workers; None for a parameter server."""
        tasks = [(job, index) for job, index, _ in self.workers]
        return tasks.index((self.job, self.index)) if self.job != "ps" else None

    def server(self):
        """TensorFlow's server for this process."""
        jobs = {"ps": dict(enumerate(self.ps))}
        for job, index, address in self.workers:
            jobs.setdefault(job, {})[index] = address
        return tf.train.Server(
            tf.train.ClusterSpec(jobs), job_name=self.job, task_index=self.index, config=session_config()
        )


def read_cluster(ps=None, workers=None, task=None):
    """The cluster that the options or else the variable TF_CONFIG name.

    Args:
      ps: addresses HOST:PORT of the parameter servers, separated by commas.
      workers: likewise; the first is the chief.
      task: "ps:N" or "worker:N", which of them this process is.

    Returns:
      A `Cluster`, or None if there is none.

    Raises:
      ValueError: they do not make a cluster with this process in it.
    """
    if (ps, workers, task) != (None, None, None):
        source = "--ps, --workers and --task"
        if None in (ps, workers, task):
            raise ValueError(f"expected all of {source} or none")
        jobs = {"ps": ps.split(","), "worker": workers.split(",")}
        job, _, index = task.partition(":")
    else:
        source = "TF_CONFIG"
        try:
            config = json.loads(os.environ.get(source) or "{}")
            jobs = dict(config.get("cluster", {}))
            task = config.get("task", {})
            job, index = task.get("type"), str(task.get("index", ""))
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{source}: expected JSON with cluster and task, got {os.environ[source]}") from error
        if not jobs:
            return None
    jobs.pop("evaluator", None)
    tasks = [
        (name, number, address)
        for name in ("chief", "master", "worker")
        for number, address in enumerate(jobs.get(name, ()))
    ]
    unknown = set(jobs) - {"ps", "chief", "master", "worker"}
    if unknown or not tasks or not jobs.get("ps"):
        raise ValueError(f"{source}: expected addresses of the jobs ps and worker, got {', '.join(jobs) or 'none'}")
    for address in [*jobs["ps"], *(address for _, _, address in tasks)]:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"{source}: expected addresses HOST:PORT, got {address}")
    if not index.isdigit() or int(index) >= len(jobs.get(job, ())):
        raise ValueError(f"{source}: expected a task of the cluster such as worker:0, got {job}:{index}")
    return Cluster(list(jobs["ps"]), tasks, job, int(index))


def serve_parameters(cluster):
    """Holds parameters for the workers until the process is stopped."""
    server = cluster.server()
    threading.Event().wait()  # server.join() could not be interrupted
    return server


class Listing:
    """The images of a run: paths, the numbers of their classes, and which of them are trained on."""

    def __init__(self, classes, training, validation):
        self.classes = classes
        self.training = training  # [(path, class number)]
        self.validation = validation

    @property
    def items(self):
        return self.training + self.validation

    def names(self):
        """The classes, and the images by folder, name and size, as images.json has them."""
        return {
            "classes": self.classes,
            "training": [self._name(*item) for item in self.training],
            "validation": [self._name(*item) for item in self.validation],
        }

    def _name(self, path, label):
        size = os.path.getsize(path) if os.path.exists(path) else None  # a link to nowhere cannot be read, no more
        return [f"{self.classes[label]}/{os.path.basename(path)}", size]


def find_images(folder, classes=None):
    """The images of a folder with one subfolder a class, sorted by name.

    Args:
      folder: the folder.
      classes: the names of the classes there may be; None: those that there are.

    Returns:
      (classes, [(path, class number)])

    Raises:
      ValueError: there are no such subfolders, one has no images, or is none of the classes.
    """
    if not os.path.isdir(folder):
        raise ValueError(f"{folder}: expected a folder with one subfolder a class, found no such folder")
    names = sorted(name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name)) and name[0] != ".")
    if not names:
        raise ValueError(f"{folder}: expected a folder with one subfolder a class, found no subfolder")
    if classes is None:
        classes = names
    items = []
    for name in names:
        if name not in classes:
            raise ValueError(f"{folder}: {name} is none of the {len(classes)} classes {_few(classes)}")
        place = os.path.join(folder, name)
        found = sorted(file for file in os.listdir(place) if file.lower().endswith(utils.IMAGE_ENDINGS))
        if not found:
            raise ValueError(f"{place}: expected images ({', '.join(utils.IMAGE_ENDINGS)}), found none")
        items += [(os.path.join(place, file), classes.index(name)) for file in found]
    return classes, items


def _few(names):
    return ", ".join(names) if len(names) <= 5 else f"{', '.join(names[:4])} ... {names[-1]}"


def split(folder, validation, seed):
    """The images of a run.

    Args:
      folder: has one subfolder of images a class.
      validation: another such folder, or the part of the images, as text, that is not trained on.
      seed: of the hash of each image's class and name that decides, so that an image stays where it is.

    Returns:
      A `Listing`.

    Raises:
      ValueError: there are no two classes, or no images to train on.
    """
    classes, items = find_images(folder)
    if len(classes) < 2:
        raise ValueError(f"{folder}: expected a subfolder for each of two classes or more, found {classes[0]} alone")
    try:
        part = float(validation)
    except ValueError:
        return Listing(classes, items, find_images(validation, classes)[1])
    if not 0 <= part < 1:
        raise ValueError(f"--validation {validation}: expected a folder, or a part of the images from 0 to below 1")
    held_out = [_hash(seed, path) < part for path, _ in items]
    listing = Listing(
        classes,
        [item for item, out in zip(items, held_out) if not out],
        [item for item, out in zip(items, held_out) if out],
    )
    missing = set(range(len(classes))) - {label for _, label in listing.training}
    if missing:
        raise ValueError(
            f"{folder}: {classes[min(missing)]}: --validation {validation} leaves no image to train on; expected more "
            "images"
        )
    if part and not listing.validation:
        raise ValueError(f"{folder}: --validation {validation} of {len(items)} images came to none; name a folder")
    return listing


def _hash(seed, path):
    """A number in [0, 1) that depends on the seed and the image's class and name alone."""
    name = "/".join([str(seed), os.path.basename(os.path.dirname(path)), os.path.basename(path)])
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8], "big") / 2.0**64


class _Network(vgg19_trainable.Vgg19):
    """The trainable network, of which a part is trained, in the widths of its weight dict.

    Layers that are not trained are local variables, which no checkpoint holds. Initial values come from Python when
    a session starts, so that the graph stays small.

    Args:
      weight_dict: layer name -> `[kernel, biases]`, arrays.
      trained: the names of the layers to train.
      pool5: a tensor in place of what the convolutions give, or None.
      device: of the layers that are not trained, or None.
      seed: of a fresh fc8.
      source: where the weights come from, for messages.
      **options: as for the base class.
    """

    def __init__(self, weight_dict, trained=(), pool5=None, device=None, seed=0, source="weights", **options):
        with tf.name_scope("start"):
            fed = {
                name: layer if name in weights.ATTENTION_LAYERS else [_fed(layer[0]), _fed(layer[1])]
                for name, layer in weight_dict.items()
            }
        super().__init__(fed, **options)
        self._source = source
        self._trained = trained
        self._pool5 = pool5
        self._device = device
        self._seed = seed

    def max_pool(self, bottom, name):
        if name == "pool5" and self._pool5 is not None:
            return self._pool5
        return super().max_pool(bottom, name)

    def conv_layer(self, bottom, in_channels, out_channels, name):
        return super().conv_layer(bottom, *self.data_dict[name][0].get_shape().as_list()[2:], name)

    def fc_layer(self, bottom, in_size, out_size, name):
        if name in self.data_dict:
            in_size, out_size = self.data_dict[name][0].get_shape().as_list()
        else:
            in_size = bottom.get_shape().as_list()[1]
        return super().fc_layer(bottom, in_size, out_size, name)

    def get_var(self, initial_value, name, idx, var_name):
        if name not in self.data_dict:
            # With a seed of its own it is the same whatever else is in the graph, such as attention.
            initial_value = tf.truncated_normal(initial_value.get_shape(), 0.0, 0.001, seed=self._seed + idx)
        if name in self._trained:
            return super().get_var(initial_value, name, idx, var_name)
        with tf.variable_creator_scope(_local), tf.device(self._device):
            return super().get_var(initial_value, name, idx, var_name)


def _fed(array):
    """A tensor of the values of an array, which the graph does not hold."""
    shape = np.shape(array)
    # A copy: a variable keeps the buffer it starts from, and an array may be a read-only file.
    tensor = tf.numpy_function(lambda: np.array(array), [], tf.float32)
    tensor.set_shape(shape)
    return tensor


def _local(create, **options):
    return create(**{**options, "collections": [tf.GraphKeys.LOCAL_VARIABLES], "trainable": False})


class Batches:
    """The batches of a run: which images each step sees, and their values.

    Args:
      listing: the images.
      left_out: the numbers of those that cannot be read.
      pool5: an array with a row for each image, or None to read the images.
      settings: of the run.
    """

    def __init__(self, listing, left_out, pool5, settings):
        self.pool5 = pool5
        self._items = listing.items
        self._settings = settings
        kept = np.setdiff1d(np.arange(len(self._items)), left_out)
        self._training = kept[kept < len(listing.training)]
        self._validation = kept[kept >= len(listing.training)]
        self.steps_per_epoch = -(-len(self._training) // settings["batch"])
        self._order = functools.lru_cache(maxsize=2)(self._shuffled)
        self.pictures = functools.lru_cache(maxsize=1)(self._read_pictures)  # large photographs take long to read

    def text(self):
        """How many images there are."""
        return f"{len(self._training)} images to train on, {len(self._validation)} to validate on"

    def dataset(self, first, stride):
        """A dataset without an end: every `stride`th batch from step `first`."""
        shape = (utils.SIZE, utils.SIZE, 3) if self.pool5 is None else self.pool5.shape[1:]

        def batch(step):
            values, labels = tf.numpy_function(self.training_batch, [step], [tf.float32, tf.int64])
            values.set_shape([None, *shape])
            labels.set_shape([None])
            return values, labels

        steps = tf.data.Dataset.range(first, np.iinfo(np.int64).max, stride)
        return steps.map(batch, num_parallel_calls=_AHEAD).prefetch(_AHEAD)

    def training_batch(self, step):
        """(values float32 [batch, ...], labels int64 [batch]) of the step that follows `step` others."""
        epoch, number = divmod(int(step), self.steps_per_epoch)
        size = self._settings["batch"]
        chosen = self._order(epoch)[number * size : (number + 1) * size]
        if self.pool5 is not None:
            values = self.pool5[chosen]
        elif self._settings["augment"]:
            values = np.stack([self._augmented(index, epoch) for index in chosen])
        else:
            values = np.stack([self._pixels(index) for index in chosen])
        return np.array(values), self._labels(chosen)

    def validation(self):
        """Yields (values, labels) of all validation images."""
        size = self._settings["batch"]
        decoded = utils.decoded([self._items[index][0] for index in self._validation], 2 * size)
        for start in range(0, len(self._validation), size):
            chosen = self._validation[start : start + size]
            if self.pool5 is None:
                values = np.stack([_raised(pixels) for _, pixels in itertools.islice(decoded, size)])
            else:
                values = self.pool5[chosen]
            yield values, self._labels(chosen)

    def _read_pictures(self):
        """Some validation images across the classes: (values, pixels in [0, 1])."""
        count = min(_PICTURES, len(self._validation))
        chosen = self._validation[np.linspace(0, len(self._validation) - 1, count).astype(int)]
        pixels = np.stack([self._pixels(index) for index in chosen])
        return pixels if self.pool5 is None else self.pool5[chosen], pixels

    def _shuffled(self, epoch):
        return np.random.RandomState([self._settings["seed"], epoch]).permutation(self._training)

    def _labels(self, chosen):
        return np.array([self._items[index][1] for index in chosen], np.int64)

    def _pixels(self, index):
        return utils.load_image(self._items[index][0]).astype(np.float32)

    def _augmented(self, index, epoch):
        """A random part of the image, whose smaller side is scaled to 256, maybe mirrored: as in the VGG paper."""
        random = np.random.RandomState([self._settings["seed"], epoch, index])
        image = utils.load_image2(self._items[index][0], smaller=_SCALED_TO)
        top, left = (random.randint(size - utils.SIZE + 1) for size in image.shape[:2])
        part = image[top : top + utils.SIZE, left : left + utils.SIZE]
        return (part[:, ::-1] if random.randint(2) else part).astype(np.float32)


def _raised(pixels):
    if isinstance(pixels, Exception):
        raise pixels
    return pixels


def _keep_pool5(path, listing, weight_dict, batch, report):
    """Makes the file of pool5 of all images: float32 [images, 7, 7, channels], NaN for those that cannot be read.

    It goes on with what an earlier process left unfinished.
    """
    paths = [item[0] for item in listing.items]
    row = 4 * int(np.prod(_pool5_shape(weight_dict)))
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(f"{path}.partial", "ab"))
        # Whole batches, since a convolution may round otherwise in a batch of another size.
        done = min(file.tell() // row // batch * batch, len(paths))
        file.truncate(done * row)
        stack.enter_context(tf.Graph().as_default())
        images = tf.placeholder(tf.float32, [None, utils.SIZE, utils.SIZE, 3])
        network = _Network(weight_dict, attention=False, classes=len(weight_dict["fc8"][1]))
        network.build(images, tf.constant(False))
        convolutions = [var for (layer, _), var in network.var_dict.items() if layer.startswith("conv")]
        session = stack.enter_context(tf.Session(config=session_config()))
        session.run(tf.variables_initializer(convolutions))
        progress = stack.enter_context(report.progress(len(paths), "pool5"))
        progress.advance(done)
        decoded = utils.decoded(paths[done:], 2 * batch)
        for chosen in iter(lambda: list(itertools.islice(decoded, batch)), []):
            values = [pixels for _, pixels in chosen if not isinstance(pixels, Exception)]
            rows = np.full([len(chosen), row // 4], np.nan, "<f4")
            if values:
                found = session.run(network.pool5, {images: values})
                rows[[not isinstance(pixels, Exception) for _, pixels in chosen]] = found.reshape(len(values), -1)
            for _, pixels in chosen:
                if isinstance(pixels, Exception):
                    report.problem(f"{pixels}; left out")
            file.write(rows.tobytes())
            file.flush()
            progress.advance(len(chosen))
        os.fsync(file.fileno())
    os.replace(f"{path}.partial", path)


def _pool5_shape(weight_dict):
    """[height, width, channels] of what fc6 takes of an image."""
    return 7, 7, len(weight_dict["conv5_4"][1])


def _readable(listing, report):
    """For each image whether it can be read; those that cannot are reported."""
    readable = []
    with report.progress(len(listing.items), "reading") as progress:
        for _, pixels in utils.decoded([path for path, _ in listing.items], _AHEAD):
            if isinstance(pixels, Exception):
                report.problem(f"{pixels}; left out")
            readable.append(not isinstance(pixels, Exception))
            progress.advance(1)
    return readable


class NotFinite(ValueError):
    """The loss or a weight is no finite number any more; `step` is the one whose weights give that."""

    def __init__(self, message, step):
        super().__init__(message)
        self.step = step


class _Begin(tf.train.SessionRunHook):
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


class _Finite(tf.train.SessionRunHook):
    """Raises when the loss is not finite, before a checkpoint is made of that."""

    def __init__(self, loss):
        self._loss = loss

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context, run_values):
        if not np.isfinite(run_values.results):
            step = _step(run_context.session)
            raise NotFinite(f"the loss is {run_values.results} at step {step}", step - 1)


class _FiniteSaver(tf.train.Saver):
    """Makes no checkpoint of weights that are not finite, which only the loss of the next step would tell."""

    def __init__(self, variables, **options):
        super().__init__(variables, **options)
        sums = [tf.reduce_sum(variable) for variable in variables if variable.dtype.is_floating]
        self._all_finite = tf.reduce_all(tf.is_finite(tf.stack(sums)))

    def save(self, sess, *args, **options):
        if not sess.run(self._all_finite):
            step = _step(sess)
            raise NotFinite(f"the weights are not finite any more after step {step}", step)
        return super().save(sess, *args, **options)


class _Stop(tf.train.SessionRunHook):
    """Ends a session after the step during which the process is asked to stop, so that nothing is lost."""

    def __init__(self):
        self.asked = False

    @contextlib.contextmanager
    def listening(self):
        """Within the block the first Ctrl-C or SIGTERM asks; the next one does what it always does."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may handle signals
            return

        def ask(number, _):
            self.asked = True
            signal.signal(number, before[number])

        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def after_run(self, run_context, run_values):
        if self.asked:
            run_context.request_stop()


class _Record(tf.train.SessionRunHook):
    """Keeps metrics.jsonl, validates after each epoch, and tells how it goes.

    Args:
      path: of metrics.jsonl.
      per_epoch: steps in an epoch.
      epochs: how many there are.
      watched: tensors of a step by name: loss, accuracy, rate, and images, how many it saw.
      validate: called as validate(session, step): what validation found, a dict.
      started: when the first epoch of this process began, time.monotonic().
      report: where to tell it.
    """

    def __init__(self, path, per_epoch, epochs, watched, validate, started, report):
        self._path = path
        self._per_epoch = per_epoch
        self._epochs = epochs
        self._watched = watched
        self._validate = validate
        self._epoch_began = started
        self._report = report

    def after_create_session(self, session, coord):
        step = _step(session)
        # Steps after the checkpoint come again.
        history = [line for line in read_metrics(self._path) if line["step"] <= step]
        with weights.replacing(self._path) as file:
            file.write("".join(json.dumps(line) + "\n" for line in history).encode())
        self._ended = max([line["epoch"] for line in history if "epoch" in line], default=0)
        ended_at = self._ended * self._per_epoch
        self._of_epoch = [line for line in history if "epoch" not in line and line["step"] > ended_at]
        self._began = self._stepped = time.monotonic()
        self._first = step

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(self._watched)

    def after_run(self, run_context, run_values):
        step = _step(run_context.session)
        values = {name: float(value) for name, value in run_values.results.items()}
        images = values["images"] = int(values["images"])
        self._note({"step": step, **values})
        self._of_epoch.append(values)
        now = time.monotonic()
        last = self._epochs * self._per_epoch
        left = int((last - step) * (now - self._began) / max(1, step - self._first))
        self._report.show(
            f"epoch {self._ended + 1}/{self._epochs}  step {step}/{last}  "
            f"loss {values['loss']:.4f}  accuracy {values['accuracy']:.3f}  "
            f"{images / (now - self._stepped):.1f} images/s  {left // 60}:{left % 60:02} left"
        )
        self._end_epochs(run_context.session, step)
        self._stepped = time.monotonic()

    def _end_epochs(self, session, step):
        epoch = step // self._per_epoch
        if epoch <= self._ended:
            return
        self._ended = epoch
        images = [line["images"] for line in self._of_epoch]
        means = {
            name: float(np.average([line[name] for line in self._of_epoch], weights=images))
            for name in ("loss", "accuracy")
        }
        found = {**means, **self._validate(session, step)}
        now = time.monotonic()
        self._note({"epoch": epoch, "step": step, **found, "seconds": now - self._epoch_began})
        told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
        self._report.line(f"epoch {epoch}/{self._epochs}: {told}, {now - self._epoch_began:.1f} s")
        self._epoch_began = now
        self._of_epoch = []

    def _note(self, line):
        with open(self._path, "a") as file:
            file.write(json.dumps(line) + "\n")


def read_metrics(path):
    """The lines of a metrics.jsonl, a dict each, without one that is cut short; none if there is no such file."""
    found = []
    with contextlib.suppress(FileNotFoundError), open(path) as file:
        for line in file:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found


def train(folder, run, load_weights, given, report, cluster=None, save_every=60.0):
    """Trains VGG19 on a folder of images, or goes on with a run that stopped.

    Args:
      folder: has one subfolder of images a class.
      run: the folder of the run. A new one is made; one that is there goes on at its last checkpoint.
      load_weights: called with the setting `weights`: the weight dict to start from.
      given: settings by name, as in `DEFAULTS`; None and absent ones are the run's, or the default.
      report: where to tell how it goes: has line(text), problem(text), show(text) for what the next one may replace,
        and progress(total, what), a context manager of what has advance(count).
      cluster: the `Cluster` that this process, a worker, is of; None: it trains alone.
      save_every: seconds between checkpoints.

    Returns:
      Whether the run has come to its end. False: the process was asked to stop before.

    Raises:
      ValueError: the images, weights or settings are not usable, or not the run's.
      NotFinite: the loss or a weight is not finite any more; the last checkpoint is from before.
      OSError: a file cannot be read or written.
    """
    started = time.monotonic()
    chief = cluster is None or cluster.number == 0
    settings = _settings(run, given)
    listing = split(folder, settings["validation"], settings["seed"])
    weight_dict = _start(load_weights(settings["weights"]), settings, report)
    os.makedirs(run, exist_ok=True)
    with _alone(run) if chief else contextlib.nullcontext():
        if chief:
            _write_config(run, settings)
            _write_text(os.path.join(run, "labels.txt"), "".join(f"{name}\n" for name in listing.classes))
        batches = _prepare(run, folder, listing, weight_dict, settings, chief, report)
        total = settings["epochs"] * batches.steps_per_epoch
        step = _checkpoint_step(run)
        report.line(batches.text() + (f"; going on at step {step} of {total}" if step >= 0 else ""))
        start = weight_dict
        if step >= 0:
            # The checkpoint has the run's own fc8: the file's, of other classes, is no news any more.
            start = {name: layer for name, layer in weight_dict.items() if name != "fc8"}
        if not chief or step < total:
            try:
                asked_to_stop = _session(run, batches, listing, start, settings, cluster, save_every, started, report)
            except NotFinite as error:
                good = _last_good(run, error.step)
                raise NotFinite(
                    f"{run}: {error}; the last good checkpoint is {good}; start another run with a --learning-rate "
                    f"below {settings['learning_rate']:g}",
                    error.step,
                ) from error
            except tf.errors.OpError as error:
                raise OSError(f"{run}: {(error.message or type(error).__name__).splitlines()[0]}") from error
        if not chief:
            return not asked_to_stop
        if _checkpoint_step(run) < total:
            return False
        _write_weights(run, weight_dict, settings)
        _draw_curves(run, report)
    return True


def _settings(run, given):
    """The run's settings, or for a new run those given and the defaults."""
    if os.path.lexists(run) and not os.path.isdir(run):
        raise ValueError(f"{run}: expected a folder for the run, found a file")
    given = {name: value for name, value in given.items() if value is not None}
    path = os.path.join(run, "config.json")
    if os.path.exists(path):
        try:
            with open(path, encoding="utf-8") as file:
                recorded = json.load(file)["settings"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: expected the settings of a run: {error}") from error
        other = [
            f"{name.replace('_', '-')}: {recorded.get(name)} in the run, {value} given"
            for name, value in given.items()
            if recorded.get(name) != value
        ]
        if other:
            raise ValueError(
                f"{run}: other settings than the run's: {'; '.join(other)}. To go on leave them out; for another run "
                "choose another folder"
            )
        return recorded
    if os.path.isdir(run) and any(name != ".lock" and not name.endswith(".tmp") for name in os.listdir(run)):
        raise ValueError(f"{run}: expected a new folder or that of a run, found a folder of other files")
    settings = {**DEFAULTS, **given}
    if settings["learning_rate"] is None:
        settings["learning_rate"] = LEARNING_RATES[settings["optimizer"]]
    if settings["weights"] is None:
        settings["weights"] = weights.find("vgg19.npy")
    return settings


@contextlib.contextmanager
def _alone(run):
    """Keeps other processes out of the run, and removes what a killed one left half-written."""
    with open(os.path.join(run, ".lock"), "w") as file:
        with contextlib.suppress(ImportError):  # Windows
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ValueError(f"{run}: another process is training this run") from error
        for name in os.listdir(run):
            if name.endswith(".tmp") or ".tempstate" in name:
                os.remove(os.path.join(run, name))
        yield


def _write_config(run, settings):
    source = settings["weights"]
    digest = None if source.startswith("seeded:") else weights.file_digest(source)
    path = os.path.join(run, "config.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            recorded = json.load(file).get("weights_sha256")
        if recorded != digest:
            raise ValueError(f"{source}: not the file that {run} began with: expected SHA-256 {recorded}, got {digest}")
        return
    config = {
        "settings": settings,
        "weights_sha256": digest,
        "tensorflow_vgg": __version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    _write_text(path, json.dumps(config, indent=1) + "\n")


def _write_text(path, text):
    with weights.replacing(path) as file:
        file.write(text.encode("utf-8", "surrogateescape"))


def _start(weight_dict, settings, report):
    """The weights that the run starts from, with an attention block that can be trained, or without one."""
    weights.check(weight_dict, "vgg19", settings["weights"], thin=True)
    start = {name: layer for name, layer in weight_dict.items() if name in weights.KERNEL_SHAPES["vgg19"]}
    if not settings["attention"]:
        return start
    channels = _pool5_shape(weight_dict)[-1]
    block = weights.attention_layers(weight_dict, settings["weights"])
    fixed = weights.pass_through(channels)
    if block and all(np.array_equal(block[name][index], fixed[name][index]) for name in block for index in (0, 1)):
        report.line(
            f"{settings['weights']}: its attention block is pass-through, too saturated to train: it starts "
            f"{settings['attention_start']}"
        )
        block = None
    return {**start, **(block or weights.attention_start(channels, settings["attention_start"], settings["seed"]))}


def _prepare(run, folder, listing, weight_dict, settings, chief, report):
    """What a run needs before the first step, made once: images.json, and pool5 where it stays the same."""
    path = os.path.join(run, "images.json")
    names = listing.names()
    if not chief:
        # A worker that begins before there is a checkpoint would look for the chief's variables every 30 s.
        _wait_for(os.path.join(run, "checkpoint"), report)
    elif not os.path.exists(path):
        _write_text(path, json.dumps(names, indent=1) + "\n")
    with open(path, encoding="utf-8") as file:
        recorded = json.load(file)
    left_out = recorded.pop("left_out", None)
    if recorded != names:
        raise ValueError(f"{folder}: other images than {run} began with, see {path}; start another run for them")

    pool5 = None
    if settings["train"] != "all" and not settings["augment"]:
        pool5_path = os.path.join(run, "pool5.bin")
        if not os.path.exists(pool5_path):
            _keep_pool5(pool5_path, listing, weight_dict, settings["batch"], report)
        pool5 = np.memmap(pool5_path, "<f4", "r").reshape(len(listing.items), *_pool5_shape(weight_dict))
    if left_out is None:
        readable = _readable(listing, report) if pool5 is None else ~np.isnan(pool5[:, 0, 0, 0])
        left_out = [number for number, can_be_read in enumerate(readable) if not can_be_read]
        _write_text(path, json.dumps({**names, "left_out": left_out}, indent=1) + "\n")
    batches = Batches(listing, left_out, pool5, settings)
    if not batches.steps_per_epoch:
        raise ValueError(f"{folder}: none of the images to train on can be read")
    return batches


def _wait_for(path, report):
    told = False
    while not os.path.exists(path):
        if not told:
            report.line(f"waiting until the chief has made {path}")
        told = True
        time.sleep(1)


def _reach(address, report):
    """Waits until there is a server; TensorFlow's own waiting could neither be seen nor interrupted."""
    host, _, port = address.rpartition(":")
    told = False
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            if not told:
                report.line(f"waiting for the parameter server {address}")
            told = True
            time.sleep(1)


def _checkpoint_step(run):
    """The step of the last checkpoint, or -1."""
    path = tf.train.latest_checkpoint(run)
    return int(tf.train.load_checkpoint(path).get_tensor("global_step")) if path else -1


def _last_good(run, step):
    """The path of the last checkpoint from before a step; a later one, whose loss is not finite, is removed."""
    paths = list(tf.train.get_checkpoint_state(run).all_model_checkpoint_paths)
    if len(paths) > 1 and _checkpoint_step(run) >= step:
        tf.train.update_checkpoint_state(run, paths[-2], paths[:-1])
        tf.train.remove_checkpoint(paths[-1])
    return tf.train.latest_checkpoint(run)


def _trained_name(layer, index):
    """The name of a layer's kernel (0) or biases (1) in the graph, upstream's."""
    if layer == "cbam/spatial_attention_conv":
        return f"{layer}/{('weights', 'biases')[index]}"
    if layer in weights.ATTENTION_LAYERS:
        return f"{layer}/{('kernel', 'bias')[index]}"
    return f"{layer}/{layer}_{('filters' if layer.startswith('conv') else 'weights', 'biases')[index]}"


def _write_weights(run, weight_dict, settings):
    """Writes weights.npy: what was trained from the last checkpoint, everything else as it was."""
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(run))
    trained = {
        layer: [reader.get_tensor(_trained_name(layer, index)) for index in (0, 1)]
        for layer in weight_dict
        if layer in _TRAINED[settings["train"]]
    }
    weights.write(os.path.join(run, "weights.npy"), {**weight_dict, **trained})


def _optimizer(settings, step, last):
    """The optimiser, and its learning rate: from the given one to zero in half a cosine."""
    rate = tf.train.cosine_decay(settings["learning_rate"], step, last)
    if settings["optimizer"] == "momentum":
        return tf.train.MomentumOptimizer(rate, 0.9), rate
    if settings["optimizer"] == "adam":
        return tf.train.AdamOptimizer(rate), rate
    return tf.train.GradientDescentOptimizer(rate), rate


def _session(run, batches, listing, weight_dict, settings, cluster, save_every, started, report):
    """Trains from the last checkpoint, or from the start, to the end, or until it is asked to stop: whether it was."""
    last = settings["epochs"] * batches.steps_per_epoch
    for address in cluster.ps if cluster else ():
        _reach(address, report)
    server = cluster.server() if cluster else None
    number, workers = (cluster.number, len(cluster.workers)) if cluster else (0, 1)
    config = session_config()
    setter, own = None, None
    if cluster:
        own = f"/job:{cluster.job}/task:{cluster.index}"
        setter = tf.train.replica_device_setter(worker_device=own, ps_tasks=len(cluster.ps))
        # A session that waited for all workers would end with any of them.
        config.device_filters.extend(["/job:ps", own])
    with tf.Graph().as_default(), tf.device(setter):
        tf.set_random_seed(settings["seed"])
        step = tf.train.get_or_create_global_step()
        first = tf.placeholder(tf.int64, [], name="first_step")
        iterator = tf.data.make_initializable_iterator(batches.dataset(first, workers))
        values, labels = iterator.get_next()
        train_mode = tf.placeholder_with_default(True, [], name="train_mode")
        pool5 = None if batches.pool5 is None else values
        images = values if pool5 is None else tf.placeholder(tf.float32, [None, utils.SIZE, utils.SIZE, 3])
        network = _Network(
            weight_dict,
            _TRAINED[settings["train"]],
            pool5,
            own,
            settings["seed"],
            settings["weights"],
            dropout=settings["dropout"],
            attention=settings["attention"],
            classes=len(listing.classes),
        )
        network.build(images, train_mode)

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=network.fc8)
        loss = tf.reduce_mean(losses)
        right = tf.cast(tf.equal(tf.argmax(network.fc8, 1), labels), tf.float32)
        accuracy = tf.reduce_mean(right)
        trained = {key: var for key, var in network.var_dict.items() if key[0] in _TRAINED[settings["train"]]}
        target = loss
        if settings["weight_decay"]:
            kernels = [tf.nn.l2_loss(var) for (_, index), var in trained.items() if index == 0]
            target = loss + settings["weight_decay"] * tf.add_n(kernels)
        optimizer, rate = _optimizer(settings, step, last)
        train_step = optimizer.minimize(target, step, list(trained.values()))
        for name, tensor in (("loss", loss), ("accuracy", accuracy), ("rate", rate)):
            tf.summary.scalar(name, tensor)

        run = os.path.abspath(run)  # TensorFlow keeps a writer for each path, wherever the process then is
        validate = _Validation(run, batches, values, labels, train_mode, tf.reduce_sum(losses), tf.reduce_sum(right))
        stop = _Stop()
        watched = {"loss": loss, "accuracy": accuracy, "rate": rate, "images": tf.size(labels)}
        begin = _Begin(iterator.initializer, first, number, workers)
        metrics = os.path.join(run, "metrics.jsonl")
        record = _Record(metrics, batches.steps_per_epoch, settings["epochs"], watched, validate, started, report)
        finite = _Finite(target)
        # Those of the chief alone come before the checkpoints' hook: what a checkpoint holds has been recorded.
        monitored = tf.train.MonitoredTrainingSession(
            server.target if server else "",
            number == 0,
            run,
            tf.train.Scaffold(saver=_FiniteSaver(tf.global_variables(), max_to_keep=2)),
            hooks=[begin, tf.train.StopAtStepHook(last_step=last), stop] + ([finite] if number else []),
            chief_only_hooks=[finite, record],
            save_checkpoint_secs=save_every,
            save_summaries_steps=1,
            config=config,
            log_step_count_steps=None,
        )
        with stop.listening(), monitored as session:
            while not session.should_stop():
                session.run(train_step)
    return stop.asked


class _Validation:
    """Measures the network on the validation images, and shows TensorBoard what it attends to in some of them."""

    def __init__(self, run, batches, values, labels, train_mode, loss, right):
        self._run = run
        self._batches = batches
        self._values, self._labels, self._train_mode = values, labels, train_mode
        self._loss, self._right = loss, right
        graph = tf.get_default_graph()
        self._attention = None
        if "cbam/spatial_attention_conv/Sigmoid" in {operation.name for operation in graph.get_operations()}:
            self._attention = graph.get_tensor_by_name("cbam/spatial_attention_conv/Sigmoid:0")
        self._pixels = tf.placeholder(tf.uint8, [None, utils.SIZE, utils.SIZE, 3])
        self._picture = tf.summary.image("attention", self._pixels, _PICTURES, collections=[])

    def __call__(self, session, step):
        """{"validation_loss": mean, "validation_accuracy": mean}; without validation images an empty dict."""
        sums, count = np.zeros(2), 0
        for values, labels in self._batches.validation():
            fed = {self._values: values, self._labels: labels, self._train_mode: False}
            sums += session.run([self._loss, self._right], fed)
            count += len(labels)
        if not count:
            return {}
        loss, accuracy = (sums / count).tolist()
        found = {"validation_loss": loss, "validation_accuracy": accuracy}
        writer = tf.summary.FileWriterCache.get(self._run)
        scalars = [tf.Summary.Value(tag=name, simple_value=value) for name, value in found.items()]
        writer.add_summary(tf.Summary(value=scalars), step)
        if self._attention is not None:
            values, pixels = self._batches.pictures()
            weight = session.run(self._attention, {self._values: values, self._train_mode: False})
            laid_over = np.stack([_lay_over(*pair) for pair in zip(pixels, weight[..., 0])])
            writer.add_summary(session.run(self._picture, {self._pixels: laid_over}), step)
        return found


def _lay_over(pixels, attention):
    """A picture under its spatial attention, from blue, the least in this picture, to red, the most.

    Args:
      pixels: [224, 224, 3] in [0, 1].
      attention: [rows, columns].

    Returns:
      uint8 [224, 224, 3].
    """
    spread = attention.max() - attention.min()
    heat = (attention - attention.min()) / spread if spread > 0 else np.full_like(attention, 0.5)
    heat = np.kron(heat, np.ones([utils.SIZE // side for side in heat.shape]))
    colours = np.stack([heat, np.zeros_like(heat), 1 - heat], axis=-1)
    return (255 * (0.6 * pixels + 0.4 * colours)).astype(np.uint8)


def _draw_curves(run, report):
    """Draws loss and accuracy of the run into curves.png."""
    try:
        from matplotlib import figure
    except ImportError:
        report.problem("curves.png needs matplotlib: pip install 'tensorflow-vgg[plot]'")
        return
    lines = read_metrics(os.path.join(run, "metrics.jsonl"))
    steps = [line for line in lines if "epoch" not in line]
    epochs = [line for line in lines if "epoch" in line]
    picture = figure.Figure(figsize=(9, 3.6), constrained_layout=True)
    for axes, name in zip(picture.subplots(1, 2), ("loss", "accuracy")):
        axes.plot([line["step"] for line in steps], [line[name] for line in steps], color="0.8", label="step")
        axes.plot([line["step"] for line in epochs], [line[name] for line in epochs], "o-", label="epoch")
        if all(f"validation_{name}" in line for line in epochs):
            values = [line[f"validation_{name}"] for line in epochs]
            axes.plot([line["step"] for line in epochs], values, "s-", label="validation")
        axes.set_xlabel("step")
        axes.set_title(name)
        axes.grid(alpha=0.3)
        axes.legend()
    with weights.replacing(os.path.join(run, "curves.png")) as file:
        picture.savefig(file, format="png", dpi=120)


def plot_confusion(path, result):
    """Draws the confusion matrix of what `score` gave.

    Raises:
      ValueError: matplotlib is not installed.
    """
    try:
        from matplotlib import figure
    except ImportError as error:
        raise ValueError(f"{path}: to draw needs matplotlib: pip install 'tensorflow-vgg[plot]'") from error
    rows = list(result["confusion"])
    columns = rows + sorted({name for taken in result["confusion"].values() for name in taken} - set(rows))
    parts = np.array([[result["confusion"][row].get(column, 0) for column in columns] for row in rows], float)
    counts = parts.astype(int)
    parts /= parts.sum(axis=1, keepdims=True)
    picture = figure.Figure(figsize=(2.5 + 0.5 * len(columns), 2 + 0.5 * len(rows)), constrained_layout=True)
    axes = picture.subplots()
    image = axes.imshow(parts, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(columns)))
    axes.set_xticklabels(columns, rotation=45, ha="right")
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels(rows)
    axes.set_xlabel("taken for")
    axes.set_ylabel("class")
    for row, column in np.argwhere(counts):
        colour = "white" if parts[row, column] > 0.5 else "black"
        axes.text(column, row, counts[row, column], ha="center", va="center", color=colour)
    picture.colorbar(image, label="part of the class")
    with weights.replacing(path) as file:
        picture.savefig(file, format="png", dpi=120)


def score(labels, truths, ranked):
    """How well a network tells classes apart.

    Args:
      labels: the name of each class.
      truths: the class number of each image.
      ranked: the class numbers of each image, the most probable first, at most five.

    Returns:
      A dict: images, top1, top5; classes: a list of dicts of label, images, right and accuracy for each class
      that occurs; confusion: a row for each class that has images, by label the number of its images that were
      taken for that class.
    """
    truths = np.asarray(truths)
    ranked = np.asarray(ranked)
    first = ranked[:, 0]
    classes, confusion = [], {}
    for number in np.unique(truths):
        of_class = first[truths == number]
        right = int((of_class == number).sum())
        classes.append(
            {"label": labels[number], "images": len(of_class), "right": right, "accuracy": right / len(of_class)}
        )
        taken, counts = np.unique(of_class, return_counts=True)
        confusion[labels[number]] = {labels[other]: int(count) for other, count in zip(taken, counts)}
    return {
        "images": len(truths),
        "top1": float((first == truths).mean()),
        "top5": float((ranked == truths[:, np.newaxis]).any(axis=1).mean()),
        "classes": classes,
        "confusion": confusion,
    }


def text(result):
    """The lines of a table of what `score` gave."""
    width = max(len(row["label"]) for row in result["classes"])
    lines = [f"{'class':{width}}  images  accuracy  taken for"]
    for row in result["classes"]:
        taken = result["confusion"][row["label"]]
        others = sorted(((count, name) for name, count in taken.items() if name != row["label"]), reverse=True)
        told = ", ".join(f"{name} {count}" for count, name in others[:3]) + (" ..." if len(others) > 3 else "")
        lines.append(f"{row['label']:{width}}  {row['images']:6}  {row['accuracy']:8.4f}  {told}".rstrip())
    lines += ["", f"{result['images']} images: top-1 {result['top1']:.4f}, top-5 {result['top5']:.4f}"]
    return lines
