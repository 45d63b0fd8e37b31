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
from tensorflow_vgg._weights.plain import NAMES, SCALARS, Call, Dtype, expect_scalars, fill_array, refused

__all__ = ["Source", "unpickle"]

_LONGEST_NUMBER = 1000  # bytes or digits
_LONGEST_NAME = 200
_LONGEST_HEADER = 1 << 16
_SPARE = 1 << 20  # bytes: what a small file may ask for beyond its size
_DEEPEST = 16
_FEW_OPCODES = 1 << 19  # more than one for four bytes have only those who want to fill the memory


class Source:
    """A file, open for reading bytes, that is read once, from where it is, and not beyond its end."""

    def __init__(self, file):
        self._file = file
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
            raise refused("a number or a name too long for one")
        raise EOFError

    def _seen(self, data):
        self.count += len(data)
        return data


_MARK = object()  # where on the stack the items of a container begin


class _Machine:
    """The stack and the memo of a pickle, and what its opcodes do to them."""

    def __init__(self, source, keep_bytes):
        self.source = source
        self.keep_bytes = keep_bytes
        self.stack = []
        self.memo = {}
        self.keys = {}
        self.arrays = {}
        self.spent = 0
        self.count = 0

    def run(self):
        """Does all opcodes. Returns what the pickle holds, with empty arrays, whose states are in `arrays`."""
        while True:
            code = self.source.take(1)
            if code == b".":
                return self.stack.pop()
            self.count += 1
            if self.count > _FEW_OPCODES + self.source.count // 4:
                raise refused("the pickle has more parts than a file of its size")
            try:
                do = _OPCODES[code]
            except KeyError:
                raise WeightsError(f"damaged, or refused: opcode {code[0]:#04x} is none that weights need") from None
            do(self)

    def spend(self, size):
        """Counts bytes or items that are there once more. A file brings all along that it may ask for."""
        self.spent += size
        if self.spent > 2 * self.source.count + _SPARE:  # with NumPy 1.16 an array's bytes were text before
            raise refused("the pickle asks for more than a file of its size holds")

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
            raise refused("a number too long for one")
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
        if not isinstance(self.stack[-1], dict):
            raise WeightsError(f"damaged: expected a dict, got {type(self.stack[-1]).__name__}")
        self.stack[-1].update(zip(map(self.key, items[::2]), items[1::2]))

    def key(self, key):
        """A key of a dict; what Python 2 calls a string as text, unless bytes are to stay."""
        expect_scalars("keys of a dict", [key])
        if not isinstance(key, bytes) or self.keep_bytes:
            return key
        if key not in self.keys:  # once, however often the pickle refers to it
            self.keys[key] = key.decode("latin1")
        return self.keys[key]

    def as_dict(self):
        items = self.items()
        self.push({})
        self.set_items(items)

    def add_items(self):
        items = self.items()
        self.top(set).update(expect_scalars("items of a set", items))

    def put(self, index):
        if not 0 <= index <= self.count:
            raise refused("the pickle numbers its parts beyond their number")
        self.memo[index] = self.stack[-1]

    def get(self, index):
        if index not in self.memo:
            raise WeightsError("damaged: it refers to what is not there")
        self.push(self.memo[index])

    def name(self, module, name):
        """A function or class that the pickle names."""
        if (module, name) not in NAMES:
            raise refused(
                f"the pickle wants to run {shown(module)}.{shown(name)}, and weights are arrays in plain containers"
            )
        self.push(NAMES[module, name])

    def global_lines(self):
        module, name = (str(self.source.line(_LONGEST_NAME), "utf-8") for _ in range(2))
        self.name(module, name)

    def stack_global(self):
        module, name = self.last(2)
        if not (isinstance(module, str) and isinstance(name, str)):
            raise refused("the pickle wants to run what has no name")
        self.name(module, name)

    def reduce(self):
        function, arguments = self.last(2)
        if type(function) is not Call or type(arguments) is not tuple:
            raise refused(f"the pickle wants to call a {type(function).__name__}")
        self.push(function.call(self, *arguments))

    def build(self):
        state = self.last(1)[0]
        value = self.stack[-1]
        fill = {np.ndarray: fill_array, Dtype: Dtype.fill}.get(type(value))
        if fill is None or type(state) is not tuple:
            raise refused(f"the pickle wants to change a {type(value).__name__}")
        fill(value, self, *state)


_OPCODES = {
    b"\x80": lambda pickle: pickle.number("B"),  # the protocol
    b"\x95": lambda pickle: pickle.number("<Q"),  # how long a part of the file is
    b"(": lambda pickle: pickle.push(_MARK),
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
    b"\x91": lambda pickle: pickle.push(frozenset(expect_scalars("items of a set", pickle.items()))),
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
    pickle = _Machine(source, keep_bytes)
    found = pickle.run()
    _settle(found, pickle.arrays, {})
    return found


def _settle(value, arrays, heights, depth=0):
    """Gives the arrays in a value their data, the innermost first.

    Returns:
      How many containers deep it is. That is bounded, as freeing arrays in arrays without end would end the process.
    """
    if isinstance(value, SCALARS):
        return 0
    if id(value) not in heights:
        if depth > _DEEPEST:
            raise refused("containers nested too deep, or holding themselves")
        _, state = arrays.get(id(value), (None, None))
        if isinstance(value, dict):
            items = value.values()
        elif isinstance(value, (list, tuple, set, frozenset)):
            items = value
        elif state:
            items = state[-1] if isinstance(state[-1], list) else ()
        elif type(value) is np.ndarray:
            raise refused("an array without shape and dtype")
        else:
            raise refused(f"expected arrays in plain containers, got {type(value).__name__}")
        heights[id(value)] = 1 + max((_settle(item, arrays, heights, depth + 1) for item in items), default=0)
        if state:
            value.__setstate__(state)  # of all ways only this one shares the bytes and stays writable
    if depth + heights[id(value)] > _DEEPEST + 1:
        raise refused("containers nested too deep")
    return heights[id(value)]
