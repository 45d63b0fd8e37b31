"""What belongs to a script, and what to installed packages."""

import functools
import os
import sysconfig

__all__ = ["HERE", "all_installed", "is_installed", "is_own"]

# This package's folder.
HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
_PYTHONS = [os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_ROOTS = [*_PYTHONS, HERE, os.path.join(os.path.dirname(HERE), "attention.py")]


@functools.lru_cache(maxsize=None)
def is_installed(path):
    """Whether a file or folder belongs to Python, to an installed package or to this one."""
    path = os.path.realpath(path)
    if any(path == root or path.startswith(root + os.sep) for root in _ROOTS):
        return True
    return bool({"site-packages", "dist-packages"} & set(path.split(os.sep)))


def all_installed(paths):
    """Whether all of some files and folders do."""
    return all(map(is_installed, paths))


def is_own(spec):
    """Whether what PathFinder found lies outside installed packages."""
    return not all_installed([spec.origin] if spec.origin else spec.submodule_search_locations)
