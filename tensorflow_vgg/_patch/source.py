"""A Python file as bytes, text, tokens and syntax tree, and the way from a node to its place in the text."""

import ast
import contextlib
import io
import itertools
import re
import sys
import tokenize
import warnings

__all__ = ["BLOCK", "Doubt", "PatchError", "Source", "key_of", "last_name_of", "lines", "literal_of", "tree_of"]

BLOCK = "convolutional_block_attention_module"


class PatchError(ValueError):
    """A file that cannot be patched or reverted. The message names file, reason and what to do."""


class Doubt(Exception):
    """Why a network is left alone.

    Attributes:
      rows: numbers of the lines that were looked at.
      reason: a sentence.
      other_network: whether it is no VGG, so that a VGG in the same file can be patched all the same.
    """

    def __init__(self, rows, reason, other_network=False):
        super().__init__(reason)
        self.rows = sorted(set(rows))
        self.reason = reason
        self.other_network = other_network


class Source:
    """A Python file.

    Nodes of Python 3.7 do not say where they end, so ends come from the tokens.

    Attributes:
      path, encoding, bom: the file's name, its encoding as its first lines say, and the bytes before its text.
      text, lines, plain: the text; its lines; its lines as Python reads them, all ending in a newline.
      tree: the syntax tree.
      tokens, words: the tokens but indents; those that are neither comments nor empty lines.
      logical: (first row, last row) of each logical line.
    """

    def __init__(self, data, path):
        self.path = path
        try:
            encoding, _ = tokenize.detect_encoding(iter(data.splitlines(keepends=True)).__next__)
            self.bom = b"\xef\xbb\xbf" if encoding == "utf-8-sig" else b""
            self.encoding = "utf-8" if self.bom else encoding
            self.text = data[len(self.bom) :].decode(self.encoding)
            self.lines = re.findall(r"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+", self.text)
            self.plain = [line.rstrip("\r\n") + "\n" for line in self.lines]
            self.tree = tree_of("".join(self.plain))
            no_text = (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
            tokens = tokenize.generate_tokens(io.StringIO("".join(self.plain)).readline)
            self.tokens = [token for token in tokens if token.type not in no_text]
        except (LookupError, SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError) as error:
            hint = "If it is Python 2, make it Python 3 first, with 2to3"
            if isinstance(error, (LookupError, UnicodeError)) or "encoding" in str(error):
                hint = "Save it as UTF-8, or say in its first line what it is, such as # coding: gbk"
            raise PatchError(
                f"{path}: no Python {sys.version_info[0]}.{sys.version_info[1]}: {_syntax_message(error)}. Nothing was "
                f"changed. {hint}"
            ) from error
        if self.encode(self.text) != data:
            raise PatchError(f"{path}: its encoding {encoding} does not write what it reads; convert the file to UTF-8")

        self._starts = list(itertools.accumulate([0] + [len(line) for line in self.lines]))
        self.words = [token for token in self.tokens if token.type not in (tokenize.NL, tokenize.COMMENT)]
        self._word_at = {token.start: index for index, token in enumerate(self.words)}
        self.logical = []
        first = None
        for token in self.words:
            first = first or token.start[0]
            if token.type == tokenize.NEWLINE:
                self.logical.append((first, token.start[0]))
                first = None

    def encode(self, text):
        return self.bom + text.encode(self.encoding)

    def edited(self, edits):
        """The bytes after `edits`, (start, end, text) in offsets that do not overlap."""
        text = self.text
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        return self.encode(text)

    def offset(self, position):
        return self._starts[position[0] - 1] + position[1]

    def line_of(self, row):
        """The logical line, (first row, last row), with this row or the next after it; without any, the row."""
        return next((line for line in self.logical if line[1] >= row), (row, row))

    def last_row(self, stmt):
        """The last row of a statement with all that belongs to it."""
        return self.line_of(max(node.lineno for node in ast.walk(stmt) if hasattr(node, "lineno")))[1]

    def indentation(self, row):
        return re.match(r"[ \t\f]*", self.lines[row - 1]).group()

    def insertion(self, row, text):
        """The edit that puts a line after this row (0: at the top), with the line end of that row or the first."""
        ends = (re.search(r"(\r\n|[\r\n])\Z", self.lines[at]) for at in (max(row - 1, 0), 0))
        end = next((found.group() for found in ends if found), "\n")
        return (self._starts[row], self._starts[row], text + end)

    def addition(self, position, text):
        """The edit that puts text in at a token's (row, column)."""
        return (self.offset(position), self.offset(position), text)

    def removal(self, first, last):
        """The edit that takes these rows out."""
        return (self._starts[first - 1], self._starts[last], "")

    def word(self, node):
        """The index in `words` of the token at which a node starts, or None."""
        line = self.plain[node.lineno - 1].encode("utf-8")  # a node's column counts bytes, a token's characters
        return self._word_at.get((node.lineno, len(line[: node.col_offset].decode("utf-8", "replace"))))

    def span(self, expr):
        """(start, end) of an expression that `key_of` knows, or None if the text has it in some unusual way."""
        name, words = expr, 1
        while not isinstance(name, ast.Name):
            words += 3 if isinstance(name, ast.Subscript) else 2
            name = name.value
        first = self.word(name)
        if first is None or first + words > len(self.words):
            return None
        start, end = self.offset(self.words[first].start), self.offset(self.words[first + words - 1].end)
        with contextlib.suppress(SyntaxError):
            if key_of(ast.parse(f"({self.text[start:end]})", mode="eval").body) == key_of(expr):
                return start, end
        return None

    def closing(self, call):
        """The index in `words` of the bracket that ends a call of a plain or dotted name."""
        depth = 0
        for index, word in enumerate(self.words[self.word(call) :], self.word(call)):
            depth += (word.string in ("(", "[", "{")) - (word.string in (")", "]", "}"))
            if word.string == ")" and depth == 0:
                return index

    def quote(self, row):
        return f"  line {row}: {self.lines[row - 1].strip()}"


def tree_of(text):
    """The syntax tree of a file's text or bytes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file's own, such as "\d" in a string
        return ast.parse(text)


def _syntax_message(error):
    where = f"line {error.lineno}: " if getattr(error, "lineno", None) else ""
    return where + str(getattr(error, "msg", None) or error or "nested too deep").rstrip(".?")


def lines(rows):
    """Numbers of lines as text: "lines 3, 4"."""
    rows = sorted(set(rows))
    shown = ", ".join(map(str, rows[:6])) + (" ..." if len(rows) > 6 else "")
    return f"lines {shown}" if len(rows) > 1 else f"line {shown}"


def literal_of(node):
    """The value of a literal, else None."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def key_of(expr):
    """One name for all spellings of a variable, an attribute or an item with a literal key; else None."""
    if isinstance(expr, ast.Name):
        return expr.id
    if not isinstance(expr, (ast.Attribute, ast.Subscript)):
        return None
    value, last = key_of(expr.value), last_name_of(expr)
    if value is None or not isinstance(last, (str, int)):
        return None
    return f"{value}.{last}" if isinstance(expr, ast.Attribute) else f"{value}[{last!r}]"


def last_name_of(expr):
    """The last part of what `key_of` knows: a name, an attribute's name, or the key of an item."""
    if isinstance(expr, ast.Subscript):
        old = type(expr.slice).__name__ == "Index"  # Python 3.8 and before
        return literal_of(expr.slice.value if old else expr.slice)
    return expr.attr if isinstance(expr, ast.Attribute) else expr.id
