"""tensorflow-vgg evaluate."""

import json
import os

import numpy as np
import skimage.io
from trainings import CLASSES

from tensorflow_vgg import utils
from tensorflow_vgg._command.main import main


def test_the_table_the_picture_and_what_was_taken_for_something_else(start, images, capsys, monkeypatch):
    """Counted again here from what classify says of each image."""
    with open("labels.txt", "w") as file:
        file.write("\n".join(CLASSES))
    folder = f"{images}/validation"
    expected = {}
    for name in CLASSES:
        assert main(["classify", f"{folder}/{name}", "--weights", "thin.npy", "--json", "--top", "1"]) == 0
        for line in capsys.readouterr().out.splitlines():
            found = json.loads(line)
            expected[found["file"]] = (name, found["label"], found["probability"])
    wrong = {path: found for path, found in expected.items() if found[0] != found[1]}
    assert 0 < len(wrong) < 12

    assert main(["evaluate", folder, "--weights", "thin.npy", "--json", "--wrong", "--plot", "c.png"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["images"] == 12 and "top5" not in result
    np.testing.assert_allclose(result["top1"], 1 - len(wrong) / 12)
    assert {row["file"]: (row["class"], row["taken_for"]) for row in result["wrong"]} == {
        path: found[:2] for path, found in wrong.items()
    }
    for name in CLASSES:
        for other in CLASSES:
            count = sum(found[:2] == (name, other) for found in expected.values())
            assert result["confusion"][name].get(other, 0) == count
    assert skimage.io.imread("c.png").ndim == 3

    assert main(["evaluate", folder, "--weights", "thin.npy", "--wrong", "--html", "w.html"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert f"12 images: top-1 {result['top1']:.4f}" in table
    path, (name, other, probability) = next(iter(wrong.items()))
    assert f"{path}: {name}, taken for {other} ({probability:.4f})" in table

    with open("w.html", encoding="utf-8") as file:
        text = file.read()
    assert text.count("data:image/jpeg") == len(wrong)
    assert all(os.path.basename(path) in text for path in wrong)

    trained = [[f"{CLASSES[0]}/{name}", os.path.getsize(f"{folder}/{CLASSES[0]}/{name}")]
               for name in sorted(os.listdir(f"{folder}/{CLASSES[0]}"))[:3]]  # fmt: skip
    with open("images.json", "w") as file:
        json.dump({"classes": CLASSES, "training": [*trained, ["x/y.png", 1]], "validation": []}, file)
    assert main(["evaluate", folder, "--weights", "thin.npy"]) == 0
    assert "3 of these images were trained on" in capsys.readouterr().err

    # What stands in the way of the picture is told before anything is computed.
    monkeypatch.setattr(utils, "load_image", None)
    for path, message in (("c.png", "c.png: exists already"), ("c.png/d.png", "c.png/d.png: cannot be written")):
        assert main(["evaluate", folder, "--weights", "thin.npy", "--plot", path]) == 2
        assert message in capsys.readouterr().err
