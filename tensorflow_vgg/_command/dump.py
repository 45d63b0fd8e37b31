"""`tensorflow-vgg dump`: a recording of what a network computes."""

import os

from tensorflow_vgg import _images
from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Report, complain, say, tensorflow

__all__ = ["configure", "run"]

_AHEAD = 8  # images that are read while one is waited for
_SMALLEST = 32  # pixels of height and width that a network without top takes


def configure(parser):
    option = parser.add_argument
    parser.usage = "%(prog)s [OPTION ...] -o FILE.npz [IMAGE ... | --input FILE.npy | --from FILE.npz]"
    parser.description = (
        "Records what a network computes, layer by layer. The pixels come from one of IMAGE, --input and --from."
    )
    parser.epilog = "Exit status: 0 recorded, 1 some images were left out, 2 bad input."
    options.add(parser, "images", nargs="*")
    option("-o", dest="out", required=True, metavar="FILE.npz", help="the recording to write, where no file is yet")
    option("--net", choices=("vgg16", "vgg19", "vgg19_trainable"), help="default: vgg19")
    options.add(parser, "--weights", metavar="FILE|seeded:N[:thin]")
    option("--modules", metavar="DIR", help="take the class from the module of this folder that is called as --net is")
    options.add(parser, "--no-attention", default=None)
    option(
        "--no-top",
        action="store_true",
        default=None,
        help="leave the fully connected layers out; images that are all of one size, from 32x32, then keep it",
    )
    options.add(parser, "--no-exif")
    option("--layers", type=options.names, metavar="NAME[,NAME]", help="record these; default: all")
    option("--samples", type=options.POSITIVE, metavar="N", help="record N values of each layer; default: all")
    option("--input", metavar="FILE.npy", help="feed these pixels, [batch, 224, 224, 3], with --no-top of any size")
    option(
        "--from",
        dest="recording",
        metavar="FILE.npz",
        help="take pixels from another recording, and --net, --weights, --no-attention, --no-top, --layers and "
        "--samples, where they are not given",
    )


def run(args):
    """Records what a network computes."""
    if [bool(args.images), args.input is not None, args.recording is not None].count(True) != 1:
        raise ValueError("dump: expected one of IMAGE, --input FILE.npy and --from FILE.npz")
    options.expect_writable(args.out)
    files = _images.find(args.images)
    from tensorflow_vgg import weights
    from tensorflow_vgg._compare import graph, record, recording

    settings = dict.fromkeys(("net", "weights", "no_attention", "no_top", "layers", "samples"))
    if args.recording:
        with recording.Recording(args.recording) as other:
            pixels, images = other.pixels(), other.images
            settings.update({key: other.settings.get(key) for key in settings})
    settings.update({key: getattr(args, key) for key in settings if getattr(args, key) is not None})
    settings["net"] = settings["net"] or "vgg19"
    source, given = _weights(settings, args)
    if args.input:
        pixels, images = _input(args.input)
    elif files:
        pixels, images = _pixels(files, settings["no_top"], args.exif)
    # TensorFlow 1's arithmetic, as for `run`: oneDNN's alone moves the attention block's output by 2e-5.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    tensorflow()
    about, arrays = record.record(
        settings["net"],
        given,
        pixels,
        modules=args.modules,
        attention=not settings["no_attention"],
        top=not settings["no_top"],
        layers=settings["layers"],
        samples=settings["samples"],
    )
    if about["unfed"] and not settings["layers"]:
        needed = ", ".join(sorted(set(about["unfed"].values())))
        complain(f"left out {', '.join(about['unfed'])}: they need a value for {needed}, which is not fed")
    about["images"] = [{"sha256": graph.digest(values), **image} for image, values in zip(images, pixels)]
    about["surroundings"] = record.surroundings()
    settings["weights"] = source if about["loaded"] else None
    is_file = about["loaded"] and not weights.seed_of(source)
    settings["weights_sha256"] = weights.file_digest(source) if is_file else None
    about["settings"] = {**settings, "modules": args.modules}
    recording.save(args.out, about, arrays)
    layers = f"{len(about['layers'])} layer{'s' * (len(about['layers']) > 1)}"
    of = f"{len(images)} image{'s' * (len(images) > 1)}"
    say(f"{args.out}: {layers} of {of}, {os.path.getsize(args.out)} bytes written")
    if len(images) < len(files):
        say(f"{len(images)} recorded, {len(files) - len(images)} left out")
        return 1
    return 0


def _weights(settings, args):
    """(where the weights come from, what the class is given): None where a class of somebody's may need none."""
    from tensorflow_vgg import weights

    source, net = settings["weights"], settings["net"].replace("_trainable", "")
    if not weights.seed_of(source):
        if source and not args.weights and not os.path.isfile(source):
            raise ValueError(
                f"{args.recording}: was recorded with the weights {source}, which are not there: give --weights FILE"
            )
        try:
            source = options.weights_source(source, net)
        except FileNotFoundError:
            if not args.modules:
                raise
            return None, None
        if args.modules:
            return source, source
        if settings["no_top"]:
            return source, weights.read(source)  # which need not have the layers that are left out
    return source, options.weight_dict_of(source, net, use_mapped=False)


def _pixels(files, keep_sizes, exif):
    """The pixels of images, float32 [batch, height, width, 3], and for each its name and digest.

    They are 224x224, or if `keep_sizes` as they are, where they are all of one size that is large enough. Those that
    cannot be read are told and left out.
    """
    import numpy as np

    from tensorflow_vgg import utils, weights

    kept = _read(files, lambda path: (utils.load_image2 if keep_sizes else utils.load_image)(path, exif=exif))
    shapes = {pixels.shape for pixels in kept.values()}
    if keep_sizes and (len(shapes) > 1 or min(min(shapes)[:2]) < _SMALLEST):
        complain(f"--no-top: images of one size from {_SMALLEST}x{_SMALLEST} keep it; these become 224x224")
        kept = _read(kept, lambda path: utils.load_image(path, exif=exif))
    images = [{"name": os.path.basename(path), "sha256": weights.file_digest(path)} for path in kept]
    return np.stack(list(kept.values())), images


def _read(files, load):
    """file -> its pixels in float32, of those that can be read; what is wrong with the others is told."""
    import numpy as np

    kept, report = {}, Report()
    with report.progress(len(files), "images"):
        for path, pixels in _images.ahead(files, lambda path: load(path).astype(np.float32), _AHEAD):
            if isinstance(pixels, Exception):
                report.problem(pixels)
            else:
                kept[path] = pixels
            report.advance(1)
    if not kept:
        raise ValueError("dump: expected an image that can be read, found none")
    return kept


def _input(path):
    """The pixels of a `.npy`, float32 [batch, height, width, 3], and a name for each."""
    import numpy as np

    try:
        pixels = np.load(path, allow_pickle=False)
        if not isinstance(pixels, np.ndarray):
            raise ValueError("it is a .npz")
    except (EOFError, ValueError) as error:
        raise ValueError(f"{path}: expected a .npy file of pixels: {error}") from error
    if pixels.ndim == 3:
        pixels = pixels[np.newaxis]
    if pixels.ndim != 4 or pixels.shape[3] != 3 or not pixels.size or pixels.dtype.kind != "f":
        found = f"{pixels.dtype} {pixels.shape}"
        raise ValueError(f"{path}: expected floats of shape (batch, height, width, 3), RGB in [0, 1], got {found}")
    with np.errstate(over="ignore"):
        pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise ValueError(f"{path}: expected values that are finite as float32")
    if pixels.min() < 0 or pixels.max() > 1:
        complain(f"{path}: expected RGB in [0, 1], got values from {pixels.min():g} to {pixels.max():g}")
    return pixels, [{"name": f"{os.path.basename(path)}[{number}]"} for number in range(len(pixels))]
