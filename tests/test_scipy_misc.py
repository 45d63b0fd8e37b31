"""scipy.misc as SciPy 1.1.0 had it: against its recordings, and against itself where it is installed.

`python tests/test_scipy_misc.py` on Python 3.7 with SciPy 1.1.0 makes the recordings anew.
"""

import io
import os

import numpy as np
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDING = os.path.join(HERE, "golden", "scipy_misc.npz")
TIGER = os.path.join(os.path.dirname(HERE), "test_data", "tiger.jpeg")

RANDOM = np.random.RandomState(11)
BYTES = RANDOM.randint(0, 256, (12, 17, 3)).astype(np.uint8)
FLOATS = RANDOM.standard_normal((12, 17, 3))
ARRAYS = {
    "bytes": BYTES,
    "grey": BYTES[..., 0],
    "alpha": np.concatenate([BYTES, BYTES[::-1, :, :1]], axis=2),
    "floats": FLOATS,
    "single": FLOATS.astype(np.float32),
    "half": FLOATS[..., 0].astype(np.float16),
    "grey_floats": FLOATS[..., 1],
    "ints": RANDOM.randint(-3000, 3000, (12, 17)),
    "shorts": RANDOM.randint(-300, 300, (12, 17, 3)).astype(np.int16),
    "flat": np.full((12, 17), 3.5),
    "planes": np.moveaxis(FLOATS, 2, 0),
    "middle": np.moveaxis(FLOATS, 2, 1),
}
PALETTE = np.stack([np.arange(256), np.arange(256)[::-1], np.arange(256) // 2], axis=1)


def described(image):
    """A Pillow image as an array, with its palette's colours."""
    return np.array(image.convert("RGB") if image.mode == "P" else image.convert("L") if image.mode == "1" else image)


def saved(misc, array, form="png"):
    """What a file that imsave has written holds."""
    file = io.BytesIO()
    misc.imsave(file, array, form)
    file.seek(0)
    return misc.imread(file)


def stored(array, mode, **options):
    """An open PNG file of mode `mode`."""
    from PIL import Image

    file = io.BytesIO()
    image = Image.fromarray(array)
    (image if image.mode == mode else image.convert(mode)).save(file, "png", **options)
    file.seek(0)
    return file


def cases(misc):
    """Calls of all functions: name -> a function that gives an array."""
    found = {}

    def case(name, function):
        found[name] = function

    for name, array in ARRAYS.items():
        case(f"bytescale {name}", lambda array=array: misc.bytescale(array))
        case(f"toimage {name}", lambda array=array: described(misc.toimage(array)))
        case(f"imresize {name}", lambda array=array: misc.imresize(array, (9, 11)))
        case(f"imrotate {name}", lambda array=array: misc.imrotate(array, 30))
        if name not in ("planes", "middle"):
            case(f"imsave {name}", lambda array=array: saved(misc, array))
    for name in ("grey_floats", "ints", "shorts", "single"):
        array = ARRAYS[name]
        low, high = np.float64(array.min()) / 2, np.float64(array.max()) / 3
        case(f"bytescale {name} low high", lambda array=array: misc.bytescale(array, low=10, high=200))
        case(f"bytescale {name} cmin cmax", lambda array=array, a=low, b=high: misc.bytescale(array, a, b))
        case(f"toimage {name} cmin", lambda array=array: described(misc.toimage(array, cmin=0.0)))
        case(f"toimage {name} all", lambda array=array: described(misc.toimage(array, 220, 30, cmin=-1, cmax=1)))
    for mode in ("L", "P", "1", "I", "F"):
        for name in ("grey", "grey_floats", "ints"):
            case(f"toimage {name} {mode}", lambda n=name, m=mode: described(misc.toimage(ARRAYS[n], mode=m)))
            if mode != "1":  # of which Pillow reads bytes that are not pixels
                case(f"imresize {name} {mode}", lambda n=name, m=mode: misc.imresize(ARRAYS[n], 0.5, mode=m))
    case("toimage palette", lambda: described(misc.toimage(ARRAYS["grey"], pal=PALETTE)))
    case("toimage YCbCr", lambda: described(misc.toimage(BYTES, mode="YCbCr")))
    case("toimage CMYK", lambda: described(misc.toimage(ARRAYS["alpha"], mode="CMYK")))
    case("toimage axis", lambda: described(misc.toimage(BYTES[:4, :3], channel_axis=1)))
    for interp in ("nearest", "lanczos", "bilinear", "bicubic", "cubic"):
        for size in ((30, 40), (5, 40), 50, 0.7, np.float32(1.5), np.int64(130), [7, 7], np.array([6, 8])):
            for name in ("bytes", "grey_floats"):
                case(
                    f"imresize {name} {interp} {size}", lambda i=interp, s=size, n=name: misc.imresize(ARRAYS[n], s, i)
                )
        if interp != "lanczos":
            for angle in (90, 45, -10.5, 360):
                case(f"imrotate {interp} {angle}", lambda i=interp, a=angle: misc.imrotate(BYTES, a, i))
    for mode in ("L", "1", "P", "RGB", "RGBA", "LA"):
        case(f"imread {mode}", lambda m=mode: misc.imread(stored(BYTES, m)))
        case(f"imread {mode} flatten", lambda m=mode: misc.imread(stored(BYTES, m), flatten=True))
        for other in ("L", "RGB", "F", "I", "YCbCr", "CMYK"):
            if (mode, other) not in (("LA", "YCbCr"), ("LA", "CMYK"), ("P", "I")):
                case(f"imread {mode} {other}", lambda m=mode, o=other: misc.imread(stored(BYTES, m), mode=o))
    case("imread transparent", lambda: misc.imread(stored(BYTES, "P", transparency=3)))
    for options in ({}, {"flatten": True}, {"mode": "L"}):
        case(
            f"imread 16 bits {options}",
            lambda o=options: misc.imread(stored((ARRAYS["ints"] + 9000).astype(np.uint16), "I;16"), **o),
        )
    case("imread both", lambda: misc.imread(stored(BYTES, "RGB"), True, "YCbCr"))
    case("imread jpeg", lambda: misc.imread(TIGER)[::9, ::9])
    case("imread jpeg flatten", lambda: misc.imread(TIGER, flatten=True)[::9, ::9])
    case("imresize jpeg", lambda: misc.imresize(misc.imread(TIGER), (224, 224))[::13, ::13])
    case("fromimage", lambda: misc.fromimage(misc.toimage(BYTES), flatten=True))
    return found


BAD = [
    lambda misc: misc.bytescale(FLOATS, high=256),
    lambda misc: misc.bytescale(FLOATS, low=-1),
    lambda misc: misc.bytescale(FLOATS, high=3, low=4),
    lambda misc: misc.bytescale(FLOATS, cmin=3, cmax=2),
    lambda misc: misc.toimage(FLOATS * 1j),
    lambda misc: misc.toimage(FLOATS[..., :2]),
    lambda misc: misc.toimage(FLOATS[0, 0]),
    lambda misc: misc.toimage(FLOATS[None]),
    lambda misc: misc.toimage(FLOATS, mode="RGBA"),
    lambda misc: misc.toimage(FLOATS, mode="L"),
    lambda misc: misc.toimage(FLOATS[..., 0], mode="RGB"),
    lambda misc: misc.toimage(FLOATS, channel_axis=0),
    lambda misc: misc.imsave(io.BytesIO(), ARRAYS["planes"], "png"),
    lambda misc: misc.imrotate(BYTES, 3, "lanczos"),
]


@pytest.fixture(params=["this package's", "SciPy's"])
def misc(request):
    if request.param == "SciPy's":
        found = pytest.importorskip("scipy.misc")
        return found if hasattr(found, "imresize") else pytest.skip("this SciPy has none of it")
    from tensorflow_vgg._run import scipy_misc

    return scipy_misc


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_all_functions_give_what_scipy_1_1_gave(misc):
    with np.load(RECORDING) as file:
        recorded = dict(file)
    assert set(recorded) == set(cases(misc))
    for name, function in cases(misc).items():
        found = function()
        assert (found.dtype, found.shape) == (recorded[name].dtype, recorded[name].shape), name
        np.testing.assert_array_equal(found, recorded[name], name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_arguments_are_refused(misc, number):
    with pytest.raises(ValueError):
        BAD[number](misc)


if __name__ == "__main__":
    import scipy.misc

    np.savez_compressed(RECORDING, **{name: function() for name, function in cases(scipy.misc).items()})
