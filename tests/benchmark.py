"""Measures this package, part by part: `python tests/benchmark.py [--part NAME ...] [--repeats N] [--out FOLDER]`.

Parts, of which all but train are measured by default:
  start     from a process's start to the first result, and its memory: constants and mapped, with and without top
  read      reading the weight file of 575 MB
  run       three original scripts of 2017 under `run`: beside their own modules, and beside this package's
  speed     images a second, against constants and against Keras's VGG19
  classify  `tensorflow-vgg classify` against the bare network, and its memory
  train     training on crops of three photographs, each way that README.md names; draws FOLDER/training.png

Each figure is the median of fresh processes that take turns, or of alternating runs in one process, so that what else
the machine does falls on all alike; so the ratios say more than the seconds. Prints a table a part, and writes all
figures to FOLDER/benchmark.json. Random weights of full size are made first; they have learnt nothing.
"""

import argparse
import contextlib
import datetime
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
IMAGES = os.path.join(ROOT, "test_data")
SCRIPTS = os.path.join(HERE, "legacy_scripts")
CONSTANTS, NO_OPTIMISER, MAPPED_FIRST, MAPPED, NO_TOP = (
    "constants, default session (as upstream)",
    "constants, session_config()",
    "mapped, first start (makes the cache)",
    "mapped, later starts",
    "mapped, include_top=False, later starts",
)
WAYS = [CONSTANTS, NO_OPTIMISER, MAPPED_FIRST, MAPPED, NO_TOP]
OWN, PORT = "beside their own modules", "beside this package's"
KERAS = "Keras's VGG19"
RATIOS = [
    ("mapped", KERAS),
    ("mapped", "constants"),
    ("constants, attention", "constants"),
    ("mapped, attention", "mapped"),
]


# In processes of their own: what each prints last is its figures as JSON. Who starts them stays small, since Linux
# counts what memory that has as theirs, too.


def start(way):
    """From TensorFlow imported to the first result, and the process's peak memory."""
    import numpy as np
    import tensorflow.compat.v1 as tf

    from tensorflow_vgg import session_config, vgg19
    from tensorflow_vgg._weights import mapped

    if way == MAPPED_FIRST:
        mapped.clear()
    imported = time.time()
    with tf.Graph().as_default():
        images = tf.placeholder(tf.float32, [None, 224, 224, 3])
        vgg = vgg19.Vgg19(mapped=way in (MAPPED, MAPPED_FIRST, NO_TOP), include_top=way != NO_TOP)
        vgg.build(images)
        built = time.time()
        with tf.Session(config=None if way == CONSTANTS else session_config()) as session:
            session.run(vgg.attention_feature if way == NO_TOP else vgg.prob, {images: np.zeros((1, 224, 224, 3))})
    return {"build": built - imported, "first": time.time() - imported}


def read(how):
    """Seconds and peak memory of reading the file."""
    import numpy as np

    from tensorflow_vgg import weights

    path = weights.find("vgg19.npy")
    began = time.time()
    if how == "numpy.load":
        np.load(path, allow_pickle=True, encoding="latin1").item()
    else:
        weights.read(path)
    return {"read": time.time() - began}


def run(script):
    """A script under `run`, in the current folder."""
    from tensorflow_vgg._command.main import main as command

    with open(os.devnull, "w") as silence, contextlib.redirect_stdout(silence):
        status = command(["run", script])
    if status:
        raise RuntimeError(f"{script} failed")
    return {}


def speed(batch, pairs):
    """Seconds an image of each network, in alternating runs."""
    import numpy as np
    import tensorflow as tf2

    from tensorflow_vgg import session_config, vgg19, weights

    tf = tf2.compat.v1
    path = weights.find("vgg19.npy")
    images = np.random.RandomState(0).uniform(0, 1, (batch, 224, 224, 3)).astype(np.float32)
    runs = {}
    for name, options in (
        ("constants", {"attention": False}),
        ("constants, attention", {}),
        ("mapped", {"attention": False, "mapped": True}),
        ("mapped, attention", {"mapped": True}),
    ):
        with tf.Graph().as_default():
            rgb = tf.placeholder(tf.float32, [None, 224, 224, 3])
            vgg = vgg19.Vgg19(path, **options)
            vgg.build(rgb)
            session = tf.Session(config=session_config())
        runs[name] = lambda session=session, vgg=vgg, rgb=rgb: session.run(vgg.prob, {rgb: images})
    if tf2.__version__.startswith("2."):
        keras = tf2.keras.applications.VGG19(weights=None)
        preprocess = tf2.keras.applications.vgg19.preprocess_input
        # From the same pixels to the same probabilities, in the fastest way that Keras has.
        call = tf2.function(lambda rgb: keras(preprocess(rgb * 255.0), training=False))
        runs[KERAS] = lambda: call(images).numpy()
    seconds = {name: [] for name in runs}
    for turn in range(pairs + 2):
        for name, run in runs.items():
            began = time.time()
            run()
            if turn >= 2:
                seconds[name].append((time.time() - began) / batch)
    return seconds


def sample_images(count):
    """The sample images, repeated."""
    names = itertools.islice(itertools.cycle(sorted(os.listdir(IMAGES))), count)
    return [os.path.join(IMAGES, name) for name in names]


def classify(count):
    """`tensorflow-vgg classify` of `count` images, against the bare network."""
    import numpy as np
    import tensorflow.compat.v1 as tf

    from tensorflow_vgg import session_config, vgg19
    from tensorflow_vgg._command.main import main as command

    files = sample_images(count)
    done = []  # when each line was printed

    class Clock:
        def write(self, text):
            if text.startswith("{"):
                done.append(time.time())

        def flush(self):
            pass

    with tf.Graph().as_default(), contextlib.redirect_stdout(sys.stderr):
        images = tf.placeholder(tf.float32, [None, 224, 224, 3])
        vgg = vgg19.Vgg19(mapped=True)
        vgg.build(images)
        session = tf.Session(config=session_config())
    batch = np.random.RandomState(0).uniform(0, 1, (8, 224, 224, 3)).astype(np.float32)
    session.run(vgg.prob, {images: batch})

    def bare():
        began = time.time()
        for _ in range(count // 16):
            session.run(vgg.prob, {images: batch})
        return time.time() - began

    seconds = bare()
    with contextlib.redirect_stdout(Clock()):
        command(["classify", *files, "--json", "--top", "1", "--batch", "8"])
    seconds += bare()
    return {"classify": (count - 8) / (done[-1] - done[7]), "bare": count // 16 * 16 / seconds}


def make(net):
    """A file of random weights of full size, in $TENSORFLOW_VGG_HOME."""
    from tensorflow_vgg import weights

    weights.write(os.path.join(os.environ["TENSORFLOW_VGG_HOME"], f"{net}.npy"), weights.seeded(net))
    return {}


def surroundings():
    """Versions and machine, as a line."""
    import tensorflow

    versions = f"Python {platform.python_version()}, TensorFlow {tensorflow.__version__}"
    return {"line": f"{datetime.date.today().isoformat()}, {os.cpu_count()} cores, {processor()}, {versions}"}


CHILDREN = {function.__name__: function for function in (start, read, run, speed, classify, make, surroundings)}


def peak_memory():
    """The peak memory of this process in GB."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def fresh(*arguments, folder=None):
    """Runs one of `CHILDREN` in a new process, and returns its figures and what the process took."""
    command = [sys.executable, os.path.abspath(__file__), "--child", *map(str, arguments)]
    environment = dict(os.environ, PYTHONPATH=ROOT)
    began = time.time()
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=folder, env=environment).stdout.decode()
    return {**json.loads(output.splitlines()[-1]), "process": time.time() - began}


# The parts: each returns its figures, with the lines of its table under "table".


def median(results, key):
    return statistics.median(result[key] for result in results)


def ratio(results, base, key):
    """The median of the ratios of runs side by side."""
    return statistics.median(one[key] / other[key] for one, other in zip(results, base))


def measure_start(repeats):
    """A row a way; time and memory also as parts of the first row's."""
    found = {way: [] for way in WAYS}
    for _ in range(repeats):
        for way in WAYS:
            found[way].append(fresh("start", way))
    table = ["way to start | process start to first result | from TensorFlow imported | of it build | peak memory"]
    for way, rows in found.items():
        first, peak = ratio(rows, found[CONSTANTS], "first"), ratio(rows, found[CONSTANTS], "peak")
        table.append(
            f"{way} | {median(rows, 'process'):.1f} s | {median(rows, 'first'):.1f} s ({first:.3f}) | "
            f"{median(rows, 'build'):.1f} s | {median(rows, 'peak'):.2f} GB ({peak:.2f})"
        )
    for what in ("process", "first", "peak"):
        table.append(f"without top / with top, mapped: {what} | {ratio(found[NO_TOP], found[MAPPED], what):.3f} | | |")
    return {"table": table, "rows": found}


def measure_read(repeats):
    """The package's reader, which runs nothing, against numpy.load."""
    found = {"numpy.load": [], "weights.read": []}
    for _ in range(repeats):
        for how, rows in found.items():
            rows.append(fresh("read", how))
    table = ["reading 575 MB | seconds | peak memory"]
    table += [f"{how} | {median(rows, 'read'):.2f} | {median(rows, 'peak'):.2f} GB" for how, rows in found.items()]
    ratios = [ratio(found["weights.read"], found["numpy.load"], what) for what in ("read", "peak")]
    table.append(f"weights.read / numpy.load | {ratios[0]:.3f} | {ratios[1]:.3f}")
    return {"table": table, "rows": found}


def measure_run(repeats):
    """Three scripts in two folders, in turns: the script's own modules in one, none in the other."""
    home = os.environ["TENSORFLOW_VGG_HOME"]
    table = ["script under run | own modules | this package's | time, own / package's | memory, own / package's"]
    figures = {}
    for name in ("vgg16", "vgg19", "vgg19_trainable"):
        file_name = f"{name.partition('_')[0]}.npy"
        if not os.path.exists(os.path.join(home, file_name)):
            fresh("make", "vgg16")
        rows = {OWN: [], PORT: []}
        with tempfile.TemporaryDirectory(dir=home) as top:
            for place in rows:
                folder = shutil.copytree(os.path.join(SCRIPTS, "checkout"), os.path.join(top, place))
                if place == PORT:
                    for module in os.listdir(folder):
                        os.remove(os.path.join(folder, module))
                shutil.copy(os.path.join(SCRIPTS, f"golden_{name}.py"), folder)
                shutil.copy(os.path.join(ROOT, "tensorflow_vgg", "synset.txt"), folder)
                os.symlink(IMAGES, os.path.join(folder, "test_data"))
                os.link(os.path.join(home, file_name), os.path.join(folder, file_name))
            for turn in range(repeats + 1):
                for place, found in rows.items():
                    result = fresh("run", f"golden_{name}.py", folder=os.path.join(top, place))
                    found += [result] if turn else []  # the first makes the cache
        means = [f"{median(rows[place], 'process'):.1f} s, {median(rows[place], 'peak'):.2f} GB" for place in rows]
        ratios = [f"{ratio(rows[OWN], rows[PORT], what):.3f}" for what in ("process", "peak")]
        table.append(" | ".join([name, *means, *ratios]))
        figures[name] = rows
    return {"table": table, "rows": figures}


def measure_speed(repeats):
    """Images a second by batch, and ratios of runs side by side."""
    found = {batch: fresh("speed", batch, 8 * repeats) for batch in (1, 8)}
    table = ["images a second | batch 1 | batch 8"]
    names = [name for name in found[8] if name not in ("peak", "process")]
    for name in names:
        table.append(f"{name} | " + " | ".join(f"{1 / statistics.median(found[batch][name]):.2f}" for batch in found))
    for name, base in RATIOS:
        if base in names:
            pairs = [zip(found[batch][name], found[batch][base]) for batch in found]
            ratios = [statistics.median(other / one for one, other in pair) for pair in pairs]
            table.append(f"{name} / {base} | " + " | ".join(f"{found:.3f}" for found in ratios))
    return {"table": table, "rows": found}


def measure_classify(repeats):
    """The command's speed against the network's alone."""
    rows = [fresh("classify", 64) for _ in range(repeats)]
    speeds = median(rows, "classify"), median(rows, "bare")
    part = statistics.median(row["classify"] / row["bare"] for row in rows)
    table = ["images a second | classify | bare network | ratio | peak memory"]
    table.append(f"64 images | {speeds[0]:.2f} | {speeds[1]:.2f} | {part:.3f} | {median(rows, 'peak'):.2f} GB")
    return {"table": table, "rows": rows}


def write_crops(folder, names, count):
    """A class for each of scikit-image's photographs `names`: `count` crops of 96x96 from its left half to train on,
    and as many from its right half to validate on.
    """
    import numpy as np
    import skimage.data
    import skimage.io

    random = np.random.RandomState(1)
    for name in names:
        photograph = getattr(skimage.data, name)()
        middle = photograph.shape[1] // 2
        for part, half in (("training", photograph[:, :middle]), ("validation", photograph[:, middle:])):
            os.makedirs(os.path.join(folder, part, name))
            for number in range(count):
                top, left = (random.randint(size - 95) for size in half.shape[:2])
                path = os.path.join(folder, part, name, f"{name}{number:02}.png")
                skimage.io.imsave(path, half[top : top + 96, left : left + 96], check_contrast=False)


TRAININGS = {
    "fc, open": ["--train", "fc"],
    "fc, glorot": ["--train", "fc", "--attention-start", "glorot"],
    "fc, momentum": ["--train", "fc", "--optimizer", "momentum", "--learning-rate", "1e-6", "--epochs", "3"],
    "all, momentum": ["--train", "all", "--optimizer", "momentum", "--learning-rate", "1e-9", "--epochs", "1"],
}


def measure_train(repeats, out):
    """Trains once in each way; a picture of the first two."""
    from tensorflow_vgg._train.settings import read_metrics

    rows, epochs = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        write_crops(folder, ("brick", "grass", "gravel"), 30)
        for name, options in TRAININGS.items():
            run = os.path.join(folder, name)
            command = [sys.executable, "-m", "tensorflow_vgg", "train", f"{folder}/training", "-o", run]
            began = time.time()
            process = subprocess.Popen([*command, "--validation", f"{folder}/validation", *options], cwd=ROOT)
            _, status, usage = os.wait4(process.pid, 0)
            if status:
                raise RuntimeError(f"{name}: training failed")
            epochs[name] = [line for line in read_metrics(f"{run}/metrics.jsonl") if "epoch" in line]
            seconds = [line["seconds"] for line in epochs[name]]
            rows[name] = {
                "accuracy": epochs[name][-1]["validation_accuracy"],
                "seconds": time.time() - began,
                "later": statistics.median(seconds[1:] or seconds),
                "peak": usage.ru_maxrss * 1024 / 1e9,
            }
            shutil.rmtree(run)
    draw_training(os.path.join(out, "training.png"), epochs)
    table = ["training | validation accuracy | all | an epoch | peak memory"]
    base = rows["fc, open"]
    for name, row in rows.items():
        table.append(
            f"{name} | {row['accuracy']:.3f} | {row['seconds']:.0f} s ({row['seconds'] / base['seconds']:.2f}) | "
            f"{row['later']:.1f} s | {row['peak']:.2f} GB ({row['peak'] / base['peak']:.2f})"
        )
    return {"table": table, "rows": rows}


def draw_training(path, epochs):
    """Loss and accuracy of both starts, to a PNG."""
    from tensorflow_vgg._pictures import figure

    with figure.drawing(path, 9, 3.6) as picture:
        for axes, what in zip(picture.subplots(1, 2), ("loss", "accuracy")):
            for name, colour in (("fc, open", figure.BLUE), ("fc, glorot", figure.RED)):
                numbers = [line["epoch"] for line in epochs[name]]
                for part, style in (("", ":"), ("validation_", "-")):
                    label = f"{name.split(', ')[1]}, {'validation' if part else 'training'}"
                    axes.plot(numbers, [line[part + what] for line in epochs[name]], style, color=colour, label=label)
            axes.set(xlabel="epoch", title=what)
            axes.grid()
            axes.legend()
        picture.axes[0].set_yscale("log")


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main():
    parts = {
        "start": measure_start,
        "read": measure_read,
        "run": measure_run,
        "speed": measure_speed,
        "classify": measure_classify,
        "train": measure_train,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=parts, default=list(parts)[:-1], metavar="NAME")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="turns; default: %(default)s")
    parser.add_argument("--out", default=".", metavar="FOLDER", help="default: the current folder")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        name, *given = args.child
        figures = CHILDREN[name](*(int(value) if value.isdigit() else value for value in given))
        print(json.dumps({"peak": peak_memory(), **figures}))
        return
    os.makedirs(args.out, exist_ok=True)
    sys.path.insert(0, ROOT)
    figures = {"surroundings": fresh("surroundings")["line"]}
    print(f"{figures['surroundings']}, medians, random weights of full size")
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(TENSORFLOW_VGG_HOME=home, TF_CPP_MIN_LOG_LEVEL="3")
        fresh("make", "vgg19")
        for name in args.part:
            more = [args.out] if name == "train" else []
            figures[name] = parts[name](args.repeats, *more)
            head, *rows = figures[name].pop("table")
            dashes = "|".join(["---"] * len(head.split("|")))
            print("", *(f"| {line} |" for line in (head, dashes, *rows)), sep="\n", flush=True)
    with open(os.path.join(args.out, "benchmark.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
