"""The HTML page that verbs share: what it needs, what it shows, and that a browser agrees."""

import html
import io
import json
import os
import re
import shutil
import subprocess
import urllib.parse

import numpy as np
import pytest
from conftest import TEST_DATA

from tensorflow_vgg._pictures import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NAMES = [
    "\"quoted\" 'twice'",
    "<b>bold</b> & co",
    "новый 写真 🐯",
    "two\nlines",
    "caf\udce9",
    "a" * 150,
    "&amp;\r%41#?",
]


@pytest.fixture
def written(tmp_path):
    """A page of files with odd names, and the files."""
    files = []
    for name in NAMES:
        # A name cannot hold a slash.
        files.append(str(tmp_path / (name.replace("/", "|") + ".jpeg")))
        shutil.copy(os.path.join(TEST_DATA, "cat.jpeg"), files[-1])
    cards = [page.Card(file, ["0.9", os.path.basename(file)], file, 0.9) for file in files]
    sections = [page.Section("", cards, cards[0]), page.Section("<i>Second</i>", cards[:2])]
    page.write(str(tmp_path / "page.html"), "Title & <more>", iter(sections), "a note")
    return tmp_path / "page.html", files


def test_it_is_one_file_that_asks_for_nothing(written):
    path, files = written
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text.replace("file://", ""))
    sources = re.findall(r'\ssrc="(.*?)"', text)
    assert len(sources) == 10 and all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "default-src 'none'" in text and "Title &amp; &lt;more&gt;" in text and "&lt;i&gt;Second" in text
    links = [html.unescape(link) for link in re.findall(r'<a href="(.*?)"', text)]
    found = [urllib.parse.unquote_to_bytes(urllib.parse.urlparse(link).path) for link in links]
    assert found == [os.fsencode(file) for file in (files[0], *files, *files[:2])]


def test_a_page_that_cannot_be_finished_leaves_the_old_one(written):
    path, _ = written
    before = path.read_bytes()

    def sections():
        yield page.Section("One", [])
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        page.write(str(path), "Title", sections())
    assert path.read_bytes() == before and not list(path.parent.glob("*.tmp"))


def test_pictures_are_small_turned_and_need_not_be_readable(tmp_path):
    from PIL import Image

    path = str(tmp_path / "turned.jpeg")
    exif = Image.Exif() if hasattr(Image, "Exif") else None
    exif[274] = 6
    Image.fromarray(np.zeros((400, 1000, 3), np.uint8)).save(path, exif=exif.tobytes())
    assert Image.open(io.BytesIO(page.thumbnail(path))).size == (128, 320)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    cards = [page.Card(str(tmp_path / "bad.png"), ["x"]), page.Card(b"\x89PNG...", ["y"])]
    page.write(str(tmp_path / "page.html"), "Title", [page.Section("", cards)])
    text = (tmp_path / "page.html").read_text()
    assert "cannot be read" in text and text.count("<img ") == 1 and 'src="data:image/png;' in text


# A page with the page in a frame as narrow as a telephone, which says what the browser has made of it. It does so in
# its load event, which comes after the frame's pictures: nothing is left to wait for when the browser writes it down.
WATCHES = """<!DOCTYPE html><iframe src="page.html" style="width:360px;height:600px"></iframe><pre></pre><script>
onload = () => {
  const frame = document.querySelector("iframe").contentWindow, page = frame.document;
  const press = key => frame.dispatchEvent(new KeyboardEvent("keydown", {key, cancelable: true}));
  const at = () => [...page.links].indexOf(page.activeElement);
  const pressed = ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "x"].map(key => (press(key), at()));
  document.querySelector("pre").textContent = encodeURIComponent(JSON.stringify({
    names: [...page.querySelectorAll("figcaption span")].map(line => line.innerText),
    widths: [...page.images].map(image => image.naturalWidth),
    requests: frame.performance.getEntriesByType("resource").map(entry => entry.name.slice(0, 5)),
    wide: page.documentElement.scrollWidth, title: page.title, pressed,
  }));
};
</script>"""


@pytest.mark.skipif(not CHROMIUM, reason="THERE IS NO CHROMIUM: THE PAGE IS NOT TRIED IN A BROWSER")
def test_a_browser_shows_it(written):
    path, files = written
    (path.parent / "watches.html").write_text(WATCHES)
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
        f"--user-data-dir={path.parent / 'chromium'}", "--dump-dom",
        (path.parent / "watches.html").as_uri(),
    ]  # fmt: skip
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=True)
    found = json.loads(
        urllib.parse.unquote(re.search(r"<pre>(.*?)</pre>", process.stdout.decode(), re.DOTALL).group(1))
    )
    shown = [os.fsencode(os.path.basename(file)).decode("utf-8", "backslashreplace") for file in files]
    assert [name.rstrip("\n") for name in found["names"]] == [shown[0], *shown, *shown[:2]]
    assert found["title"] == "Title & <more>"
    assert len(found["widths"]) == 10 and set(found["widths"]) == {320}
    assert set(found["requests"]) <= {"data:"}
    assert found["wide"] <= 360
    assert found["pressed"] == [0, 1, 2, 1, 1]
