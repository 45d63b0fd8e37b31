"""One HTML page with pictures: a single file that needs nothing else, neither a network nor a server."""

import base64
import hashlib
import html
import io
import os
import pathlib
import typing

from tensorflow_vgg import _images, _pictures, weights

__all__ = ["Card", "Section", "thumbnail", "write"]

_STYLE = """
:root { color-scheme: light dark; --page: #f6f5f2; --card: #fff; --ink: #22262b; --dim: #666c73; --line: #dfddd8;
  --mark: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --page: #16181b; --card: #212428; --ink: #e8e6e1; --dim: #a0a6ad;
  --line: #33373c; --mark: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem; background: var(--page);
  color: var(--ink); font: 15px/1.4 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; }
h1, h2, p, figcaption { overflow-wrap: anywhere; white-space: pre-wrap; unicode-bidi: plaintext; }
p { margin: 0; color: var(--dim); }
section { margin-top: 1.5rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
.row { display: grid; grid-template-columns: 15rem 1fr; gap: 1.25rem; align-items: start; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .75rem; }
.lead { position: sticky; top: .75rem; }
@media (max-width: 45rem) { .row { grid-template-columns: 1fr; } .lead { position: static; }
  .lead img { aspect-ratio: 3 / 2; } .cards { grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); } }
a { color: inherit; text-decoration: none; border-radius: .6rem; display: block; }
a:hover figure { border-color: var(--mark); }
a:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
figure { margin: 0; height: 100%; overflow: hidden; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; }
.lead figure { border: 2px solid var(--mark); }
img, .none { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--page); }
.none { display: grid; place-items: center; padding: 1rem; text-align: center; color: var(--dim); font-size: .8rem; }
.bar { height: 4px; background: var(--line); } .bar i { display: block; height: 100%; background: var(--mark); }
figcaption { padding: .5rem .65rem .6rem; font-size: .8rem; color: var(--dim); }
figcaption b { display: block; font-size: 1rem; font-weight: 600; color: var(--ink); }
figcaption span { display: block; }
@media print { section { break-inside: avoid; } .lead { position: static; } }
"""

# Arrows go from picture to picture; Tab and Enter do without.
_SCRIPT = """
addEventListener("keydown", event => {
  const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  const links = [...document.links], at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)];
  if (next) { next.focus(); event.preventDefault(); }
});
"""


class Card(typing.NamedTuple):
    """A picture and what is said of it.

    Attributes:
      picture: a file's path, of which a thumbnail is made; or the bytes of a PNG or JPEG, which are taken as they are.
      lines: texts, the first of which is the largest.
      link: the path of the file that opens, or None.
      amount: what the bar below the picture shows, 0 ... 1, or None for no bar.
    """

    picture: typing.Union[str, bytes]
    lines: typing.Sequence[str]
    link: typing.Optional[str] = None
    amount: typing.Optional[float] = None


class Section(typing.NamedTuple):
    """Cards under a title, "" for none. `lead`, a Card or None, stands larger beside the others."""

    title: str
    cards: typing.Iterable[Card]
    lead: typing.Optional[Card] = None


def write(path, title, sections, note=""):
    """Writes a page, whole in the end or as it was before, with a note below its title.

    Sections are taken one by one: memory is flat in their number. An OSError if the file cannot be written.
    """
    script = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{script}'"
    with weights.replacing(path) as file:

        def put(*parts):
            file.write("".join(parts).encode("utf-8"))

        put('<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n')
        put(f'<meta name="generator" content="{_pictures.GENERATOR}">\n')
        put(f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n')
        put('<meta name="viewport" content="width=device-width, initial-scale=1">\n')
        put(f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n<h1>{_text(title)}</h1>\n")
        if note:
            put(f"<p>{_text(note)}</p>\n")
        for section in sections:
            put("<section>\n", f"<h2>{_text(section.title)}</h2>\n" if section.title else "")
            if section.lead:
                put('<div class="row"><div class="lead">', _card(section.lead), "</div>\n")
            put('<div class="cards">\n')
            for card in section.cards:
                put(_card(card), "\n")
            put("</div>\n", "</div>\n" if section.lead else "", "</section>\n")
        put(f"<script>{_SCRIPT}</script>\n</html>\n")


def thumbnail(path):
    """The bytes of a JPEG of an image file, whose longer side has at most 320 pixels; raises as `_images.read`."""
    import numpy as np
    from PIL import Image

    pixels, maximum = _images.read(path)
    if pixels.dtype != np.uint8:
        pixels = (pixels / maximum * 255 + 0.5).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((320, 320), Image.LANCZOS)
    made = io.BytesIO()
    image.save(made, "JPEG", quality=82)
    return made.getvalue()


def _card(card):
    """A card's HTML."""
    lines = [_text(line) for line in card.lines]
    caption = (f"<b>{lines[0]}</b>" if lines else "") + "".join(f"<span>{line}</span>" for line in lines[1:])
    bar = ""
    if card.amount is not None:
        bar = f'<div class="bar"><i style="width:{100 * min(max(card.amount, 0), 1):.1f}%"></i></div>'
    figure = f"<figure>{_picture(card, ', '.join(lines))}{bar}<figcaption>{caption}</figcaption></figure>"
    if card.link is None:
        return figure
    return f'<a href="{_text(pathlib.Path(os.path.abspath(card.link)).as_uri())}">{figure}</a>'


def _picture(card, description):
    picture = card.picture
    if not isinstance(picture, bytes):
        try:
            picture = thumbnail(picture)
        except (AssertionError, OSError, ValueError):
            return '<div class="none">This picture cannot be read.</div>'
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f'<img alt="{description}" src="data:image/{kind};base64,{base64.b64encode(picture).decode()}">'


def _text(text):
    """A text as HTML that shows it as it is; bytes of a name that are no UTF-8 as escapes."""
    readable = str(text).encode("utf-8", "surrogateescape")
    # A bare carriage return would be read as the end of a line.
    return html.escape(readable.decode("utf-8", "backslashreplace")).replace("\r", "&#13;")
