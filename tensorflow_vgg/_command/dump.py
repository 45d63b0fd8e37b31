"""`tensorflow-vgg dump`: a recording of what a network computes."""

import os
import sys

from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import complain, say, tensorflow

__all__ = ["configure", "run"]


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] -o FILE.npz [IMAGE ... | --input FILE.npy | --from FILE.npz]"
    parser.description = (
        "Records what a network computes, layer by layer. The pixels come from one of IMAGE, --input and --from."
    )
    options.add_images(parser, nargs="*")
    parser.add_argument(
        "-o", dest="out", required=True, metavar="FILE.npz", help="the recording to write, where no file is yet"
    )
    parser.add_argument("--net", choices=("vgg16", "vgg19", "vgg19_trainable"), help="default: vgg19")
    parser.add_argument(
        "--weights",
        metavar="FILE|seeded:N[:thin]",
        help="the weight file, or random weights from seed N, thin: of a few channels. Default: as for classify",
    )
    parser.add_argument(
        "--modules", metavar="DIR", help="take the class from the module of this folder that is called as --net is"
    )
    parser.add_argument("--no-attention", action="store_true", default=None, help="leave the attention block out")
    parser.add_argument("--layers", type=options.names, metavar="NAME[,NAME]", help="record these; default: all")
    parser.add_argument(
        "--samples", type=options.POSITIVE, metavar="N", help="record N values of each layer; default: all"
    )
    parser.add_argument(
        "--input", metavar="FILE.npy", help="feed these pixels, [batch, 224, 224, 3], in place of images"
    )
    parser.add_argument(
        "--from",
        dest="recording",
        metavar="FILE.npz",
        help="take pixels from another recording, and --net, --weights, --no-attention, --layers and --samples, where "
        "they are not given",
    )


def run(args):
    """Records what a network computes."""
    if [bool(args.images), args.input is not None, args.recording is not None].count(True) != 1:
        raise ValueError("dump: expected one of IMAGE, --input FILE.npy and --from FILE.npz")
    options.expect_writable(args.out)
    from tensorflow_vgg import weights
    from tensorflow_vgg._compare import regression

    settings = {"net": "vgg19", "no_attention": False, "weights": None, "layers": None, "samples": None}
    if args.recording:
        with regression.Recording(args.recording) as recording:
            pixels, images = recording.array("pixels"), recording.about["images"]
            settings.update({key: recording.about["settings"].get(key) for key in settings})
    elif args.input:
        pixels = _input(args.input)
        images = [{"name": f"{os.path.basename(args.input)}[{number}]"} for number in range(len(pixels))]
    else:
        pixels, images = _pixels(options.image_files(args.images))
    for image, values in zip(images, pixels):
        image.setdefault("sha256", regression.digest(values))
    settings.update({key: getattr(args, key) for key in settings if getattr(args, key) is not None})
    recorded = settings["weights"]
    if (
        recorded
        and not args.weights
        and options.seeded_of(recorded, thin=True) is None
        and not os.path.isfile(recorded)
    ):
        raise ValueError(
            f"{args.recording}: was recorded with the weights {recorded}, which are not there: give --weights FILE"
        )

    net = settings["net"].replace("_trainable", "")
    source = settings["weights"]
    seeded = options.seeded_of(source, thin=True) is not None
    if not seeded:
        try:
            source = options.weights_source(source, net)
        except FileNotFoundError:
            if not args.modules:
                raise
            source = None  # a class of somebody's may need none
    given = options.weight_dict_of(source, net, use_mapped=False) if seeded or not args.modules else source
    if "tensorflow" not in sys.modules:
        # TensorFlow 1's arithmetic, as for `run`: oneDNN's alone moves the attention block's output by 2e-5.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    tensorflow()
    about, arrays = regression.record(
        settings["net"],
        given,
        pixels,
        modules=args.modules,
        attention=not settings["no_attention"],
        layers=settings["layers"],
        samples=settings["samples"],
    )
    if about["unfed"] and not settings["layers"]:
        needed = ", ".join(sorted(set(about["unfed"].values())))
        complain(f"left out {', '.join(about['unfed'])}: they need a value for {needed}, which is not fed")
    about["images"] = images
    about["surroundings"] = regression.surroundings()
    about["settings"] = {
        **settings,
        "weights": source if about["loaded"] else None,
        "weights_sha256": weights.file_digest(source) if about["loaded"] and not seeded else None,
        "modules": args.modules,
    }
    regression.save(args.out, about, arrays)
    say(f"{args.out}: {len(about['layers'])} layers of {len(images)} images, {os.path.getsize(args.out)} bytes written")
    return 0


def _pixels(files):
    """The pixels of images, float32 [batch, 224, 224, 3], and for each its name and digest."""
    import numpy as np

    from tensorflow_vgg import utils, weights

    try:
        pixels = np.stack([utils.load_image(path) for path in files]).astype(np.float32)
    except AssertionError as error:
        raise ValueError(str(error)) from error
    return pixels, [{"name": os.path.basename(path), "sha256": weights.file_digest(path)} for path in files]


def _input(path):
    """The pixels of a `.npy`, float32 [batch, height, width, 3]."""
    import numpy as np

    try:
        pixels = np.load(path, allow_pickle=False)
    except (EOFError, ValueError) as error:
        raise ValueError(f"{path}: expected a .npy file of pixels: {error}") from error
    shape = getattr(pixels, "shape", None)
    if shape is not None and len(shape) == 3:
        pixels = pixels[np.newaxis]
    if shape is None or pixels.ndim != 4 or pixels.shape[3] != 3 or not pixels.size or pixels.dtype.kind != "f":
        found = "a .npz" if shape is None else f"{pixels.dtype} {shape}"
        raise ValueError(f"{path}: expected floats of shape (batch, 224, 224, 3), RGB in [0, 1], got {found}")
    with np.errstate(over="ignore"):
        pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise ValueError(f"{path}: expected values that are finite as float32")
    if pixels.min() < 0 or pixels.max() > 1:
        complain(f"{path}: expected RGB in [0, 1], got values from {pixels.min():g} to {pixels.max():g}")
    return pixels
