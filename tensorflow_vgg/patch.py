"""Puts the attention block into the source of somebody's VGG, and takes it out again.

A file is read twice: as a syntax tree, which says where the fifth block's pooling goes on its way to the first
fully connected layer, and as tokens, which say where in the text that is. Only those places change; all other
bytes stay.
"""

import ast
import bisect
import collections
import contextlib
import difflib
import io
import itertools
import os
import re
import shutil
import stat
import sys
import tokenize
import warnings

__all__ = ["Options", "PatchError", "Plan", "apply", "check_writable", "diff", "find", "lines", "plan", "plan_revert"]

_BLOCK = "convolutional_block_attention_module"
_MARK = "tensorflow-vgg patch"
# The comment of a line that is put in: what --revert needs to know beside the line itself. A linter may add to it.
_MARK_PATTERN = re.compile(
    r"#\s*%s(?:, (?P<reads>\d+) reads)?(?P<compat> --compat (?P<names>\w+(?:,\w+)*)(?:, (?P<loads>\d+) loads?)?)?"
    r"(?P<rest>.*)$" % _MARK
)
_LINTERS = re.compile(r"\s*(#\s*(noqa|type:|pylint:|pyright:|isort:|fmt:|yapf:|pragma:).*)?$")
_TRUST = "# allow_pickle=True runs any code that the file holds: load only files you trust (%s)"
_ALLOW = ", allow_pickle=True"
_COMPAT = ".compat.v1"
_POOLINGS = 5


class PatchError(ValueError):
    """A file that cannot be patched or reverted. The message names file, reason and what to do."""


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


# ---------------------------------------------------------------------------------------------------- the text


class _Source:
    """A Python file as bytes, text, tokens and syntax tree, and the way from a node to its place in the text.

    Nodes of Python 3.7 do not say where they end, so ends come from the tokens.
    """

    def __init__(self, data, path):
        self.path = path
        try:
            encoding, _ = tokenize.detect_encoding(iter(data.splitlines(keepends=True)).__next__)
            self.bom = b"\xef\xbb\xbf" if encoding == "utf-8-sig" else b""
            self.encoding = "utf-8" if self.bom else encoding
            self.text = data[len(self.bom) :].decode(self.encoding)
            self.lines = re.findall(r"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+", self.text)
            # Python's own reading of a file: every line end is \n, and the last line has one.
            self.plain = [line.rstrip("\r\n") + "\n" for line in self.lines]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the file's own, such as "\d" in a string
                self.tree = ast.parse("".join(self.plain))
            self.tokens = [
                token
                for token in tokenize.generate_tokens(io.StringIO("".join(self.plain)).readline)
                if token.type not in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
            ]
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

        starts = itertools.accumulate([0] + [len(line) for line in self.lines])
        self._starts = list(starts)
        # The tokens that mean something, and the (first, last) rows of each logical line.
        self.words = [token for token in self.tokens if token.type not in (tokenize.NL, tokenize.COMMENT)]
        self._word_at = {token.start: index for index, token in enumerate(self.words)}
        self.logical = []
        first = None
        for token in self.words:
            if first is None:
                first = token.start[0]
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
        index = bisect.bisect_left([last for _, last in self.logical], row)
        return self.logical[index] if index < len(self.logical) else (row, row)

    def last_row(self, stmt):
        """The last row of a statement with all that belongs to it."""
        return self.line_of(max(node.lineno for node in ast.walk(stmt) if hasattr(node, "lineno")))[1]

    def indentation(self, row):
        return re.match(r"[ \t\f]*", self.lines[row - 1]).group()

    def line_end(self, row):
        """The line end of this row, or of the file's first line if the row, the file's last, has none."""
        for line in (self.lines[row - 1], self.lines[0]):
            found = re.search(r"(\r\n|[\r\n])\Z", line)
            if found:
                return found.group()
        return "\n"

    def insertion(self, row, text):
        """The edit that puts a line after this row (0: at the top)."""
        at = self._starts[row]
        return (at, at, text + self.line_end(row or 1))

    def removal(self, first, last):
        """The edit that takes these rows out."""
        return (self._starts[first - 1], self._starts[last], "")

    def word(self, node):
        """The index in `words` of the token at which a node starts, or None."""
        line = self.plain[node.lineno - 1].encode("utf-8")  # a node's column counts bytes, a token's characters
        return self._word_at.get((node.lineno, len(line[: node.col_offset].decode("utf-8", "replace"))))

    def span(self, expr):
        """(start, end) of an expression that `_key` knows, or None if the text has it in some unusual way."""
        name, words = expr, 1
        while not isinstance(name, ast.Name):
            words += 3 if isinstance(name, ast.Subscript) else 2
            name = name.value
        first = self.word(name)
        if first is None or first + words > len(self.words):
            return None
        start, end = self.offset(self.words[first].start), self.offset(self.words[first + words - 1].end)
        with contextlib.suppress(SyntaxError):
            if _key(ast.parse(f"({self.text[start:end]})", mode="eval").body) == _key(expr):
                return start, end
        return None

    def closing(self, call):
        """The index in `words` of the bracket that ends a call of a plain or dotted name."""
        depth = 0
        for index in range(self.word(call), len(self.words)):
            text = self.words[index].string
            depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
            if depth == 0 and text == ")":
                return index
        raise PatchError(f"{self.path}: line {call.lineno}: cannot tell where this call ends")

    def marks(self):
        """The comments of the lines that were put in: (token, match), the match None for the one on trust."""
        found = []
        for token in self.tokens:
            if token.type == tokenize.COMMENT and _MARK in token.string:
                match = _MARK_PATTERN.match(token.string)
                alone = self.plain[token.start[0] - 1].lstrip().startswith("#")
                if alone and token.string == _TRUST % _MARK:
                    found.append((token, None))
                elif match and (match.group("compat") or not alone) and _LINTERS.match(match.group("rest")):
                    found.append((token, match))
                elif match and not alone and _BLOCK in self.plain[token.start[0] - 1]:
                    raise self.edited_since(token.start[0])
        return found

    def edited_since(self, row):
        return PatchError(f"{self.path}: line {row} was put in by this command and edited since; take it out by hand")

    def quote(self, row):
        return f"  line {row}: {self.lines[row - 1].strip()}"


def _syntax_message(error):
    where = f"line {error.lineno}: " if getattr(error, "lineno", None) else ""
    return where + str(getattr(error, "msg", None) or error or "nested too deep").rstrip(".")


def _literal(node):
    """The value of a literal, else None."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _key(expr):
    """One name for all spellings of a variable, an attribute or an item with a literal key; else None."""
    if isinstance(expr, ast.Name):
        return expr.id
    if not isinstance(expr, (ast.Attribute, ast.Subscript)):
        return None
    value, last = _key(expr.value), _last_name(expr)
    if value is None or not isinstance(last, (str, int)):
        return None
    return f"{value}.{last}" if isinstance(expr, ast.Attribute) else f"{value}[{last!r}]"


def _last_name(expr):
    """The last part of what `_key` knows: a name, an attribute's name, or the key of an item."""
    if isinstance(expr, ast.Subscript):
        old = type(expr.slice).__name__ == "Index"  # Python 3.8 and before
        return _literal(expr.slice.value if old else expr.slice)
    return expr.attr if isinstance(expr, ast.Attribute) else expr.id


# ------------------------------------------------------------------------------------- the network in the tree

_NOT_TENSORS = {"dtype", "get_shape", "int", "isinstance", "len", "name", "print", "rank", "shape", "size", "type"}
_SIZES = {"as_list", "get_shape", "int", "len", "list", "prod", "range", "reduce", "shape", "tuple"}
_OTHER_POOLING = re.compile(r"global\w*pool|pool\w*global|pool(ing)?_?[13]d")  # no block of a VGG ends so
_KINDS = (
    ("flat", re.compile(r"reshape|flatten")),
    ("other", re.compile(r"initiali[sz]er|regulari[sz]er|" + _OTHER_POOLING.pattern)),
    ("conv", re.compile(r"conv(?!ert)")),
    ("pool", re.compile(r"(?<!un)pool")),
    ("fc", re.compile(r"fc|dense|full_?conn|fully|inner_?product|(?<!bi)linear|affine|matmul|xw_plus_b")),
    # What may stand between the pooling and the first fully connected layer beside a reshape.
    ("same", re.compile(r"drop|^identity$|^transpose$|^squeeze$|relu|^cast$|^cond$|^stop_gradient$|^print$")),
)
# What makes a layer's parameters is no layer, though its name may tell for which.
_PARAMETER = re.compile(r"weight|filter|kernel|bias|param|init|(^|_)vars?(_|$)")
# How the order of channels before rows and columns is called, which is not the block's.
_CHANNELS_FIRST = ("NCHW", "NCDHW", "channels_first")
_RESHAPES = ("tensorflow.reshape", "tensorflow.compat.v1.reshape")
# Their layers are objects, or no tensors of TensorFlow: the block cannot be called on what they give.
_FOREIGN = {"chainer", "jax", "keras", "lasagne", "mxnet", "numpy", "paddle", "tensorlayer", "theano", "torch"}

_LOOPS = (ast.For, ast.AsyncFor, ast.While)

_Input = collections.namedtuple("_Input", "op read")  # read is None where one call stands inside another
_Read = collections.namedtuple("_Read", "expr function binding")
# stmt is None for a parameter. `sources`: the reads, or for an `if` the bindings, that the operations came by.
_Binding = collections.namedtuple("_Binding", "stmt function ops looped sources")


class _Op:
    """A call that takes tensors or makes them."""

    def __init__(self, kind, expr, function, inputs, branches, looped):
        self.kind = kind
        self.expr = expr
        self.function = function
        self.inputs = inputs
        self.branches = branches
        self.names = set()
        calls = expr.args + [keyword.value for keyword in expr.keywords] if isinstance(expr, ast.Call) else []
        self.strings = {value for value in map(_literal, calls) if isinstance(value, str)}
        before = [item.op for item in inputs if item.op.feature]
        self.feature = bool(before) or kind in ("conv", "pool", "block", "attention")
        self.foreign = kind == "foreign" or any(op.foreign for op in before)
        self.behind_fc = any(op.kind == "fc" or op.behind_fc for op in before)
        # How many poolings there are on the ways that lead here, and whether one of them is in a loop.
        pools = kind in ("pool", "block")
        counts = set().union(*[op.poolings for op in before]) or {0}
        self.poolings = {count + pools for count in counts}
        self.looped = (pools and looped) or any(op.looped for op in before)


class _Flow:
    """Follows tensors through the functions of a file, without running it.

    `ops` holds every call of every function, in source order, `uses` the plain reads. Both ways of an `if` count; a
    loop counts once.
    """

    def __init__(self, tree):
        self.ops = []
        self.uses = []  # what only returns a tensor or gives it another name, as operations
        self.origins = {}  # a name in the file -> what was imported under it
        self.imports_tensorflow = False
        literals = [node for node in ast.walk(tree) if type(node).__name__ in ("Constant", "Str")]  # Str: Python 3.7
        self.channels_first = [node.lineno for node in literals if _literal(node) in _CHANNELS_FIRST]
        self._foreign_star = False  # names of unknown origin may be another framework's
        self.owner = {}  # function -> its class
        self._classes = _classes(tree)
        self.module_functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self._assigned = {}  # (class, attribute) -> the methods that assign it, in order
        self._objects = set()  # (class, attribute) of those that hold what a call gave
        self._ends = {}  # function -> its variables at its end
        self._branches = ()
        self._jumps = []  # of each loop around: the variables at its `break` and `continue` statements
        self._function = None
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node)
            elif isinstance(node, ast.ClassDef):
                self.owner.update((item, node) for item in node.body if isinstance(item, ast.FunctionDef))
        for method in self.owner:
            for node in ast.walk(method):
                if isinstance(node, ast.Assign):
                    self._note_attributes(method, node)
        for function in sorted((node for node in nodes if isinstance(node, ast.FunctionDef)), key=lambda f: f.lineno):
            self._end(function)

    def _import(self, node):
        for alias in node.names:
            if isinstance(node, ast.Import):
                module, name = alias.name, alias.asname or alias.name.split(".")[0]
                self.origins[name] = module if alias.asname else name
            else:
                module = "." * node.level + (node.module or "")
                self.origins[alias.asname or alias.name] = f"{module}.{alias.name}"
                self._foreign_star |= alias.name == "*" and module.split(".")[0] in _FOREIGN
            self.imports_tensorflow |= module.split(".")[0] == "tensorflow"

    def _note_attributes(self, method, stmt):
        made = isinstance(stmt.value, ast.Call) and "partial" not in (_key(stmt.value.func) or "")
        for target in stmt.targets:
            for item in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                own = self.own_name(method) + "."
                if (_key(item) or "").startswith(own):
                    slot = (self.owner[method], _key(item)[len(own) :])
                    self._assigned.setdefault(slot, {})[method] = None
                    if made:
                        self._objects.add(slot)

    def own_name(self, function):
        """What a method calls its object: `self`. Nothing, for a plain function."""
        return function.args.args[0].arg if function in self.owner and function.args.args else ""

    def _end(self, function):
        if function not in self._ends:
            self._ends[function] = {}  # what a method finds that is called while it runs
            outer = self._function, self._branches, self._jumps
            self._function, self._branches, self._jumps = function, (), []
            own, arguments = self.own_name(function), function.args
            env = {}
            for argument in arguments.args + arguments.kwonlyargs:
                if argument.arg != own:
                    op = _Op("input", argument, function, [], (), False)
                    env[argument.arg] = _Binding(None, function, (op,), False, ())
            self._run(function.body, env)
            self._ends[function] = env
            self._function, self._branches, self._jumps = outer
        return self._ends[function]

    def _run(self, body, env):
        """Follows statements and says whether the end is reached."""
        return all(self._statement(stmt, env) for stmt in body)

    def _statement(self, stmt, env):
        if isinstance(stmt, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return True
        heads = [getattr(stmt, head, None) for head in ("test", "iter", "subject", "exc", "msg")]
        read = [item for head in heads if head is not None for item in self._inputs(head, env)]
        ways = self._ways(stmt)
        if ways:
            return self._branch(stmt, ways, env, read)
        if isinstance(stmt, (ast.With, ast.AsyncWith)):
            for item in stmt.items:
                inputs = self._inputs(item.context_expr, env)
                if item.optional_vars is not None:
                    self._bind(item.optional_vars, inputs, stmt, env)
            return self._run(stmt.body, env)
        if isinstance(stmt, ast.Assign):
            self._assign(stmt.targets, stmt.value, stmt, env)
        elif isinstance(stmt, ast.AnnAssign) and stmt.value is not None:
            self._assign([stmt.target], stmt.value, stmt, env)
        elif isinstance(stmt, ast.AugAssign):
            inputs = self._inputs(stmt.target, env) + self._inputs(stmt.value, env)
            if inputs and _key(stmt.target):
                env[_key(stmt.target)] = self._binding(stmt, [self._op("other", stmt, inputs)])
        elif isinstance(stmt, (ast.Expr, ast.Return)) and stmt.value is not None:
            self._use(stmt.value, self._inputs(stmt.value, env))
        elif isinstance(stmt, (ast.Continue, ast.Break)) and self._jumps:
            self._jumps[-1].append(dict(env))
        return not isinstance(stmt, (ast.Return, ast.Raise, ast.Continue, ast.Break))

    @staticmethod
    def _ways(stmt):
        """The bodies of which one runs, for a statement that chooses."""
        if isinstance(stmt, ast.If):
            return [stmt.body, stmt.orelse]
        if isinstance(stmt, _LOOPS):
            return [stmt.body + stmt.orelse, []]
        if hasattr(stmt, "handlers"):
            return [stmt.body + stmt.orelse] + [handler.body for handler in stmt.handlers]
        if hasattr(stmt, "cases"):
            return [case.body for case in stmt.cases] + [[]]
        return []

    def _branch(self, stmt, ways, env, head):
        outer, ends = self._branches, []
        loops = isinstance(stmt, _LOOPS)
        for index, body in enumerate(ways):
            end = dict(env)
            self._branches = outer + ((stmt, index),)
            if loops and body:
                self._enter_loop(stmt, head, end)
            if self._run(body, end):
                ends.append(end)
            if loops and body:
                ends += self._jumps.pop()
        self._branches = outer
        if not ends:
            return False
        merged = {}
        for key in dict.fromkeys(itertools.chain(*ends)):
            found = list(dict.fromkeys(end[key] for end in ends if key in end))
            if key in env and env[key].ops and not all(key in end and end[key].ops for end in ends):
                continue  # one way gives the name to something else
            # What only one way of several makes is read after that way alone: the rest of the code sees to it.
            everywhere = all(key in end for end in ends) or not (loops or self._attribute(key))
            if len(found) == 1 and everywhere:
                merged[key] = found[0]
            else:
                ops = dict.fromkeys(op for binding in found for op in binding.ops)
                merged[key] = self._binding(stmt, ops, found)
        env.clear()
        env.update(merged)
        return self._run(getattr(stmt, "finalbody", []), env)

    def _enter_loop(self, stmt, head, env):
        """Binds the loop's variable. What the body assigns comes from before in the first round only."""
        self._jumps.append([])
        if not isinstance(stmt, ast.While):
            self._bind(stmt.target, self._part(stmt.iter, head), stmt, env)
        for node in ast.walk(stmt):
            key = _key(node) if isinstance(getattr(node, "ctx", None), ast.Store) else None
            before = key and (env.get(key) or self._attribute(key))
            if before:
                env[key] = before._replace(stmt=None)

    def _looped(self):
        return any(isinstance(stmt, _LOOPS) for stmt, _ in self._branches)

    def _binding(self, stmt, ops, sources=()):
        return _Binding(stmt, self._function, tuple(ops), self._looped(), tuple(sources))

    def _assign(self, targets, value, stmt, env):
        items = value.elts if isinstance(value, (ast.Tuple, ast.List)) else None
        inputs = [self._inputs(item, env) for item in items or [value]]
        self._use(value, itertools.chain(*inputs))
        for target in targets:
            unpacked = items and isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) == len(items)
            if unpacked and not any(isinstance(item, ast.Starred) for item in target.elts + items):
                for item, item_value, item_inputs in zip(target.elts, items, inputs):
                    self._bind(item, self._whole(item_value, item_inputs), stmt, env)
            else:
                self._bind(target, self._whole(value, list(itertools.chain(*inputs))), stmt, env)

    def _use(self, expr, inputs):
        plain = [item for item in inputs if item.read]
        if plain:
            self.uses.append(_Op("other", expr, self._function, plain, self._branches, self._looped()))

    def _whole(self, value, inputs):
        """What a value gives; a tuple or a list holds tensors, and is none."""
        return self._part(value, inputs) if isinstance(value, (ast.Tuple, ast.List)) else inputs

    def _part(self, expr, inputs):
        """What holds the inputs somehow, or is one of those that it holds."""
        return [_Input(self._op("other", expr, inputs), None)] if inputs else []

    def _bind(self, target, inputs, stmt, env):
        """Binds a target, or each of several, to what a value gives."""
        for item in getattr(target, "elts", ()):
            self._bind(item, inputs, stmt, env)
        if isinstance(target, ast.Starred):
            self._bind(target.value, self._part(target, inputs), stmt, env)
        key = _key(target)
        if key is None and isinstance(target, ast.Subscript):
            key = _key(target.value)  # an item that the text does not name: any of them
        if key is None:
            return
        for other in list(env):
            if other == _key(target) or other.startswith((f"{key}.", f"{key}[")):
                del env[other]
        ops = list(dict.fromkeys(item.op for item in inputs))
        if _key(target):
            # Also of what is no tensor: the name does not stand for what it did before.
            env[key] = self._binding(stmt, ops, [item.read for item in inputs if item.read])
            for op in ops:
                op.names.add(_last_name(target))

    def _op(self, kind, expr, inputs):
        op = _Op(kind, expr, self._function, inputs, self._branches, self._looped())
        self.ops.append(op)
        return op

    def _inputs(self, expr, env):
        """What an expression gives, as far as it comes from calls and parameters."""
        key = _key(expr)
        binding = key and (env.get(key) or self._attribute(key))
        if binding:
            read = _Read(expr, self._function, binding)
            return [_Input(op, read) for op in binding.ops]
        if isinstance(expr, ast.Call):
            return self._call(expr, env)
        if isinstance(expr, ast.Attribute):
            return [] if expr.attr in _NOT_TENSORS else self._inputs(expr.value, env)
        if isinstance(expr, ast.IfExp):
            return self._inputs(expr.body, env) + self._inputs(expr.orelse, env)
        if isinstance(expr, ast.Lambda):
            own = {node.arg for node in ast.walk(expr.args) if isinstance(node, ast.arg)}
            others = {key: found for key, found in env.items() if re.split(r"[.[]", key)[0] not in own}
            return self._inputs(expr.body, others)
        if type(expr).__name__ == "NamedExpr":  # Python 3.8
            inputs = self._inputs(expr.value, env)
            self._bind(expr.target, inputs, None, env)
            return inputs
        if hasattr(expr, "generators"):
            env = dict(env)
            for part in expr.generators:
                inputs = self._inputs(part.iter, env)
                self._bind(part.target, self._part(part.iter, inputs), None, env)
        inputs = [item for child in ast.iter_child_nodes(expr) for item in self._inputs(child, env)]
        if not inputs or isinstance(expr, (ast.Tuple, ast.List, ast.Starred, ast.BoolOp, ast.keyword)):
            return inputs
        return self._part(expr, inputs)

    def _call(self, call, env):
        name = _called(call)
        inputs = [] if isinstance(call.func, ast.Name) else self._inputs(call.func, env)
        arguments = call.args + [keyword.value for keyword in call.keywords]
        if call.args and self.origin(call.func) in _RESHAPES:
            arguments = call.args[:1]  # the sizes may be the pooling's, too
        for argument in arguments:
            inputs += self._inputs(argument, env)
        kind = self._kind(call, name)
        if name in _NOT_TENSORS or kind == "size":
            return []
        if kind == "conv" and not any(item.op.feature for item in inputs):
            kind = "other" if not inputs or _PARAMETER.search(name.lower()) else kind
        return [_Input(self._op(kind, call, inputs), None)]

    def lineage(self, cls):
        return _lineage(cls, self._classes)

    def _attribute(self, key):
        """The binding of an attribute that another method of the class, or of one that it inherits from, makes."""
        own = self.own_name(self._function)
        if not own or not key.startswith(own + "."):
            return None
        name = key[len(own) + 1 :]
        for cls in self.lineage(self.owner[self._function]):
            others = [function for function in self._assigned.get((cls, name), ()) if function is not self._function]
            found = [self._end(function).get(f"{self.own_name(function)}.{name}") for function in others]
            found = [binding for binding in found if binding and binding.ops]
            if len(found) > 1:
                return _Binding(None, None, tuple(op for binding in found for op in binding.ops), False, ())
            if found:
                return found[0]
        return None

    def assigned_by_calls(self, function, key):
        """The methods that a method calls, or that those call, and that assign an attribute of its object."""
        own = self.own_name(function)
        if not own or not key.startswith(own + "."):
            return []
        cls = self.owner[function]
        called, waiting = [], [function]
        while waiting:
            method = waiting.pop()
            names = {_key(node.func) for node in ast.walk(method) if isinstance(node, ast.Call)}
            for other, its_class in self.owner.items():
                if its_class is cls and f"{self.own_name(method)}.{other.name}" in names and other not in called:
                    called.append(other)
                    waiting.append(other)
        methods = self._assigned.get((cls, key[len(own) + 1 :]), ())
        return [method for method in called if method in methods and method is not function]

    def overriding(self, method):
        """The methods of subclasses in the file that stand for a method and do not call it."""
        return [other for other in self.owner if self._overrides(other, method) and not self.extends(other, method)]

    def _overrides(self, one, other):
        mine, its = self.owner.get(one), self.owner.get(other)
        return one.name == other.name and mine is not its and None not in (mine, its) and its in self.lineage(mine)

    def extends(self, one, other):
        """Whether a method of a subclass calls the one that it stands for."""
        called = {_called(node) for node in ast.walk(one) if isinstance(node, ast.Call)}
        return self._overrides(one, other) and other.name in called

    def exclusive(self, one, other):
        """Whether no run can reach both operations."""
        if any(a[0] is b[0] and a[1] != b[1] for a in one.branches for b in other.branches):
            return True
        return self._overrides(one.function, other.function) or self._overrides(other.function, one.function)

    def origin(self, expr):
        """The full name of a dotted name, by the file's imports."""
        first, _, rest = (_key(expr) or "").partition(".")
        return ".".join([self.origins.get(first, first)] + ([rest] if rest else []))

    def _foreign(self, expr):
        parts = self.origin(expr).split(".")
        if isinstance(expr, ast.Name) and self._foreign_star and expr.id not in {*self.origins, *self.module_functions}:
            return _kind_of_name(expr.id) is not None
        return parts[0] in _FOREIGN or (parts[0] == "tensorflow" and ("keras" in parts or parts[-1] == "Module"))

    def _kind(self, call, name):
        if name is None:
            return "other"
        if self.origin(call.func).rsplit(".", 1)[-1] == _BLOCK:
            return "attention"
        owner = self.owner.get(self._function)
        own = self.own_name(self._function)
        is_own = own and _key(call.func) == f"{own}.{name}"
        if self._foreign(call.func) or (owner and any(map(self._foreign, owner.bases))):
            return "foreign"
        if is_own and (owner, name) in self._objects:
            return "foreign"
        kind = _kind_of_name(name)
        if kind == "conv" and any(
            re.match(r"fc_?\d+$", value)
            for value in map(_literal, call.args + [keyword.value for keyword in call.keywords])
            if isinstance(value, str)
        ):
            return "fc"  # a fully connected layer, spelt as a convolution with a kernel of the map's size
        if name == "relu_layer" and self.origin(call.func).startswith("tensorflow."):
            return "fc"
        function = self._definition(call, name, is_own)
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)] if function else []
        kinds = {_kind_of_call(inner) for inner in calls}
        if kind == "pool" and "pool" not in kinds and any(_OTHER_POOLING.search(_called(c) or "") for c in calls):
            return "other"
        if kind:
            return kind
        # A name that says nothing: what does the function do, if it is here?
        if any(self.origin(inner.func).rsplit(".", 1)[-1] == _BLOCK for inner in calls):
            return "attention"
        if calls and all(_called(inner) in _SIZES for inner in calls):
            return "size"
        if {"conv", "pool"} <= kinds:
            return "block"
        return next((kind for kind in ("fc", "conv", "pool", "flat", "same") if kind in kinds), "other")

    def _definition(self, call, name, is_own):
        """The function of the file that a call runs, if it is here."""
        if is_own:
            lineage = self.lineage(self.owner[self._function])
            methods = {(its_class, item.name): item for item, its_class in self.owner.items()}
            return next((methods[cls, name] for cls in lineage if (cls, name) in methods), None)
        if not isinstance(call.func, ast.Name):
            return None
        nested = [node for node in ast.walk(self._function) if isinstance(node, ast.FunctionDef)]
        return {**self.module_functions, **{node.name: node for node in nested}}.get(name)


def _classes(tree):
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def _lineage(cls, classes):
    """A class and those of the file that it inherits from, the nearest first."""
    found = [cls]
    for one in found:
        bases = [classes.get(_last_name(base)) for base in one.bases if _key(base)]
        found += [base for base in bases if base and base not in found]
    return found


def _called(call):
    """The last name of what is called; None for what another call gave."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)


def _kind_of_call(call):
    """What a call's name says, or that of the call whose result is called, as in Dense(10)(x)."""
    while isinstance(call.func, ast.Call):
        call = call.func
    return _kind_of_name(_called(call) or "")


def _kind_of_name(name):
    return next((kind for kind, pattern in _KINDS if pattern.search(name.lower())), None)


def _bindings(items):
    """How many bindings are read, each of which would need a block of its own."""
    return len({item.read.binding for item in items})


def _earlier(item):
    """The items from where the name that is read only took its tensor over from another; none if it was made there."""
    found, waiting = [], list(item.read.binding.sources)
    while waiting:
        source = waiting.pop()
        if isinstance(source, _Read):
            found += [_Input(item.op, source)] * (item.op in source.binding.ops)
        elif item.op in source.ops:
            if not source.sources:
                return []
            waiting += source.sources
    return found


def _under_one_name(items):
    """The items, gone back through other names of the tensor until all read one; as they are, where there is none."""
    ways = []
    for item in items:
        way, waiting = {}, [item]
        for one in waiting:
            way.setdefault(one.read.binding, []).append(one)
            waiting += [earlier for earlier in _earlier(one) if earlier not in waiting]
        ways.append(way)
    common = next((binding for binding in ways[0] if all(binding in way for way in ways)), None)
    return items if common is None else [one for way in ways for one in way[common]]


def _through_flat(op):
    """What an operation takes, seen through reshapes and the like."""
    return _through(op, ("flat", "same"))


def _layers(op):
    """The nearest layers to an operation, itself or before it."""
    layers = ("conv", "pool", "fc", "block", "attention")
    if op.kind in layers:
        return [op]
    return [item.op for item in _through(op, ("flat", "same", "other", "foreign")) if item.op.kind in layers]


def _through(op, kinds):
    """The inputs with feature maps that are not of these kinds, of the operation and of those before it that are."""
    found, seen, waiting = [], {op}, [op]
    while waiting:
        for item in waiting.pop(0).inputs:
            if item.op.kind not in kinds:
                found += [item] * item.op.feature
            elif item.op not in seen:
                seen.add(item.op)
                waiting.append(item.op)
    return found


# ------------------------------------------------------------------------------------------ the place for the block


class _Doubt(Exception):
    """Why a network is left alone: rows looked at, and a sentence."""

    def __init__(self, rows, reason, other_network=False):
        super().__init__(reason)
        self.rows = sorted(set(rows))
        self.reason = reason
        self.other_network = other_network  # no VGG, so that a VGG in the same file can be patched all the same


def _rows(*ops):
    return [op.expr.lineno for op in ops]


def _places(flow, options):
    """Where the block belongs: lists of inputs that shall come from it, and what stands there already.

    Returns:
      (places, present, doubts): places, each a list of `_Input`; rows of the blocks that are there; `_Doubt`s.
    """
    if options.after or options.before:
        return _named_places(flow, options)
    heads, blocks, doubts = [], [], []
    for op in flow.ops:
        if op.kind != "fc" or op.behind_fc:
            continue
        items = _through_flat(op)
        if not items:
            continue
        try:
            attended = [item.op for item in items if item.op.kind == "attention"]
            blocks += attended
            if not attended:
                if all(item.read for item in items):
                    items = _under_one_name(items)
                _check_head(flow, op, items)
                heads.append((op, items))
        except _Doubt as doubt:
            doubts.append(doubt)
    groups = {}
    for op, items in heads:
        if any(_takes(block, [item.op for item in items]) for block in blocks):
            continue  # one of two that read the pooling has the block already: so it was meant
        reads = {id(item.read.expr) for item in items}
        group = groups.setdefault(items[0].read.binding, [])
        if any(flow.extends(op.function, other.function) for other, _, _ in group):
            continue  # what a subclass adds to the network is not on the way
        for other, other_reads, _ in group:
            if reads != other_reads and not flow.exclusive(op, other):
                doubts.append(
                    _Doubt(
                        _rows(op, other, items[0].op),
                        "more than one fully connected layer reads the pooling: name the one that shall take the "
                        "block's result with --before",
                    )
                )
        group.append((op, reads, items))
    places = [[item for _, _, items in group for item in items] for group in groups.values()]
    return places, _rows(*blocks), doubts


def _no_head(flow, skim):
    """The `_Doubt` about a file in which nothing was found, if there is anything in it to speak of."""
    pools = [op for op in flow.ops if op.kind == "pool" and op.poolings == {_POOLINGS} and not op.foreign]
    if pools:
        return [_Doubt(_rows(*pools), "no fully connected layer reads the fifth pooling; name the place with --after")]
    named = [op for op in flow.ops if isinstance(op.expr, ast.Call) and _kind_of_call(op.expr) in ("pool", "fc")]
    if named and not skim:
        return [_Doubt(_rows(*named), "no fully connected layer reads a fifth pooling that is TensorFlow 1's")]
    return []


def _check_head(flow, op, items):
    """Raises a `_Doubt` unless this fully connected layer reads the fifth block's pooling, and nothing else."""
    looked_at = _rows(op, *[item.op for item in items])
    between = [item.op for item in items if item.op.kind != "pool"]
    poolings = set().union(*[item.op.poolings for item in items])
    looped = any(item.op.looped for item in items)
    elsewhere = "; name the place with --after or --before"
    reason = None
    if any(item.op.foreign for item in items):
        reason = "its layers are not TensorFlow 1's: the block cannot take what they give"
    elif not flow.imports_tensorflow:
        reason = "the file does not import TensorFlow" + elsewhere
    elif between and between[0].kind == "block":
        reason = f"the pooling is inside the function that line {between[0].expr.lineno} calls" + elsewhere
    elif between:
        # The layers before what stands between, for the user to see.
        looked_at += _rows(*[layer for other in between for layer in _layers(other)])
        row = between[0].expr.lineno
        reason = f"the first fully connected layer does not read a pooling, but line {row}" + elsewhere
    elif looped:
        reason = "poolings are made in a loop, so that they cannot be counted" + elsewhere
    elif poolings != {_POOLINGS}:
        found = " or ".join(map(str, sorted(poolings)))
        count = "is 1 pooling" if found == "1" else f"are {found} poolings"
        reason = f"there {count} before the first fully connected layer, VGG has {_POOLINGS}" + elsewhere
    elif any(item.read is None for item in items):
        reason = "the pooling stands inside another call: give its result a name, on a line of its own"
    elif _bindings(items) > 1:
        reason = "the first fully connected layer reads the pooling under more than one name: give it one of its own"
    elif flow.channels_first:
        looked_at += flow.channels_first
        reason = "channels may come before rows and columns here, and the block takes them last: if they do not" + (
            elsewhere.replace(";", ",")
        )
    if reason:
        raise _Doubt(looked_at, reason, other_network=max(poolings) < _POOLINGS and not looped)


def _named(flow, name):
    """The operations of a layer: those whose result has the name, or those that are called with it as a string."""
    name = name.split(".")[-1]
    for found in ([op for op in flow.ops if name in op.names], [op for op in flow.ops if name in op.strings]):
        found = [op for op in found if op.feature]
        if found:
            return found
    return []


def _named_places(flow, options):
    after = _named(flow, options.after) if options.after else None
    before = _named(flow, options.before) if options.before else None
    for name, ops in ((options.after, after), (options.before, before)):
        if ops == []:
            return [], [], [_Doubt([], f"it has no layer {name}")]
    if before is not None:
        layers = dict.fromkeys(layer for op in before for layer in _layers(op))
        items = [item for layer in layers for item in _through_flat(layer)]
        takers = list(layers)
        if after is not None:
            if any(item.op.kind == "attention" and _takes(item.op, after) for item in items):
                after = [item.op for item in items]
            items = [item for item in items if item.op in after]
            if not items:
                return [], [], [_Doubt(_rows(*after, *takers), f"{options.before} does not read {options.after}")]
        elif all(item.read for item in items) and _bindings(_under_one_name(items)) > 1:
            items = [item for layer in layers for item in _through(layer, ("flat",))]  # what it reads itself
    else:
        # On the way to the first fully connected layers, if the network has any; else to whatever comes next.
        heads = [op for op in flow.ops if op.kind == "fc" and not op.behind_fc and _upstream(op) & set(after)]
        ways = set().union(*map(_upstream, heads)) if heads else set(flow.ops)
        readers = [op for op in flow.ops if op in ways]
        items = [item for op in readers for item in op.inputs if item.op in after]
        items = items or [item for op in flow.uses for item in op.inputs if item.op in after]
        takers = heads
    blocks = [item.op for item in items if item.op.kind == "attention"]
    if options.before is None:
        blocks = [op for op in flow.ops if op.kind == "attention" and _takes(op, after)]
    if blocks:
        return [], [op.expr.lineno for op in blocks], []
    try:
        return _grouped(items, takers, after or before, options), [], []
    except _Doubt as doubt:
        return [], [], [doubt]


def _takes(op, others):
    return any(item.op in others for item in op.inputs)


def _grouped(items, takers, layer, options):
    """The items by the function that binds what they read; raises a `_Doubt` where the place is not clear."""
    name = options.after or options.before
    looked_at = _rows(*takers, *[item.op for item in items], *layer)
    givers = [item.op for item in items] or layer
    if not items and not any(map(_is_flat, givers)):
        raise _Doubt(looked_at, f"nothing that follows reads {name}")
    if any(op.foreign for op in givers):
        raise _Doubt(looked_at, "its layers are not TensorFlow 1's: the block cannot take what they give")
    groups = {}
    for item in items:
        if item.read is None:
            raise _Doubt(looked_at, "the layer stands inside another call: give its result a name, on its own line")
        groups.setdefault(item.read.binding.function, []).append(item)
    groups = [_under_one_name(group) for group in groups.values()]
    for group in groups:
        if _bindings(group) > 1:
            raise _Doubt(
                looked_at,
                f"{name} stands for more than one layer: give --after or --before another, or each a name of its own",
            )
        if not takers and len({id(item.read.expr) for item in group}) > 1:
            raise _Doubt(looked_at, f"{name} is read in several places: name what shall read the block with --before")
    if any(map(_is_flat, givers)):
        raise _Doubt(looked_at, f"at {name} there is no feature map [batch, height, width, channels] any more")
    return groups


def _is_flat(op):
    """Whether what an operation gives is no feature map any more."""
    return op.kind in ("fc", "flat") or (op.behind_fc and op.kind not in ("conv", "pool", "block"))


def _upstream(op):
    """An operation and all that it comes from."""
    seen, waiting = {op}, [op]
    while waiting:
        for item in waiting.pop().inputs:
            if item.op not in seen:
                seen.add(item.op)
                waiting.append(item.op)
    return seen


# -------------------------------------------------------------------------------------------------- the edits


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
    if skim and (b"pool" not in data.lower() or f"def {_BLOCK}(".encode() in data):
        return Plan(path, data, data, [], [], [], [], [])
    source = _Source(data, path)
    try:
        flow = _Flow(source.tree)
    except RecursionError:
        raise PatchError(f"{path}: nested too deep to be followed; nothing was changed") from None
    if skim and not any(op.feature for op in flow.ops):
        return Plan(path, data, data, [], [], [], [], [])
    places, present, doubts = _places(flow, options)
    if not (places or present or doubts):
        doubts = _no_head(flow, skim)
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
    except _Doubt as doubt:
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
    if _MARK.encode("ascii") in data:
        after = _reverted(_Source(data, path))
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
        raise _Doubt(otherwise, f"{_BLOCK} is there already, made otherwise than by an import at the top")
    for one, other in itertools.combinations([items[0] for items in places], 2):
        if one.read.binding.function is other.read.binding.function and not flow.exclusive(one.op, other.op):
            raise _Doubt(
                _rows(one.op, other.op),
                "two networks are made in one function, and each block needs a scope of its own: put them in one after "
                "the other with --after NAME --scope NAME",
            )
    for items in places:
        function = items[0].read.binding.function
        block, changed = _call_edits(source, flow, items, options, imported or _BLOCK, functions.count(function))
        functions.append(function)
        blocks.append(block)
        edits += changed
    if not imported:
        prefix, module, modules = _module(source, options)
        line = f"from {prefix}{module} import {_BLOCK}  # {_MARK}"
        edits.append(source.insertion(_import_row(source), line))
    looked_at = [item.read.expr.lineno for items in places for item in items]
    looked_at += _rows(*[item.op for items in places for item in items])
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
                if alias.name == _BLOCK and id(node) in inner:
                    otherwise.append(node.lineno)
                elif alias.name == _BLOCK:
                    imported = alias.asname or alias.name
        elif _BLOCK in (getattr(node, "name", None), getattr(node, "id", None)):
            definition = isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if definition or isinstance(getattr(node, "ctx", None), ast.Store):
                otherwise.append(node.lineno)
    return imported, otherwise


def _changed(source, edits, looked_at):
    try:
        return _Source(source.edited(edits), source.path)
    except PatchError as error:
        reason = "there is no room for a new line: write what is on one line with if, else, try or with on two"
        raise _Doubt(looked_at, reason) from error


def _call_edits(source, flow, items, options, function_name, number):
    """The call that is put in, and the edits: its line, and what reads its result."""
    reads = list({id(item.read.expr): item.read for item in items}.values())
    binding = reads[0].binding
    looked_at = _rows(*[item.op for item in items]) + [read.expr.lineno for read in reads]
    if binding.stmt is None:
        raise _Doubt(looked_at, "what is read there is not made in one place: give the pooling a name of its own")
    if binding.looped:
        raise _Doubt(looked_at, "the layer is made in a loop, and a block can be made once: put it in by hand")
    others = flow.assigned_by_calls(binding.function, _key(reads[0].expr))
    if others:
        raise _Doubt(
            looked_at + [other.lineno for other in others], "a method called meanwhile assigns the layer again"
        )
    own = flow.own_name(binding.function)
    local = all(read.function is binding.function for read in reads)
    others = [] if local else flow.overriding(binding.function)
    if others:
        raise _Doubt(
            looked_at + [other.lineno for other in others],
            "a subclass makes the layer otherwise and would have no block: name another place with --after, --before",
        )
    spans = [source.span(read.expr) for read in reads]
    texts = {source.text[span[0] : span[1]] for span in spans if span}
    if None in spans or len(texts) > 1:
        raise _Doubt(looked_at, "the layer is spelt in an unusual way where it is read: write it plainly")
    text = texts.pop()
    row = source.last_row(binding.stmt)
    if local and any(read.expr.lineno <= row for read in reads):
        raise _Doubt(looked_at, "what reads the layer stands on the same line, or before it: give each its own line")

    scope = options.scope or "cbam"
    for op in flow.ops:
        # One class or one function builds in one graph, and there a scope can be used once.
        shared = op.function is binding.function or flow.owner.get(op.function) is flow.owner.get(binding.function)
        if op.kind == "attention" and shared and _scope(op.expr) == scope:
            reason = f"line {op.expr.lineno} has a block in the scope {scope}: give this one another with --scope NAME"
            raise _Doubt(looked_at + [op.expr.lineno], reason)

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
    mark = _MARK if len(reads) == 1 else f"{_MARK}, {len(reads)} reads"
    first, _ = source.line_of(binding.stmt.lineno)
    edits = [source.insertion(row, f"{source.indentation(first)}{call}  # {mark}")]
    return call, edits + [(start, end, variable) for start, end in spans]


def _scope(call):
    """The variable scope of a call of the block."""
    given = call.args[3:4] + [keyword.value for keyword in call.keywords if keyword.arg == "scope"]
    return _literal(given[0]) if given else "cbam"


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
            if isinstance(node, ast.ImportFrom) and [alias.name for alias in node.names] != [_BLOCK]:
                modules = ["." * node.level + (node.module or "")]
            if any(f"{module}.".startswith(f"{prefix}{name}.") for module in modules):
                return f"line {node.lineno} of {file}"
    return None


def _block_module():
    return _read(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "attention.py"))


def _is_block_module(path):
    return _read(path).replace(b"\r\n", b"\n") == _block_module()


def _check_block_module(path, options):
    """Raises unless the user's own module has the block, with the arguments it will be called with."""
    source = _Source(_read(path), path)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and node.name == _BLOCK:
            names = {argument.arg for argument in node.args.args + node.args.kwonlyargs}
            wanted = {"ratio": "inner_units_ratio", "scope": "scope", "start": "start"}
            for option, name in wanted.items():
                if getattr(options, option) is not None and name not in names:
                    raise PatchError(f"{path}: {_BLOCK} takes no {name}; leave --{option} out")
            return
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == _BLOCK for alias in node.names):
            return
    raise PatchError(f"{path}: expected a module with {_BLOCK}, found none; give another name with --attention-module")


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
            raise _Doubt(
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
                        yield path, _Source(data, path).tree


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
    flow = _Flow(source.tree)
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
            edits.append(source.insertion(row - 1, f"{source.indentation(row)}# {_MARK}{record}"))
    for row, allowed in loads.items():
        edits += [source.insertion(row - 1, source.indentation(row) + _TRUST % _MARK)] + allowed
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
        raise _Doubt([], f"what would be put in could not be taken out again: {error}") from error
    raise _Doubt([], "what would be put in could not be taken out again")


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
        if isinstance(stmts[0], ast.ImportFrom) and [alias.name for alias in stmts[0].names] == [_BLOCK]:
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
    made = {_last_name(node) for node in names if isinstance(node.ctx, ast.Store)}
    for node in names:
        if imported and _last_name(node) == _BLOCK and id(node) not in ours:
            raise PatchError(
                f"{source.path}: line {node.lineno} uses the import of {_BLOCK} that this command put in; take "
                "that use out first"
            )
        if (
            (calls or imported)
            and re.match(r"attention_feature(_\d+)?$", _last_name(node))
            and _last_name(node) not in made
        ):
            raise PatchError(
                f"{source.path}: line {node.lineno} reads {_last_name(node)}, but the line that made it is gone: make "
                "this line read again what it read before, then --revert takes the rest out"
            )
    after = source.edited(edits)
    try:
        _Source(after, source.path)
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
    (variable,), owner = [_key(target) for target in stmt.targets], ast.ClassDef
    if isinstance(stmt.targets[0], ast.Name):
        owner = ast.FunctionDef
    around = [node for node in ast.walk(source.tree) if isinstance(node, owner) and stmt in ast.walk(node)]
    span = source.span(stmt.value.args[0]) if _key(stmt.value.args[0]) else None
    if not around or span is None:
        raise source.edited_since(stmt.lineno)
    around = max(around, key=lambda node: node.lineno)
    if owner is ast.ClassDef:  # its subclasses may read what it makes
        classes = _classes(source.tree)
        nodes = [node for cls in classes.values() if around in _lineage(cls, classes) for node in ast.walk(cls)]
    else:
        nodes = ast.walk(around)
    uses = [
        node
        for node in dict.fromkeys(nodes)
        if _key(node) == variable and node is not stmt.targets[0] and isinstance(node, (ast.Name, ast.Attribute))
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
        source = _Source(data, plan.path)
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
