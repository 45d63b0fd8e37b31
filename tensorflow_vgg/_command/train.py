"""`tensorflow-vgg train`: VGG19 with attention, fine-tuned on a folder of images."""

import contextlib
import os
import time

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Report, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] FOLDER -o RUN"
    parser.epilog = "Settings of a run that exists are the run's: RUN alone, with its FOLDER, goes on where it stopped."
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="one subfolder of images a class")
    parser.add_argument(
        "-o", dest="out", metavar="RUN", help="the run's folder; one that exists goes on where it stopped"
    )
    parser.add_argument(
        "--validation",
        metavar="FOLDER|PART",
        help="another folder to validate on, or the part of each class that is kept from training for it, by a hash of "
        "the images' names; default: 0.2",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE|seeded:N",
        help="the weights to start from, or random ones from seed N, to try the program. Default: as for classify",
    )
    attention = parser.add_mutually_exclusive_group()
    attention.add_argument(
        "--attention", action="store_true", default=None, help="train with the attention block; the default"
    )
    attention.add_argument("--no-attention", dest="attention", action="store_false", default=None, help="without it")
    parser.add_argument(
        "--attention-start",
        choices=("open", "glorot"),
        help="how the block starts if the weights have none: open, the default, close to letting everything through, "
        "since it is trained behind pretrained layers; glorot at random, as the tutorial has it",
    )
    parser.add_argument(
        "--train",
        choices=("head", "fc", "all"),
        help="what is trained: head: fc8 and attention; fc, the default: fc6, fc7, too; all: everything",
    )
    _configure_steps(parser)
    _configure_results(parser)
    several = parser.add_argument_group("on several machines")
    several.add_argument("--ps", metavar="HOST:PORT[,…]", help="the parameter servers")
    several.add_argument("--workers", metavar="HOST:PORT[,…]", help="workers; the first is the chief, which writes RUN")
    several.add_argument(
        "--task", metavar="ps:N|worker:N", help="which of them this process is; without the three, TF_CONFIG says"
    )


def _configure_steps(parser):
    """Adds the options of what a step does."""
    parser.add_argument(
        "--epochs", type=options.POSITIVE, metavar="N", help="default: 30; with more of them a finished run goes on"
    )
    parser.add_argument("--batch", type=options.POSITIVE, metavar="N", help="images per step; default: 16")
    parser.add_argument("--optimizer", choices=("adam", "momentum", "sgd"), help="default: adam")
    parser.add_argument(
        "--learning-rate",
        type=options.RATIO,
        metavar="X",
        help="at the start; it falls to zero in half a cosine. Default: adam 3e-5, momentum 1e-3, sgd 1e-2",
    )
    parser.add_argument(
        "--weight-decay",
        type=options.TOLERANCE,
        metavar="X",
        help="of the kernels trained (the VGG paper: 5e-4); default: 0",
    )
    parser.add_argument(
        "--dropout",
        type=options.PART,
        metavar="P",
        help="the probability to keep a unit of relu6 and relu7; default: 0.8",
    )
    parser.add_argument(
        "--augment",
        action="store_true",
        default=None,
        help="a random part of each image, maybe mirrored, in place of its centre",
    )
    parser.add_argument("--seed", type=options.SEED, metavar="N", help="of all that is random; default: 0")


def _configure_results(parser):
    """Adds the options of what a run leaves."""
    parser.add_argument(
        "--keep",
        choices=("best", "last", "both"),
        help="the epoch that weights.npy is of: that with the least validation loss, or the last; both, the default: "
        "weights.npy the best, last.npy the last",
    )
    parser.add_argument(
        "--save-every",
        type=options.RATIO,
        default=60.0,
        metavar="SECONDS",
        help="between checkpoints; default: %(default)g",
    )
    parser.add_argument(
        "--pictures",
        type=options.WHOLE,
        default=4,
        metavar="N",
        help="after the last epoch, draw what the network looks at in N validation images; 0: draw nothing, the curves "
        "neither; default: %(default)s",
    )


def run(args):
    """Fine-tunes VGG19, alone or as one process of several, or holds their parameters."""
    report = _Report()
    report.show("starting TensorFlow")
    tensorflow()
    from tensorflow_vgg._train import cluster, settings
    from tensorflow_vgg._train.run import Run

    machines = cluster.read_cluster(args.ps, args.workers, args.task)
    if machines and machines.job == "ps":
        report.problem(f"holding parameters at {machines.ps[machines.index]}; stop with Ctrl-C")
        cluster.serve_parameters(machines)
    if args.folder is None or args.out is None:
        raise ValueError("train: expected FOLDER and -o RUN; only a parameter server (--task ps:N) goes without")
    given = {name: getattr(args, name) for name in settings.DEFAULTS}
    for name in ("weights", "validation"):  # a run goes on from another folder, too
        if given[name] is not None and os.path.exists(given[name]):
            given[name] = os.path.abspath(given[name])
    trained = Run(args.out, args.folder, given, _weight_dict, report, machines, args.save_every, args.pictures > 0)
    done = trained.train()
    if done and trained.trained_now and trained.draws:
        _draw_attention(trained, args.pictures, report)
    report.show("")
    return 0 if done else 130


def _draw_attention(run, count, report):
    """Draws what the trained network looks at in some validation images, as `explain` does."""
    from tensorflow_vgg._explain import explainer
    from tensorflow_vgg._train import pictures

    images = pictures.attention_images(run.listing, count)
    if not images:
        return
    report.show("drawing what the network looks at")
    weight_dict = _weight_dict(os.path.join(run.path, "weights.npy"))
    explain = explainer.explainer("vgg19", weight_dict, run.settings["attention"])
    explained = explain([pixels for _, _, pixels in images])
    pictures.draw_attention(run.path, images, run.listing.classes, explained, run.last)


def _weight_dict(source):
    return options.weight_dict_of(options.weights_source(source, "vgg19"), "vgg19", use_mapped=True)


class _Report(Report):
    """Tells how training goes."""

    @contextlib.contextmanager
    def progress(self, total, what, done=0):
        yield _Progress(self, total, what, done)
        self.clear()


class _Progress:
    """How many of something are done, `done` of them by an earlier process, and how fast it goes."""

    def __init__(self, report, total, what, done):
        self._report = report
        self._total = total
        self._what = what
        self._before = self._done = done
        self._began = time.monotonic()

    def advance(self, count):
        self._done += count
        rate = (self._done - self._before) / max(time.monotonic() - self._began, 1e-3)
        self._report.show(f"{self._what}: {self._done}/{self._total}, {rate:.0f}/s")
