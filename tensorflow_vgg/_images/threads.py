"""Reading ahead of who uses what is read."""

import collections
import concurrent.futures

__all__ = ["ahead"]


def ahead(paths, load, count):
    """Yields (path, result) in order, read by two threads, at most `count` of them before they are asked for.

    A result is what `load` gives for the path, or the AssertionError, OSError or ValueError that it raises.
    """

    def result(path):
        try:
            return path, load(path)
        except (AssertionError, OSError, ValueError) as error:
            return path, error
        except MemoryError:
            return path, ValueError(f"{path}: too large for the memory that there is")

    waiting = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        try:
            for path in paths:
                waiting.append(pool.submit(result, path))
                if len(waiting) > count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # who asked has stopped: at Ctrl-C nobody waits for the rest
                future.cancel()
