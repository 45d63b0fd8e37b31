"""The pixels of an image file: which library reads it, its colours, its orientation."""

from tensorflow_vgg._images.files import expect_file

__all__ = ["read"]

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "WEBP")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

# TIFF's tags, and what PhotometricInterpretation says of the samples of a pixel.
_BITS, _PHOTOMETRIC, _ORIENTATION, _SAMPLE_FORMAT = 258, 262, 274, 339
_WHITE_IS_0, _BLACK_IS_0, _RGB = 0, 1, 2


def read(path, exif=True):
    """Reads an image of one of the formats of `ENDINGS`, by its content, whatever its name says.

    With `exif` the picture is turned as its EXIF orientation, if it has one, says.

    Returns:
      The pixels, [height, width, 3], RGB, of the file's own type, uint8 as a rule; and the float that stands for 1.0 in
      them.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no image of these formats, or several, or damaged, or of more pixels than Pillow's limit.
      AssertionError: it has values outside [0, 1].
    """
    expect_file(path)
    with open(path, "rb") as file:
        try:
            pixels, maximum, orientation = _read(file)
        except _Refused as error:
            raise ValueError(f"{path}: {error}") from error
        except MemoryError as error:
            raise ValueError(f"{path}: too large for the memory that there is") from error
        except Exception as error:  # each decoder raises its own
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise ValueError(f"{path}: not an image that can be read: {reason}") from error
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 2, 3, 4) or 0 in pixels.shape:
        raise ValueError(f"{path}: expected one image, grey or RGB, got pixels of shape {pixels.shape}")
    pixels = pixels[:, :, :3] if pixels.shape[2] > 2 else pixels[:, :, [0, 0, 0]]
    if pixels.dtype.kind not in "bu" and not (pixels.min() >= 0 and pixels.max() <= maximum):
        least, most = pixels.min() / maximum, pixels.max() / maximum
        raise AssertionError(f"{path}: expected values in [0, 1], got {least} ... {most}")
    return (_turned(pixels, orientation) if exif else pixels), maximum


class _Refused(ValueError):
    """What is no fault of a decoder."""


def _read(file):
    """The pixels of an open file, [height, width] or [height, width, 1 ... 4], their maximum, and its orientation."""
    from PIL import Image

    start = file.read(12)
    file.seek(0)
    formats = _FORMATS
    if start[:4] in _TIFF:
        formats = ("TIFF",)
    elif start[4:8] == b"ftyp" and start[8:] in _HEIC:
        formats = ("HEIF",)
        try:
            import pillow_heif
        except ImportError as error:
            raise _Refused("HEIC needs pip install pillow-heif; or save it as JPEG") from error
        pillow_heif.register_heif_opener()
    try:
        image = Image.open(file, formats=formats)
    except Image.UnidentifiedImageError as error:
        if formats != ("TIFF",):
            raise _Refused(
                "not an image: its content is none of BMP, GIF, JPEG, PNG, PGM, PPM, TIFF and WebP"
            ) from error
        return _by_tifffile(file)
    if image.format == "TIFF" and not _for_pillow(image):
        return _by_tifffile(file)
    return _by_pillow(image)


def _expect_size(width, height):
    """Raises for more pixels than Pillow's limit: a small file can hold more than fits into memory."""
    from PIL import Image

    if width * height > Image.MAX_IMAGE_PIXELS:
        raise _Refused(f"{width}x{height} pixels, and Pillow's limit is {Image.MAX_IMAGE_PIXELS}: scale it down first")


def _for_pillow(image):
    """Whether Pillow reads a TIFF without loss, or knows its colours, which tifffile takes for RGB or grey."""
    tags = image.tag_v2
    if tags.get(_PHOTOMETRIC) not in (_WHITE_IS_0, _BLACK_IS_0, _RGB):
        return True
    return max(tags.get(_BITS, (1,))) <= 8 and set(tags.get(_SAMPLE_FORMAT, (1,))) == {1}


def _by_pillow(image):
    import numpy as np

    _expect_size(*image.size)
    if image.format == "TIFF":
        _expect_one_page(image)
    orientation = _orientation(image)
    image.load()  # which an old NumPy would do, and not tell what went wrong
    if image.mode == "F":
        raise _Refused("expected whole numbers, found floats")
    if image.mode in ("L", "RGB") or image.mode.startswith("I"):
        converted = image
    elif image.mode == "LAB":
        from PIL import ImageCms

        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    else:
        converted = image.convert("L" if image.mode in ("1", "LA") else "RGB")
    pixels = np.asarray(converted)
    if image.format == "TIFF":  # which Pillow has turned while it loaded it
        pixels = _turned(pixels, {6: 8, 8: 6}.get(orientation, orientation))
    # PNG and PGM of 16 bits come as I.
    return pixels, 65535.0 if converted.mode.startswith("I") else 255.0, orientation


def _expect_one_page(image):
    """Raises if a TIFF has several pictures; a thumbnail, which is smaller, is none."""
    size = image.size
    try:
        image.seek(1)
    except EOFError:
        return
    if image.size == size:
        raise _Refused("expected one image, found several pages")
    image.seek(0)


def _by_tifffile(file):
    try:
        import tifffile
    except ImportError:  # with Python 3.7, where scikit-image brings its own
        from skimage.external import tifffile

    file.seek(0)
    with tifffile.TiffFile(file, is_ome=False) as tiff:
        series = tiff.series[0]
        tags = series.pages[0].tags
        photometric = _tag(tags, _PHOTOMETRIC, "photometric")
        if photometric not in (_WHITE_IS_0, _BLACK_IS_0, _RGB):
            raise _Refused(f"expected grey or RGB, found TIFF's colours {photometric}")
        height, width = (series.shape[series.axes.index(axis)] for axis in "YX")
        _expect_size(width, height)
        pixels = tiff.asarray(series=0)
        if series.axes == "SYX":  # a plane a colour
            pixels = pixels.transpose(1, 2, 0)
        orientation = _tag(tags, _ORIENTATION, "orientation")
    if pixels.dtype.kind == "b":
        maximum = 1.0
    elif pixels.dtype.kind in "iu":
        pixels = ~pixels if photometric == _WHITE_IS_0 else pixels
        maximum = 2.0 ** (8 * pixels.dtype.itemsize - (pixels.dtype.kind == "i")) - 1
    elif pixels.dtype.kind == "f":
        maximum = 255.0 if pixels.size and pixels.max() > 1 else 1.0
    else:
        raise _Refused(f"expected numbers, found {pixels.dtype}")
    return pixels, maximum, orientation


def _tag(tags, number, name):
    """A tag's value, or None. The tifffile of Python 3.7 knows tags by name."""
    tag = tags.get(number) or tags.get(name)
    return tag and tag.value


def _orientation(image):
    """EXIF's orientation, 1 ... 8, or None."""
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # the picture is there, and its EXIF data is damaged
        return None


def _turned(pixels, orientation):
    """The pixels as they are meant to be seen."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
