"""What belongs to a script, and what to installed packages."""

import functools
import os
import site
import sysconfig

__all__ = ["HERE", "all_installed", "is_installed", "is_own"]

# This package's folder.
HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


@functools.lru_cache(maxsize=None)
def is_installed(path):
    """Whether a file or folder belongs to Python, to an installed package or to this one."""
    if path in ("built-in", "frozen"):
        return True
    path = os.path.realpath(path)
    roots = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    roots += [site.getusersitepackages()] if hasattr(site, "getusersitepackages") else []
    roots = [os.path.realpath(root) for root in roots if root]
    roots += [HERE, os.path.join(os.path.dirname(HERE), "attention.py")]
    if any(path == root or path.startswith(root + os.sep) for root in roots):
        return True
    return bool({"site-packages", "dist-packages"} & set(path.split(os.sep)))


def all_installed(paths):
    """Whether all of some files and folders do."""
    return all(map(is_installed, paths))


def is_own(spec):
    """Whether what PathFinder found lies outside installed packages."""
    if spec is None:
        return False
    if spec.origin not in (None, "namespace"):
        return not is_installed(spec.origin)
    return not all_installed(spec.submodule_search_locations or [HERE])
