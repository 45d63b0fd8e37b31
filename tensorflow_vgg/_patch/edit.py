"""What is put into a source: the block's call, its import, and what --compat changes; and how all that is taken out.

Each line that is put in ends in a comment that tells what --revert needs to know beside the line itself.
"""

import ast
import collections
import itertools
import re
import tokenize

from tensorflow_vgg._patch.source import BLOCK, Doubt, PatchError, Source, key_of, last_name_of, lines, literal_of
from tensorflow_vgg._patch.steps import Code

__all__ = ["MARK", "Options", "compat", "put_in", "take_out"]

MARK = "tensorflow-vgg patch"
# A linter may add to the comment of a line.
_COMMENT = re.compile(
    r"#\s*%s(?:, (?P<reads>\d+) reads)?(?P<compat> --compat (?P<names>\w+(?:,\w+)*)(?:, (?P<loads>\d+) loads?)?)?"
    r"(?P<rest>\s*(#\s*(noqa|type:|pylint:|pyright:|isort:|fmt:|yapf:|pragma:).*)?)$" % MARK
)
_TRUST = f"# allow_pickle=True runs any code that the file holds: load only files you trust ({MARK})"
_ALLOW = ", allow_pickle=True"
# What --compat does not change, as the user is told.
_LEFT = {
    "gone from TensorFlow 2: tf.contrib": re.compile(r"\b(tf|tensorflow)\.contrib\b"),
    "TensorFlow 2's on TensorFlow 2: what is imported": re.compile(
        r"^\s*(from tensorflow import|import tensorflow\s*$)"
    ),
}


class Options(
    collections.namedtuple(
        "Options", "after before index ratio scope start compat attention_module", defaults=[None] * 8
    )
):
    """What to put in, and where. None: the default.

    Attributes:
      after: name of the layer whose result the block takes; by default the fifth block's pooling.
      before: name of the layer that takes the block's result; by default the first fully connected layer.
      index, ratio, scope, start: arguments of the block, written out only if given (index always, by default 0).
      compat: also change what keeps the file from running on TensorFlow 2.
      attention_module: the module to import the block from; by default `attention`, beside the file.
    """


# ------------------------------------------------------------------------------------------------------- the block


def put_in(source, places, options, module):
    """The source with blocks at places.

    Args:
      source: a `Source`.
      places: `place.Place`s, one at least.
      options: `Options`.
      module: the name to import the block from.

    Raises:
      Doubt: it cannot be done so that the file means what is meant.
    """
    imported, otherwise = _imported(source.tree)
    if otherwise:
        raise Doubt(otherwise, f"{BLOCK} is there already, made otherwise than by an import at the top")
    edits = [edit for place in places for edit in _call(source, place, options, imported or BLOCK)]
    if not imported:
        edits.append(source.insertion(_import_row(source), f"from {module} import {BLOCK}  # {MARK}"))
    return _changed(source, edits, [read.lineno for place in places for read in place.reads])


def _imported(tree):
    """The name under which a file imports the block at its top, if it does; the rows that make one otherwise."""
    imported, otherwise = None, []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == BLOCK:
            otherwise.append(node.lineno)
        for alias in node.names if isinstance(node, ast.ImportFrom) else []:
            if alias.name == BLOCK and node in tree.body:
                imported = alias.asname or BLOCK
            elif alias.name == BLOCK:
                otherwise.append(node.lineno)
    return imported, otherwise


def _changed(source, edits, looked_at):
    try:
        return Source(source.edited(edits), source.path)
    except PatchError as error:
        reason = "there is no room for a new line: write what is on one line with if, else, try or with on two"
        raise Doubt(looked_at, reason) from error


def _call(source, place, options, function_name):
    """The edits that make a block: the line with its call, and what reads its result."""
    reads = list({id(read): read for read in place.reads}.values())
    looked_at = [place.stmt.lineno] + [read.lineno for read in reads]
    spans = [source.span(read) for read in reads]
    texts = {source.text[span[0] : span[1]] for span in spans if span}
    if None in spans or len(texts) > 1:
        raise Doubt(looked_at, "the layer is spelt in an unusual way or in more than one where it is read")
    first, _ = source.line_of(place.stmt.lineno)
    row = first - 1 if place.before else source.last_row(place.stmt)
    starts_line = source.words[source.word(place.stmt)].start[1] == len(source.indentation(first))
    if any(read.lineno <= row for read in reads) or (place.before and not starts_line):
        raise Doubt(looked_at, "what reads the layer stands on the same line, or before it: give each its own line")
    scope = options.scope or "cbam"
    around = next(stmt for stmt in source.tree.body if place.stmt in ast.walk(stmt))  # it builds in one graph
    for call in (node for node in ast.walk(around) if isinstance(node, ast.Call) and key_of(node.func)):
        if last_name_of(call.func) in (BLOCK, function_name) and _scope(call) == scope:
            reason = f"line {call.lineno} has a block in the scope {scope}: give this one another with --scope NAME"
            raise Doubt([*looked_at, call.lineno], reason)
    taken = {getattr(node, "id", getattr(node, "attr", None)) for node in ast.walk(source.tree)}
    names = itertools.chain(["attention_feature"], (f"attention_feature_{number}" for number in itertools.count(2)))
    variable = next(name for name in names if name not in taken)
    arguments = [*texts, f"index={options.index or 0}"]
    if options.ratio is not None:
        arguments.append(f"inner_units_ratio={options.ratio!r}")
    arguments += [f'{name}="{value}"' for name, value in (("scope", options.scope), ("start", options.start)) if value]
    call = f"{variable} = {function_name}({', '.join(arguments)})"
    mark = MARK if len(reads) == 1 else f"{MARK}, {len(reads)} reads"
    line = source.insertion(row, f"{source.indentation(first)}{call}  # {mark}")
    return [line] + [(*span, variable) for span in spans]


def _scope(call):
    """The variable scope of a call of the block."""
    given = call.args[3:4] + [keyword.value for keyword in call.keywords if keyword.arg == "scope"]
    return literal_of(given[0]) if given else "cbam"


def _import_row(source):
    """The row after which an import goes: the last import before the first class or function, or the file's head."""
    row = 0
    for stmt in source.tree.body:
        kinds = {type(node) for node in ast.walk(stmt)}
        if kinds & {ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef}:
            break
        if kinds & {ast.Import, ast.ImportFrom}:
            row = source.last_row(stmt)
    if row:
        return row
    if ast.get_docstring(source.tree, clean=False) is not None:
        return source.last_row(source.tree.body[0])
    return source.logical[0][0] - 1


# ------------------------------------------------------------------------------------------------------- --compat


def compat(source):
    """The source, which has the block, changed for TensorFlow 2, and notes for the user on what was left."""
    marks = _marks(source)
    if any(match is None or match.group("compat") for _, match in marks):
        return source, []
    code, edits = Code(source.tree), []
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    loads = [call for call in calls if _may_allow(source, code, call)]
    for call in loads:
        last = source.closing(call) - 1
        if source.words[last].string == ",":
            last -= 1
        edits.append(source.addition(source.words[last].end, _ALLOW))
    rows = {source.line_of(call.lineno)[0] for call in loads}
    edits += [source.insertion(row - 1, source.indentation(row) + _TRUST) for row in rows]
    # A file that names tensorflow.compat chooses between the two itself.
    imports = _imports(source, "tensorflow")
    if any(name.startswith("tensorflow.compat") for name in code.imports.values()):
        imports = []
    edits += [source.addition(word.end, ".compat.v1") for word, _ in imports]
    record = f" --compat {','.join(name for _, name in imports)}"
    record += f", {len(rows)} load{'' if len(rows) == 1 else 's'}" if rows else ""
    if imports and marks:
        token, match = marks[0]
        edits.append(source.addition((token.start[0], token.start[1] + match.start("rest")), record))
    elif imports:  # the block was put in by hand
        row, _ = source.line_of(min(word.start[0] for word, _ in imports))
        edits.append(source.insertion(row - 1, f"{source.indentation(row)}# {MARK}{record}"))
    return _changed(source, edits, list(rows)), _left(source)


def _may_allow(source, code, call):
    """Whether a call loads Python 2's pickles with NumPy, and does not say yet whether they are allowed."""
    names = {keyword.arg for keyword in call.keywords}
    positional = len(call.args) > 2 or any(isinstance(argument, ast.Starred) for argument in call.args)
    loads = code.origin(call.func) == "numpy.load" and source.word(call) is not None  # None: inside an f-string
    return loads and "encoding" in names and not names & {"allow_pickle", None} and not positional


def _imports(source, module):
    """Where `import MODULE as NAME` stands, alone or after a comma: (the word after which the rest goes, NAME)."""
    wanted, found = re.findall(r"\w+|\.", module) + ["as"], []
    first = None
    for index, word in enumerate(source.words):
        first = first or word.string
        here = [after.string for after in source.words[index : index + len(wanted)]]
        if first == "import" and here == wanted and source.words[index - 1].string in ("import", ","):
            found.append((word, source.words[index + len(wanted)].string))
        if word.type == tokenize.NEWLINE or word.string in (";", ":"):
            first = None
    return found


def _left(source):
    """Notes on what --compat leaves as it is."""
    rows = {
        note: [row for row, line in enumerate(source.lines, 1) if pattern.search(line)]
        for note, pattern in _LEFT.items()
    }
    return [f"left as it is, and {note}, {lines(found)}" for note, found in rows.items() if found]


# ------------------------------------------------------------------------------------------------------- --revert


def _marks(source):
    """The comments of the lines that were put in: (token, match), the match None for the one on trust."""
    found = []
    for token in source.tokens:
        if token.type == tokenize.COMMENT and MARK in token.string:
            match, row = _COMMENT.match(token.string), token.start[0]
            alone = source.plain[row - 1].lstrip().startswith("#")
            if alone and token.string == _TRUST:
                found.append((token, None))
            elif match and (match.group("compat") or not alone):
                found.append((token, match))
            elif not alone and BLOCK in source.plain[row - 1] and re.match(r"#\s*" + MARK, token.string):
                raise _edited_since(source, row)
    return found


def _edited_since(source, row):
    return PatchError(f"{source.path}: line {row} was put in by this command and edited since; take it out by hand")


def take_out(source):
    """The bytes of a source without what this command put in.

    Raises:
      PatchError: the lines that were put in, or what reads them, have been edited.
    """
    edits, calls, records, loads, gone = [], [], [], 0, set()
    for token, match in _marks(source):
        row = token.start[0]
        line = source.line_of(row)
        if match is None:
            edits += [source.removal(row, row), *_allowances(source, line)]
            loads += 1
            continue
        records += [(row, match)] if match.group("compat") else []
        if source.plain[row - 1].lstrip().startswith("#"):
            edits.append(source.removal(row, row))
            continue
        edits.append(source.removal(*line))
        stmts = [node for node in ast.walk(source.tree) if isinstance(node, ast.stmt)]
        stmts = [node for node in stmts if line[0] <= node.lineno <= line[1]]
        stmt = stmts[0] if len(stmts) == 1 else None
        value = stmt.value if isinstance(stmt, ast.Assign) else None
        if isinstance(stmt, ast.ImportFrom) and [alias.name for alias in stmt.names] == [BLOCK]:
            gone.add(BLOCK)
        elif isinstance(value, ast.Call) and value.args and key_of(value.args[0]):
            calls.append((stmt, int(match.group("reads") or 1)))
        else:
            raise _edited_since(source, row)
    for row, match in records:
        edits += _imports_back(source, row, match, loads)
    edits += _reads_back(source, calls)
    after = source.edited(edits)
    try:
        words = Source(after, source.path).words
    except PatchError as error:
        raise PatchError(
            f"{source.path}: without what this command put in it would be no Python ({error.__cause__}): the lines "
            "around that have been edited since; take it out by hand"
        ) from error
    if gone or calls:  # also what a line made that the user has taken out
        made = {word.string for word, after in zip(words, words[1:]) if after.string == "="}
        gone |= {word.string for word in words if re.match(r"attention_feature(_\d+)?$", word.string)} - made
    left = next((word for word in words if word.string in gone), None)
    if left:
        raise PatchError(
            f"{source.path}: {left.line.strip()!r} uses {left.string}, which would be gone: change it to what it read "
            "before, or take that use out, then --revert takes the rest out"
        )
    return after


def _imports_back(source, row, match, loads):
    """The edits that import TensorFlow 1 again as the comment of --compat in a row tells."""
    names = match.group("names").split(",")
    found = [(word, name) for word, name in _imports(source, "tensorflow.compat.v1") if name in names]
    if sorted(name for _, name in found) != sorted(names):
        raise PatchError(
            f"{source.path}: line {row} tells of imports as {', '.join(names)} that --compat changed; they have been "
            "edited since: change them back by hand, and take what that line says of --compat out"
        )
    if loads != int(match.group("loads") or 0):
        raise PatchError(
            f"{source.path}: line {row} tells of {match.group('loads') or 0} loads, but {loads} have the comment "
            "above them that this command put there: put it back, or take allow_pickle and this out by hand"
        )
    ends = [source.offset(word.end) for word, _ in found]
    return [(end, source.text.index("v1", end) + len("v1"), "") for end in ends]


def _allowances(source, line):
    """The edits that take `allow_pickle` out of a logical line."""
    edits = []
    words = [word for word in source.words if line[0] <= word.start[0] <= line[1]]
    for comma, word, end in zip(words, words[1:], words[3:]):
        if word.string == "allow_pickle":
            edits.append((source.offset(comma.start), source.offset(end.end), ""))
    if not edits or any(source.text[start:end] != _ALLOW for start, end, _ in edits):
        raise _edited_since(source, line[0])
    return edits


def _reads_back(source, calls):
    """The edits by which all that reads a block's result reads again what the block does."""
    edits = []
    uses = {id(stmt): [] for stmt, _ in calls}
    for node in ast.walk(source.tree):
        # Two functions may have the name: it is that of the nearest call above.
        made = [stmt for stmt, _ in calls if key_of(node) and key_of(stmt.targets[0]) == key_of(node)]
        above = [stmt for stmt in made if stmt.lineno <= node.lineno] or made[:1]
        if above and node is not above[-1].targets[0]:
            uses[id(above[-1])].append(node)
    for stmt, count in calls:
        span = source.span(stmt.value.args[0])
        found = uses[id(stmt)]
        spans = [source.span(node) for node in found]
        plain = span and None not in spans and all(isinstance(node.ctx, ast.Load) for node in found)
        if len(found) != count or not plain:
            rows = lines([node.lineno for node in found]) if found else "no line"
            places = f"{count} places" if count > 1 else "1 place"
            raise PatchError(
                f"{source.path}: {key_of(stmt.targets[0])}, which line {stmt.lineno} makes, was read in {places}; now "
                f"it is in {rows}: take out what has been added since, or all of it by hand"
            )
        edits += [(*at, source.text[span[0] : span[1]]) for at in spans]
    return edits
