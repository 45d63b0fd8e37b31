"""Puts the attention block into the source of somebody's VGG, and takes it out again.

A file is read twice: as a syntax tree, which says where the fifth block's pooling goes on its way to the first
fully connected layer (`flow`), and as tokens, which say where in the text that is (`source`). Only those places change;
all other bytes stay.
"""

import ast
import collections
import contextlib
import difflib
import itertools
import os
import re
import shutil
import stat
import tokenize

from tensorflow_vgg._patch.flow import Doubt, Flow, classes_of, find_no_head, find_places, lineage_of, rows_of
from tensorflow_vgg._patch.source import BLOCK, MARK, TRUST, PatchError, Source, key_of, last_name_of, literal_of

__all__ = ["Options", "PatchError", "Plan", "apply", "check_writable", "diff", "find", "lines", "plan", "plan_revert"]

_ALLOW = ", allow_pickle=True"
_COMPAT = ".compat.v1"


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


class Plan(collections.namedtuple("Plan", "path before after modules blocks present doubts notes")):
    """What would become of one file.

    Attributes:
      path: the file, as it was named.
      before, after: its bytes. They are the same if there is nothing to do.
      modules: paths at which the block's own module must be put.
      blocks: the source lines with the block that would be new.
      present: the numbers of the lines that have the block already where it should be.
      doubts: texts of several lines: the lines looked at and why nothing was done there.
      notes: further lines for the user.
    """


def find(path):
    """The Python files that `path` names: itself, or those of a folder and its subfolders, sorted.

    Hidden folders and virtual environments are left out.

    Raises:
      FileNotFoundError: there is no such file or folder.
      PatchError: it is neither.
    """
    if not os.path.isdir(path):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise PatchError(f"{path}: expected a Python file or a folder, found neither")
        return [path]
    files = []
    for folder, folders, names in os.walk(path):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in ("__pycache__", "node_modules", "site-packages")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        ]
        files += [os.path.join(folder, name) for name in names if name.endswith(".py")]
    return sorted(file for file in files if os.path.isfile(file))


def plan(path, options=None, skim=False):
    """What patching a file would make of it. Nothing is changed.

    Args:
      path: a Python file, or a symbolic link to one.
      options: `Options`.
      skim: say nothing of a file without any layers, and pass over one in which the word "pool" does not occur,
        though it may be no Python at all, and the block's own module.

    Returns:
      A `Plan`. A file without a network has no blocks, nothing present and no doubts.

    Raises:
      PatchError: there is no syntax tree, or another module has the name of the block's.
      OSError: the file cannot be read.
    """
    options = options or Options()
    data = _read(path)
    if skim and (b"pool" not in data.lower() or f"def {BLOCK}(".encode() in data):
        return Plan(path, data, data, [], [], [], [], [])
    source = Source(data, path)
    try:
        flow = Flow(source.tree)
    except RecursionError:
        raise PatchError(f"{path}: nested too deep to be followed; nothing was changed") from None
    if skim and not any(op.feature for op in flow.ops):
        return Plan(path, data, data, [], [], [], [], [])
    places, present, doubts = find_places(flow, options)
    if not (places or present or doubts):
        doubts = find_no_head(flow, skim)
    if not all(doubt.other_network for doubt in doubts):
        places, present = [], []  # a network that may be a VGG and is not understood: the whole file is left alone

    patched, blocks, modules, notes = source, [], [], []
    try:
        if places:
            patched, blocks, modules = _with_blocks(source, flow, places, options)
        if options.compat and (places or present):
            patched, notes = _with_compat(patched)
            own = os.path.join(os.path.dirname(path), "attention.py")
            if present and os.path.isfile(own) and not _is_block_module(own):
                notes.append(f"{own} is another than this package's, and stays as it is: does it run on TensorFlow 2?")
        after = patched.encode(patched.text)
        if after != data:
            _check_way_back(source, patched)
    except Doubt as doubt:
        doubts.append(doubt)
        after, blocks, modules, notes = data, [], [], []
    texts = ["\n".join([source.quote(row) for row in doubt.rows] + [f"  {doubt.reason}"]) for doubt in doubts]
    if (blocks or present) and all(doubt.other_network for doubt in doubts):
        texts, notes = [], notes + [f"another network in it left alone:\n{text}" for text in texts]
    return Plan(
        path, data, after, modules, blocks, sorted(set(present)), texts, notes + _other_names(path, data, after)
    )


def plan_revert(path):
    """What a file would be without what `plan` put in. Nothing is changed.

    Raises:
      PatchError: there is no syntax tree, or the lines that were put in, or what reads them, have been edited.
      OSError: the file cannot be read.
    """
    data = _read(path)
    after = data
    if MARK.encode("ascii") in data:
        after = _reverted(Source(data, path))
    return Plan(path, data, after, [], [], [], [], _other_names(path, data, after))


def _other_names(path, data, after):
    """A note, if a file that changes has hard links: a new file takes the place of this name alone."""
    others = os.stat(path).st_nlink - 1 if after != data else 0
    return [f"has {others} more name{'s' * (others > 1)} (hard links), which keep the file as it is"] * bool(others)


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _with_blocks(source, flow, places, options):
    """The source with the block at the places, the new calls, and the modules that it then needs."""
    edits, blocks, modules, functions = [], [], [], []
    imported, otherwise = _bound(source)
    if otherwise:
        raise Doubt(otherwise, f"{BLOCK} is there already, made otherwise than by an import at the top")
    for one, other in itertools.combinations([items[0] for items in places], 2):
        if one.read.binding.function is other.read.binding.function and not flow.exclusive(one.op, other.op):
            raise Doubt(
                rows_of(one.op, other.op),
                "two networks are made in one function, and each block needs a scope of its own: put them in one after "
                "the other with --after NAME --scope NAME",
            )
    for items in places:
        function = items[0].read.binding.function
        block, changed = _call_edits(source, flow, items, options, imported or BLOCK, functions.count(function))
        functions.append(function)
        blocks.append(block)
        edits += changed
    if not imported:
        prefix, module, modules = _module(source, options)
        line = f"from {prefix}{module} import {BLOCK}  # {MARK}"
        edits.append(source.insertion(_import_row(source), line))
    looked_at = [item.read.expr.lineno for items in places for item in items]
    looked_at += rows_of(*[item.op for items in places for item in items])
    return _changed(source, edits, looked_at), blocks, modules


def _bound(source):
    """The name under which the file imports the block, if it does, and the rows that make one otherwise."""
    imported, otherwise = None, []
    inner = {
        id(node)
        for outer in ast.walk(source.tree)
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        for node in ast.walk(outer)
        if node is not outer
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == BLOCK and id(node) in inner:
                    otherwise.append(node.lineno)
                elif alias.name == BLOCK:
                    imported = alias.asname or alias.name
        elif BLOCK in (getattr(node, "name", None), getattr(node, "id", None)):
            definition = isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if definition or isinstance(getattr(node, "ctx", None), ast.Store):
                otherwise.append(node.lineno)
    return imported, otherwise


def _changed(source, edits, looked_at):
    try:
        return Source(source.edited(edits), source.path)
    except PatchError as error:
        reason = "there is no room for a new line: write what is on one line with if, else, try or with on two"
        raise Doubt(looked_at, reason) from error


def _call_edits(source, flow, items, options, function_name, number):
    """The call that is put in, and the edits: its line, and what reads its result."""
    reads = list({id(item.read.expr): item.read for item in items}.values())
    binding = reads[0].binding
    looked_at = rows_of(*[item.op for item in items]) + [read.expr.lineno for read in reads]
    if binding.stmt is None:
        raise Doubt(looked_at, "what is read there is not made in one place: give the pooling a name of its own")
    if binding.looped:
        raise Doubt(looked_at, "the layer is made in a loop, and a block can be made once: put it in by hand")
    others = flow.assigned_by_calls(binding.function, key_of(reads[0].expr))
    if others:
        raise Doubt(looked_at + [other.lineno for other in others], "a method called meanwhile assigns the layer again")
    own = flow.own_name(binding.function)
    local = all(read.function is binding.function for read in reads)
    others = [] if local else flow.overriding(binding.function)
    if others:
        raise Doubt(
            looked_at + [other.lineno for other in others],
            "a subclass makes the layer otherwise and would have no block: name another place with --after, --before",
        )
    spans = [source.span(read.expr) for read in reads]
    texts = {source.text[span[0] : span[1]] for span in spans if span}
    if None in spans or len(texts) > 1:
        raise Doubt(looked_at, "the layer is spelt in an unusual way where it is read: write it plainly")
    text = texts.pop()
    row = source.last_row(binding.stmt)
    if local and any(read.expr.lineno <= row for read in reads):
        raise Doubt(looked_at, "what reads the layer stands on the same line, or before it: give each its own line")

    scope = options.scope or "cbam"
    for op in flow.ops:
        # One class or one function builds in one graph, and there a scope can be used once.
        shared = op.function is binding.function or flow.owner.get(op.function) is flow.owner.get(binding.function)
        if op.kind == "attention" and shared and _scope(op.expr) == scope:
            reason = f"line {op.expr.lineno} has a block in the scope {scope}: give this one another with --scope NAME"
            raise Doubt(looked_at + [op.expr.lineno], reason)

    taken = {getattr(node, "id", getattr(node, "attr", None)) for node in ast.walk(source.tree)}
    names = (f"attention_feature{'' if count < 2 else f'_{count}'}" for count in itertools.count(1))
    variable = ("" if local else f"{own}.") + next(itertools.islice((n for n in names if n not in taken), number, None))
    arguments = [text, f"index={options.index or 0}"]
    if options.ratio is not None:
        arguments.append(f"inner_units_ratio={options.ratio!r}")
    if options.scope is not None:
        arguments.append(f'scope="{options.scope}"')
    if options.start is not None:
        arguments.append(f'start="{options.start}"')
    call = f"{variable} = {function_name}({', '.join(arguments)})"
    mark = MARK if len(reads) == 1 else f"{MARK}, {len(reads)} reads"
    first, _ = source.line_of(binding.stmt.lineno)
    edits = [source.insertion(row, f"{source.indentation(first)}{call}  # {mark}")]
    return call, edits + [(start, end, variable) for start, end in spans]


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


def _module(source, options):
    """How to import the block's module: prefix, name, and where the module must be put."""
    given = options.attention_module
    name = (given or "attention").lstrip(".")
    prefix = (given or "")[: -len(name)]
    beside = os.path.basename(os.path.dirname(os.path.abspath(source.path))) + "."
    if not prefix and name.startswith(beside):
        prefix, name = beside, name[len(beside) :]
    if "." in name or len(prefix.rstrip(".")) < len(prefix) - 1:
        return prefix, name, []  # a module elsewhere: taken as it is
    prefix = prefix or _neighbour_prefix(source, given)
    missing = []
    folders = [os.path.dirname(source.path), os.path.dirname(os.path.realpath(source.path))]
    for folder in {os.path.realpath(folder): folder for folder in reversed(folders)}.values():
        path = os.path.join(folder, name)
        if os.path.isfile(os.path.join(path, "__init__.py")):
            path = os.path.join(path, "__init__.py")
        else:
            path += ".py"
        if not os.path.lexists(path):
            user = _other_module(source, folder, prefix, name)
            if user and given is None:
                raise PatchError(
                    f"{path}: not there, but {user} has another module of this name, which this one would hide. Import "
                    "the block from another module with --attention-module NAME"
                )
            missing += [path] * (not user)
        elif not _is_block_module(path):
            if given is None:
                raise PatchError(
                    f"{path}: expected the attention block's module or no such file; this is another, and stays as it "
                    "is. Import the block from another module with --attention-module NAME"
                )
            _check_block_module(path, options)
    return prefix, name, missing


def _other_module(source, folder, prefix, name):
    """What has another module of the name of one that is not there: a folder, or a line that imports it; else None."""
    if os.path.isdir(os.path.join(folder, name)):
        return f"the folder {os.path.join(folder, name)}"
    for file, tree in itertools.chain([(source.path, source.tree)], _trees(folder, name)):
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] != [BLOCK]:
                modules = ["." * node.level + (node.module or "")]
            if any(f"{module}.".startswith(f"{prefix}{name}.") for module in modules):
                return f"line {node.lineno} of {file}"
    return None


def _block_module():
    return _read(
        os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "attention.py")
    )


def _is_block_module(path):
    return _read(path).replace(b"\r\n", b"\n") == _block_module()


def _check_block_module(path, options):
    """Raises unless the user's own module has the block, with the arguments it will be called with."""
    source = Source(_read(path), path)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and node.name == BLOCK:
            names = {argument.arg for argument in node.args.args + node.args.kwonlyargs}
            wanted = {"ratio": "inner_units_ratio", "scope": "scope", "start": "start"}
            for option, name in wanted.items():
                if getattr(options, option) is not None and name not in names:
                    raise PatchError(f"{path}: {BLOCK} takes no {name}; leave --{option} out")
            return
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == BLOCK for alias in node.names):
            return
    raise PatchError(f"{path}: expected a module with {BLOCK}, found none; give another name with --attention-module")


def _neighbour_prefix(source, given):
    """What stands before the name of a module beside this file: "", "." or "package."."""
    folder = os.path.dirname(os.path.abspath(source.path))
    package = os.path.isfile(os.path.join(folder, "__init__.py"))
    found = _prefixes(source.tree, folder)
    if not found:
        # How do the other files of the folder import each other, or those above it what is in it?
        found = _prefixes_of_others(folder, folder)
    if not found and not package:
        parent = os.path.dirname(folder)
        found = _prefixes_of_others(parent, folder) or _prefixes_of_others(os.path.dirname(parent), folder)
    if "." in found and "" in found:
        if given is None:
            raise Doubt(
                [found["."], found[""]],
                "modules beside this file are imported with a dot and without: say which with --attention-module "
                ".attention or --attention-module attention",
            )
        return ""
    packages = [prefix for prefix in found if prefix not in ("", ".")]
    if "." in found or (package and not found):
        return "."
    return packages[0] if packages else ""


def _prefixes_of_others(of, folder):
    """How the files of one folder import modules of another below it, or of the same: prefix -> row."""
    found = {}
    for _, tree in _trees(of, "" if of == folder else os.path.basename(folder)):
        found.update(_prefixes(tree, folder, of))
    return found


def _trees(folder, word):
    """(path, syntax tree) of the Python files of a folder in which a word occurs, as far as they can be read."""
    with contextlib.suppress(OSError):  # a folder above may be closed to the user
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.endswith(".py") and os.path.isfile(path):
                data = _read(path)
                if os.fsencode(word) in data:
                    with contextlib.suppress(PatchError):
                        yield path, Source(data, path).tree


def _prefixes(tree, folder, of=None):
    """How a file of a folder, or of another `of`, imports modules that are in that folder: prefix -> row."""
    found = {}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level and (of in (None, folder) or module.split(".")[0] == os.path.basename(folder)):
                found.setdefault(".", node.lineno)
            elif not node.level:
                names = [module] + [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            # Is it a module below this folder, or below one that this folder is in and the name starts with?
            base, prefix = folder, ""
            while base:
                path = os.path.join(base, *name.split("."))
                exists = os.path.isfile(path + ".py") or os.path.isfile(os.path.join(path, "__init__.py"))
                if exists and (not prefix or name.split(".")[0] == prefix.split(".")[0]):
                    found.setdefault(prefix, node.lineno)
                    break
                parent, last = os.path.split(base)
                base, prefix = (parent if last else ""), f"{last}.{prefix}"
    return found


def _with_compat(source):
    """The source, which has the block, changed for TensorFlow 2, and notes on what was left."""
    marks = source.marks()
    if any(match is None or match.group("compat") for _, match in marks):
        return source, []
    flow = Flow(source.tree)
    edits, imports, notes = [], [], []
    loads = {}  # row above which the comment goes -> edits
    modules = [alias.name for node in ast.walk(source.tree) if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom)]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            imports += _tensorflow_words(source, node, ["tensorflow", "as"])
        elif isinstance(node, ast.Call) and flow.origin(node.func) == "numpy.load":
            names = {keyword.arg for keyword in node.keywords}
            positional = len(node.args) > 2 or any(isinstance(argument, ast.Starred) for argument in node.args)
            inside_text = source.word(node) is None  # an f-string
            if "encoding" in names and not names & {"allow_pickle", None} and not positional and not inside_text:
                last = source.closing(node) - 1
                last -= source.words[last].string == ","
                at = source.offset(source.words[last].end)
                loads.setdefault(source.line_of(node.lineno)[0], []).append((at, at, _ALLOW))
    if any(name.startswith("tensorflow.compat") for name in modules):
        imports = []  # the file chooses between the two itself
    for index in imports:
        at = source.offset(source.words[index].end)
        edits.append((at, at, _COMPAT))
    if imports:
        record = f" --compat {','.join(source.words[index + 2].string for index in imports)}"
        record += f", {len(loads)} load{'s' * (len(loads) > 1)}" if loads else ""
        if marks:
            token, match = marks[0]
            at = source.offset(token.start) + match.start("rest")
            edits.append((at, at, record))
        else:  # the block was put in by hand
            row, _ = source.line_of(min(source.words[index].start[0] for index in imports))
            edits.append(source.insertion(row - 1, f"{source.indentation(row)}# {MARK}{record}"))
    for row, allowed in loads.items():
        edits += [source.insertion(row - 1, source.indentation(row) + TRUST % MARK)] + allowed
    names = [node for node in ast.walk(source.tree) if isinstance(node, (ast.Attribute, ast.Import, ast.ImportFrom))]
    gone = [node.lineno for node in names if any(name.startswith("tensorflow.contrib") for name in _full(flow, node))]
    if gone:
        notes.append(f"left as it is, and gone from TensorFlow 2: tf.contrib, {lines(gone)}")
    other = [node.lineno for node in names if isinstance(node, ast.ImportFrom) and node.module == "tensorflow"]
    for node in names:
        if isinstance(node, ast.Import):
            other += [node.lineno for alias in node.names if (alias.name, alias.asname) == ("tensorflow", None)]
    if other:
        notes.append(f"left as it is, and TensorFlow 2's on TensorFlow 2: what is imported in {lines(other)}")
    return _changed(source, edits, list(loads)), notes


def _full(flow, node):
    """The full names of the modules that an import has, or of what an attribute is."""
    if isinstance(node, ast.Attribute):
        return [flow.origin(node)]
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return modules + [f"{node.module}.{alias.name}" for alias in node.names if isinstance(node, ast.ImportFrom)]


def lines(rows):
    """Numbers of lines as text: "lines 3, 4"."""
    rows = sorted(set(rows))
    return f"line{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:6]))}{' ...' if len(rows) > 6 else ''}"


def _tensorflow_words(source, node, words):
    """The indices in `words` at which an import statement has these words after `import` or a comma."""
    first = source.word(node)
    found = []
    for index in itertools.count(first + 1):
        if source.words[index].type == tokenize.NEWLINE or source.words[index].string == ";":
            return found
        here = [word.string for word in source.words[index : index + len(words)]]
        if here == words and source.words[index - 1].string in ("import", ","):
            found.append(index)


def _check_way_back(source, patched):
    """Raises unless `_reverted` gives the same for both, that is: unless it takes out exactly what was put in."""
    try:
        if _reverted(patched) == _reverted(source):
            return
    except PatchError as error:
        raise Doubt([], f"what would be put in could not be taken out again: {error}") from error
    raise Doubt([], "what would be put in could not be taken out again")


def _reverted(source):
    """The bytes of a source without what this command put in."""
    edits, calls, records, loads = [], [], [], 0
    imported = False
    for token, match in source.marks():
        row = token.start[0]
        line = source.line_of(row)
        if match is None:
            edits.append(source.removal(row, row))
            edits += _allowances(source, line)
            loads += 1
            continue
        if match.group("compat"):
            records.append((row, match))
        if source.plain[row - 1].lstrip().startswith("#"):
            edits.append(source.removal(row, row))
            continue
        edits.append(source.removal(*line))
        stmts = [
            node
            for node in ast.walk(source.tree)
            if isinstance(node, ast.stmt) and node.lineno in range(line[0], line[1] + 1)
        ]
        if len(stmts) != 1:
            raise source.edited_since(row)
        if isinstance(stmts[0], ast.ImportFrom) and [alias.name for alias in stmts[0].names] == [BLOCK]:
            imported = True
        elif isinstance(stmts[0], ast.Assign) and isinstance(stmts[0].value, ast.Call) and stmts[0].value.args:
            calls.append(stmts[0])
            edits += _reads_back(source, stmts[0], int(match.group("reads") or 1))
        else:
            raise source.edited_since(row)
    for row, match in records:
        edits += _imports_back(source, row, match.group("names").split(","))
        if loads != int(match.group("loads") or 0):
            raise PatchError(
                f"{source.path}: line {row} tells of {match.group('loads') or 0} loads, but {loads} have the comment "
                "above them that this command put there: put it back, or take allow_pickle and this out by hand"
            )
    ours = {id(call.value.func) for call in calls}
    names = [node for node in ast.walk(source.tree) if isinstance(node, (ast.Name, ast.Attribute))]
    made = {last_name_of(node) for node in names if isinstance(node.ctx, ast.Store)}
    for node in names:
        if imported and last_name_of(node) == BLOCK and id(node) not in ours:
            raise PatchError(
                f"{source.path}: line {node.lineno} uses the import of {BLOCK} that this command put in; take "
                "that use out first"
            )
        if (
            (calls or imported)
            and re.match(r"attention_feature(_\d+)?$", last_name_of(node))
            and last_name_of(node) not in made
        ):
            raise PatchError(
                f"{source.path}: line {node.lineno} reads {last_name_of(node)}, but the line that made it is gone: "
                "make this line read again what it read before, then --revert takes the rest out"
            )
    after = source.edited(edits)
    try:
        Source(after, source.path)
    except PatchError as error:
        raise PatchError(
            f"{source.path}: without what this command put in it would be no Python ({error.__cause__}): the lines "
            "around that have been edited since; take it out by hand"
        ) from error
    return after


def _imports_back(source, row, names):
    """The edits that import TensorFlow 1 again under these names."""
    words = ["tensorflow", ".", "compat", ".", "v1", "as"]
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found += _tensorflow_words(source, node, words)
    found = [index for index in found if source.words[index + len(words)].string in names]
    if sorted(source.words[index + len(words)].string for index in found) != sorted(names):
        raise PatchError(
            f"{source.path}: line {row} tells of imports as {', '.join(names)} that --compat changed; they have been "
            "edited since: change them back by hand, and take what that line says of --compat out"
        )
    return [(source.offset(source.words[i].end), source.offset(source.words[i + 4].end), "") for i in found]


def _allowances(source, line):
    """The edits that take `allow_pickle` out of a logical line."""
    edits = []
    words = [word for word in source.words if line[0] <= word.start[0] <= line[1]]
    for comma, word, end in zip(words, words[1:], words[3:]):
        if word.string == "allow_pickle":
            start, end = source.offset(comma.start), source.offset(end.end)
            if source.text[start:end] != _ALLOW:
                raise source.edited_since(line[0])
            edits.append((start, end, ""))
    if not edits:
        raise source.edited_since(line[0])
    return edits


def _reads_back(source, stmt, count):
    """The edits by which all that reads the block's result reads again what the block does."""
    (variable,), owner = [key_of(target) for target in stmt.targets], ast.ClassDef
    if isinstance(stmt.targets[0], ast.Name):
        owner = ast.FunctionDef
    around = [node for node in ast.walk(source.tree) if isinstance(node, owner) and stmt in ast.walk(node)]
    span = source.span(stmt.value.args[0]) if key_of(stmt.value.args[0]) else None
    if not around or span is None:
        raise source.edited_since(stmt.lineno)
    around = max(around, key=lambda node: node.lineno)
    if owner is ast.ClassDef:  # its subclasses may read what it makes
        classes = classes_of(source.tree)
        nodes = [node for cls in classes.values() if around in lineage_of(cls, classes) for node in ast.walk(cls)]
    else:
        nodes = ast.walk(around)
    uses = [
        node
        for node in dict.fromkeys(nodes)
        if key_of(node) == variable and node is not stmt.targets[0] and isinstance(node, (ast.Name, ast.Attribute))
    ]
    spans = [source.span(node) for node in uses]
    if len(uses) != count or None in spans or not all(isinstance(node.ctx, ast.Load) for node in uses):
        rows = lines([node.lineno for node in uses]) if uses else "no line"
        raise PatchError(
            f"{source.path}: {variable}, which line {stmt.lineno} makes, was read in {count} place{'s' * (count > 1)}; "
            f"now it is in {rows}: take out what has been added since, or all of it by hand"
        )
    text = source.text[span[0] : span[1]]
    return [(start, end, text) for start, end in spans]


# ------------------------------------------------------------------------------------------------- the files


def diff(plan):
    """The change as a unified diff, for `patch` and `git apply`: bytes with the file's own line ends, its encoding."""
    texts = []
    for data in (plan.before, plan.after):
        source = Source(data, plan.path)
        lines = [line.encode(source.encoding) for line in source.lines]
        texts.append([source.bom + lines[0]] + lines[1:] if lines else [])
    name = os.fsencode(plan.path)
    name += b"\t" * (b" " in name)  # by which `patch` knows where the name ends
    lines = difflib.diff_bytes(difflib.unified_diff, texts[0], texts[1], name, name, lineterm=b"\n")
    whole = (line if line.endswith((b"\n", b"\r")) else line + b"\n\\ No newline at end of file\n" for line in lines)
    return b"".join(whole), source.encoding


def check_writable(plans):
    """Raises for the first of the files that its mode bits protect, before anything is written.

    Root may write to such a file, and a rename gets past it: neither is meant here.
    """
    for plan in plans:
        path = os.path.realpath(plan.path)
        for protected in [path, os.path.dirname(path)] + [os.path.dirname(module) or "." for module in plan.modules]:
            if not os.stat(protected).st_mode & stat.S_IWUSR or not os.access(protected, os.W_OK):
                raise PatchError(f"{protected}: read-only; make it writable first (chmod u+w). Nothing was changed")


def apply(plan, backup=True):
    """Writes what was planned: the backup and the block's module first, the file, whole or not at all, last.

    A symbolic link stays, its target is changed, and the backup is beside that. Mode and owner stay.

    Args:
      plan: a `Plan` whose `after` is not its `before`.
      backup: whether to keep the file as it was, with `.orig` after its name (`.orig.1` if there is another).

    Returns:
      The paths of the other files that were written.

    Raises:
      PatchError: the file has changed since it was planned. It is as it was, as after any other error.
      OSError: something cannot be written.
    """
    from tensorflow_vgg import weights

    path = os.path.realpath(plan.path)
    made = []
    try:
        if backup:
            _create(_backup_name(path, plan.before), plan.before, made, mode_of=path)
        for module in plan.modules:
            _create(module, _block_module(), made)
        with weights.replacing(path) as file:
            file.write(plan.after)
            file.flush()
            os.fsync(file.fileno())
            shutil.copymode(path, file.name)
            owner = os.stat(path)
            with contextlib.suppress(OSError, AttributeError):  # not the owner, or no such thing here
                os.chown(file.name, owner.st_uid, owner.st_gid)
            now = _read(path)
            if now == plan.after:
                return made  # another run of this command was faster
            if now != plan.before:
                raise PatchError(f"{plan.path}: changed while this command ran; nothing was changed, run it again")
    except BaseException:
        for name in made:
            with contextlib.suppress(OSError):
                os.remove(name)
        raise
    return made


def _backup_name(path, data):
    for number in itertools.count():
        name = f"{path}.orig{f'.{number}' if number else ''}"
        if not os.path.lexists(name) or (os.path.isfile(name) and _read(name) == data):
            return name


def _create(path, data, made, mode_of=None):
    """Writes a new file, and adds it to `made`; one of the same content may be there."""
    if os.path.isfile(path) and _read(path) in (data, data.replace(b"\n", b"\r\n")):
        return
    with open(path, "xb") as file:
        made.append(path)
        file.write(data)
    if mode_of:
        shutil.copymode(mode_of, path)
