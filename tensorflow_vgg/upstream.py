"""Tells upstream's modules from modules that somebody changed, by their syntax tree, without running them.

What a function does is put into a few lines of text, its facts: what it returns, what it sets, what it calls, with
local names replaced by what they stand for. How a thing is spelt (names of locals, keyword or position, one line
or three) then makes no difference, nor do comments, prints, `allow_pickle` or the order of imports. A module is
upstream's if it has upstream's classes, methods and functions with their arguments and facts, and nothing else.
The facts below follow from upstream's interface and from the graphs recorded of it. In doubt a module is not
upstream's.
"""

import ast
import collections
import re

__all__ = ["NAMES", "difference"]

NAMES = ("utils", "vgg16", "vgg19", "vgg19_trainable")

# How TensorFlow 1 calls the arguments of the functions that the networks use.
_ARGUMENTS = {
    "tensorflow.concat": "values axis name",
    "tensorflow.constant": "value dtype shape name",
    "tensorflow.matmul": "a b",
    "tensorflow.nn.avg_pool": "value ksize strides padding data_format name",
    "tensorflow.nn.bias_add": "value bias data_format name",
    "tensorflow.nn.conv2d": "input filter strides padding use_cudnn_on_gpu data_format dilations name",
    "tensorflow.nn.dropout": "x keep_prob noise_shape seed name",
    "tensorflow.nn.max_pool": "value ksize strides padding data_format name",
    "tensorflow.nn.relu": "features name",
    "tensorflow.nn.softmax": "logits axis name",
    "tensorflow.reshape": "tensor shape name",
    "tensorflow.split": "value num_or_size_splits axis num name",
    "tensorflow.truncated_normal": "shape mean stddev dtype seed name",
    "tensorflow.Variable": "initial_value trainable collections validate_shape caching_device name",
    "tensorflow.variable_scope": "name_or_scope",
}
# Calls that move values about and decide no number of the network.
_PLUMBING = re.compile(
    r"(abs|dict|enumerate|float|format|int|isinstance|len|list|map|max|min|open|range|reversed|round|sorted|str|sum|"
    r"super|tuple|zip|locals|(os|inspect|time|sys|functools)(\.\w+)+|numpy\.(prod|array|asarray)|"
    r".*\.(any|all|append|as_list|close|format|get_shape|item|items|iteritems|join|keys|read|readlines|replace|"
    r"rsplit|split|strip|values|itervalues|__init__))\Z"
)
_CALL = r"(?:tensorflow|numpy|skimage|self)(?:\.\w+)+(?=\()"
_OPAQUE = "_"
# An import mended for today's TensorFlow.
_MENDED = {"tensorflow.compat.v1": "tensorflow"}

# A function's description: arguments; facts, in which _ stands for anything that is plumbing and ... for anything at
# all; calls that it makes once, wherever; constants that it must have and may have besides those of the facts.
_Function = collections.namedtuple("_Function", "arguments facts calls needs allows")


def _function(arguments, facts="", calls="", needs=(), allows=()):
    return _Function(arguments, [line.strip() for line in facts.strip().splitlines()], calls.split(), needs, allows)


_POOL = (
    "return tensorflow.nn.%s_pool(value=bottom, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME', name=name)"
)
_CONVOLUTION = (
    "return tensorflow.nn.relu(features=tensorflow.nn.bias_add(value=tensorflow.nn.conv2d(input=bottom, filter=%s, "
    "strides=[1, 1, 1, 1], padding='SAME'), bias=%s))"
)
_CONNECTED = (
    "return tensorflow.nn.bias_add(value=tensorflow.matmul(a=tensorflow.reshape(tensor=bottom, shape=[-1, %s]), b=%s), "
    "bias=%s)"
)
_SCOPE = "with tensorflow.variable_scope(name_or_scope=name)\n"
_BGR = "tensorflow.concat(values=[%s], axis=3)" % ", ".join(
    f"(tensorflow.split(value=(rgb * 255), num_or_size_splits=3, axis=3)[{colour}] - VGG_MEAN[{index}])"
    for index, colour in enumerate((2, 1, 0))
)
_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_WIDTHS = (64, 128, 256, 512, 512)


def _build_facts(net, trainable):
    """The facts of `build`: a line a layer."""
    lines = []
    bottom, inputs = _BGR, 3
    for block, (count, outputs) in enumerate(zip(_CONVOLUTIONS[net], _WIDTHS), 1):
        for number in range(1, count + 1):
            name = f"conv{block}_{number}"
            sizes = f"{inputs}, {outputs}, " if trainable else ""
            lines.append(f"self.{name} = self.conv_layer({bottom}, {sizes}'{name}')")
            bottom, inputs = f"self.{name}", outputs
        lines.append(f"self.pool{block} = self.max_pool({bottom}, 'pool{block}')")
        bottom = f"self.pool{block}"
    for number, inputs, outputs in ((6, 25088, 4096), (7, 4096, 4096), (8, 4096, 1000)):
        sizes = f"{inputs}, {outputs}, " if trainable else ""
        lines.append(f"self.fc{number} = self.fc_layer({bottom}, {sizes}'fc{number}')")
        if number == 8:
            continue
        bottom = f"self.relu{number}"
        lines.append(f"{bottom} = tensorflow.nn.relu(features=self.fc{number})")
        if trainable:
            dropout = f"tensorflow.nn.dropout(x={bottom}, keep_prob=self.dropout)"
            lines.append(f"{bottom} = tensorflow.cond(train_mode, lambda: {dropout}, lambda: {bottom})")
            lines.append(f"{bottom} = {dropout}")
    lines.append("self.prob = tensorflow.nn.softmax(logits=self.fc8, name='prob')")
    lines.append("self.data_dict = None")
    return "\n".join(lines)


def _frozen(net):
    path = f"{net}_npy_path"
    return {
        "__init__": _function(
            f"self, {path}=None", "self.data_dict = numpy.load(_).item()", needs=(f"{net}.npy",), allows=("..",)
        ),
        "build": _function("self, rgb", _build_facts(net, trainable=False), needs=(224,), allows=(1, 3, 4096)),
        "avg_pool": _function("self, bottom, name", _POOL % "avg"),
        "max_pool": _function("self, bottom, name", _POOL % "max"),
        "conv_layer": _function(
            "self, bottom, name", _SCOPE + _CONVOLUTION % ("self.get_conv_filter(name)", "self.get_bias(name)")
        ),
        "fc_layer": _function(
            "self, bottom, name",
            _SCOPE + _CONNECTED % (_OPAQUE, "self.get_fc_weight(name)", "self.get_bias(name)"),
            allows=(1,),
        ),
        "get_conv_filter": _function(
            "self, name", "return tensorflow.constant(value=self.data_dict[name][0], name='filter')"
        ),
        "get_bias": _function("self, name", "return tensorflow.constant(value=self.data_dict[name][1], name='biases')"),
        "get_fc_weight": _function(
            "self, name", "return tensorflow.constant(value=self.data_dict[name][0], name='weights')"
        ),
    }


def _variable(shape, index, kind):
    normal = f"tensorflow.truncated_normal(shape={shape}, mean=0, stddev=0.001)"
    return f"self.get_var({normal}, name, {index}, (name + '_{kind}'))"


_TRAINABLE = {
    "__init__": _function(
        "self, vgg19_npy_path=None, trainable=True, dropout=0.5",
        """
        self.data_dict = numpy.load(_).item()
        self.data_dict = None
        self.var_dict = {}
        self.trainable = trainable
        self.dropout = dropout
        """,
    ),
    "build": _function(
        "self, rgb, train_mode=None", _build_facts("vgg19", trainable=True), needs=(224,), allows=(True, 1, 3)
    ),
    "avg_pool": _function("self, bottom, name", _POOL % "avg"),
    "max_pool": _function("self, bottom, name", _POOL % "max"),
    "conv_layer": _function(
        "self, bottom, in_channels, out_channels, name",
        _SCOPE
        + _CONVOLUTION % tuple(f"self.get_conv_var(3, in_channels, out_channels, name)[{index}]" for index in (0, 1)),
    ),
    "fc_layer": _function(
        "self, bottom, in_size, out_size, name",
        _SCOPE
        + _CONNECTED % (("in_size",) + tuple(f"self.get_fc_var(in_size, out_size, name)[{index}]" for index in (0, 1))),
    ),
    "get_conv_var": _function(
        "self, filter_size, in_channels, out_channels, name",
        "returns [%s, %s]"
        % (
            _variable("[filter_size, filter_size, in_channels, out_channels]", 0, "filters"),
            _variable("[out_channels]", 1, "biases"),
        ),
    ),
    "get_fc_var": _function(
        "self, in_size, out_size, name",
        "returns [%s, %s]" % (_variable("[in_size, out_size]", 0, "weights"), _variable("[out_size]", 1, "biases")),
    ),
    "get_var": _function(
        "self, initial_value, name, idx, var_name",
        """
        tensorflow.Variable(initial_value=_, name=var_name)
        tensorflow.constant(value=_, name=var_name)
        self.var_dict[[name, idx]] = _
        return _
        """,
    ),
    "save_npy": _function(
        "self, sess, npy_path='./vgg19-save.npy'",
        "return npy_path",
        calls="numpy.save sess.run",
        allows=(0, 1),
    ),
    "get_var_count": _function("self", "return _", allows=(0, 1)),
}
_IMAGE = "skimage.io.imread skimage.transform.resize"
_DESCRIPTIONS = {
    "vgg16": ({"VGG_MEAN": "[103.939, 116.779, 123.68]"}, {"Vgg16": _frozen("vgg16")}, {}),
    "vgg19": ({"VGG_MEAN": "[103.939, 116.779, 123.68]"}, {"Vgg19": _frozen("vgg19")}, {}),
    "vgg19_trainable": ({"VGG_MEAN": "[103.939, 116.779, 123.68]"}, {"Vgg19": _TRAINABLE}, {}),
    "utils": (
        {},
        {},
        {
            "load_image": _function(
                "path",
                "return skimage.transform.resize(..., [224, 224])",
                _IMAGE,
                needs=(255,),
                allows=(0, 1, 2),
            ),
            "load_image2": _function(
                "path, height=None, width=None",
                "return skimage.transform.resize(..., [...])",
                _IMAGE,
                needs=(255,),
                allows=(0, 1),
            ),
            "print_prob": _function(
                "prob, file_path", "return ...[...]", "numpy.argsort", needs=(-1,), allows=(0, 1, 5, "r", "\n")
            ),
        },
    ),
}


def difference(name, source):
    """In what a module differs from upstream's of that name.

    Args:
      name: "vgg16", "vgg19", "vgg19_trainable" or "utils".
      source: the module's text, str or bytes.

    Returns:
      The first difference, in a few words; None if there is none that counts.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return "it is not Python 3"
    values, classes, functions = _DESCRIPTIONS[name]
    modules, found = _top_level(tree)
    if isinstance(found, str):
        return found
    found_values, found_classes, found_functions = found
    for what, expected, got in (
        ("constant", values, found_values),
        ("class", classes, found_classes),
        ("function", functions, found_functions),
    ):
        changed = set(expected) ^ set(got)
        if changed:
            return f"{what} {min(changed)}"
    known = set(values) | set(classes) | set(functions)
    for constant, text in values.items():
        if _Facts(modules, known).text(found_values[constant]) != text:
            return constant
    for class_name, methods in classes.items():
        for statement in found_classes[class_name].body:
            if not isinstance(statement, ast.FunctionDef) and not _is_docstring(statement):
                return f"class {class_name}: line {statement.lineno}"
        found_methods = {
            node.name: node for node in found_classes[class_name].body if isinstance(node, ast.FunctionDef)
        }
        changed = set(methods) ^ set(found_methods)
        if changed:
            return f"{class_name}.{min(changed)}"
        functions = dict(functions, **{f"{class_name}.{method}": methods[method] for method in methods})
        found_functions.update({f"{class_name}.{method}": node for method, node in found_methods.items()})
    for function, description in functions.items():
        reason = _function_difference(found_functions[function], description, modules, known)
        if reason:
            return f"{function}: {reason}"
    return None


def _top_level(tree):
    """The names of imported modules, and constants, classes and functions of a module or what should not be there."""
    modules = {}
    values, classes, functions = {}, {}, {}
    only_main = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                modules[alias.asname or top] = _MENDED.get(alias.name, alias.name) if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
            modules.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
        elif isinstance(node, ast.ClassDef):
            if node.decorator_list or node.keywords or [base for base in node.bases if _name(base) != "object"]:
                return modules, f"class {node.name}: its bases"
            classes[node.name] = node
        elif isinstance(node, ast.FunctionDef):
            functions[node.name] = node
        elif isinstance(node, ast.If) and "__name__" in {_name(part) for part in ast.walk(node.test)}:
            only_main.append(node)
        elif not _is_docstring(node):
            return modules, f"line {node.lineno}"
    # What only the module's own run as a script uses is of no matter to those who import it.
    used = {_name(part) for node in tree.body if node not in only_main for part in ast.walk(node)}
    for part in [part for node in only_main for part in ast.walk(node)]:
        if _name(part) not in used:
            functions.pop(_name(part), None)
    return modules, (values, classes, functions)


def _name(node):
    return node.id if isinstance(node, ast.Name) else None


def _is_docstring(node):
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(_value(node.value), str))


def _value(node):
    """The value of a constant, of 3.7's syntax tree and of later ones; a node without one gives the node."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Dict, ast.Set)):
        return node
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return node


def _function_difference(node, description, modules, known):
    arguments = _arguments(node)
    if arguments != description.arguments or node.decorator_list:
        return f"expected arguments ({description.arguments}), got ({arguments})"
    facts = _Facts(modules, known, [argument.arg for argument in node.args.args])
    facts.block(node.body)
    left = list(facts.found)
    for pattern in description.facts:
        match = next((fact for fact in left if _matches(pattern, fact)), None)
        if match is None:
            return f"not found: {_short(pattern)}"
        left.remove(match)
    for call in description.calls:
        if facts.calls.count(call) != 1:
            return f"{call}(): expected once, found {facts.calls.count(call)} times"
    for fact in left:
        if fact.startswith(("return", "with ", "self.")) or _deciding(re.findall(_CALL, fact), description.calls):
            return _short(fact)
    for call in _deciding(facts.calls, description.calls + re.findall(_CALL, " ".join(description.facts))):
        return f"{_short(call)}()"
    for constant in description.needs:
        if constant not in facts.constants:
            return f"not found: {constant!r}"
    in_facts = set(re.findall(r"'\w*'|(?<![\w.])-?\d[\w.]*", " ".join(description.facts)))
    for constant in facts.constants:
        described = constant is None or constant in description.needs + description.allows
        if not described and _text(constant) not in in_facts:
            return repr(constant)
    return None


def _deciding(calls, described):
    return [call for call in calls if not _PLUMBING.match(call) and call not in described]


def _short(text):
    text = text.replace("tensorflow.", "tf.").replace("numpy.", "np.")
    return text if len(text) <= 90 else text[:87] + "..."


def _arguments(node):
    """The arguments of a function as text: "self, rgb, train_mode=None"."""
    given = node.args
    if given.vararg or given.kwarg or given.kwonlyargs or getattr(given, "posonlyargs", None):
        return "*"
    plain = len(given.args) - len(given.defaults)
    defaults = [""] * plain + ["=" + repr(_value(default)) for default in given.defaults]
    return ", ".join(argument.arg + default for argument, default in zip(given.args, defaults))


def _matches(pattern, fact):
    """Whether a fact is the pattern, where _ stands for plumbing and ... for anything."""
    plumbing = r"(?:(?!tensorflow\.|skimage\.|self\.\w+\().)+"
    parts = re.split(r"((?<!\w)_(?!\w)|\.\.\.)", pattern)
    meaning = {"_": plumbing, "...": ".+"}
    return (
        re.match("".join(meaning.get(part) or re.escape(part) for part in parts) + r"\Z", fact, re.DOTALL) is not None
    )


def _text(value):
    """A constant as text, a whole float as an int: 255.0 and 255 do the same."""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return repr(value)


class _Facts:
    """Walks a function's statements in order and collects what they do.

    `found`: the facts. `calls`: the names of all functions called. `constants`: all numbers and strings.
    """

    def __init__(self, modules, known, arguments=()):
        self.modules = modules
        self.names = {name: name for name in list(known) + list(arguments)}
        self.found = []
        self.calls = []
        self.constants = []

    def block(self, statements, branch=False):
        for node in statements:
            self._statement(node, branch)

    def _statement(self, node, branch):
        if _is_docstring(node) or self._is_print(node):
            return
        if isinstance(node, ast.Assign):
            self._assign(node, branch)
        elif isinstance(node, ast.Return):
            several = isinstance(node.value, ast.Tuple)
            text = _text(None) if node.value is None else self.text(node.value)
            self.found.append(("returns " if several else "return ") + text)
        elif isinstance(node, ast.With):
            for item in node.items:
                text = self.text(item.context_expr)
                if text.startswith("tensorflow."):
                    self.found.append("with " + text)
                if item.optional_vars is not None:
                    self._forget(item.optional_vars)
            self.block(node.body, branch)
        elif isinstance(node, (ast.For, ast.While, ast.If)):
            self.text(node.iter if isinstance(node, ast.For) else node.test)
            if not isinstance(node, ast.If):
                self._forget(node)
            before = dict(self.names)
            for body in (node.body, node.orelse):
                self.names = dict(before)
                self.block(body, branch=True)
            self.names = before
            self._forget(node)
        elif isinstance(node, ast.AugAssign):
            self._effect(self.text(node.value))
            self._forget(node.target)
            if not isinstance(node.target, ast.Name):
                self.found.append(self.text(node.target) + " changed")
        elif isinstance(node, ast.Expr):
            self._effect(self.text(node.value))
        elif isinstance(node, ast.Assert):
            self.text(node.test)
        elif not isinstance(node, (ast.Delete, ast.Pass)):
            self.found.append(f"self.{type(node).__name__}")

    def _is_print(self, node):
        return (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and _name(node.value.func) in ("print", "print_function")
        )

    def _assign(self, node, branch):
        text = self.text(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                if branch:
                    self._effect(text)
                self.names[target.id] = text
            elif isinstance(target, ast.Tuple) and all(isinstance(part, ast.Name) for part in target.elts):
                for index, part in enumerate(target.elts):
                    self.names[part.id] = f"{text}[{index}]"
            else:
                self.found.append(f"{self.text(target)} = {text}")

    def _effect(self, text):
        """Keeps what is called for its own sake, or in one of several branches, unless it is plumbing."""
        if re.search(_CALL, text):
            self.found.append(text)

    def _forget(self, node):
        """What is assigned in a loop or a branch is not known after it."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self.names[part.id] = _OPAQUE

    def text(self, node):
        """An expression as text, in one spelling."""
        value = _value(node)
        if value is not node:
            self.constants.append(value)
            return _text(value)
        if isinstance(node, ast.Name):
            return self.names.get(node.id) or self.modules.get(node.id) or node.id
        if isinstance(node, ast.Attribute):
            return f"{self.text(node.value)}.{node.attr}"
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.BinOp):
            sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(node.op), type(node.op).__name__)
            return f"({self.text(node.left)} {sign} {self.text(node.right)})"
        if isinstance(node, ast.Subscript):
            index = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
            return f"{self.text(node.value)}[{self.text(index)}]"
        if isinstance(node, (ast.List, ast.Tuple)):
            return "[" + ", ".join(map(self.text, node.elts)) + "]"
        if isinstance(node, ast.Dict) and not node.keys:
            return "{}"
        if isinstance(node, ast.Lambda):
            return "lambda: " + self.text(node.body)
        if isinstance(node, ast.IfExp):
            self.text(node.test)
            for branch in (node.body, node.orelse):
                self._effect(self.text(branch))
            return _OPAQUE
        self._forget(node)
        parts = [
            self.text(part) for part in ast.iter_child_nodes(node) if isinstance(part, (ast.expr, ast.comprehension))
        ]
        return f"{type(node).__name__}<{', '.join(parts)}>"

    def _call(self, node):
        function = self.text(node.func)
        self.calls.append(function)
        names = _ARGUMENTS.get(function, "").split()
        given = []
        for index, argument in enumerate(node.args):
            given.append((names[index] if index < len(names) else None, argument))
        for keyword in node.keywords:
            # numpy.load's pickle arguments say how Python reads the file, not what is done with it.
            how = keyword.arg in ("allow_pickle", "encoding") and function.startswith("numpy.")
            # All weights are float32 anyway.
            same = keyword.arg == "dtype" and self.text(keyword.value) == "tensorflow.float32"
            if not how and not same:
                given.append((keyword.arg or "**", keyword.value))
        if all(name in names for name, _ in given):
            given.sort(key=lambda pair: names.index(pair[0]))
        return f"{function}(%s)" % ", ".join(
            f"{name}={self.text(value)}" if name else self.text(value) for name, value in given
        )
