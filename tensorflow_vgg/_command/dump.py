"""`tensorflow-vgg dump`: a recording of what a network computes."""

import os
import sys

from tensorflow_vgg import _images
from tensorflow_vgg._command import options
from tensorflow_vgg._command.terminal import Progress, complain, say, tensorflow

__all__ = ["configure", "run"]

_AHEAD = 8  # images that are read while one is waited for
_SMALLEST = 32  # pixels of height and width that a network without top takes


def configure(parser):
    """Adds the options."""
    parser.usage = "%(prog)s [OPTION ...] -o FILE.npz [IMAGE ... | --input FILE.npy | --from FILE.npz]"
    parser.description = (
        "Records what a network computes, layer by layer. The pixels come from one of IMAGE, --input and --from."
    )
    parser.epilog = "Exit status: 0 recorded, 1 some images were left out, 2 bad input."
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
    parser.add_argument(
        "--no-top",
        action="store_true",
        default=None,
        help="leave the fully connected layers out; images that are all of one size, from 32x32, then keep it",
    )
    options.add_no_exif(parser)
    parser.add_argument("--layers", type=options.names, metavar="NAME[,NAME]", help="record these; default: all")
    parser.add_argument(
        "--samples", type=options.POSITIVE, metavar="N", help="record N values of each layer; default: all"
    )
    parser.add_argument(
        "--input",
        metavar="FILE.npy",
        help="feed these pixels, [batch, 224, 224, 3], with --no-top of any size, in place of images",
    )
    parser.add_argument(
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
    from tensorflow_vgg._compare import record, recording

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
    if "tensorflow" not in sys.modules:
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
    _say_unfed(about["unfed"], settings["layers"])
    about["images"] = _with_digests(images, pixels)
    about["surroundings"] = record.surroundings()
    about["settings"] = {**settings, **_used(source, about["loaded"]), "modules": args.modules}
    recording.save(args.out, about, arrays)
    say(f"{args.out}: {len(about['layers'])} layers of {len(images)} images, {os.path.getsize(args.out)} bytes written")
    if len(images) < len(files):
        say(f"{len(images)} recorded, {len(files) - len(images)} left out")
        return 1
    return 0


def _weights(settings, args):
    """(where the weights come from, what the class is given): None where a class of somebody's may need none."""
    recorded, net = settings["weights"], settings["net"].replace("_trainable", "")
    seeded = options.seeded_of(recorded, thin=True) is not None
    if recorded and not args.weights and not seeded and not os.path.isfile(recorded):
        raise ValueError(
            f"{args.recording}: was recorded with the weights {recorded}, which are not there: give --weights FILE"
        )
    source = recorded
    if not seeded:
        try:
            source = options.weights_source(recorded, net)
        except FileNotFoundError:
            if not args.modules:
                raise
            return None, None
    if args.modules and not seeded:
        return source, source
    if settings["no_top"] and not seeded:
        from tensorflow_vgg import weights

        return source, weights.read(source)  # which need not have the layers that are left out
    return source, options.weight_dict_of(source, net, use_mapped=False)


def _used(source, loaded):
    """The settings that tell which weights the class has taken."""
    from tensorflow_vgg import weights

    is_file = loaded and options.seeded_of(source, thin=True) is None
    return {"weights": source if loaded else None, "weights_sha256": weights.file_digest(source) if is_file else None}


def _say_unfed(unfed, layers):
    """Tells which tensors are not recorded, for want of a placeholder's value."""
    if unfed and not layers:
        needed = ", ".join(sorted(set(unfed.values())))
        complain(f"left out {', '.join(unfed)}: they need a value for {needed}, which is not fed")


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

    kept = {}
    with Progress(len(files), enabled=len(files) > _AHEAD) as progress:
        for path, pixels in _images.ahead(files, lambda path: load(path).astype(np.float32), _AHEAD):
            if isinstance(pixels, Exception):
                progress.clear()
                complain(pixels)
            else:
                kept[path] = pixels
            progress.advance(1)
    if not kept:
        raise ValueError("dump: expected an image that can be read, found none")
    return kept


def _input(path):
    """The pixels of a `.npy`, float32 [batch, height, width, 3], and a name for each."""
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
        raise ValueError(f"{path}: expected floats of shape (batch, height, width, 3), RGB in [0, 1], got {found}")
    with np.errstate(over="ignore"):
        pixels = pixels.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise ValueError(f"{path}: expected values that are finite as float32")
    if pixels.min() < 0 or pixels.max() > 1:
        complain(f"{path}: expected RGB in [0, 1], got values from {pixels.min():g} to {pixels.max():g}")
    return pixels, [{"name": f"{os.path.basename(path)}[{number}]"} for number in range(len(pixels))]


def _with_digests(images, pixels):
    """The images, each with the digest of its file, or else of its pixels."""
    from tensorflow_vgg._compare.graph import digest

    return [{"sha256": digest(values), **image} for image, values in zip(images, pixels)]
