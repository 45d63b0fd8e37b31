"""Which files and folders of the cache may be believed, and the locks on them.

A file that another user can write may hold anything. So the cache believes only what belongs to this user or to root,
and what nobody else can write. Windows keeps each user's folders apart by itself, and has no such locks.
"""

import contextlib
import os
import stat

try:
    import fcntl
except ImportError:
    fcntl = None

__all__ = ["alone", "exclusive", "is_trusted", "open_own", "own", "private_folder", "shared"]

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# A link in place of a file leads nowhere, and a pipe keeps nobody waiting.
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_HAS_USERS = hasattr(os, "geteuid")


def own(status):
    """Whether what `status` tells of belongs to this user or to root."""
    return not _HAS_USERS or status.st_uid in (os.geteuid(), 0)


def is_trusted(status):
    """Whether what `status` tells of belongs to this user or to root, and nobody else can write it."""
    return own(status) and not (_HAS_USERS and status.st_mode & _OTHERS_WRITE)


def private_folder(path):
    """Makes a folder that only this user can use, or takes the right to write from others in one that is there.

    Raises:
      OSError: it cannot be made, or belongs to somebody else.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        status = os.stat(path)
        if not stat.S_ISDIR(status.st_mode):
            raise
        if not (own(status) and own(os.lstat(path))):
            raise PermissionError(f"{path} belongs to another user, who could put anything there") from None
        if not is_trusted(status):
            os.chmod(path, stat.S_IMODE(status.st_mode) & ~_OTHERS_WRITE)


def open_own(path, mode="rb"):
    """Opens a regular file of this user's or of root's, which the modes "ab" and "xb" make.

    Raises:
      OSError: it cannot be opened, is a link or no regular file, or belongs to somebody else.
    """
    return open(path, mode, opener=_open_own)


def _open_own(path, flags):
    number = _open_safely(path, flags)
    status = os.fstat(number)
    if stat.S_ISREG(status.st_mode) and own(status):
        return number
    os.close(number)
    raise PermissionError(f"{path}: expected a file of this user's")


def _open_safely(path, flags):
    return os.open(path, flags | _SAFELY, 0o600)


@contextlib.contextmanager
def alone(path, told):
    """Keeps other processes out of the block by a lock on a file, which is made if need be.

    Whatever is there is not followed, cut or waited for.

    Raises:
      ValueError: another process is in it; the message is `told`.
      OSError: the file cannot be opened, or its file system has no locks.
    """
    with open(path, "ab", opener=_open_safely) as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ValueError(told) from error
        yield


def shared(file):
    """Takes a shared lock on an open file, which lasts until all who have the file open have closed it.

    Returns:
      False if somebody has an exclusive one. True too where the file system has no locks: there nobody gets one.
    """
    return _flock(file, fcntl and fcntl.LOCK_SH | fcntl.LOCK_NB, without_locks=True)


def exclusive(file, wait=False):
    """Takes an exclusive lock on an open file, as `shared`.

    Returns:
      False if somebody else has a lock on it, and where the file system has no locks.
    """
    return _flock(file, fcntl and fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), without_locks=False)


def _flock(file, kind, without_locks):
    if fcntl is None:
        return True  # Windows itself keeps files that somebody has mapped
    try:
        fcntl.flock(file, kind)
    except BlockingIOError:
        return False
    except OSError:
        return without_locks
    return True
