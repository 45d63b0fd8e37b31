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
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] GALLERY IMAGE [IMAGE ...] | GALLERY - | GALLERY --duplicates [0.97]"
    parser.description = "Prints the images of a gallery that are the most similar to each IMAGE, or to each other."
    parser.epilog = "Exit status: 0 done, 1 some images were left out, 2 bad input."
    option("gallery", metavar="GALLERY", help="what tensorflow-vgg index has made: a folder or milvus:URI")
    options.add(parser, "images", nargs="*", help="image files and folders; - reads a path a line from standard input")
    option("--top", type=options.POSITIVE, default=10, metavar="N", help="how many for each; default: %(default)s")
    similarity = options.number(float, -1, 1)
    option("--above", type=similarity, default=-1.0, metavar="S", help="leave less similar ones out")
    option(
        "--duplicates",
        type=similarity,
        nargs="?",
        const=_DUPLICATES,
        metavar="S",
        help=f"without IMAGE: groups of images that are at least so similar, {_DUPLICATES} by default",
    )
    option("--json", action="store_true", help="one JSON object a line for each image that is found")
    option("--html", metavar="FILE", help="also write a page with all pictures, in one file")
    option("--weights", metavar="FILE", help="the weight file; default: the one that index was given")


def run(args):
    """Searches, or groups duplicates."""
    if bool(args.images) == (args.duplicates is not None):
        raise ValueError("search: expected either IMAGE or --duplicates")
    if os.path.isfile(args.gallery):
        raise ValueError(f"{args.gallery}: expected a gallery, found a file: search GALLERY IMAGE, in this order")
    from tensorflow_vgg import search

    gallery = search.Gallery(args.gallery, args.weights)
    queries = _queries(args.images) if args.images else None
    if args.html and (os.path.isdir(args.html) or not args.html.lower().endswith((".html", ".htm"))):
        raise ValueError(f"--html {args.html}: expected the name of a file that ends with .html, for it is replaced")
    if gallery.about["weights"].startswith("seeded:"):
        complain(
            f"{args.gallery}: its seeded weights have learnt nothing: all images are rather similar to them, "
            "and the most similar alike in colours and textures"
        )
    failed, gone = [], set()
    if queries is None:
        found = _groups(gallery, args.duplicates)
        title = "Near-duplicates, each with its similarity to the nearest of its group"
    else:
        tensorflow()
        found = _answers(gallery, queries, args, failed)
        title = "Similar images"
    sections = _printed(found, args.json, gone)
    if args.html:
        from tensorflow_vgg._pictures import page

        about = gallery.about
        note = f"{args.gallery}: {about.get('images', 'all')} images, {about['feature']} of {about['net'].upper()}"
        page.write(args.html, title, sections, note)
        complain(f"{args.html}: the page with the pictures")
    else:
        for _ in sections:
            pass
    if gone and not args.gallery.startswith("milvus:"):  # whose images may be another machine's
        complain(f"not there any more: {len(gone)} of the images found, such as {min(gone)}: run tensorflow-vgg index")
    return 1 if failed else 0


def _queries(images):
    """The paths, one after the other; those of standard input as they come."""
    if images == ["-"]:
        lines = iter(sys.stdin.buffer.readline, b"")
        return (os.fsdecode(line.rstrip(b"\r\n")) for line in lines if line.strip())
    return _images.find(images)


def _answers(gallery, queries, args, failed):
    """Yields (query, its Hits, each with what JSON says beside it); queries that cannot be read go to `failed`."""
    for query in queries:
        try:
            hits = gallery.search([query], args.top)[0]
        except (AssertionError, OSError, ValueError) as error:
            complain(error)
            failed.append(query)
            continue
        hits = [hit for hit in hits if hit.similarity >= args.above]
        yield query, [(hit, {"query": query, "rank": rank}) for rank, hit in enumerate(hits, 1)]


def _groups(gallery, least):
    """Yields the groups of near-duplicates as `_answers` does, without a query."""
    groups = gallery.duplicates(least)
    if not groups:
        complain(f"no two images are as similar as {least}")
    for number, group in enumerate(groups, 1):
        yield None, [(hit, {"group": number}) for hit in group]


def _printed(found, as_json, gone):
    """Prints what is found, and yields it as sections of the page; files that are not there any more go to `gone`."""
    from tensorflow_vgg._pictures import page

    for query, hits in found:
        title, lead = f"{len(hits)} images", None
        if query is not None:
            title, lead = "", page.Card(query, ["Query", os.path.basename(query)], query)
        if not as_json:
            say(query or f"{title}, each with its similarity to the nearest of the others")
        cards = []
        for hit, told in hits:
            if not os.path.lexists(hit.path):
                gone.add(hit.path)
            if as_json:
                say(json.dumps({**told, "similarity": round(hit.similarity, 6), "path": hit.path}))
            else:
                say(f"  {hit.similarity:.4f}  {hit.path}")
            folder, name = os.path.split(hit.path)
            cards.append(page.Card(hit.path, [f"{hit.similarity:.3f}", name, folder], hit.path, hit.similarity))
        sys.stdout.flush()
        yield page.Section(title, cards, lead)
