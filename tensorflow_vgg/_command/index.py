"""`tensorflow-vgg index`: a gallery of the images of folders, to search in."""

import argparse
import os
import re
import time

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Report, complain, say, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] FOLDER [FOLDER ...] -o GALLERY"
    parser.description = "Computes a feature of each image in folders and below, for tensorflow-vgg search."
    parser.epilog = (
        "Run again, it computes what is new or changed and drops what is gone. A gallery that is there already gives "
        "the options that are not given. Exit status: 0 done, 1 some images were left out, 2 bad input."
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="all images in it and below")
    parser.add_argument(
        "-o",
        dest="gallery",
        required=True,
        metavar="GALLERY",
        help="a folder; or milvus:http://HOST:19530[/COLLECTION], a Milvus server, or milvus:FILE.db[/COLLECTION]",
    )
    parser.add_argument("--net", choices=("vgg19", "vgg16"), help="default: vgg19")
    options.add_weights(parser)
    parser.add_argument(
        "--feature",
        choices=("rmac", "spoc", "mac", "fc6", "fc7"),
        help="what is compared: pooled from the map that feeds fc6, or what fc6 or fc7 gives; default: rmac",
    )
    parser.add_argument(
        "--size", type=options.number(int, 32, 4096), metavar="N", help="scale images to NxN; default: 224"
    )
    parser.add_argument("--no-attention", action="store_true", help="leave VGG19's attention block out")
    parser.add_argument(
        "--whiten", type=options.POSITIVE, metavar="N", help="whiten features to N dimensions, learnt on the images"
    )
    parser.add_argument(
        "--faiss",
        metavar="KIND",
        help='the kind of index in FAISS\'s words, such as "IVF4096,PQ64", or PQ256x4fs, some ten times as fast '
        "as the exact one; default: exact up to 200,000 images, then chosen",
    )
    parser.add_argument("--part", type=_part, metavar="2/8", help="with Milvus: index the second of eight parts")
    options.add_batch(parser)


def _part(text):
    """A type for argparse: (2, 8) of 2/8."""
    fits = re.fullmatch(r"(\d+)/(\d+)", text)
    if not fits or not 1 <= int(fits.group(1)) <= int(fits.group(2)):
        raise argparse.ArgumentTypeError(f"expected such as 2/8, the second of eight parts, got {text}")
    return int(fits.group(1)), int(fits.group(2))


def run(args):
    """Brings a gallery up to date with folders."""
    in_milvus = args.gallery.startswith("milvus:")
    if args.part and not in_milvus:
        raise ValueError("--part is for Milvus: a gallery on disk is written by one run")
    from tensorflow_vgg._search import indexing
    from tensorflow_vgg._search.store import open_store

    store = open_store(args.gallery, args.faiss)
    about = store.about() or {}
    net = args.net or about.get("net", "vgg19")
    source = _weights(args.weights or about.get("weights"), net)
    folders, files = indexing.listing(args.folders, args.part)
    tensorflow()
    from tensorflow_vgg._search import features

    feature = args.feature or about.get("feature", "rmac")
    extractor = features.Extractor(
        net,
        features.read_weights(source, net, feature),
        feature,
        args.size or about.get("size", 224),
        not args.no_attention and about.get("attention", True),
    )
    whiten = args.whiten or about.get("whiten")
    report = _Progress(len(files))
    with store.writing(extractor.settings, extractor.dimensions, source, whiten):
        counts = indexing.index(store, extractor, folders, files, args.batch, report, args.part)
    report.clear()
    say(
        f"{args.gallery}: {counts.told}; {counts.kept} as they were, {counts.moved} moved or copied, "
        f"{counts.computed} computed, {counts.left_out} left out"
    )
    return 1 if counts.left_out else 0


def _weights(given, net):
    """The weight file's absolute path, or seeded:N."""
    if options.seeded_of(given, thin=True) is None:
        return os.path.abspath(options.weights_source(given, net))
    complain("seeded weights have learnt nothing: what they find similar is alike in colours and textures")
    return given


class _Progress(Report):
    """How far it is, on a terminal, and what was left out."""

    def __init__(self, total):
        super().__init__()
        self._total, self._done, self._computed, self._start = total, 0, 0, time.monotonic()

    def advance(self, count, computed):
        """Counts images that are done, and those of them that the network saw."""
        self._done += count
        self._computed += computed
        if not self._computed:
            return
        rate = self._computed / (time.monotonic() - self._start)
        left = (self._total - self._done) / rate
        self.show(
            f"{self._done}/{self._total} images, {rate:.1f} images/s, {left // 60:.0f} min {left % 60:.0f} s left"
        )
