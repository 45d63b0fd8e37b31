"""Measures the ways to run VGG19: `python tests/benchmark.py --out FOLDER`, and to train it: with `--training`.

Each figure is the median of fresh processes that take turns, or of alternating runs in one process, so that what
else the machine does falls on all alike. Writes FOLDER/benchmark.md and FOLDER/benchmark.json; training, once each
way, FOLDER/training.json and FOLDER/training.png.
"""

import argparse
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
IMAGES = os.path.join(os.path.dirname(HERE), "test_data")
CONSTANTS, NO_OPTIMISER, MAPPED_FIRST, MAPPED, NO_TOP = (
    "constants, default session (as upstream)",
    "constants, session_config()",
    "mapped, first start (makes the cache)",
    "mapped, later starts",
    "mapped, include_top=False, later starts",
)
WAYS = [CONSTANTS, NO_OPTIMISER, MAPPED_FIRST, MAPPED, NO_TOP]
KERAS = "Keras's VGG19"
RATIOS = [
    ("mapped", KERAS),
    ("mapped", "constants"),
    ("constants, attention", "constants"),
    ("mapped, attention", "mapped"),
]


def start(way):
    """In a process of its own: from TensorFlow imported to the first result, and the process's peak memory."""
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
    print(json.dumps({"build": built - imported, "first": time.time() - imported, "peak": peak_memory()}))


def read(how):
    """In a process of its own: seconds and peak memory of reading the file."""
    import numpy as np

    from tensorflow_vgg import weights

    path = weights.find("vgg19.npy")
    began = time.time()
    if how == "numpy.load":
        np.load(path, allow_pickle=True, encoding="latin1").item()
    else:
        weights.read(path)
    print(json.dumps({"read": time.time() - began, "peak": peak_memory()}))


def peak_memory():
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def speed(batch, pairs):
    """In a process of its own: seconds an image of each network, in alternating runs."""
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
    print(json.dumps(seconds))


def sample_images(count):
    """The sample images, repeated."""
    names = itertools.islice(itertools.cycle(sorted(os.listdir(IMAGES))), count)
    return [os.path.join(IMAGES, name) for name in names]


def classify(count):
    """In a process of its own: `tensorflow-vgg classify` of `count` images, against the bare network."""
    import contextlib

    import numpy as np
    import tensorflow.compat.v1 as tf

    from tensorflow_vgg import session_config, vgg19
    from tensorflow_vgg._command import main as cli

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
        cli.main(["classify", *files, "--json", "--top", "1", "--batch", "8"])
    seconds += bare()
    print(json.dumps({"classify": (count - 8) / (done[-1] - done[7]), "bare": count // 16 * 16 / seconds}))


def classify_memory(count):
    """In a process of its own: peak memory of `tensorflow-vgg classify`."""
    import contextlib
    import io

    from tensorflow_vgg._command import main as cli

    with contextlib.redirect_stdout(io.StringIO()):
        cli.main(["classify", *sample_images(count), "--batch", "8"])
    print(json.dumps({"peak": peak_memory()}))


def large_photograph():
    """Seconds to read a photograph of 12 megapixels."""
    import numpy as np
    import skimage.io

    from tensorflow_vgg import utils

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "photograph.jpeg")
        small = skimage.io.imread(os.path.join(IMAGES, "coffee.jpeg"))
        skimage.io.imsave(path, np.tile(small, (8, 7, 1))[:3000, :4000])
        began = time.time()
        utils.load_image(path)
        print(json.dumps({"seconds": time.time() - began}))


def fresh(*arguments):
    """Runs a part of this file in a new process and returns what it printed last."""
    began = time.time()
    command = [sys.executable, os.path.abspath(__file__), "--part", *map(str, arguments)]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode()
    return {**json.loads(output.splitlines()[-1]), "process": time.time() - began}


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


def measure_training(out):
    """Trains on the textures in each way: accuracy, seconds, memory, and a picture of the first two."""
    from matplotlib import figure

    from tensorflow_vgg import weights
    from tensorflow_vgg._train.settings import read_metrics

    figures, epochs = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TENSORFLOW_VGG_HOME"] = folder
        weights.write(os.path.join(folder, "vgg19.npy"), weights.seeded("vgg19"))
        write_crops(folder, ("brick", "grass", "gravel"), 30)
        for name, options in TRAININGS.items():
            run = os.path.join(folder, name)
            command = [sys.executable, "-m", "tensorflow_vgg", "train", f"{folder}/training", "-o", run]
            began = time.time()
            process = subprocess.Popen([*command, "--validation", f"{folder}/validation", *options])
            _, status, usage = os.wait4(process.pid, 0)
            if status:
                raise RuntimeError(f"{name}: training failed")
            epochs[name] = [line for line in read_metrics(f"{run}/metrics.jsonl") if "epoch" in line]
            seconds = [line["seconds"] for line in epochs[name]]
            figures[name] = {
                "validation_accuracy": epochs[name][-1]["validation_accuracy"],
                "seconds": time.time() - began,
                "first_epoch": seconds[0],
                "later_epochs": statistics.median(seconds[1:] or seconds),
                "peak": usage.ru_maxrss * 1024 / 1e9,
            }
            shutil.rmtree(run)
    picture = figure.Figure(figsize=(9, 3.6), constrained_layout=True)
    for axes, what in zip(picture.subplots(1, 2), ("loss", "accuracy")):
        for name, colour in (("fc, open", "C0"), ("fc, glorot", "C1")):
            numbers = [line["epoch"] for line in epochs[name]]
            start = name.split(", ")[1]
            for part, style in (("", ":"), ("validation_", "-")):
                values = [line[part + what] for line in epochs[name]]
                label = f"{start}, {'validation' if part else 'training'}"
                axes.plot(numbers, values, style, color=colour, label=label)
        axes.set_xlabel("epoch")
        axes.set_title(what)
        axes.grid(alpha=0.3)
        axes.legend()
    picture.axes[0].set_yscale("log")
    picture.savefig(os.path.join(out, "training.png"), dpi=100)
    return figures


def median(results, key):
    return statistics.median(result[key] for result in results)


def median_ratio(seconds, base):
    """The speed against the base's, from runs side by side."""
    return statistics.median(other / own for own, other in zip(seconds, base))


def measure(repeats, pairs):
    """All figures, as a dict."""
    from tensorflow_vgg import weights

    with tempfile.TemporaryDirectory() as folder:
        os.environ["TENSORFLOW_VGG_HOME"] = folder
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        weights.write(os.path.join(folder, "vgg19.npy"), weights.seeded("vgg19"))
        ways, reads = {way: [] for way in WAYS}, {"numpy.load": [], "weights.read": []}
        for _ in range(repeats):
            for way in WAYS:
                ways[way].append(fresh("start", way))
            for how in reads:
                reads[how].append(fresh("read", how))
        speeds = {batch: fresh("speed", batch, pairs) for batch in (1, 8)}
        classified = [fresh("classify", 64) for _ in range(repeats)]
        memory = {count: fresh("classify_memory", count)["peak"] for count in (16, 64)}
        photograph = [fresh("large_photograph") for _ in range(repeats)]
    import tensorflow

    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {processor()}",
        "versions": f"Python {platform.python_version()}, TensorFlow {tensorflow.__version__}",
        "start": {
            way: {key: median(results, key) for key in ("process", "first", "build", "peak")}
            for way, results in ways.items()
        },
        "read": {how: {key: median(results, key) for key in ("read", "peak")} for how, results in reads.items()},
        "images_per_second": {
            name: {batch: 1 / statistics.median(speeds[batch][name]) for batch in speeds}
            for name in speeds[8]
            if name != "process"
        },
        "ratios": {
            f"{name} / {base}": {batch: median_ratio(speeds[batch][name], speeds[batch][base]) for batch in speeds}
            for name, base in RATIOS
            if base in speeds[8]
        },
        "classify": {
            "images_per_second": median(classified, "classify"),
            "bare": median(classified, "bare"),
            "ratio": statistics.median(result["classify"] / result["bare"] for result in classified),
            "peak": memory,
        },
        "photograph": median(photograph, "seconds"),
    }


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def markdown(figures):
    """The tables that the README shows."""
    lines = [
        f"{figures['date']}, {figures['machine']}, {figures['versions']}, medians, full seeded weights.",
        "",
        "| way to start | process start to first result | from TensorFlow imported | of it `build` | peak memory |",
        "|---|---|---|---|---|",
    ]
    base = figures["start"][CONSTANTS]
    for way, row in figures["start"].items():
        lines.append(
            f"| {way} | {row['process']:.1f} s | {row['first']:.1f} s ({row['first'] / base['first']:.3f}) | "
            f"{row['build']:.1f} s | {row['peak']:.1f} GB ({row['peak'] / base['peak']:.2f}) |"
        )
    lines += ["", "| images a second | batch 1 | batch 8 |", "|---|---|---|"]
    for table, form in (("images_per_second", "{:.2f}"), ("ratios", "{:.3f}")):
        for name, row in figures[table].items():
            lines.append(f"| {name} | {form.format(row[1])} | {form.format(row[8])} |")
    read, shown = figures["read"], figures["classify"]
    lines += [
        "",
        "In brackets: the ratio to the first row. Ratios of speeds are medians over runs side by side.",
        "",
        f"Reading the file takes {read['weights.read']['read']:.2f} s and {read['weights.read']['peak']:.2f} GB, with "
        f"`numpy.load` {read['numpy.load']['read']:.2f} s and {read['numpy.load']['peak']:.2f} GB.",
        f"`tensorflow-vgg classify` of 64 images runs at {shown['images_per_second']:.2f} images a second, "
        f"{shown['ratio']:.3f} of the bare network; peak memory is {shown['peak'][16]:.2f} GB for 16 images and "
        f"{shown['peak'][64]:.2f} GB for 64. A photograph of 12 megapixels takes {figures['photograph']:.2f} s to "
        f"decode and resize, the network {1 / figures['images_per_second']['mapped'][8]:.2f} s.",
    ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=".", metavar="FOLDER", help="default: the current folder")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="fresh processes; default: %(default)s")
    parser.add_argument("--pairs", type=int, default=40, metavar="N", help="alternating runs; default: %(default)s")
    parser.add_argument("--training", action="store_true", help="measure training")
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        name, *arguments = args.part
        globals()[name](*(int(argument) if argument.isdigit() else argument for argument in arguments))
        return
    os.makedirs(args.out, exist_ok=True)
    if args.training:
        figures = json.dumps(measure_training(args.out), indent=1)
        with open(os.path.join(args.out, "training.json"), "w", encoding="utf-8") as file:
            file.write(figures)
        print(figures)
        return
    figures = measure(args.repeats, args.pairs)
    for name, text in (("benchmark.json", json.dumps(figures, indent=1)), ("benchmark.md", markdown(figures))):
        with open(os.path.join(args.out, name), "w", encoding="utf-8") as file:
            file.write(text)
    print(markdown(figures))


if __name__ == "__main__":
    main()
