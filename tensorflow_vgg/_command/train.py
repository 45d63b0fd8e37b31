"""`tensorflow-vgg train`: VGG19 with attention, fine-tuned on a folder of images."""

import os

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Report, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] FOLDER -o RUN"
    parser.epilog = "Settings of a run that exists are the run's: RUN alone, with its FOLDER, goes on where it stopped."
    option("folder", nargs="?", metavar="FOLDER", help="one subfolder of images a class")
    option("-o", dest="out", metavar="RUN", help="the run's folder; one that exists goes on where it stopped")
    option(
        "--validation",
        metavar="FOLDER|PART",
        help="another folder to validate on, or the part of each class that is kept from training for it, by a hash of "
        "the images' names; default: 0.2",
    )
    options.add(parser, "--weights")
    block = parser.add_mutually_exclusive_group().add_argument
    block("--attention", action="store_true", default=None, help="train with the attention block; the default")
    block("--no-attention", dest="attention", action="store_false", default=None, help="without it")
    option(
        "--attention-start",
        choices=("open", "glorot"),
        help="how the block starts if the weights have none: open, the default, close to letting everything through, "
        "since it is trained behind pretrained layers; glorot at random, as the tutorial has it",
    )
    option(
        "--train",
        choices=("head", "fc", "all"),
        help="what is trained: head: fc8 and attention; fc, the default: fc6, fc7, too; all: everything",
    )
    option("--epochs", type=options.POSITIVE, metavar="N", help="default: 30; with more of them a finished run goes on")
    option("--batch", type=options.POSITIVE, metavar="N", help="images per step; default: 16")
    option("--optimizer", choices=("adam", "momentum", "sgd"), help="default: adam")
    option(
        "--learning-rate",
        type=options.RATIO,
        metavar="X",
        help="at the start; it falls to zero in half a cosine. Default: adam 3e-5, momentum 1e-3, sgd 1e-2",
    )
    option("--weight-decay", type=options.TOLERANCE, metavar="X", help="of the kernels (VGG's paper: 5e-4); default: 0")
    option("--dropout", type=options.PART, metavar="P", help="the part of relu6 and relu7 that is kept; default: 0.8")
    option("--augment", action="store_true", default=None, help="a random part of each image, maybe mirrored")
    option("--seed", type=options.SEED, metavar="N", help="of all that is random; default: 0")
    option(
        "--keep", choices=("best", "last", "both"), help="the epoch of weights.npy; default: both, the last in last.npy"
    )
    option("--save-every", type=options.RATIO, default=60.0, metavar="SECONDS", help="between checkpoints; default: 60")
    option(
        "--pictures",
        type=options.WHOLE,
        default=4,
        metavar="N",
        help="in the end, draw what the network looks at in N images; 0: draw nothing, no curves; default: %(default)s",
    )
    several = parser.add_argument_group("on several machines").add_argument
    several("--ps", metavar="HOST:PORT[,…]", help="the parameter servers")
    several("--workers", metavar="HOST:PORT[,…]", help="workers; the first is the chief, which writes RUN")
    several("--task", metavar="ps:N|worker:N", help="which of them this is; without the three: TF_CONFIG")


def run(args):
    """Fine-tunes VGG19, alone or as one process of several, or holds their parameters."""
    report = Report()
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
