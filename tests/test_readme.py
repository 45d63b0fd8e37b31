"""The README's own blocks, in its order, in one folder: what they show a reader works."""

import os
import re
import shlex
import shutil
import sys

import pytest
import skimage.data
import skimage.io

from tensorflow_vgg import weights

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEFT_OUT = ("pip", "python", "tensorflow-vgg weights fetch", "tensorflow-vgg weights check")  # real weights
SCRIPT = (
    "import tensorflow as tf\nimport vgg19\nvgg = vgg19.Vgg19()\nvgg.build(tf.placeholder('float', [1, 224, 224, 3]))\n"
)


def blocks():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        return re.findall(r"^```(sh|python)\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)


def lay_out(folder):
    """What the README takes for granted: a weight file, photos, pictures of classes, a script, an old project."""
    weights.write(str(folder / "vgg19.npy"), weights.seeded("vgg19", 19, thin=True))
    for name in ("test_data", "photos"):
        shutil.copytree(os.path.join(ROOT, "test_data"), str(folder / name))
    for label, values in (("coins", skimage.data.coins()), ("page", skimage.data.page())):
        os.makedirs(str(folder / "pictures" / label))
        for number in range(4):
            part = values[:, number * 60 : number * 60 + 120]
            skimage.io.imsave(str(folder / "pictures" / label / f"{number}.png"), part)
    (folder / "train.py").write_text(SCRIPT)
    checkout = os.path.join(ROOT, "tests", "legacy_scripts", "checkout")
    os.mkdir(str(folder / "old_project"))
    shutil.copy(os.path.join(checkout, "vgg19.py"), str(folder / "old_project"))


def lines_of(block):
    """The commands of a block, without what needs real weights, on weights of a few channels, for few epochs."""
    text = block.replace("seeded:19", "seeded:19:thin").replace("train pictures", "train pictures --epochs 2")
    for line in re.split(r"\n|&&", text):
        line = line.partition("#")[0].strip()
        if line and not line.startswith(LEFT_OUT):
            yield shlex.split(line)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="index and search need Python 3.10")
def test_every_block_works(home, command):
    pytest.importorskip("faiss")
    lay_out(home)
    done = 0
    for language, block in blocks():
        for arguments in [["", "-c", block]] if language == "python" else lines_of(block):
            finished = command(arguments[1:], home, TENSORFLOW_VGG_HOME=str(home))
            assert finished.returncode == 0, (arguments, finished.stdout, finished.stderr)
            done += 1
    assert done >= 19
    for made in ("explained/index.html", "gallery/features.npy", "found.html", "run/last.npy", "run/curves.png"):
        assert (home / made).is_file(), made


def test_the_readme_is_short_and_its_links_lead_somewhere():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    assert len(text.splitlines()) <= 220
    headings = {re.sub(r"[^a-z0-9 -]", "", line[3:].lower()).replace(" ", "-") for line in text.splitlines()
                if line.startswith("## ")}  # fmt: skip
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("http"):
            assert os.path.exists(os.path.join(ROOT, target)), target
