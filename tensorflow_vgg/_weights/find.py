"""Where weight files are looked for, and where the cache of mapped weights is."""

import contextlib
import os
import sys

from tensorflow_vgg._weights import trust

__all__ = ["cache_folders", "data_folder", "find", "search_folders"]


def _home_folder():
    """This user's home folder.

    Raises:
      FileNotFoundError: there is none, as for a user of a container that it does not know.
    """
    home = os.path.expanduser("~")
    if not os.path.isabs(home):
        raise FileNotFoundError(
            "this user has no home folder: set HOME, or TENSORFLOW_VGG_HOME to a folder for weights"
        )
    return home


def data_folder():
    """The folder of this user's weight files on this platform, which need not exist yet.

    Raises:
      FileNotFoundError: the user has no home folder.
    """
    return _own_folder("Application Support", "XDG_DATA_HOME", ".local", "share")


def _own_folder(on_a_mac, variable, *names):
    """This user's folder for what this package keeps, by what it is called on a Mac, and where it is on Linux."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(_home_folder(), "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(_home_folder(), "Library", on_a_mac)
    else:
        base = os.environ.get(variable) or os.path.join(_home_folder(), *names)
    return os.path.join(base, "tensorflow-vgg")


def search_folders():
    """The folders in which a weight file is looked for when no path is given, in this order."""
    home = os.environ.get("TENSORFLOW_VGG_HOME")
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = [*([home] if home else []), here, os.getcwd()]
    with contextlib.suppress(FileNotFoundError):
        found.append(data_folder())
    return found


def find(file_name):
    """The path of a weight file, from the first of `search_folders` that has it.

    Args:
      file_name: "vgg16.npy" or "vgg19.npy".

    Raises:
      FileNotFoundError: none has it; the message says where it looked and how to get weights.
    """
    folders = search_folders()
    for folder in folders:
        path = os.path.join(folder, file_name)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(
        f"{file_name} not found in {', '.join(folders)}. Put the file there (set TENSORFLOW_VGG_HOME to add a "
        f"folder), give its path, or download it with `tensorflow-vgg weights fetch --net {file_name[:-4]}`; with "
        "`--weights seeded:19` the command line tries out anything without it; the README says more"
    )


def cache_folders():
    """The folders of the cache of mapped weights: in all it is looked for, in the last it is made.

    $TENSORFLOW_VGG_HOME may be a folder that an administrator has filled. Who cannot write there has their own beside.
    """
    home = os.environ.get("TENSORFLOW_VGG_HOME")
    if not home:
        return [_own_cache_folder()]
    given = os.path.join(os.path.abspath(home), "mapped")
    if os.path.exists(given):
        is_mine = os.access(given, os.W_OK) and trust.own(os.stat(given))
    else:
        is_mine = os.access(home, os.W_OK) or not os.path.exists(home)
    with contextlib.suppress(OSError):
        return [given] if is_mine else [given, _own_cache_folder()]
    return [given]


def _own_cache_folder():
    return os.path.join(_own_folder("Caches", "XDG_CACHE_HOME", ".cache"), "mapped")
