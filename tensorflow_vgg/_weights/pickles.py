"""Reads pickles of arrays in plain containers, and nothing else.

Python's own unpickler calls what a pickle names, which lets a file run any code, and it takes whatever a pickle asks
for: a few bytes can ask for gigabytes, for a recursion that ends the process, or for a key whose hash takes years.
Here each opcode is done by a few lines that build arrays, lists, tuples, dicts, sets, strings and numbers. Nothing is
called but what `plain` has, keys are strings or numbers, and no opcode takes more than it brought along.
"""

import codecs
import io
import os
import struct

import numpy as np

from tensorflow_vgg._weights.error import WeightsError, shown
from tensorflow_vgg._weights.plain import NAMES, SCALARS, Array, Call, Dtype

__all__ = ["Source", "unpickle"]

_LONGEST_NUMBER = 1000  # bytes or digits
_LONGEST_NAME = 200
_LONGEST_HEADER = 1 << 16
_SPARE = 1 << 20  # bytes: what a small file may ask for beyond its size
_FEW_OPCODES = 1 << 19  # more than one for four bytes have only those who want to fill the memory


class Source:
    """A file that is read once, from where it is, and not beyond its end.

    Args:
      file: open for reading bytes.
      digests: hashlib objects, updated with what is read.
    """

    def __init__(self, file, digests=()):
        self._file = file
        self._digests = digests
        self._end = os.fstat(file.fileno()).st_size if isinstance(file, io.BufferedReader) else None
        self.count = 0

    def read(self, size):
        """As a file's `read`, for the few bytes of a header."""
        if size > _LONGEST_HEADER:
            raise WeightsError("damaged: a header too long for one")
        return self._seen(self._file.read(size))

    def take(self, size):
        """As many bytes as asked for.

        Raises:
          EOFError: there are not that many.
        """
        if size > _SPARE and self._end is None:
            parts = bytearray()  # of a zip or the like: what is not there is not made room for
            while len(parts) < size:
                part = self._file.read(min(size - len(parts), _SPARE))
                parts += part
                if not part:
                    break
            data = bytes(parts)
        elif size > _SPARE and size > self._end - self._file.tell():
            raise EOFError
        else:
            data = self._file.read(size)
        if len(data) < size:
            raise EOFError
        return self._seen(data)

    def line(self, longest=-1):
        """The bytes up to the end of the line, without it.

        Raises:
          EOFError: the file ends before.
          WeightsError: the line is longer than `longest`.
        """
        line = self._seen(self._file.readline(longest))
        if line.endswith(b"\n"):
            return line[:-1]
        if len(line) == longest:
            raise WeightsError("refused: a number or a name too long for one; do not use this file")
        raise EOFError

    def finish(self):
        """Reads the rest."""
        while self._seen(self._file.read(_SPARE)):
            pass

    def _seen(self, data):
        self.count += len(data)
        for digest in self._digests:
            digest.update(data)
        return data


class _Mark:
    """Where on the stack the items of a container begin."""


_MARK = _Mark()


class _Machine:
    """The stack and the memo of a pickle, and what its opcodes do to them."""

    def __init__(self, source):
        self.source = source
        self.stack = []
        self.memo = {}
        self.spent = 0
        self.count = 0

    def run(self):
        """Does all opcodes. Returns what the pickle holds, with `Array` for arrays."""
        while True:
            code = self.source.take(1)
            if code == b".":
                return self.stack.pop()
            self.count += 1
            if self.count > _FEW_OPCODES + self.source.count // 4:
                raise WeightsError("refused: the pickle has more parts than a file of its size; do not use this file")
            try:
                do = _OPCODES[code]
            except KeyError:
                raise WeightsError(f"damaged, or refused: opcode {code[0]:#04x} is none that weights need") from None
            do(self)

    def spend(self, size):
        """Counts bytes or items that are there once more. A file brings all along that it may ask for."""
        self.spent += size
        if self.spent > 2 * self.source.count + _SPARE:  # with NumPy 1.16 an array's bytes were text before
            raise WeightsError("refused: the pickle asks for more than a file of its size holds; do not use this file")

    def push(self, value):
        self.stack.append(value)

    def number(self, format):
        return struct.unpack(format, self.source.take(struct.calcsize(format)))[0]

    def sized(self, format):
        """Bytes that follow their number."""
        return self.source.take(self.number(format))

    def text(self, format):
        return str(self.sized(format), "utf-8", "surrogatepass")

    def digits(self):
        return self.source.line(_LONGEST_NUMBER)

    def integer(self, format):
        """An integer of as many bytes as a number says."""
        size = self.number(format)
        if not 0 <= size <= _LONGEST_NUMBER:
            raise WeightsError("refused: a number too long for one; do not use this file")
        return int.from_bytes(self.source.take(size), "little", signed=True)

    def items(self):
        """Takes what is above the last mark, and the mark."""
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is _MARK:
                found = self.stack[at + 1 :]
                del self.stack[at:]
                return found
        raise WeightsError("damaged: a container without a beginning")

    def last(self, count):
        """Takes the last values."""
        if len(self.stack) < count:
            raise WeightsError("damaged: a container of more than there is")
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def top(self, kind):
        if type(self.stack[-1]) is not kind:
            raise WeightsError(f"damaged: expected a {kind.__name__}, got {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def dup(self):
        self.push(self.stack[-1])

    def int_line(self):
        line = self.digits()
        self.push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def string_line(self):
        line = self.source.line()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
            raise WeightsError("damaged: a string without quotes")
        self.push(codecs.escape_decode(line[1:-1])[0])

    def append(self):
        (item,) = self.last(1)
        self.top(list).append(item)

    def appends(self):
        items = self.items()
        self.top(list).extend(items)

    def set_items(self, items):
        if len(items) % 2:
            raise WeightsError("damaged: a key without a value")
        keys = items[::2]
        if not all(isinstance(key, SCALARS) for key in keys):
            raise WeightsError("refused: keys of a dict that are no strings or numbers; do not use this file")
        if not isinstance(self.stack[-1], dict):
            raise WeightsError(f"damaged: expected a dict, got {type(self.stack[-1]).__name__}")
        self.stack[-1].update(zip(keys, items[1::2]))

    def as_dict(self):
        items = self.items()
        self.push({})
        self.set_items(items)

    def add_items(self):
        items = self.items()
        self.top(set).update(_hashable(items))

    def put(self, index):
        if not 0 <= index <= self.count:
            raise WeightsError("refused: the pickle numbers its parts beyond their number; do not use this file")
        self.memo[index] = self.stack[-1]

    def get(self, index):
        if index not in self.memo:
            raise WeightsError("damaged: it refers to what is not there")
        self.push(self.memo[index])

    def name(self, module, name):
        """A function or class that the pickle names."""
        if (module, name) not in NAMES:
            raise WeightsError(
                f"refused: the pickle wants to run {shown(module)}.{shown(name)}; a weight file needs only NumPy "
                "arrays in plain containers. Do not use this file"
            )
        self.push(NAMES[module, name])

    def global_lines(self):
        module, name = (str(self.source.line(_LONGEST_NAME), "utf-8") for _ in range(2))
        self.name(module, name)

    def stack_global(self):
        module, name = self.last(2)
        if not (isinstance(module, str) and isinstance(name, str)):
            raise WeightsError("refused: the pickle wants to run what has no name; do not use this file")
        self.name(module, name)

    def reduce(self):
        function, arguments = self.last(2)
        if type(function) is not Call or type(arguments) is not tuple:
            raise WeightsError(f"refused: the pickle wants to call a {type(function).__name__}; do not use this file")
        self.push(function.call(self.spend, *arguments))

    def build(self):
        state = self.last(1)[0]
        value = self.stack[-1]
        if type(value) not in (Array, Dtype) or type(state) is not tuple:
            raise WeightsError(f"refused: the pickle wants to change a {type(value).__name__}; do not use this file")
        value.fill(self.spend, *state)


def _hashable(items):
    if not all(isinstance(item, SCALARS) for item in items):
        raise WeightsError("refused: a set of what are no strings or numbers; do not use this file")
    return items


_OPCODES = {
    b"\x80": lambda pickle: pickle.number("B"),  # the protocol
    b"\x95": lambda pickle: pickle.number("<Q"),  # how long a part of the file is
    b"(": lambda pickle: pickle.push(_MARK),
    b"0": lambda pickle: pickle.last(1),
    b"1": lambda pickle: pickle.items(),
    b"2": _Machine.dup,
    b"N": lambda pickle: pickle.push(None),
    b"\x88": lambda pickle: pickle.push(True),
    b"\x89": lambda pickle: pickle.push(False),
    b"I": _Machine.int_line,
    b"L": lambda pickle: pickle.push(int(pickle.digits().rstrip(b"L"))),
    b"J": lambda pickle: pickle.push(pickle.number("<i")),
    b"K": lambda pickle: pickle.push(pickle.number("B")),
    b"M": lambda pickle: pickle.push(pickle.number("<H")),
    b"\x8a": lambda pickle: pickle.push(pickle.integer("B")),
    b"\x8b": lambda pickle: pickle.push(pickle.integer("<i")),
    b"F": lambda pickle: pickle.push(float(pickle.digits())),
    b"G": lambda pickle: pickle.push(pickle.number(">d")),
    b"S": _Machine.string_line,
    b"T": lambda pickle: pickle.push(pickle.sized("<I")),
    b"U": lambda pickle: pickle.push(pickle.sized("B")),
    b"B": lambda pickle: pickle.push(pickle.sized("<I")),
    b"C": lambda pickle: pickle.push(pickle.sized("B")),
    b"\x8e": lambda pickle: pickle.push(pickle.sized("<Q")),
    b"V": lambda pickle: pickle.push(str(pickle.source.line(), "raw-unicode-escape")),
    b"X": lambda pickle: pickle.push(pickle.text("<I")),
    b"\x8c": lambda pickle: pickle.push(pickle.text("B")),
    b"\x8d": lambda pickle: pickle.push(pickle.text("<Q")),
    b"]": lambda pickle: pickle.push([]),
    b"a": _Machine.append,
    b"e": _Machine.appends,
    b"l": lambda pickle: pickle.push(pickle.items()),
    b")": lambda pickle: pickle.push(()),
    b"t": lambda pickle: pickle.push(tuple(pickle.items())),
    b"\x85": lambda pickle: pickle.push(tuple(pickle.last(1))),
    b"\x86": lambda pickle: pickle.push(tuple(pickle.last(2))),
    b"\x87": lambda pickle: pickle.push(tuple(pickle.last(3))),
    b"}": lambda pickle: pickle.push({}),
    b"d": _Machine.as_dict,
    b"s": lambda pickle: pickle.set_items(pickle.last(2)),
    b"u": lambda pickle: pickle.set_items(pickle.items()),
    b"\x8f": lambda pickle: pickle.push(set()),
    b"\x90": _Machine.add_items,
    b"\x91": lambda pickle: pickle.push(frozenset(_hashable(pickle.items()))),
    b"p": lambda pickle: pickle.put(int(pickle.digits())),
    b"q": lambda pickle: pickle.put(pickle.number("B")),
    b"r": lambda pickle: pickle.put(pickle.number("<I")),
    b"\x94": lambda pickle: pickle.put(len(pickle.memo)),
    b"g": lambda pickle: pickle.get(int(pickle.digits())),
    b"h": lambda pickle: pickle.get(pickle.number("B")),
    b"j": lambda pickle: pickle.get(pickle.number("<I")),
    b"c": _Machine.global_lines,
    b"\x93": _Machine.stack_global,
    b"R": _Machine.reduce,
    b"b": _Machine.build,
}


def unpickle(source, keep_bytes):
    """What the pickle at a source's position holds: arrays and plain containers, nothing else.

    Strings of Python 2 are bytes, which spares the copies that text of the size of a layer costs.

    Args:
      source: a `Source`.
      keep_bytes: whether keys of dicts are so too.
    """
    return _Resolving(keep_bytes).resolve(_Machine(source).run())


class _Resolving:
    """Makes arrays of what stands for them."""

    def __init__(self, keep_bytes):
        self._keep_bytes = keep_bytes
        self._done = {}
        self._keys = {}

    def resolve(self, value, depth=0):
        if isinstance(value, SCALARS):
            return value
        if id(value) in self._done:
            return self._done[id(value)]
        if depth > 16:
            raise WeightsError("refused: containers nested too deep, or holding themselves; do not use this file")
        if type(value) is Array:
            result = self._array(value, depth)
        elif isinstance(value, dict):
            result = type(value).copy(value)  # of its class, with a defaultdict's default
            result.clear()
            for key, item in value.items():
                result[self._key(key)] = self.resolve(item, depth + 1)
        elif isinstance(value, (list, tuple, set, frozenset)):
            result = type(value)([self.resolve(item, depth + 1) for item in value])
        else:
            raise WeightsError(f"refused: expected arrays in plain containers, got {type(value).__name__}")
        self._done[id(value)] = result
        return result

    def _key(self, key):
        if not isinstance(key, bytes) or self._keep_bytes:
            return key
        if id(key) not in self._keys:
            self._keys[id(key)] = key.decode("latin1")
        return self._keys[id(key)]

    def _array(self, value, depth):
        data = value.data
        if data is None:
            raise WeightsError("refused: an array without shape and dtype; do not use this file")
        if isinstance(data, list):
            data = [self.resolve(item, depth + 1) for item in data]
        array = np.ndarray((0,), np.int8)
        # Shape, dtype and data are checked; of all ways only this one shares the bytes and stays writable.
        array.__setstate__((1, value.shape, value.dtype, value.fortran, data))
        return array
