"""Which files are images, and what their pixels are, against Pillow's own conversions and pictures made by hand."""

import os
import shutil
import sys
import threading

import numpy as np
import pytest
from conftest import TEST_DATA
from PIL import Image

from tensorflow_vgg import _images, utils

# Pillow's, on pictures that are odd on purpose, and tifffile's, on how it will write one day.
pytestmark = pytest.mark.filterwarnings("ignore:.*(Corrupt EXIF|exceeds limit|stored as RGB)")

PIXELS = np.random.RandomState(0).randint(0, 256, (20, 30, 3)).astype(np.uint8)

# EXIF's orientation -> what Pillow calls the way back.
TURNS = {
    2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270", 7: "TRANSVERSE",
    8: "ROTATE_90",
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(10))
def test_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    image = Image.fromarray(PIXELS)
    turn = TURNS.get(orientation)
    expected = np.asarray(image.transpose(getattr(Image, turn)) if turn else image)
    for ending, options in (("png", {}), ("webp", {"lossless": True}), ("tif", {})):
        path = str(tmp_path / f"image.{ending}")
        image.save(path, exif=exif, **options)
        pixels, maximum = _images.read(path)
        np.testing.assert_array_equal(pixels, expected)
        assert maximum == 255
        np.testing.assert_array_equal(_images.read(path, exif=False)[0], PIXELS)
        np.testing.assert_array_equal(utils.load_image2(path), expected / 255.0)
        np.testing.assert_array_equal(utils.load_image2(path, exif=False), PIXELS / 255.0)


def test_a_phones_photo_is_classified_as_the_viewer_shows_it(tmp_path):
    """tiger.jpeg, its samples untouched, with EXIF data put in that says: seen from the right."""
    with open(os.path.join(TEST_DATA, "tiger.jpeg"), "rb") as file:
        data = file.read()
    exif = Image.Exif()
    exif[274] = 6
    block = b"Exif\0\0" + exif.tobytes().replace(b"Exif\0\0", b"", 1)
    path = str(tmp_path / "phone.jpg")
    with open(path, "wb") as file:
        file.write(data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:])
    plain = _images.read(os.path.join(TEST_DATA, "tiger.jpeg"))[0]
    np.testing.assert_array_equal(_images.read(path)[0], np.rot90(plain, -1))
    ((_, pixels),) = utils.decoded([path], 1)
    np.testing.assert_array_equal(pixels, utils.load_image(path).astype(np.float32))
    ((_, pixels),) = utils.decoded([path], 1, exif=False)
    np.testing.assert_array_equal(pixels, utils.load_image(os.path.join(TEST_DATA, "tiger.jpeg")).astype(np.float32))


def test_damaged_exif_data_is_no_reason_to_refuse_a_picture(tmp_path):
    Image.fromarray(PIXELS).save(str(tmp_path / "image.png"), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(_images.read(str(tmp_path / "image.png"))[0], PIXELS)


COLOURS = [(255, 0, 0), (0, 128, 0), (20, 40, 200), (250, 250, 250), (0, 0, 0)]


@pytest.mark.parametrize(("mode", "ending", "options", "off"), [
    ("CMYK", "tif", {}, 0), ("CMYK", "jpg", {"quality": 95}, 4), ("YCbCr", "jpg", {"quality": 95}, 4),
    ("RGB", "tif", {"compression": "jpeg", "quality": 95}, 4),  # YCbCr in the file
    ("LAB", "tif", {}, 12),  # 8 bits of Lab hold no colour closer
    ("P", "tif", {}, 0), ("P", "png", {}, 0), ("P", "gif", {}, 0), ("P", "bmp", {}, 0), ("RGBA", "tif", {}, 0),
    ("RGBA", "webp", {"lossless": True}, 0), ("RGB", "ppm", {}, 0), ("RGB", "tif", {"compression": "tiff_lzw"}, 0),
])  # fmt: skip
def test_colours_are_converted_to_rgb(tmp_path, mode, ending, options, off):
    """Fields of one colour each, looked at where a compression does not mix them."""
    fields = np.repeat(np.repeat(np.array([COLOURS], np.uint8), 16, axis=0), 16, axis=1)
    image = Image.fromarray(fields)
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
    else:
        image = image.quantize(8) if mode == "P" else image.convert(mode)
    path = str(tmp_path / f"image.{ending}")
    image.save(path, **options)
    pixels = _images.read(path)[0]
    assert (pixels.shape, pixels.dtype) == (fields.shape, np.uint8)
    assert np.abs(pixels[8, 8::16].astype(int) - COLOURS).max() <= off


def test_grey_of_any_kind(tmp_path):
    grey = PIXELS[:, :, 0]
    for mode, ending in (("L", "png"), ("LA", "png"), ("L", "pgm"), ("L", "tif"), ("L", "gif"), ("L", "bmp")):
        path = str(tmp_path / f"{mode}.{ending}")
        Image.fromarray(grey).convert(mode).save(path)
        np.testing.assert_array_equal(_images.read(path)[0], grey[:, :, None].repeat(3, axis=2))
    white_is_0 = str(tmp_path / "fax.tif")
    Image.fromarray(grey).save(white_is_0, tiffinfo={262: 0})  # Pillow stores the inverse then
    if Image.open(white_is_0).tag_v2[262] == 0:
        np.testing.assert_array_equal(_images.read(white_is_0)[0][:, :, 0], grey)
    (tmp_path / "16.pgm").write_bytes(b"P5 3 1 65535\n" + np.array([0, 1000, 65535], ">u2").tobytes())
    np.testing.assert_array_equal(
        utils.load_image2(str(tmp_path / "16.pgm"))[0, :, 0], np.array([0, 1000, 65535]) / 65535
    )


def tifffile():
    return pytest.importorskip("tifffile" if sys.version_info >= (3, 8) else "skimage.external.tifffile")


@pytest.mark.parametrize(("values", "expected"), [
    (np.float32(PIXELS) / 255, np.float32(PIXELS) / 255.0),
    (np.float64(PIXELS), PIXELS / 255.0),  # as upstream took floats
    (np.float32(PIXELS[:, :, 0]) / 255, np.float32(PIXELS[:, :, [0, 0, 0]]) / 255.0),
    (np.uint16(PIXELS) * 257, PIXELS / 255.0),
    (np.uint32(PIXELS) << 24, (np.uint32(PIXELS) << 24) / (2.0**32 - 1)),
    (np.int16(PIXELS), PIXELS / 32767.0),
])  # fmt: skip
def test_tiffs_of_other_types(tmp_path, values, expected):
    path = str(tmp_path / "image.tif")
    tifffile().imsave(path, values) if hasattr(tifffile(), "imsave") else tifffile().imwrite(path, values)
    np.testing.assert_array_equal(utils.load_image2(path), expected)


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_the_first_picture_of_an_animation(tmp_path, ending):
    frames = [Image.new("RGB", (9, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    path = str(tmp_path / f"image.{ending}")
    for more in (frames[1:], []):
        frames[0].save(path, save_all=bool(more), append_images=more)
        pixels = _images.read(path)[0]
        assert pixels.shape == (8, 9, 3) and np.abs(pixels.astype(int) - (255, 0, 0)).max() < 3  # WebP is lossy


def test_the_content_decides(tmp_path):
    Image.fromarray(PIXELS).save(str(tmp_path / "image.png"))
    for name in ("photo", "image.jpg", "image.tif"):
        shutil.copy(str(tmp_path / "image.png"), str(tmp_path / name))
        np.testing.assert_array_equal(_images.read(str(tmp_path / name))[0], PIXELS)
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(ran) print\n"
    for number, content in enumerate((postscript, b"8BPS\0\1", b"\0\0\1\0\1\0", b"SIMPLE  =", b"#define x_width 9\n")):
        path = tmp_path / f"other{number}.png"
        path.write_bytes(content.ljust(600, b" "))
        with pytest.raises(
            ValueError, match=rf"other{number}\.png: not an image: its content is none of BMP, GIF, JPEG"
        ):
            _images.read(str(path))


def test_what_is_no_file_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"none\.png: expected an image file, found none"):
        _images.read(str(tmp_path / "none.png"))
    with pytest.raises(IsADirectoryError, match="expected an image file, found a folder"):
        _images.read(str(tmp_path))
    os.mkfifo(str(tmp_path / "pipe.png"))
    for path in ("/dev/zero", str(tmp_path / "pipe.png")):
        with pytest.raises(ValueError, match=f"{path}: expected an image file, found a device, a pipe"):
            _images.read(path)
    for url in ("https://example.org/cat.jpg", "s3://bucket/cat.jpg"):
        with pytest.raises(ValueError, match=f"{url}: expected an image file, got a URL: download it first"):
            _images.read(url)
    Image.new("1", (10000, 9000)).save(str(tmp_path / "bomb.png"))
    with pytest.raises(ValueError, match=r"bomb\.png: 10000x9000 pixels, and Pillow's limit is \d+: scale it down"):
        _images.read(str(tmp_path / "bomb.png"))
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ValueError, match=r"phone\.heic: HEIC needs pip install pillow-heif"):
        _images.read(str(tmp_path / "phone.heic"))


def test_folders_with_their_subfolders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("b/2.JPG", "b/c/3.png", "a.heic", "b/._2.JPG", "b/.thumbnails/4.png", "notes.txt", "z.webp"):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        open(path, "wb").close()
    os.mkfifo("b/pipe.png")
    os.symlink("../b", "b/loop")
    os.symlink("gone.png", "broken.png")
    os.makedirs("elsewhere/linked")
    open("elsewhere/linked/5.gif", "wb").close()
    os.symlink("../elsewhere/linked", "b/linked")
    found = ["b/2.JPG", "b/c/3.png", "b/linked/5.gif"]
    assert _images.find(["b", "notes.txt"]) == [*found, "notes.txt"]
    once = ["./a.heic", "./b/2.JPG", "./b/c/3.png", "./elsewhere/linked/5.gif", "./z.webp"]
    assert _images.find([".", "b/2.JPG"]) == [*once, "b/2.JPG"]
    os.mkdir("empty")
    for path, message in (("empty", "expected a folder with images"), ("b/pipe.png", "found a device, a pipe")):
        with pytest.raises(ValueError, match=f"{path}: .*{message}"):
            _images.find([path])
    with pytest.raises(FileNotFoundError, match="none: expected an image file or a folder, found none of that name"):
        _images.find(["b", "none"])


def test_reading_ahead_keeps_the_order_and_ends_with_its_user():
    begun, go_on = [], threading.Event()

    def load(number):
        begun.append(number)
        if number == 3:
            raise ValueError("three")
        if number > 5:
            go_on.wait(5)
        return -number

    results = _images.ahead(range(1000), load, 4)
    taken = [next(results) for _ in range(5)]
    assert [path for path, _ in taken] == [0, 1, 2, 3, 4]
    assert [result for _, result in taken if not isinstance(result, Exception)] == [0, -1, -2, -4]
    threading.Timer(0.1, go_on.set).start()
    results.close()
    assert len(begun) <= 10
