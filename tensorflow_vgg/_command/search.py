"""`tensorflow-vgg search`: the images of a gallery that are the most similar to others."""

import json
import os
import sys

from tensorflow_vgg import _images
from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]

_DUPLICATES = 0.97


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] GALLERY IMAGE [IMAGE ...] | GALLERY - | GALLERY --duplicates [0.97]"
    parser.description = "Prints the images of a gallery that are the most similar to each IMAGE, or to each other."
    parser.epilog = "Exit status: 0 done, 1 some images were left out, 2 bad input."
    parser.add_argument("gallery", metavar="GALLERY", help="what tensorflow-vgg index has made: a folder or milvus:URI")
    parser.add_argument(
        "images", nargs="*", metavar="IMAGE", help="image files and folders; - reads a path a line from standard input"
    )
    parser.add_argument(
        "--top", type=options.POSITIVE, default=10, metavar="N", help="how many for each; default: %(default)s"
    )
    similarity = options.number(float, -1, 1)
    parser.add_argument("--above", type=similarity, default=-1.0, metavar="S", help="leave less similar ones out")
    parser.add_argument(
        "--duplicates",
        type=similarity,
        nargs="?",
        const=_DUPLICATES,
        metavar="S",
        help=f"without IMAGE: groups of images that are at least so similar, {_DUPLICATES} by default",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each image that is found")
    parser.add_argument("--html", metavar="FILE", help="also write a page with all pictures, in one file")
    parser.add_argument("--weights", metavar="FILE", help="the weight file; default: the one that index was given")


def run(args):
    """Searches, or groups duplicates."""
    if bool(args.images) == (args.duplicates is not None):
        raise ValueError("search: expected either IMAGE or --duplicates")
    from tensorflow_vgg import search

    gallery = search.Gallery(args.gallery, args.weights)
    queries = _queries(args.images) if args.images else None
    if args.html and (os.path.isdir(args.html) or not args.html.lower().endswith((".html", ".htm"))):
        raise ValueError(f"--html {args.html}: expected the name of a file that ends with .html, for it is replaced")
    failed = []
    if queries is None:
        sections = _duplicates(gallery, args)
        title = "Near-duplicates, each with its similarity to the nearest of its group"
    else:
        tensorflow()
        sections = _answers(gallery, queries, args, failed)
        title = "Similar images"
    if args.html:
        from tensorflow_vgg._pictures import page

        about = gallery.about
        note = f"{args.gallery}: {about.get('images', 'all')} images, {about['feature']} of {about['net'].upper()}"
        page.write(args.html, title, sections, note)
        complain(f"{args.html}: the page with the pictures")
    else:
        for _ in sections:
            pass
    return 1 if failed else 0


def _queries(images):
    """The paths, one after the other; those of standard input as they come."""
    if images == ["-"]:
        lines = iter(sys.stdin.buffer.readline, b"")
        return (os.fsdecode(line.rstrip(b"\r\n")) for line in lines if line.strip())
    return _images.find(images)


def _answers(gallery, queries, args, failed):
    """Prints what is found for each query, and yields it as a section of the page."""
    from tensorflow_vgg._pictures import page

    for query in queries:
        try:
            hits = gallery.search([query], args.top)[0]
        except (AssertionError, OSError, ValueError) as error:
            complain(error)
            failed.append(query)
            continue
        hits = [hit for hit in hits if hit.similarity >= args.above]
        if not args.json:
            say(query)
        for rank, hit in enumerate(hits, 1):
            _print(hit, args.json, query=query, rank=rank)
        sys.stdout.flush()
        lead = page.Card(query, ["Query", os.path.basename(query)], query)
        yield page.Section("", [_card(hit) for hit in hits], lead)


def _duplicates(gallery, args):
    """Prints the groups, and yields each as a section of the page."""
    from tensorflow_vgg._pictures import page

    groups = gallery.duplicates(args.duplicates)
    for number, group in enumerate(groups, 1):
        if not args.json:
            say(f"{len(group)} images, each with its similarity to the nearest of the others")
        for hit in group:
            _print(hit, args.json, group=number)
        yield page.Section(f"{len(group)} images", [_card(hit) for hit in group])
    if not groups:
        complain(f"no two images are as similar as {args.duplicates}")


def _print(hit, as_json, **more):
    if as_json:
        say(json.dumps({**more, "similarity": round(hit.similarity, 6), "path": hit.path}))
    else:
        say(f"  {hit.similarity:.4f}  {hit.path}")


def _card(hit):
    from tensorflow_vgg._pictures import page

    folder, name = os.path.split(hit.path)
    return page.Card(hit.path, [f"{hit.similarity:.3f}", name, folder], hit.path, hit.similarity)
