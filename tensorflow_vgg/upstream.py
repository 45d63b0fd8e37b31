"""Tells upstream's modules from modules that somebody changed, by their syntax tree, without running them.

What a function does is put into a few lines of text, its facts: what it returns, sets, asserts, deletes and calls,
each with the conditions and loops around it, and with local names replaced by what they stand for. How a thing is
spelt (names of locals, keyword or position, one line or three, `if` one way round or the other) then makes no
difference, nor do comments, prints (but those of `print_prob`, which is there to print), `allow_pickle` or the order of
imports. Arithmetic is carried out: where images are cut is compared on a few sizes of image. A module is upstream's if
it has upstream's classes, methods and functions with their arguments and facts, and nothing else. The facts below
follow from upstream's interface and from the graphs recorded of it. In doubt a module is not upstream's.
"""

import ast
import collections
import operator
import re

__all__ = ["NAMES", "difference"]

NAMES = ("utils", "vgg16", "vgg19", "vgg19_trainable")

# What the functions that upstream uses call their arguments. One given as it is by default is as good as none.
_ARGUMENTS = {
    "numpy.load": "file mmap_mode",
    "numpy.save": "file arr allow_pickle fix_imports",
    "open": "file mode='r'",
    "skimage.transform.resize": "image output_shape order=1 mode='constant' cval=0 anti_aliasing=False",
    "tensorflow.concat": "values axis name",
    "tensorflow.cond": "pred true_fn false_fn",
    "tensorflow.constant": "value dtype=tensorflow.float32 shape name",
    "tensorflow.matmul": "a b",
    "tensorflow.nn.avg_pool": "value ksize strides padding data_format name",
    "tensorflow.nn.bias_add": "value bias data_format name",
    "tensorflow.nn.conv2d": "input filter strides padding use_cudnn_on_gpu data_format dilations name",
    "tensorflow.nn.dropout": "x keep_prob noise_shape seed name",
    "tensorflow.nn.max_pool": "value ksize strides padding data_format name",
    "tensorflow.nn.relu": "features name",
    "tensorflow.nn.softmax": "logits axis=-1 name",
    "tensorflow.reshape": "tensor shape name",
    "tensorflow.split": "value num_or_size_splits axis num name",
    "tensorflow.truncated_normal": "shape mean=0 stddev dtype=tensorflow.float32 seed name",
    "tensorflow.Variable": "initial_value trainable=True collections validate_shape caching_device name variable_def "
    "dtype=tensorflow.float32",
    "tensorflow.variable_scope": "name_or_scope",
}
# How Python reads a file, not what is done with it.
_READING = ("allow_pickle", "encoding", "fix_imports")
# What may be called and the result dropped or printed.
_HARMLESS = re.compile(
    r"(abs|float|int|len|list|max|min|range|repr|round|str|sum|tuple|type|time\.(time|clock|perf_counter)|"
    r".*\.(format|join|items|keys|values))\Z"
)
_COMPUTED = {function.__name__: function for function in (abs, float, int, len, max, min, round, sum)}
_OPERATORS = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
}
_COMPARISONS = {
    ast.Eq: ("==", operator.eq),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Is: ("is", operator.is_),
    ast.In: ("in", None),
}
_NEGATIVE = {ast.NotEq: ast.Eq, ast.IsNot: ast.Is, ast.NotIn: ast.In}
_MIRRORED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq}
# Imports mended for today's TensorFlow, and the switches that come with them.
_MENDED = {"tensorflow.compat.v1": "tensorflow"}
_SWITCHES = ("disable_v2_behavior", "disable_eager_execution")
# Values that grow and grow in a module that is not upstream's are given up.
_LONGEST = 5000
_LARGEST = 1e15
# Ways to say that all numbers of a list are multiplied.
_REDUCE = ("functools.reduce", "six.moves.reduce")
_TIMES = (
    "lambda argument0 argument1: (argument0 * argument1)",
    "lambda argument0 argument1: (argument1 * argument0)",
    "operator.mul",
)


# What a module imports, by name; the names that it defines; its methods' arguments.
_Module = collections.namedtuple("_Module", "imports known methods")
# A function's description: arguments; cases, each what is given and the facts then, a tuple where several will do and
# None among them where nothing will; facts that it may have besides.
_Function = collections.namedtuple("_Function", "arguments cases optional")


def _function(arguments, *facts, optional=()):
    return _Function(arguments, [({}, facts)], optional)


def _scoped(text):
    """A fact whose operations are made inside the layer's variable scope."""
    return re.sub(
        r"(?<![\w.])(tensorflow|self)\.(?=[\w.]+\()", r"tensorflow.variable_scope(name_or_scope=name)/\g<0>", text
    )


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
_CHANNELS = [f"tensorflow.split(value=(rgb * 255), num_or_size_splits=3, axis=3)[{colour}]" for colour in range(3)]
_BGR = "tensorflow.concat(values=[%s], axis=3)" % ", ".join(
    f"({_CHANNELS[colour]} - VGG_MEAN[{index}])" for index, colour in enumerate((2, 1, 0))
)
_INPUT_CHECKS = tuple(
    f"assert ({tensor}.shape[1:] == [224, 224, {channels}])"
    for tensor, channels in [("rgb", 3), ("(rgb * 255)", 3), (_BGR, 3)] + [(channel, 1) for channel in _CHANNELS]
)
_FC6_CHECKS = tuple(f"assert (self.fc6.shape{how})" for how in ("[1:] == [4096]", "[1] == 4096", "[-1] == 4096"))
_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_WIDTHS = (64, 128, 256, 512, 512)


def _loaded(path):
    return tuple(f"self.data_dict = numpy.load(file={path}){how}" for how in (".item()", "[]"))


def _build(arguments, net, trainable):
    """The description of `build`: a fact a layer."""
    facts = [_INPUT_CHECKS]
    bottom, inputs = _BGR, 3
    for block, (count, outputs) in enumerate(zip(_CONVOLUTIONS[net], _WIDTHS), 1):
        for number in range(1, count + 1):
            name = f"conv{block}_{number}"
            sizes = f"{inputs}, {outputs}, " if trainable else ""
            facts.append(f"self.{name} = self.conv_layer({bottom}, {sizes}'{name}')")
            bottom, inputs = f"self.{name}", outputs
        facts.append(f"self.pool{block} = self.max_pool({bottom}, 'pool{block}')")
        bottom = f"self.pool{block}"
    for number, inputs, outputs in ((6, 25088, 4096), (7, 4096, 4096), (8, 4096, 1000)):
        sizes = f"{inputs}, {outputs}, " if trainable else ""
        facts.append(f"self.fc{number} = self.fc_layer({bottom}, {sizes}'fc{number}')")
        if number == 8:
            continue
        bottom = f"self.relu{number}"
        facts.append(f"{bottom} = tensorflow.nn.relu(features=self.fc{number})")
        if trainable:
            dropout = f"tensorflow.nn.dropout(x={bottom}, keep_prob=self.dropout)"
            functions = f"true_fn=lambda: {dropout}, false_fn=lambda: {bottom}"
            facts.append(f"if train_mode is None: if self.trainable: {bottom} = {dropout}")
            facts.append(f"if not train_mode is None: {bottom} = tensorflow.cond(pred=train_mode, {functions})")
    facts.append("self.prob = tensorflow.nn.softmax(logits=self.fc8, name='prob')")
    facts.append("self.data_dict = None")
    if trainable:
        return _function(arguments, *facts, optional=_INPUT_CHECKS + _FC6_CHECKS)
    return _function(arguments, *facts, _FC6_CHECKS, optional=_INPUT_CHECKS)


def _frozen(net):
    path = f"{net}_npy_path"
    constant = "return tensorflow.constant(value=self.data_dict[name][%d], name='%s')"
    return {
        "__init__": _function(
            f"self, {path}=None", _loaded(f"(__file__/../'{net}.npy' if {path} is None else {path})")
        ),
        "build": _build("self, rgb", net, trainable=False),
        "avg_pool": _function("self, bottom, name", _POOL % "avg"),
        "max_pool": _function("self, bottom, name", _POOL % "max"),
        "conv_layer": _function(
            "self, bottom, name", _scoped(_CONVOLUTION % ("self.get_conv_filter(name)", "self.get_bias(name)"))
        ),
        "fc_layer": _function(
            "self, bottom, name",
            _scoped(_CONNECTED % ("product(bottom.shape[1:])", "self.get_fc_weight(name)", "self.get_bias(name)")),
        ),
        "get_conv_filter": _function("self, name", constant % (0, "filter")),
        "get_bias": _function("self, name", constant % (1, "biases")),
        "get_fc_weight": _function("self, name", constant % (0, "weights")),
    }


def _variables(shape, outputs, kind):
    pair = [
        f"self.get_var(tensorflow.truncated_normal(shape=[{sizes}], stddev=0.001), name, {index}, (name + '_{what}'))"
        for index, (sizes, what) in enumerate([(shape, kind), (outputs, "biases")])
    ]
    return "return [%s]" % ", ".join(pair)


def _trainable():
    convolution = "self.get_conv_var(3, in_channels, out_channels, name)"
    connected = "self.get_fc_var(in_size, out_size, name)"
    value = "(self.data_dict[name][idx] if (not self.data_dict is None and name in self.data_dict) else initial_value)"
    variable = (
        f"(tensorflow.Variable(initial_value={value}, name=var_name) if self.trainable else "
        f"tensorflow.constant(value={value}, name=var_name))"
    )
    key, tensor = "each(self.var_dict)", "each(self.var_dict.values())"
    return {
        "__init__": _function(
            "self, vgg19_npy_path=None, trainable=True, dropout=0.5",
            ("if vgg19_npy_path is None: self.data_dict = None", "self.data_dict = None"),
            tuple("if not vgg19_npy_path is None: " + fact for fact in _loaded("vgg19_npy_path")),
            "self.var_dict = {}1",
            "self.trainable = trainable",
            "self.dropout = dropout",
        ),
        "build": _build("self, rgb, train_mode=None", "vgg19", trainable=True),
        "avg_pool": _function("self, bottom, name", _POOL % "avg"),
        "max_pool": _function("self, bottom, name", _POOL % "max"),
        "conv_layer": _function(
            "self, bottom, in_channels, out_channels, name",
            _scoped(_CONVOLUTION % (convolution + "[0]", convolution + "[1]")),
        ),
        "fc_layer": _function(
            "self, bottom, in_size, out_size, name",
            _scoped(_CONNECTED % ("in_size", connected + "[0]", connected + "[1]")),
        ),
        "get_conv_var": _function(
            "self, filter_size, in_channels, out_channels, name",
            _variables("filter_size, filter_size, in_channels, out_channels", "out_channels", "filters"),
        ),
        "get_fc_var": _function(
            "self, in_size, out_size, name", _variables("in_size, out_size", "out_size", "weights")
        ),
        "get_var": _function(
            "self, initial_value, name, idx, var_name",
            f"self.var_dict[name, idx] = {variable}",
            f"assert ({variable}.shape == initial_value.shape)",
            f"return {variable}",
        ),
        "save_npy": _function(
            "self, sess, npy_path='./vgg19-save.npy'",
            (f"for self.var_dict: if not {key}[0] in {{}}1: {{}}1[{key}[0]] = {{}}2", None),
            (
                f"for self.var_dict: {{}}1[{key}[0]][{key}[1]] = sess.run({tensor})",
                f"for self.var_dict: {{}}1.setdefault({key}[0], {{}}2)[{key}[1]] = sess.run({tensor})",
            ),
            "numpy.save(file=npy_path, arr={}1)",
            "return npy_path",
            optional=("assert isinstance(sess, tensorflow.Session)",),
        ),
        "get_var_count": _function("self", f"return sum(every(product({tensor}.shape)))"),
    }


# Sizes of image on which cutting is compared, and the same ones on their sides: differences odd, even, small and large.
_SHAPES = [(7, 10, 3), (7, 12), (9, 11, 3), (9, 10, 4), (6, 6, 3), (4003, 6006, 3), (70001, 100004)]
_SHAPES += [(shape[1], shape[0]) + shape[2:] for shape in _SHAPES]
# Sizes of image and heights to scale them to, for widths the same on their sides: nearly halves, small and large.
_SCALED = [
    ((7, 10, 3), 1),
    ((10, 7), 6),
    ((100000, 99999, 3), 49999),
    ((100000, 99999, 3), 50001),
    ((70001, 100004, 3), 200003),
]
_READ = "skimage.io.imread(path)"
_IMAGE = f"({_READ} / 255)"
_RANGE = [
    (f"assert ({_IMAGE} {limit}).all()", f"assert ({_IMAGE}.{least}() {limit})")
    for limit, least in ((">= 0", "min"), ("<= 1", "max"))
]


def _resized(image, rows, columns):
    return f"return skimage.transform.resize(image={image}, output_shape=[{rows}, {columns}])"


def _shaped(shape):
    return {f"{_READ}.shape": shape, f"{_IMAGE}.shape": shape}


def _load_image():
    cases = []
    for shape in _SHAPES:
        edge = min(shape[:2])
        top, left = (shape[0] - edge) // 2, (shape[1] - edge) // 2
        part = f"{top or ''}:{top + edge}, {left or ''}:{left + edge}"
        cases.append((_shaped(shape), _RANGE + [_resized(f"{_IMAGE}[{part}]", 224, 224)]))
    return _Function("path", cases, ())


def _load_image2():
    sizes = [(shape, None, None) for shape in _SHAPES[::3]]
    sizes += [((7, 10, 3), height, width) for height, width in ((1, 1), (6, 4), (1, 200003), (200003, 1))]
    for shape, size in _SCALED:
        sizes += [(shape, size, None), ((shape[1], shape[0]) + shape[2:], None, size)]
    cases = []
    for shape, height, width in sizes:
        rows = height or round(shape[0] * (width or shape[1]) / shape[1])
        columns = width or round(shape[1] * (height or shape[0]) / shape[0])
        facts = (_resized(_IMAGE, rows, columns),) + ((f"return {_IMAGE}",) if not height and not width else ())
        cases.append((dict(_shaped(shape), height=height, width=width), [facts]))
    return _Function("path, height=None, width=None", cases, sum(_RANGE, ()))


def _print_prob():
    line = "each(open(file=file_path))"
    lines = [f"every({line}.{strip})" for strip in ("strip()", "rstrip()", r"strip('\n')", r"rstrip('\n')")]
    lines += ["open(file=file_path).read().%s" % how for how in ("splitlines()", r"split('\n')")]
    order = "prob.argsort()[::-1]"
    five = [f"{order}[each(range(5))]", f"each({order}[:5])"]
    return _function(
        "prob, file_path",
        tuple(f"print(['Top1: ', {labels}[{order}[0]], prob[{order}[0]]])" for labels in lines),
        tuple(f"print(['Top5: ', every([{labels}[{at}], prob[{at}]])])" for labels in lines for at in five),
        tuple(f"return {labels}[{order}[0]]" for labels in lines),
    )


_MEANS = {"VGG_MEAN": "[103.939, 116.779, 123.68]"}
# Constants, classes and functions of each module.
_DESCRIPTIONS = {
    "vgg16": (_MEANS, {"Vgg16": _frozen("vgg16")}, {}),
    "vgg19": (_MEANS, {"Vgg19": _frozen("vgg19")}, {}),
    "vgg19_trainable": (_MEANS, {"Vgg19": _trainable()}, {}),
    "utils": ({}, {}, {"load_image": _load_image(), "load_image2": _load_image2(), "print_prob": _print_prob()}),
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
        tree = ast.parse(source.lstrip("\ufeff") if isinstance(source, str) else source)
    except (SyntaxError, ValueError):
        return "it is not Python 3"
    try:
        return _tree_difference(name, tree)
    except RecursionError:
        return "an expression that is too long"


def _tree_difference(name, tree):
    values, classes, functions = _DESCRIPTIONS[name]
    imports, found = _top_level(tree)
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
    signatures = {f"self.{method}": of.arguments for cls in classes.values() for method, of in cls.items()}
    methods = {call: re.findall(r"(\w+)(?:=[^,]*)?", text)[1:] for call, text in signatures.items()}
    module = _Module(imports, set(values) | set(classes) | set(functions), methods)
    for constant, text in values.items():
        if _show(_Facts(module).visit(found_values[constant])) != text:
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
        reason = _function_difference(found_functions[function], description, module)
        if reason:
            return f"{function}: {reason}"
    return None


def _top_level(tree):
    """The names of imported modules, and constants, classes and functions of a module or what should not be there."""
    imports = {}
    values, classes, functions = {}, {}, {}
    only_main = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                imports[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
            imports.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            values[node.targets[0].id] = node.value
        elif isinstance(node, ast.ClassDef):
            if node.decorator_list or node.keywords or [base for base in node.bases if _name(base) != "object"]:
                return imports, f"class {node.name}: its bases"
            classes[node.name] = node
        elif isinstance(node, ast.FunctionDef):
            functions[node.name] = node
        elif isinstance(node, ast.If) and "__name__" in {_name(part) for part in ast.walk(node.test)}:
            only_main.append(node)
        elif not _is_docstring(node) and not _is_switch(node, imports):
            return imports, f"line {node.lineno}"
    # What only the module's own run as a script uses is of no matter to those who import it.
    used = {_name(part) for node in tree.body if node not in only_main for part in ast.walk(node)}
    for part in [part for node in only_main for part in ast.walk(node)]:
        if _name(part) not in used:
            functions.pop(_name(part), None)
    imports = {name: _MENDED.get(module, module) for name, module in imports.items()}
    return imports, (values, classes, functions)


def _name(node):
    return node.id if isinstance(node, ast.Name) else None


def _is_switch(node, imports):
    """Whether a statement is TensorFlow 1's behaviour switched on, which it is anyway."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.args or call.keywords:
        return False
    module = imports.get(_name(call.func.value))
    return call.func.attr in _SWITCHES and _MENDED.get(module, module) == "tensorflow"


def _is_docstring(node):
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(_value(node.value), str))


def _value(node):
    """The value of a constant, of 3.7's syntax tree and of later ones; a node without one gives the node."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.BinOp, ast.Call)):
        return node
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return node


def _function_difference(node, description, module):
    arguments = _arguments(node)
    if arguments != description.arguments or node.decorator_list:
        return f"expected arguments ({description.arguments}), got ({arguments})"
    seen = set()
    for given, expected in description.cases:
        prints = "print(" in repr(expected)  # of a function that is there to print
        facts = _Facts(module, [argument.arg for argument in node.args.args], given, prints)
        facts.block(node.body)
        seen |= facts.seen
        reason = _facts_difference(facts, expected, description.optional)
        if reason:
            return reason
    nodes = list(ast.walk(node))
    arms = [arm for part in nodes if isinstance(part, ast.IfExp) for arm in (part.body, part.orelse)]
    for part in arms + [part for part in nodes if isinstance(part, ast.stmt) and part is not node]:
        if part not in seen and not _is_docstring(part):
            return f"line {part.lineno}"  # none of the cases comes here
    return None


def _facts_difference(facts, expected, optional):
    left = list(facts.found)
    for which in expected:
        which = which if isinstance(which, tuple) else (which,)
        index = next((index for index, fact in enumerate(left) if fact in which), None)
        if index is not None and not any(_depend(left[index], fact) for fact in left[:index]):
            del left[index]
        elif None not in which:
            return f"not found: {_short(which[0])}"
    for fact in left:
        if fact not in optional:
            return _short(fact)
    # What is called and is no part of a fact, or is called twice over.
    counts = collections.Counter(facts.calls)
    for (_, call), count in counts.items():
        if count > 1 or not any(call in fact for fact in facts.found):
            return _short(call)
    return None


def _depend(fact, other):
    """Whether it matters which of two facts comes first: one sets what the other uses, or may use in a method."""
    for setter, user in ((fact, other), (other, fact)):
        target = re.search(r"(self\.\w+) = ", setter)
        if target and re.search(re.escape(target.group(1)) + r"\b|\bself\.\w+\(", user):
            return True
    return False


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


class _Term(str):
    """What is not known without running the module, as text in one spelling."""


_OPAQUE = _Term("_")


def _show(value):
    """A value as text, a whole float as an int: 255.0 and 255 do the same."""
    if isinstance(value, _Term):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_show, value)) + "]"
    if isinstance(value, slice):
        start, step = value.start or "", "" if value.step in (None, 1) else ":" + _show(value.step)
        return f"{start and _show(start)}:{'' if value.stop is None else _show(value.stop)}{step}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return repr(value)


def _is_known(value):
    if isinstance(value, (tuple, slice)):
        parts = value if isinstance(value, tuple) else (value.start, value.stop, value.step)
        return all(map(_is_known, parts))
    return not isinstance(value, _Term)


def _is_number(value):
    return isinstance(value, (int, float))


def _not(value):
    if not isinstance(value, _Term):
        return not value
    return _Term(value[4:] if value.startswith("not ") else f"not {value}")


def _and(values):
    unknown = [value for value in values if isinstance(value, _Term)]
    if not all(value for value in values if not isinstance(value, _Term)):
        return False
    if len(unknown) < 2:
        return unknown[0] if unknown else True
    return _Term("(" + " and ".join(unknown) + ")")


def _either(test, value, other):
    """What is `value` if the test holds, else `other`."""
    if test.startswith("not "):
        test, value, other = _not(test), other, value
    if isinstance(value, _Term) == isinstance(other, _Term) and _show(value) == _show(other):
        return value
    return _Term(f"({_show(value)} if {test} else {_show(other)})")


def _conjuncts(node):
    """The tests that a test asks for one and all."""
    parts = [node]
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        parts = node.values
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "all":
        # Of (a & b).all() and numpy.all(a & b).
        both = node.args[0] if node.args else node.func.value
        if isinstance(both, ast.BinOp) and isinstance(both.op, ast.BitAnd):
            parts = [
                ast.Call(func=ast.Attribute(value=side, attr="all", ctx=ast.Load()), args=[], keywords=[])
                for side in (both.left, both.right)
            ]
    return parts if parts == [node] else [part for value in parts for part in _conjuncts(value)]


def _product(value):
    """The product of values that a loop or comprehension goes through."""
    text = str(value)
    if text.startswith("every("):
        text = text[6:-1]
    text = re.sub(r"\Aint\((.*)\)\Z|(.*)\.value\Z", r"\1\2", text)
    match = re.match(r"each\((.*)\)\Z|(.+)\[each\(range\(1, len\(\2\)\)\)\]\Z", text)
    if match is None:
        return _Term(f"product({value})")
    return _Term(f"product({match.group(1) or match.group(2) + '[1:]'})")


def _elements(value):
    """What a loop over a value goes through, for a dict the dict."""
    return re.sub(r"\.(items|keys|values)\(\)\Z", "", _show(value))


def _rounded(value):
    if isinstance(value, tuple):
        return tuple(map(_rounded, value))
    return round(value) if isinstance(value, float) and abs(value) < _LARGEST else value


class _Facts(ast.NodeVisitor):
    """Walks a function's statements in order and collects what they do.

    `found`: the facts. `calls`: every call that may do something, as text. `seen`: the nodes walked through.
    Visiting an expression gives its value: a number, string, None or tuple where it is known, else a _Term.
    """

    def __init__(self, module, arguments=(), given=None, prints=False):
        self.module = module
        self.given = given or {}
        self.prints = prints
        self.names = {name: _Term(name) for name in module.known}
        self.names.update((name, self.given.get(name, _Term(name))) for name in arguments)
        self.found, self.calls, self.seen = [], [], set()
        self.where = self.scope = ""
        self.dicts = 0
        self.ended = False

    def visit(self, node):
        self.seen.add(node)
        value = _value(node)
        return super().visit(node) if value is node else value

    def generic_visit(self, node):
        if isinstance(node, ast.stmt):
            self._add(type(node).__name__)
            return None
        self._forget(node)
        kinds = (ast.expr, ast.comprehension)
        parts = [_show(self.visit(part)) for part in ast.iter_child_nodes(node) if isinstance(part, kinds)]
        return self._term(f"{type(node).__name__}<{', '.join(parts)}>")

    def block(self, statements):
        for node in statements:
            if not self.ended:
                self.visit(node)

    def _add(self, text):
        self.found.append(self.where + text)

    def _term(self, text):
        return self.given.get(text, _Term(text) if len(text) <= _LONGEST else _OPAQUE)

    def _forget(self, node):
        """What is assigned in a loop is not known before and after it."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self.names[part.id] = _OPAQUE

    def _bind(self, target, value):
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            for index, part in enumerate(target.elts):
                self._bind(part, self._item(value, index))
        else:
            text = _show(self.visit(target))
            self._add(f"{text} = {_show(value)}")
            # What a local name stands for is what it was before.
            for name, old in self.names.items():
                if isinstance(old, _Term) and re.search(re.escape(text) + r"\b", old):
                    self.names[name] = _Term(f"earlier({old})")

    def _item(self, value, *parts):
        if isinstance(value, tuple) and len(parts) == 1 and _is_known(parts):
            try:
                return value[parts[0]]
            except (IndexError, TypeError, ValueError):
                return _OPAQUE
        text = _show(value)
        index = [_show(part) for part in parts]
        while len(index) > 1 and index[-1] == ":":
            del index[-1]
        pair = re.match(r"each\((.*)\.items\(\)\)\Z", text)
        if pair and index in (["0"], ["1"]):
            return _Term(f"each({pair.group(1)}{'' if index == ['0'] else '.values()'})")
        if index == [f"each({text})"]:
            return _Term(f"each({text}.values())")
        return self._term(f"{text}[{', '.join(index)}]")

    # Statements.

    def visit_Pass(self, node):
        pass

    def visit_Expr(self, node):
        call = node.value
        if not isinstance(call, ast.Call) or _name(call.func) != "print":
            value = self.visit(call)
            if isinstance(value, _Term):
                self._add(str(value))
            return
        values = ", ".join([_show(self.visit(argument)) for argument in call.args + [k.value for k in call.keywords]])
        if self.prints:
            self._add(f"print({values})")

    def visit_Assign(self, node):
        value = self.visit(node.value)
        for target in node.targets:
            self._bind(target, value)
            # The name and the attribute are one from here on.
            if isinstance(target, ast.Attribute) and _name(node.value):
                self.names[node.value.id] = self.visit(target)

    def visit_AugAssign(self, node):
        value = self._operation(node.op, self.visit(node.target), self.visit(node.value))
        self._bind(node.target, value)

    def visit_Return(self, node):
        self._add("return " + _show(node.value and self.visit(node.value)))
        self.ended = True

    def visit_Assert(self, node):
        for part in _conjuncts(node.test):
            self._add("assert " + _show(self.visit(part)))

    def visit_Delete(self, node):
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self._add("del " + _show(self.visit(target)))

    def visit_With(self, node):
        scope = self.scope
        for item in node.items:
            value = self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, value)
            if not _show(value).startswith("open("):
                self.scope += _show(value) + "/"
        self.block(node.body)
        self.scope = scope

    def visit_If(self, node):
        tests = [self.visit(part) for part in _conjuncts(node.test)]
        test = _and(tests)
        if not isinstance(test, _Term):
            self.block(node.body if test else node.orelse)
            return
        branches = [(tests, node.body), ([_not(test)], node.orelse)]
        if test.startswith("not "):
            branches.reverse()
            test = _not(test)
        where, before, ends = self.where, self.names, []
        names = []
        for tests, body in branches:
            self.where = where + "".join(f"if {part}: " for part in tests)
            self.names = dict(before)
            self.block(body)
            ends.append(self.ended)
            names.append(self.names)
            self.ended = False
        self.where, self.ended = where, all(ends)
        self.names = {
            name: _either(test, *[branch.get(name, _OPAQUE) for branch in names]) for name in set().union(*names)
        }

    def visit_While(self, node):
        self._loop(node, f"while {_show(self.visit(node.test))}: ")

    def visit_For(self, node):
        value = self.visit(node.iter)
        if isinstance(value, tuple) and len(value) <= 3 and not node.orelse:  # of the three channels
            for element in value:
                self._bind(node.target, element)
                self.block(node.body)
            return
        element = _Term(f"each({_show(value)})")
        before, found, calls, dicts = dict(self.names), len(self.found), len(self.calls), self.dicts
        self._forget(node)
        self._bind(node.target, element)
        self.block(node.body[:-1])
        gathered = self._gathered(node.body[-1], before)
        if gathered and len(self.found) == found and not node.orelse:
            self.seen.add(node.body[-1])
            self.names.update(gathered)
            return
        self.names, self.dicts = before, dicts
        del self.found[found:], self.calls[calls:]
        self._loop(node, f"for {_elements(value)}: ", element)

    def _gathered(self, node, before):
        """The name and value of what a loop multiplies, adds up or appends, if that is what the statement does."""
        name = operation = value = None
        if isinstance(node, ast.AugAssign):
            name, operation, value = _name(node.target), node.op, node.value
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
            name, operation, value = _name(node.targets[0]), node.value.op, node.value.right
            if _name(value) == name:
                value = node.value.left
            elif _name(node.value.left) != name:
                return None
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and len(node.value.args) == 1:
            function, value = node.value.func, node.value.args[0]
            name = _name(function.value) if isinstance(function, ast.Attribute) else None
            operation = function.attr if name else None
        start = before.get(name)
        if isinstance(operation, ast.Mult) and start == 1:
            return {name: _product(self.visit(value))}
        if isinstance(operation, ast.Add) and _is_number(start) and start == 0:
            return {name: _Term(f"sum(every({_show(self.visit(value))}))")}
        if operation == "append" and start == ():
            return {name: _Term(f"every({_show(self.visit(value))})")}
        return None

    def _loop(self, node, where, element=None):
        self._forget(node)
        if element is not None:
            self._bind(node.target, element)
        outer, self.where = self.where, self.where + where
        self.block(node.body)
        self.ended = False
        self.where = outer + where + "else: "
        self.block(node.orelse)
        self.where, self.ended = outer, False
        self._forget(node)

    # Expressions.

    def visit_Name(self, node):
        return self.names.get(node.id, _Term(self.module.imports.get(node.id, node.id)))

    def visit_Attribute(self, node):
        text = f"{_show(self.visit(node.value))}.{node.attr}"
        return _Term("..") if text == "os.pardir" else self._term(text)

    def visit_Tuple(self, node):
        return tuple(self.visit(part) for part in node.elts)

    visit_List = visit_Tuple

    def visit_Dict(self, node):
        if node.keys:
            return self.generic_visit(node)
        self.dicts += 1
        return _Term(f"{{}}{self.dicts}")  # each is another one

    def visit_BinOp(self, node):
        return self._operation(node.op, self.visit(node.left), self.visit(node.right))

    def _operation(self, operation, left, right):
        sign, compute = _OPERATORS.get(type(operation), (type(operation).__name__, None))
        if compute and _is_number(left) and _is_number(right):
            try:
                value = compute(left, right)
            except ArithmeticError:
                return _OPAQUE
            return value if abs(value) < _LARGEST else _OPAQUE
        if sign == "*" and _is_number(left):
            left, right = right, left
        return self._term(f"({_show(left)} {sign} {_show(right)})")

    def visit_UnaryOp(self, node):
        value = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return _not(value)
        if isinstance(node.op, ast.USub):
            return -value if _is_number(value) else self._term(f"-{_show(value)}")
        return self.generic_visit(node)

    def visit_BoolOp(self, node):
        values = [self.visit(value) for value in node.values]
        return _and(values) if isinstance(node.op, ast.And) else _not(_and([_not(value) for value in values]))

    def visit_Compare(self, node):
        values = [self.visit(value) for value in [node.left] + node.comparators]
        return _and([self._comparison(type(op), *values[index : index + 2]) for index, op in enumerate(node.ops)])

    def _comparison(self, kind, left, right):
        if kind in _NEGATIVE:
            return _not(self._comparison(_NEGATIVE[kind], left, right))
        if kind is ast.Eq and right is None:
            kind = ast.Is
        sign, compute = _COMPARISONS[kind]
        if compute and _is_known(left) and _is_known(right):
            try:
                return compute(left, right)
            except TypeError:
                return _OPAQUE
        if kind in _MIRRORED and (
            _is_known(left) or (kind is ast.Eq and not _is_known(right) and _show(right) < _show(left))
        ):
            sign, left, right = _COMPARISONS[_MIRRORED[kind]][0], right, left
        if kind in (ast.Is, ast.In):
            text = _show(right)
            return self._term(f"{_show(left)} {sign} {text[:-7] if text.endswith('.keys()') else text}")
        return self._term(f"({_show(left)} {sign} {_show(right)})")

    def visit_IfExp(self, node):
        test = self.visit(node.test)
        if not isinstance(test, _Term):
            return self.visit(node.body if test else node.orelse)
        return _either(test, self.visit(node.body), self.visit(node.orelse))

    def visit_Subscript(self, node):
        value = self.visit(node.value)
        # Python 3.8 and earlier wrap indices, and keep several that are not all plain in `dims`.
        index = getattr(node.slice, "value", None) if type(node.slice).__name__ == "Index" else node.slice
        if type(index).__name__ == "ExtSlice":
            return self._item(value, *[self.visit(getattr(part, "value", part)) for part in index.dims])
        part = self.visit(index)
        return self._item(value, *(part if isinstance(part, tuple) and not isinstance(index, ast.List) else [part]))

    def visit_Slice(self, node):
        return slice(*[part and self.visit(part) for part in (node.lower, node.upper, node.step)])

    def visit_Lambda(self, node):
        before = dict(self.names)
        arguments = [argument.arg for argument in node.args.args]
        self.names.update((name, _Term(f"argument{index}")) for index, name in enumerate(arguments))
        text = _show(self.visit(node.body))
        self.names = before
        return self._term("lambda" + "".join(f" argument{index}" for index in range(len(arguments))) + ": " + text)

    def visit_ListComp(self, node):
        if len(node.generators) > 1 or node.generators[0].ifs:
            return self.generic_visit(node)
        before = dict(self.names)
        loop = node.generators[0]
        value = self.visit(loop.iter)
        made = []
        for element in value if isinstance(value, tuple) else [_Term(f"each({_show(value)})")]:
            self._bind(loop.target, element)
            made.append(self.visit(node.elt))
        self.names = before
        return tuple(made) if isinstance(value, tuple) else self._term(f"every({_show(made[0])})")

    visit_GeneratorExp = visit_ListComp

    def visit_Call(self, node):
        function = _show(self.visit(node.func))
        return self._call(function, self._arguments(function, node))

    def _arguments(self, function, node):
        """The arguments of a call, pairs of name and value, in the order in which they are declared."""
        if function in _ARGUMENTS:
            declared = [argument.partition("=")[::2] for argument in _ARGUMENTS[function].split()]
        else:
            declared = [(name, "") for name in self.module.methods.get(function, ())]
        names = [name for name, _ in declared]
        given = [(names[index] if index < len(names) else None, value) for index, value in enumerate(node.args)]
        given += [(keyword.arg or "**", keyword.value) for keyword in node.keywords]
        given = [(name, self.visit(value)) for name, value in given]
        if function == "open" or function.startswith("numpy."):
            given = [pair for pair in given if pair[0] not in _READING]
        given = [pair for pair in given if not pair[0] or (pair[0], _show(pair[1])) not in declared]
        if all(name in names for name, _ in given):
            given.sort(key=lambda pair: names.index(pair[0]))
        if function in self.module.methods and [name for name, _ in given] == names:
            return [(None, value) for _, value in given]
        return given

    def _call(self, function, arguments):
        values = [value for _, value in arguments]
        texts = [_show(value) for value in values]
        first = texts[0] if texts else ""
        receiver, _, method = function.rpartition(".")
        if function in ("os.path.abspath", "os.path.realpath", "os.path.normpath") and len(values) == 1:
            return values[0]
        if function == "os.path.dirname" and len(values) == 1:
            return _Term(f"{first}/..")
        if function == "os.path.join":
            return _Term("/".join(".." if text == "'..'" else text for text in texts))
        if function == "inspect.getfile" and first in self.module.known:
            return _Term("__file__")
        if method == "get_shape" and not values:
            return self._term(f"{receiver}.shape")
        if (method == "as_list" or (method == "readlines" and receiver.startswith("open("))) and not values:
            return self._term(receiver)
        if function in _REDUCE and first in _TIMES and texts[2:] in ([], ["1"]):
            function, first, values = "numpy.prod", texts[1], values[1:2]
        if function == "numpy.prod" and len(values) == 1:
            return _product(first if first.startswith("every(") else f"each({first})")
        if function == "int" and first.startswith("product("):
            return values[0]
        if function in ("list", "tuple") and len(values) == 1 and isinstance(values[0], (_Term, tuple)):
            return values[0]
        if function == "range" and first == "0" and len(values) == 2:
            return self._call(function, arguments[1:])
        if function == "dict" and not values:
            return self.visit_Dict(ast.Dict(keys=[], values=[]))
        if receiver == "numpy" and method in ("all", "any", "argsort", "max", "min") and len(values) == 1:
            return self._term(f"{first}.{method}()")
        if function in _COMPUTED and all(map(_is_known, values)):
            try:
                return _COMPUTED[function](*values)
            except (TypeError, ValueError, OverflowError):
                return _OPAQUE
        if function == "skimage.transform.resize":
            # Sizes of output are whole in the end.
            arguments = [(name, _rounded(value) if name == "output_shape" else value) for name, value in arguments]
        text = ", ".join(f"{name}={_show(value)}" if name else _show(value) for name, value in arguments)
        scope = self.scope if function.startswith(("tensorflow.", "self.")) else ""
        text = f"{scope}{function}({text})"
        if not _HARMLESS.match(function):
            self.calls.append((self.where, text))
        return self._term(text)
