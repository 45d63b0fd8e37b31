"""The functions of a file as steps in source order: what each assigns and calls, and what comes from what.

Nothing is run. A name stands for what the nearest step before gave it on the same way through the branches.
"""

import ast
import re

from tensorflow_vgg._patch.source import BLOCK, key_of, literal_of

__all__ = ["Code", "exclusive", "in_loop", "inside", "strings_of"]

# What a call is taken for, by its name; the first that fits.
_KINDS = (
    ("size", re.compile(r"^(as_list|get_shape|int|isinstance|len|list|prod|range|rank|reduce|shape|size|tuple|type)$")),
    ("flat", re.compile(r"reshape|flatten")),
    # No block of a VGG ends in such a pooling; an initialiser is no layer, whatever for.
    ("other", re.compile(r"initiali[sz]er|regulari[sz]er|global\w*pool|pool\w*global|pool(ing)?_?[13]d")),
    ("conv", re.compile(r"conv(?!ert)")),
    ("pool", re.compile(r"(?<!un)pool")),
    ("fc", re.compile(r"fc|dense|full_?conn|fully|inner_?product|(?<!bi)linear|affine|matmul|xw_plus_b")),
    # What may stand between the pooling and the first fully connected layer beside a reshape.
    ("same", re.compile(r"drop|^identity$|^transpose$|^squeeze$|relu|^cast$|^cond$|^stop_gradient$|^print$")),
)
_NO_TENSORS = {"dtype", "get_shape", "name", "shape"}  # attributes
# Their layers are objects, or no tensors of TensorFlow: the block cannot be called on what they give.
_FOREIGN = {"chainer", "jax", "keras", "lasagne", "mxnet", "numpy", "paddle", "tensorlayer", "theano", "torch"}
_KERAS = re.compile(r"^tensorflow\b.*\.(keras\b|Module$)")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOPS = (ast.For, ast.While)


class Step:
    """A statement, or the head of one.

    Attributes:
      stmt, function: the statement, and the function it is in.
      path: (statement, number of the branch) for all around that choose or repeat.
      exprs: what it evaluates.
      values: key -> the value that it gives; None where that is a part of what it evaluates, or only changed.
    """

    def __init__(self, stmt, function, path):
        self.stmt, self.function, self.path = stmt, function, path
        self.values = {}
        nodes = list(ast.iter_child_nodes(stmt))
        nodes += [part for node in nodes if isinstance(node, ast.withitem) for part in ast.iter_child_nodes(node)]
        nodes = [node for node in nodes if isinstance(node, ast.expr)]
        targets = [node for node in nodes if isinstance(getattr(node, "ctx", None), ast.Store)]
        self.exprs = [node for node in nodes if node not in targets or isinstance(stmt, ast.AugAssign)]
        for target in targets:
            self._give(target, stmt.value if isinstance(stmt, (ast.Assign, ast.AnnAssign)) else None)

    def _give(self, target, value):
        items = getattr(target, "elts", [target])
        values = getattr(value, "elts", ()) if items != [target] else [value]
        for number, item in enumerate(items):
            if hasattr(item, "elts"):
                self._give(item, None)
            elif key_of(item):
                self.values[key_of(item)] = values[number] if len(values) == len(items) else None
            elif isinstance(item, ast.Subscript) and key_of(item.value):
                self.values[key_of(item.value) + "["] = None  # any of the items

    def gives(self, key):
        return any(key == name or key.startswith((name.rstrip("[") + "[", name + ".")) for name in self.values)


def _steps(body, function, path=()):
    for stmt in body:
        if not isinstance(stmt, _DEFINITIONS):
            yield Step(stmt, function, path + ((stmt, 0),) if isinstance(stmt, _LOOPS) else path)
            for number, inner in enumerate(_branches(stmt)):
                yield from _steps(inner, function, path if isinstance(stmt, ast.With) else path + ((stmt, number),))
            yield from _steps(getattr(stmt, "finalbody", []), function, path)


def _branches(stmt):
    """The bodies of which one runs, of a statement that chooses; a loop has one, which may not run."""
    if isinstance(stmt, ast.If):
        return [stmt.body, stmt.orelse]
    handlers = getattr(stmt, "handlers", [])
    return [getattr(stmt, "body", []) + getattr(stmt, "orelse", []), *(handler.body for handler in handlers)]


def exclusive(one, other):
    """Whether no run takes both paths."""
    return any(a[0] is b[0] and a[1] != b[1] for a in one for b in other)


def inside(path, around):
    """Whether a path goes through all that another does."""
    return path[: len(around)] == around


def in_loop(path):
    return any(isinstance(stmt, _LOOPS) for stmt, _ in path)


def _name_of_call(call):
    """The last name of what is called; of what gave that, as in Dense(10)(x)."""
    while isinstance(call.func, ast.Call):
        call = call.func
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def strings_of(call):
    """The strings that a call has among its arguments."""
    values = map(literal_of, call.args + [keyword.value for keyword in call.keywords])
    return [value for value in values if isinstance(value, str)]


def _kind_of_name(name):
    return next((kind for kind, pattern in _KINDS if pattern.search(name.lower())), None)


def _walk(expr):
    """An expression and what is in it, but for what has variables of its own."""
    yield expr
    if not isinstance(expr, _COMPREHENSIONS) and not (isinstance(expr, ast.Lambda) and expr.args.args):
        for child in ast.iter_child_nodes(expr):
            yield from _walk(child)


class Code:
    """A file's steps.

    Attributes:
      steps: function, or the syntax tree for the file's own lines -> its `Step`s.
      every: the steps of all of them.
      owner: method -> its class.
      imports: a name in the file -> what was imported under it.
      layers: the steps with convolutions, poolings and fully connected layers.
    """

    def __init__(self, tree):
        nodes = list(ast.walk(tree))
        functions = sorted((node for node in nodes if isinstance(node, ast.FunctionDef)), key=lambda node: node.lineno)
        self._functions = {function.name: function for function in functions}
        self.imports, self.owner = {}, {}
        for node in nodes:
            if isinstance(node, ast.ClassDef):
                self.owner.update((item, node) for item in node.body if isinstance(item, ast.FunctionDef))
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.split(".")[0]
                    self.imports[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "") + "."
                for alias in node.names:
                    key = alias.asname or (module + "*" if alias.name == "*" else alias.name)
                    self.imports[key] = module + alias.name
        self.steps = {function: list(_steps(function.body, function)) for function in [tree, *functions]}
        self.every = [step for steps in self.steps.values() for step in steps]
        self.layers = {step for step in self.every if self.calls(step, "conv", "pool", "block", "fc")}

    def origin(self, expr):
        """The full name of a dotted name, by the file's imports."""
        first, _, rest = (key_of(expr) or "").partition(".")
        return ".".join([self.imports.get(first, first)] + ([rest] if rest else []))

    def is_call(self, node, *kinds):
        return isinstance(node, ast.Call) and self._kind(node) in kinds

    def calls(self, step, *kinds):
        """The calls of these kinds in a step; without any, all."""
        nodes = [node for expr in step.exprs for node in _walk(expr) if isinstance(node, ast.Call)]
        return [node for node in nodes if not kinds or self.is_call(node, *kinds)]

    def read_by(self, step):
        return [read for expr in step.exprs for read in self.reads(expr)]

    def _kind(self, call):
        """What a call makes, by its name; where that says nothing, by what the function of this file calls."""
        name, inner = _name_of_call(call), []
        kind = _kind_of_name(name)
        if kind is None and name in self._functions and self.origin(call.func) == key_of(call.func):
            inner = [node for node in ast.walk(self._functions[name]) if isinstance(node, ast.Call)]
        if any(self.origin(node.func).split(".")[-1] == BLOCK for node in [call, *inner]):
            return "attention"
        if kind == "conv" and any(re.match(r"fc_?\d+$", value) for value in strings_of(call)):
            return "fc"
        kinds = {_kind_of_name(_name_of_call(node)) for node in inner}
        if kinds == {"size"}:
            return "size"
        if {"conv", "pool"} <= kinds:
            return "block"
        return kind or next((kind for kind in ("fc", "conv", "pool", "flat", "same") if kind in kinds), "other")

    def is_foreign(self, call, function):
        """Whether a layer is no function of TensorFlow 1, but an object's, or another framework's."""
        made = self.made_elsewhere(key_of(call.func) or "", function)
        values = [value for steps in made.values() for step in steps for value in step.values.values()]
        if any(isinstance(value, ast.Call) and _name_of_call(value) != "partial" for value in [call.func, *values]):
            return True
        names = [call.func] + (self.owner[function].bases if function in self.owner else [])
        origins = [self.origin(name) for name in names]
        if any(isinstance(name, ast.Name) and name.id not in {*self.imports, *self._functions} for name in names):
            origins += [name for name in self.imports if name.endswith(".*")]
        return any(origin.split(".")[0] in _FOREIGN or _KERAS.search(origin) for origin in origins)

    def leaves(self, expr):
        """What an expression gives on, seen through reshapes, dropout and the like: names, calls and others."""
        if isinstance(expr, ast.IfExp):
            parts = [expr.body, expr.orelse]
        elif isinstance(expr, ast.keyword):
            parts = [expr.value]
        elif isinstance(expr, ast.Lambda) and not expr.args.args:
            parts = [expr.body]
        elif self.is_call(expr, "flat", "same"):
            parts = expr.args + expr.keywords
        else:
            return [] if expr is None or self.is_call(expr, "size") else [expr]
        return [leaf for part in parts for leaf in self.leaves(part)]

    def reads(self, expr):
        """All that an expression reads by a name, but for the sizes."""
        if self.is_call(expr, "size") or (isinstance(expr, ast.Attribute) and expr.attr in _NO_TENSORS):
            return []
        inner = [read for child in ast.iter_child_nodes(expr) for read in self.reads(child)]
        return [expr, *inner] if key_of(expr) else inner

    def made(self, read, step):
        """The steps that made what a step reads, each on some way, and whether one of them did on every way."""
        key, found, ways = key_of(read), [], {}
        steps = self.steps[step.function]
        for other in reversed(steps[: steps.index(step)]):
            overwritten = any(inside(other.path, later.path) for later in found)
            if other.gives(key) and not overwritten and not exclusive(other.path, step.path):
                found.append(other)
                inner = [part for part in other.path if part not in step.path]
                if not inner:
                    return found, True
                ways.setdefault(inner[0][0], set()).update({inner[0][1]} if len(inner) == 1 else ())
                if not in_loop(inner[:1]) and len(ways[inner[0][0]]) == len(_branches(inner[0][0])):
                    return found, True
        if found:
            return found, False
        found = [steps[-1] for steps in self.made_elsewhere(key, step.function).values()]
        return found, len(found) == 1

    def made_elsewhere(self, key, function):
        """The other methods that give an attribute of the object a value other than a constant, with these steps."""
        found, (own, _, attribute) = {}, key.partition(".")
        if function not in self.owner or own != _own_name(function):
            return found
        for method, cls in self.owner.items():
            name = f"{_own_name(method)}.{attribute}"
            steps = [step for step in self.steps[method] if step.gives(name)]
            steps = [step for step in steps if step.values.get(name) is None or self.reads(step.values[name])]
            if steps and cls is self.owner[function] and method is not function:
                found[method] = steps
        return found

    def comes_from(self, reads, step, targets):
        return bool(self.sources(reads, step, targets))

    def sources(self, reads, step, targets, indirect=True):
        """The reads, (read, step), by which what a step reads comes from the steps `targets`.

        Not by way of a fully connected layer; not `indirect`: only those of the step itself.
        """
        waiting, found, seen = [(read, step) for read in reads], [], []
        for read, at in waiting:
            makers, _ = self.made(read, at)
            if any(maker in targets for maker in makers):
                found.append((read, at))
            for maker in makers if indirect else []:
                if maker not in targets and maker not in seen and not self.calls(maker, "fc"):
                    seen.append(maker)
                    waiting += [(inner, maker) for inner in self.read_by(maker)]
        return found


def _own_name(method):
    """What a method calls its object: `self`."""
    return method.args.args[0].arg if method.args.args else ""
