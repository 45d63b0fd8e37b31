"""`tensorflow-vgg index`: a gallery of the images of folders, to search in."""

import argparse
import os
import re

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Report, say, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] FOLDER [FOLDER ...] -o GALLERY"
    parser.description = "Computes a feature of each image in folders and below, for tensorflow-vgg search."
    parser.epilog = (
        "Run again, it computes what is new or changed and drops what is gone. A gallery that is there already gives "
        "the options that are not given. Exit status: 0 done, 1 some images were left out, 2 bad input."
    )
    option("folders", nargs="+", metavar="FOLDER", help="all images in it and below")
    option(
        "-o",
        dest="gallery",
        required=True,
        metavar="GALLERY",
        help="a folder; or milvus:http://HOST:19530[/COLLECTION], a Milvus server, or milvus:FILE.db[/COLLECTION]",
    )
    options.add(parser, "--net", default=None, help="default: vgg19")
    options.add(parser, "--weights", "--no-attention", "--batch")
    option(
        "--feature",
        choices=("rmac", "spoc", "mac", "fc6", "fc7"),
        help="what is compared: pooled from the map that feeds fc6, or what fc6 or fc7 gives; default: rmac",
    )
    option("--size", type=options.number(int, 32, 4096), metavar="N", help="scale images to NxN; default: 224")
    option("--whiten", type=options.POSITIVE, metavar="N", help="whiten features to N dimensions, learnt on the images")
    option(
        "--faiss",
        metavar="KIND",
        help='the kind of index in FAISS\'s words, such as "IVF4096,PQ64", or PQ256x4fs, some ten times as fast '
        "as the exact one; default: exact up to 200,000 images, then chosen",
    )
    option("--part", type=_part, metavar="2/8", help="with Milvus: index the second of eight parts")


def _part(text):
    """A type for argparse: (2, 8) of 2/8."""
    fits = re.fullmatch(r"(\d+)/(\d+)", text)
    if not fits or not 1 <= int(fits.group(1)) <= int(fits.group(2)):
        raise argparse.ArgumentTypeError(f"expected such as 2/8, the second of eight parts, got {text}")
    return int(fits.group(1)), int(fits.group(2))


def run(args):
    """Brings a gallery up to date with folders."""
    if args.part and not args.gallery.startswith("milvus:"):
        raise ValueError("--part is for Milvus: a gallery on disk is written by one run")
    from tensorflow_vgg import weights
    from tensorflow_vgg._search import indexing
    from tensorflow_vgg._search.store import open_store

    store = open_store(args.gallery, args.faiss)
    about = store.about() or {}
    net = args.net or about.get("net", "vgg19")
    given = about.get("weights") if args.weights is None else args.weights
    source = options.weights_source(given, net, "what they find similar is alike in colours and textures")
    if not weights.seed_of(source):
        source = os.path.abspath(source)
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
    with store.writing(extractor.settings, extractor.dimensions, source, whiten):
        counts = indexing.index(store, extractor, folders, files, args.batch, Report(), args.part)
    say(
        f"{args.gallery}: {counts.told}; {counts.kept} as they were, {counts.moved} moved or copied, "
        f"{counts.computed} computed, {counts.left_out} left out"
    )
    return 1 if counts.left_out else 0
