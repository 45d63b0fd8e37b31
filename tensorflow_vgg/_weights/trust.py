"""Which files and folders of the cache may be believed, and the locks on them.

A file that another user can write may hold anything. So the cache believes only what belongs to this user or to root,
and what nobody else can write. Windows keeps each user's folders apart by itself, and has no such locks.
"""

import os
import stat

try:
    import fcntl
except ImportError:
    fcntl = None

__all__ = ["exclusive", "is_trusted", "lock", "open_lock", "open_own", "own", "private_folder", "shared"]

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


def open_own(path, flags=os.O_RDONLY):
    """Opens a regular file of this user's or of root's.

    Returns:
      Its number, to be closed by the caller.

    Raises:
      OSError: it cannot be opened, is a link or no regular file, or belongs to somebody else.
    """
    number = os.open(path, flags | _SAFELY, 0o600)
    status = os.fstat(number)
    if stat.S_ISREG(status.st_mode) and own(status):
        return number
    os.close(number)
    raise PermissionError(f"{path}: expected a file of this user's")


def open_lock(path):
    """Opens a file to lock, which is made if need be. Whatever is there is not followed, cut or waited for.

    Returns:
      Its number, to be closed by the caller, which frees the lock.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o600)


def lock(number):
    """Takes an exclusive lock on an open file, where the system has locks.

    Raises:
      BlockingIOError: another process has it.
      OSError: the file system has no locks.
    """
    if fcntl is not None:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


def shared(number):
    """Takes a shared lock on an open file, which lasts until all who have the file open have closed it.

    Returns:
      False if somebody has an exclusive one. True too where the file system has no locks: there nobody gets one.
    """
    return _flock(number, fcntl and fcntl.LOCK_SH | fcntl.LOCK_NB, without_locks=True)


def exclusive(number, wait=False):
    """Takes an exclusive lock on an open file, as `shared`.

    Returns:
      False if somebody else has a lock on it, and where the file system has no locks.
    """
    return _flock(number, fcntl and fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), without_locks=False)


def _flock(number, kind, without_locks):
    if fcntl is None:
        return True  # Windows itself keeps files that somebody has mapped
    try:
        fcntl.flock(number, kind)
    except BlockingIOError:
        return False
    except OSError:
        return without_locks
    return True
