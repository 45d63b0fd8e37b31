"""Images and labels: upstream's pixels, every kind of file, the printed lines."""

import hashlib
import os

import numpy as np
import pytest
import skimage.io
from conftest import GOLDEN, TEST_DATA

from tensorflow_vgg import utils

# scikit-image remarks on plain images and, in later releases, on being asked for its TIFF writer.
pytestmark = pytest.mark.filterwarnings("ignore:.*(low contrast|plugin).*")


@pytest.mark.parametrize("name", ["tiger", "puzzle", "cat", "coffee"])
def test_load_image_gives_upstreams_pixels(pixels, name):
    image = utils.load_image(os.path.join(TEST_DATA, f"{name}.jpeg"))
    assert (image.shape, image.dtype) == ((224, 224, 3), np.float64)
    # The recording is float32, so half a step of it is left.
    assert np.abs(image - pixels[name]).max() < 1e-6


def bilinear(image, height, width):
    """Bilinear sampling at pixel centres with zero outside the image, written out."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)), mode="constant")
    y = (np.arange(height) + 0.5) * image.shape[0] / height - 0.5
    x = (np.arange(width) + 0.5) * image.shape[1] / width - 0.5
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    down, right = (y - top)[:, None, None], (x - left)[None, :, None]
    at = lambda rows, columns: padded[np.ix_(rows + 1, columns + 1)]  # noqa: E731
    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return upper * (1 - down) + lower * down


@pytest.mark.parametrize(("options", "size"), [
    ({}, (166, 304)), ({"height": 83}, (83, 152)), ({"width": 100}, (55, 100)),
    ({"height": 50, "width": 400}, (50, 400)),
])  # fmt: skip
def test_load_image2_keeps_the_whole_image(options, size):
    path = os.path.join(TEST_DATA, "tiger.jpeg")
    image = utils.load_image2(path, **options)
    assert image.shape == (*size, 3)
    np.testing.assert_allclose(image, bilinear(skimage.io.imread(path) / 255.0, *size), atol=1e-12)


@pytest.mark.parametrize(("rows", "columns"), [(224, 224), (301, 277), (1000, 225), (230, 4000)])
def test_scaling_down_is_scikit_images_to_the_bit(tmp_path, rows, columns):
    pixels = np.random.RandomState(rows).randint(3, 250, (rows, columns, 3)).astype(np.uint8)
    path = str(tmp_path / "image.png")
    skimage.io.imsave(path, pixels)
    np.testing.assert_array_equal(utils.load_image2(path, 224, 220), utils.resized(pixels / 255.0, 224, 220))
    edge = min(rows, columns)
    square = pixels[(rows - edge) // 2 :, (columns - edge) // 2 :][:edge, :edge]
    np.testing.assert_array_equal(utils.load_image(path), utils.resized(square / 255.0, 224, 224))


PIXELS = np.random.RandomState(0).randint(0, 256, (40, 30, 4)).astype(np.uint8)


@pytest.mark.parametrize(("name", "pixels", "expected"), [
    ("rgb.png", PIXELS[:, :, :3], PIXELS[:, :, :3] / 255.0),
    ("grey.png", PIXELS[:, :, 0], PIXELS[:, :, [0, 0, 0]] / 255.0),
    ("rgba.png", PIXELS, PIXELS[:, :, :3] / 255.0),
    ("grey16.png", PIXELS[:, :, 0].astype(np.uint16) * 200, PIXELS[:, :, [0, 0, 0]] * (200 / 65535.0)),
    ("rgb16.tif", PIXELS[:, :, :3].astype(np.uint16) * 200, PIXELS[:, :, :3] * (200 / 65535.0)),
    ("grey.tif", PIXELS[:, :, 0], PIXELS[:, :, [0, 0, 0]] / 255.0),
])  # fmt: skip
def test_kinds_of_images(tmp_path, name, pixels, expected):
    path = str(tmp_path / name)
    if name.endswith(".tif"):
        skimage.io.imsave(path, pixels, plugin="tifffile")
    else:
        skimage.io.imsave(path, pixels)
    np.testing.assert_array_equal(utils.load_image2(path), expected)
    assert utils.load_image(path).shape == (224, 224, 3)


@pytest.mark.parametrize("mode", ["P", "LA", "1"])
def test_palette_grey_with_alpha_and_one_bit(tmp_path, mode):
    image = pytest.importorskip("PIL.Image")  # scikit-image reads with it, and cannot write these
    path = str(tmp_path / "image.png")
    # Colours of the default palette, so that nothing is rounded.
    drawn = image.new("RGB", (30, 40), (255, 255, 255))
    drawn.paste((0, 0, 0), (5, 5, 20, 30))
    drawn.convert(mode).save(path)
    np.testing.assert_array_equal(utils.load_image2(path), np.asarray(drawn) / 255.0)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\nbroken"])
def test_a_file_that_is_no_image_is_named(tmp_path, content):
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.png: not an image"):
        utils.load_image(str(path))


def test_a_truncated_or_missing_image_is_named(tmp_path):
    with open(os.path.join(TEST_DATA, "cat.jpeg"), "rb") as file:
        (tmp_path / "cut.jpeg").write_bytes(file.read()[:9000])
    with pytest.raises(ValueError, match=r"cut\.jpeg: not an image"):
        utils.load_image(str(tmp_path / "cut.jpeg"))
    with pytest.raises(FileNotFoundError, match=r"none\.jpeg"):
        utils.load_image(str(tmp_path / "none.jpeg"))


def test_several_images_in_one_file_and_values_out_of_range(tmp_path):
    path = str(tmp_path / "stack.tif")
    skimage.io.imsave(path, np.zeros((5, 8, 9, 3), np.uint8), plugin="tifffile")
    with pytest.raises(ValueError, match=r"stack\.tif: expected one image"):
        utils.load_image(path)
    path = str(tmp_path / "signed.tif")
    skimage.io.imsave(path, np.full((8, 9), -1, np.int16), plugin="tifffile")
    with pytest.raises(AssertionError, match=r"signed\.tif: expected values in \[0, 1\], got -"):
        utils.load_image(path)


def test_synset_is_upstreams_file():
    with open(utils.SYNSET, "rb") as file:
        assert hashlib.sha1(file.read()).hexdigest() == "e03a09a8336d75b7bb008748eadee253a30cb2c2"
    with open(os.path.join(GOLDEN, "wnids.txt")) as file:
        assert [line.split()[0] for line in utils.read_labels(utils.SYNSET)] == file.read().split()


def test_print_prob_prints_as_numpy_1_did(capsys):
    prob = np.zeros(1000, np.float32)
    prob[[292, 282, 290, 291, 283]] = 0.9958288, 0.0008209361, 5.91e-05, 1e-20, 1e-30
    assert utils.print_prob(prob, utils.SYNSET) == "n02129604 tiger, Panthera tigris"
    assert capsys.readouterr().out == (
        "('Top1: ', 'n02129604 tiger, Panthera tigris', 0.9958288)\n"
        "('Top5: ', [('n02129604 tiger, Panthera tigris', 0.9958288), ('n02123159 tiger cat', 0.0008209361), "
        "('n02128925 jaguar, panther, Panthera onca, Felis onca', 5.91e-05), "
        "('n02129165 lion, king of beasts, Panthera leo', 1e-20), ('n02123394 Persian cat', 1e-30)])\n"
    )


def test_labels_for_other_classes(tmp_path, capsys):
    path = tmp_path / "labels.txt"
    path.write_text("grass\ngravel\n")
    assert utils.print_prob(np.array([0.25, 0.75]), str(path)) == "gravel"
    assert capsys.readouterr().out == "('Top1: ', 'gravel', 0.75)\n('Top2: ', [('gravel', 0.75), ('grass', 0.25)])\n"
    with pytest.raises(ValueError, match="a label for each of 3 classes, got 2"):
        utils.print_prob(np.zeros(3), str(path))
