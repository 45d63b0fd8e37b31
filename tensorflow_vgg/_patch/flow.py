"""Follows tensors through the source of a network, without running it, to the place for the attention block."""

import ast
import collections
import itertools
import re

from tensorflow_vgg._patch.source import BLOCK, key_of, last_name_of, literal_of

__all__ = ["Doubt", "Flow", "classes_of", "find_no_head", "find_places", "lineage_of", "rows_of"]

_POOLINGS = 5
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
        self.strings = {value for value in map(literal_of, calls) if isinstance(value, str)}
        before = [item.op for item in inputs if item.op.feature]
        self.feature = bool(before) or kind in ("conv", "pool", "block", "attention")
        self.foreign = kind == "foreign" or any(op.foreign for op in before)
        self.behind_fc = any(op.kind == "fc" or op.behind_fc for op in before)
        # How many poolings there are on the ways that lead here, and whether one of them is in a loop.
        pools = kind in ("pool", "block")
        counts = set().union(*[op.poolings for op in before]) or {0}
        self.poolings = {count + pools for count in counts}
        self.looped = (pools and looped) or any(op.looped for op in before)


class Flow:
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
        self.channels_first = [node.lineno for node in literals if literal_of(node) in _CHANNELS_FIRST]
        self._foreign_star = False  # names of unknown origin may be another framework's
        self.owner = {}  # function -> its class
        self._classes = classes_of(tree)
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
        made = isinstance(stmt.value, ast.Call) and "partial" not in (key_of(stmt.value.func) or "")
        for target in stmt.targets:
            for item in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                own = self.own_name(method) + "."
                if (key_of(item) or "").startswith(own):
                    slot = (self.owner[method], key_of(item)[len(own) :])
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
            if inputs and key_of(stmt.target):
                env[key_of(stmt.target)] = self._binding(stmt, [self._op("other", stmt, inputs)])
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
            key = key_of(node) if isinstance(getattr(node, "ctx", None), ast.Store) else None
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
        key = key_of(target)
        if key is None and isinstance(target, ast.Subscript):
            key = key_of(target.value)  # an item that the text does not name: any of them
        if key is None:
            return
        for other in list(env):
            if other == key_of(target) or other.startswith((f"{key}.", f"{key}[")):
                del env[other]
        ops = list(dict.fromkeys(item.op for item in inputs))
        if key_of(target):
            # Also of what is no tensor: the name does not stand for what it did before.
            env[key] = self._binding(stmt, ops, [item.read for item in inputs if item.read])
            for op in ops:
                op.names.add(last_name_of(target))

    def _op(self, kind, expr, inputs):
        op = _Op(kind, expr, self._function, inputs, self._branches, self._looped())
        self.ops.append(op)
        return op

    def _inputs(self, expr, env):
        """What an expression gives, as far as it comes from calls and parameters."""
        key = key_of(expr)
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
        return lineage_of(cls, self._classes)

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
            names = {key_of(node.func) for node in ast.walk(method) if isinstance(node, ast.Call)}
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
        first, _, rest = (key_of(expr) or "").partition(".")
        return ".".join([self.origins.get(first, first)] + ([rest] if rest else []))

    def _foreign(self, expr):
        parts = self.origin(expr).split(".")
        if isinstance(expr, ast.Name) and self._foreign_star and expr.id not in {*self.origins, *self.module_functions}:
            return _kind_of_name(expr.id) is not None
        return parts[0] in _FOREIGN or (parts[0] == "tensorflow" and ("keras" in parts or parts[-1] == "Module"))

    def _kind(self, call, name):
        if name is None:
            return "other"
        if self.origin(call.func).rsplit(".", 1)[-1] == BLOCK:
            return "attention"
        owner = self.owner.get(self._function)
        own = self.own_name(self._function)
        is_own = own and key_of(call.func) == f"{own}.{name}"
        if self._foreign(call.func) or (owner and any(map(self._foreign, owner.bases))):
            return "foreign"
        if is_own and (owner, name) in self._objects:
            return "foreign"
        kind = _kind_of_name(name)
        if kind == "conv" and any(
            re.match(r"fc_?\d+$", value)
            for value in map(literal_of, call.args + [keyword.value for keyword in call.keywords])
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
        if any(self.origin(inner.func).rsplit(".", 1)[-1] == BLOCK for inner in calls):
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


def classes_of(tree):
    """The classes of a file by name."""
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def lineage_of(cls, classes):
    """A class and those of the file that it inherits from, the nearest first."""
    found = [cls]
    for one in found:
        bases = [classes.get(last_name_of(base)) for base in one.bases if key_of(base)]
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


class Doubt(Exception):
    """Why a network is left alone: rows looked at, and a sentence."""

    def __init__(self, rows, reason, other_network=False):
        super().__init__(reason)
        self.rows = sorted(set(rows))
        self.reason = reason
        self.other_network = other_network  # no VGG, so that a VGG in the same file can be patched all the same


def rows_of(*ops):
    """The numbers of the lines with these operations."""
    return [op.expr.lineno for op in ops]


def find_places(flow, options):
    """Where the block belongs: lists of inputs that shall come from it, and what stands there already.

    Returns:
      (places, present, doubts): places, each a list of `_Input`; rows of the blocks that are there; `Doubt`s.
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
        except Doubt as doubt:
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
                    Doubt(
                        rows_of(op, other, items[0].op),
                        "more than one fully connected layer reads the pooling: name the one that shall take the "
                        "block's result with --before",
                    )
                )
        group.append((op, reads, items))
    places = [[item for _, _, items in group for item in items] for group in groups.values()]
    return places, rows_of(*blocks), doubts


def find_no_head(flow, skim):
    """The `Doubt` about a file in which nothing was found, if there is anything in it to speak of."""
    pools = [op for op in flow.ops if op.kind == "pool" and op.poolings == {_POOLINGS} and not op.foreign]
    if pools:
        return [Doubt(rows_of(*pools), "no fully connected layer reads the fifth pooling; name the place with --after")]
    named = [op for op in flow.ops if isinstance(op.expr, ast.Call) and _kind_of_call(op.expr) in ("pool", "fc")]
    if named and not skim:
        return [Doubt(rows_of(*named), "no fully connected layer reads a fifth pooling that is TensorFlow 1's")]
    return []


def _check_head(flow, op, items):
    """Raises a `Doubt` unless this fully connected layer reads the fifth block's pooling, and nothing else."""
    looked_at = rows_of(op, *[item.op for item in items])
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
        looked_at += rows_of(*[layer for other in between for layer in _layers(other)])
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
        raise Doubt(looked_at, reason, other_network=max(poolings) < _POOLINGS and not looped)


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
            found = [str(known) for op in flow.ops if op.feature for known in sorted(op.names | op.strings, key=str)]
            known = ", ".join(list(dict.fromkeys(found))[-12:])
            return [], [], [Doubt([], f"it has no layer {name}; the last that it has: {known}")]
    if before is not None:
        layers = dict.fromkeys(layer for op in before for layer in _layers(op))
        items = [item for layer in layers for item in _through_flat(layer)]
        takers = list(layers)
        if after is not None:
            if any(item.op.kind == "attention" and _takes(item.op, after) for item in items):
                after = [item.op for item in items]
            items = [item for item in items if item.op in after]
            if not items:
                return [], [], [Doubt(rows_of(*after, *takers), f"{options.before} does not read {options.after}")]
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
    except Doubt as doubt:
        return [], [], [doubt]


def _takes(op, others):
    return any(item.op in others for item in op.inputs)


def _grouped(items, takers, layer, options):
    """The items by the function that binds what they read; raises a `Doubt` where the place is not clear."""
    name = options.after or options.before
    looked_at = rows_of(*takers, *[item.op for item in items], *layer)
    givers = [item.op for item in items] or layer
    if not items and not any(map(_is_flat, givers)):
        raise Doubt(
            looked_at,
            f"nothing that follows reads {name}: return it or give it another name, for the block's result to go there",
        )
    if any(op.foreign for op in givers):
        raise Doubt(looked_at, "its layers are not TensorFlow 1's: the block cannot take what they give")
    groups = {}
    for item in items:
        if item.read is None:
            raise Doubt(looked_at, "the layer stands inside another call: give its result a name, on its own line")
        groups.setdefault(item.read.binding.function, []).append(item)
    groups = [_under_one_name(group) for group in groups.values()]
    for group in groups:
        if _bindings(group) > 1:
            raise Doubt(
                looked_at,
                f"{name} stands for more than one layer: give --after or --before another, or each a name of its own",
            )
        if not takers and len({id(item.read.expr) for item in group}) > 1:
            raise Doubt(looked_at, f"{name} is read in several places: name what shall read the block with --before")
    if any(map(_is_flat, givers)):
        raise Doubt(looked_at, f"at {name} there is no feature map [batch, height, width, channels] any more")
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
