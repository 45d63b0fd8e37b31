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
import math
import operator
import re

__all__ = ["NAMES", "difference"]

NAMES = ("utils", "vgg16", "vgg19", "vgg19_trainable")

# What the functions that upstream uses call their arguments. One given as it is by default is as good as none, and so
# is a name that the operation would have anyway, or how Python reads a file.
_ARGUMENTS = {
    "numpy.load": "file mmap_mode=None allow_pickle=True|False fix_imports=True encoding='latin1'|'latin-1'",
    "numpy.save": "file arr allow_pickle=True|False fix_imports=True|False",
    "open": "file mode='r'|'rt' buffering=-1 encoding='utf-8'|'utf8'|'latin1'",
    "sess.run": "fetches feed_dict=None",
    "skimage.transform.resize": "image output_shape order=1 mode='constant' cval=0 clip=True preserve_range=False "
    "anti_aliasing=False",
    "tensorflow.concat": "values axis name='concat'",
    "tensorflow.cond": "pred true_fn false_fn",
    "tensorflow.constant": "value dtype=tensorflow.float32 shape=None name verify_shape=False",
    "tensorflow.matmul": "a b transpose_a=False transpose_b=False adjoint_a=False adjoint_b=False a_is_sparse=False "
    "b_is_sparse=False name='MatMul'|None",
    "tensorflow.nn.avg_pool": "value ksize strides padding data_format='NHWC' name",
    "tensorflow.nn.bias_add": "value bias data_format='NHWC'|None name='BiasAdd'|None",
    "tensorflow.nn.conv2d": "input filter strides padding use_cudnn_on_gpu=True data_format='NHWC' dilations=[1,1,1,1] "
    "name='Conv2D'|None",
    "tensorflow.nn.dropout": "x keep_prob noise_shape=None seed=None name='dropout'|None",
    "tensorflow.nn.max_pool": "value ksize strides padding data_format='NHWC' name",
    "tensorflow.nn.relu": "features name='Relu'|None",
    "tensorflow.nn.softmax": "logits axis=-1 name",
    "tensorflow.reshape": "tensor shape name='Reshape'|None",
    "tensorflow.split": "value num_or_size_splits axis num=None name='split'",
    "tensorflow.truncated_normal": "shape mean=0 stddev dtype=tensorflow.float32 seed=None "
    "name='truncated_normal'|None",
    "tensorflow.Variable": "initial_value trainable=True collections=None validate_shape=True caching_device=None name "
    "variable_def=None dtype=tensorflow.float32|None",
    "tensorflow.variable_scope": "name_or_scope default_name=None values=None reuse=None",
}
# Modules whose import changes nothing. Another one may change TensorFlow, used or not.
_IMPORTED = re.compile(
    r"(__future__|argparse|collections|copy|cv2|datetime|functools|glob|inspect|io|itertools|json|logging|math|matplotlib|"
    r"numpy|operator|os|pickle|PIL|pprint|random|re|scipy|shutil|six|skimage|string|sys|tensorflow|time|typing|warnings)\b"
)
_ABOUT = re.compile(r"__(author|copyright|credits|date|email|license|maintainer|status|version)__\Z")
# What only writes.
_PRINT = re.compile(r"(print|pprint\.pprint|sys\.stdout\.(write|flush)|logging\.(debug|info|warning))\Z")
# What is changed in place without changing anything else: a result, an argument (of a name of its own), a tensor.
_NEW = re.compile(r"tensorflow\.|\w+\Z|.*\)\Z")
# What may be called and the result dropped or printed; the switches to TensorFlow 1's behaviour, which is on anyway.
_HARMLESS = re.compile(
    r"(tensorflow\.disable_(v2_behavior|eager_execution)|(?!tensorflow\.).*\.(format|join|items|keys|max|mean|min|std|values)|"
    r"abs|float|int|len|list|max|min|range|repr|round|sorted|str|sum|tuple|type|time\.(time|clock|perf_counter|strftime)|"
    r"numpy\.(amax|amin|max|mean|min|shape|std)|os\.path\.(basename|exists|getsize|isfile)|"
    r"super(\(.*\)\.__init__)?|open\(file=\w+\)\.close)\Z"
)
_COMPUTED = {function.__name__: function for function in (abs, float, int, len, max, min, round, sum)}
_COMPUTED.update({"math.floor": math.floor, "numpy.floor": math.floor, "numpy.round": round, "numpy.rint": round})
_CONSTANTS = {"os.pardir": "..", "os.path.pardir": "..", "os.sep": "/", "os.path.sep": "/"}
_OPERATORS = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
    ast.RShift: (">>", operator.rshift),
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
# Imports mended for today's TensorFlow.
_MENDED = {"tensorflow.compat.v1": "tensorflow"}
# A module whose text, values or walk grow beyond what upstream's could need is given up.
_LONGEST_MODULE = 200000
_LONGEST = 5000
_LARGEST = 1e15
_LARGEST_EXPONENT = 60
_MOST_VISITS = 6000
# What is a whole number already.
_WHOLE = re.compile(r"(product|sum)\(|.*\.shape\[\d\]\Z|each\(.*\.shape(\[1:\])?\)\Z")
# What is a list already, or gone through only.
_LISTED = re.compile(r"\A(every\(.*|open\(file=\w+)\)\Z|\.(items|keys|values)\(\)\Z|\.shape(\[[\d:]*\])?\Z")
# Ways to say that all numbers of a list are multiplied.
_REDUCE = ("functools.reduce", "six.moves.reduce")
_TIMES = (
    "lambda argument0 argument1: (argument0 * argument1)",
    "lambda argument0 argument1: (argument1 * argument0)",
    "operator.mul",
)


# What a module imports, by name; the names that it defines; its methods' arguments.
_Module = collections.namedtuple("_Module", "imports known methods")
# A function's description: arguments; cases, each what is given and the facts then, a list where several will do, in it
# a tuple for facts that belong together; facts that it may have besides.
_Function = collections.namedtuple("_Function", "arguments cases optional")


def _function(arguments, *facts, optional=frozenset()):
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
_CHECKED = [("rgb", 3), ("(rgb * 255)", 3), (_BGR, 3)] + [(channel, 1) for channel in _CHANNELS]
_INPUT_CHECKS = [f"assert ({tensor}.shape[1:] == [224, 224, {channels}])" for tensor, channels in _CHECKED] + [
    tuple(f"assert ({tensor}.shape[{axis}] == {size})" for axis, size in enumerate((224, 224, channels), 1))
    for tensor, channels in _CHECKED
]
_FC6_CHECKS = [f"assert (self.fc6.shape{how})" for how in ("[1:] == [4096]", "[1] == 4096", "[-1] == 4096")]
_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_WIDTHS = (64, 128, 256, 512, 512)


def _list(facts):
    return [facts] if isinstance(facts, str) else facts


def _flat(alternatives):
    return {fact for facts in alternatives for fact in _list(facts)}


def _loaded(path):
    return [f"numpy.load(file={path}){how}" for how in (".item()", "[]", ".tolist()")]


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
        relu = f"tensorflow.nn.relu(features=self.fc{number})"
        if trainable:
            dropout = f"tensorflow.nn.dropout(x={relu}, keep_prob=self.dropout)"
            cond = f"tensorflow.cond(pred=train_mode, true_fn=lambda: {dropout}, false_fn=lambda: {relu})"
            dropped, kept = [f"({tensor} if train_mode is None else {cond})" for tensor in (dropout, relu)]
            relu = f"({dropped} if self.trainable else {kept})"
        facts.append(f"{bottom} = {relu}")
    facts.append("self.prob = tensorflow.nn.softmax(logits=self.fc8, name='prob')")
    facts.append("self.data_dict = None")
    if trainable:
        return _function(arguments, *facts, optional=_flat(_INPUT_CHECKS + _FC6_CHECKS))
    return _function(arguments, *facts, _FC6_CHECKS, optional=_flat(_INPUT_CHECKS))


def _frozen(net):
    path = f"{net}_npy_path"
    constant = "return tensorflow.constant(value=self.data_dict[name][%d], name='%s')"
    return {
        "__init__": _function(
            f"self, {path}=None",
            [
                "self.data_dict = " + file
                for file in _loaded(f"(__file__/../'{net}.npy' if {path} is None else {path})")
            ],
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
    value = "(initial_value if self.data_dict is None else self.data_dict[name][idx])"
    value = f"({value} if name in self.data_dict else initial_value)"
    variable = (
        f"(tensorflow.Variable(initial_value={value}, name=var_name) if self.trainable else "
        f"tensorflow.constant(value={value}, name=var_name))"
    )
    stored = "self.var_dict[name, idx]"
    key, tensor = "each(self.var_dict)", "each(self.var_dict.values())"
    saved = f"for self.var_dict: %s[{key}[1]] = sess.run(fetches={tensor})"
    return {
        "__init__": _function(
            "self, vgg19_npy_path=None, trainable=True, dropout=0.5",
            [f"self.data_dict = (None if vgg19_npy_path is None else {file})" for file in _loaded("vgg19_npy_path")],
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
            f"{stored} = {variable}",
            [
                f"assert ({' == '.join(sorted([f'{tensor}.shape', 'initial_value.shape']))})"
                for tensor in (stored, variable)
            ],
            f"return {stored}",
        ),
        "save_npy": _function(
            "self, sess, npy_path='./vgg19-save.npy'",
            [
                (
                    f"for self.var_dict: if not {key}[0] in {{}}1: {{}}1[{key}[0]] = {{}}2",
                    saved % f"{{}}1[{key}[0]]",
                    "numpy.save(file=npy_path, arr={}1)",
                ),
                (saved % f"{{}}1.setdefault({key}[0], {{}}2)", "numpy.save(file=npy_path, arr={}1)"),
                (saved % f"{{dict}}1[{key}[0]]", "numpy.save(file=npy_path, arr=dict({dict}1))"),
            ],
            "return npy_path",
            optional={"assert isinstance(sess, tensorflow.Session)"},
        ),
        "get_var_count": _function("self", f"return sum(every(product({tensor}.shape)))"),
    }


# Sizes of image on which cutting is compared, and the same ones on their sides: differences odd, even, small and large.
_SHAPES = [(7, 10, 3), (7, 30), (9, 11, 3), (9, 10, 4), (6, 6, 3), (4003, 6006, 3), (70001, 100004)]
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
    [f"assert ({_IMAGE} {limit}).all()", f"assert ({_IMAGE}.{least}() {limit})"]
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
    return _Function("path", cases, set())


def _load_image2():
    sizes = [(shape, None, None) for shape in _SHAPES[::3]]
    sizes += [((7, 10, 3), height, width) for height, width in ((1, 1), (6, 4), (1, 200003), (200003, 1))]
    for shape, size in _SCALED:
        sizes += [(shape, size, None), ((shape[1], shape[0]) + shape[2:], None, size)]
    cases = []
    for shape, height, width in sizes:
        rows = height or round(shape[0] * (width or shape[1]) / shape[1])
        columns = width or round(shape[1] * (height or shape[0]) / shape[0])
        facts = [_resized(_IMAGE, rows, columns)] + ([] if height or width else [f"return {_IMAGE}"])
        cases.append((dict(_shaped(shape), height=height, width=width), [facts]))
    return _Function("path, height=None, width=None", cases, _flat(_RANGE[0] + _RANGE[1]))


def _print_prob():
    line = "each(open(file=file_path))"
    lines = [f"every({line}.{strip})" for strip in ("strip()", "rstrip()", r"strip('\n')", r"rstrip('\n')")]
    lines += ["open(file=file_path).read().%s" % how for how in ("splitlines()", r"split('\n')")]
    order = "prob.argsort()[::-1]"
    five = [f"{order}[each(range(5))]", f"each({order}[:5])"]
    return _function(
        "prob, file_path",
        [f"print(['Top1: ', {labels}[{order}[0]], prob[{order}[0]]])" for labels in lines],
        [f"print(['Top5: ', every([{labels}[{at}], prob[{at}]])])" for labels in lines for at in five],
        [f"return {labels}[{order}[0]]" for labels in lines],
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
        if len(source) > _LONGEST_MODULE:
            return "it is too long"
        tree = ast.parse(source.lstrip("\ufeff") if isinstance(source, str) else source)
        return _tree_difference(name, tree)
    except (SyntaxError, ValueError):
        return "it is not Python 3"
    except (RecursionError, MemoryError, _TooLong):
        return "an expression that is too long"


def _tree_difference(name, tree):
    values, classes, functions = _DESCRIPTIONS[name]
    known = set(values) | set(classes) | set(functions)
    bound, others = _top_level(tree, known)
    if isinstance(others, str):
        return others
    found = {binding: node for binding, node in bound.items() if isinstance(node, ast.AST)}
    imports = {binding: module for binding, module in bound.items() if binding not in found}
    changed = known ^ set(found)
    if changed:
        return f"{min(changed)}, at the top"
    signatures = {f"self.{method}": of.arguments for cls in classes.values() for method, of in cls.items()}
    methods = {call: re.findall(r"(\w+)(?:=[^,]*)?", text)[1:] for call, text in signatures.items()}
    module = _Module(imports, known, methods)
    for node in others:
        facts = _Facts(module)
        facts.visit(node)
        if facts.found or facts.calls:
            return f"line {node.lineno}"
    for constant, text in values.items():
        if _show(_Facts(module).visit(found[constant])) != text:
            return constant
    for class_name, methods in classes.items():
        cls, found_methods = found[class_name], {}
        if not isinstance(cls, ast.ClassDef) or cls.decorator_list or cls.keywords or "object" in imports:
            return f"class {class_name}"
        if [base for base in cls.bases if _name(base) != "object"]:
            return f"class {class_name}: its bases"
        for statement in cls.body:
            if isinstance(statement, ast.FunctionDef) and statement.name not in found_methods:
                found_methods[statement.name] = statement
            elif not _is_docstring(statement):
                return f"class {class_name}: line {statement.lineno}"
        changed = set(methods) ^ set(found_methods)
        if changed:
            return f"{class_name}.{min(changed)}"
        functions = dict(functions, **{f"{class_name}.{method}": methods[method] for method in methods})
        found.update({f"{class_name}.{method}": node for method, node in found_methods.items()})
    for function, description in functions.items():
        reason = _function_difference(found[function], description, module)
        if reason:
            return f"{function}: {reason}"
    return None


def _top_level(tree, known):
    """What a module's names stand for, text for what is imported, else nodes; its other statements that matter.

    These are a str where there is something that upstream's module has not.
    """
    bound, others, only_main = {}, [], []
    for node in tree.body:
        new = {}
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                new[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            new = {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            new = {node.targets[0].id: node.value}
            if _ABOUT.match(node.targets[0].id) and isinstance(_value(node.value), str):
                continue
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            new = {node.name: node}
        elif _is_main(node):
            only_main.append(node)
        elif isinstance(node, (ast.Expr, ast.Pass)):
            others.append(node)
        else:
            return bound, f"line {node.lineno}"
        for name, what in new.items():
            if isinstance(what, str):
                new[name] = what = _MENDED.get(what, what)
                if "*" in what or getattr(node, "level", 0) or not _IMPORTED.match(what):
                    return bound, f"line {node.lineno}: an import of {what}"
            if bound.get(name, what) != what:
                return bound, f"line {node.lineno}: another {name}"
        bound.update(new)
    # What only the module's own run as a script uses is of no matter to those who import it.
    used = {_name(part) for node in tree.body if node not in only_main for part in ast.walk(node)}
    for name in {_name(part) for node in only_main for part in ast.walk(node)} - used - known:
        if isinstance(bound.get(name), ast.FunctionDef) and _is_plain(bound[name]):
            del bound[name]
    return bound, others


def _is_main(node):
    """Whether a statement is run only if the module is run as a script."""
    test = node.test if isinstance(node, ast.If) and not node.orelse else None
    if not isinstance(test, ast.Compare) or [type(sign) for sign in test.ops] != [ast.Eq]:
        return False
    sides = [test.left, test.comparators[0]]
    return "__name__" in map(_name, sides) and "__main__" in map(_value, sides)


def _is_plain(function):
    """Whether nothing is called where a function is defined."""
    header = [function.args] + [part for part in [function.returns] if part]
    calls = [part for node in header for part in ast.walk(node) if isinstance(part, ast.Call)]
    return not calls and not function.decorator_list


def _name(node):
    return node.id if isinstance(node, ast.Name) else None


def _is_docstring(node):
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(_value(node.value), str))


def _value(node):
    """The value of a constant, of 3.7's syntax tree and of later ones; a node without one gives the node."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Dict, ast.Set, ast.BinOp, ast.Call)):
        return node
    if type(node).__name__ == "Ellipsis":  # of 3.7
        return ...
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return node


def _function_difference(node, description, module):
    if not isinstance(node, ast.FunctionDef) or not _is_plain(node):
        return "it is no plain function"
    arguments = _arguments(node)
    if arguments != description.arguments:
        return f"expected arguments ({description.arguments}), got ({arguments})"
    seen, visits = set(), 0
    for given, expected in description.cases:
        prints = "print(" in repr(expected)  # of a function that is there to print
        facts = _Facts(module, [argument.arg for argument in node.args.args], given, prints, visits)
        facts.block(node.body)
        seen |= facts.seen
        visits = facts.visits
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
    left = [str(fact) for fact in facts.found]
    text = "\n".join(left)
    for which in expected:
        alternatives = [_list(facts) for facts in _list(which)]
        rests = [rest for rest in (_without(left, facts) for facts in alternatives) if rest is not None]
        if not rests:
            return f"not found: {_short(alternatives[0][0])}"
        left = rests[0]
    for fact in left:
        if fact not in optional:
            return _short(fact)
    # What is called and is no part of a fact, or is called twice over, or makes variables in another order.
    called, last = collections.defaultdict(list), {}
    for where, call in facts.calls:
        if not all(_exclusive(where, other) for other in called[call]):
            return _short(call)
        called[call].append(where)
    for call in called:
        found, method = re.search(r"(?<![\w./])" + re.escape(call), text), re.match(r"self\.\w+|", call).group()
        if not found or (method and found.start() < last.get(method, 0)):
            return _short(call)
        last[method] = found.start()
    return None


def _without(facts, wanted):
    """The facts but some, or None if these are not among them or not in an order in which they do the same."""
    left = list(facts)
    for fact in wanted:
        if fact not in left:
            return None
        index = left.index(fact)
        if any(_depend(fact, other) for other in left[:index]):
            return None
        del left[index]
    return left


def _depend(fact, other):
    """Whether it matters which of two facts comes first: one sets what the other uses, or may use in a method."""
    for setter, user in ((fact, other), (other, fact)):
        target = re.search(r"(?:\A|: )(self\.\w+|\{\w*\}\d+)(?:[.[].*)? = ", setter)
        if target and re.search(
            re.escape(target.group(1)) + r"\b" + r"|\bself\.\w+\(" * target.group(1).startswith("self"), user
        ):
            return True
    return False


def _exclusive(where, other):
    """Whether of two places in a function only one is come to, by the tests that hold there."""
    holding, others = [{test for _, tests in place for test in [*tests, _and(tests)]} for place in (where, other)]
    return any(_not(test) in others for test in holding)


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


class _TooLong(Exception):
    """A value or a walk that grows beyond what upstream's could need."""


class _Term(str):
    """What is not known without running the module, as text in one spelling.

    `kind` says of what it is made, if that matters: "choice" of a test, the value if it holds and the other; "all" of
    tests that must hold; "not" of a test; "text" of strings one after the other. `parts` are these.
    """

    kind, parts = None, ()


def _made(kind, parts, text):
    term = _Term(text)
    term.kind, term.parts = kind, parts
    return _sized(term)


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


def _sized(value):
    """The value, or an error if it is too large to go on with."""
    if _is_number(value) and not abs(value) < _LARGEST:
        raise _TooLong
    if len(_show(value)) > _LONGEST:
        raise _TooLong
    return value


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
    return value.parts[0] if value.kind == "not" else _made("not", (value,), f"not {value}")


def _and(values):
    if not all(value for value in values if not isinstance(value, _Term)):
        return False
    parts = [part for value in values if isinstance(value, _Term) for part in _parts(value)]
    if len(parts) < 2:
        return parts[0] if parts else True
    return _made("all", parts, "(" + " and ".join(parts) + ")")


def _parts(test):
    return test.parts if test.kind == "all" else [test]


def _either(test, value, other):
    """What is `value` if the test holds, else `other`: by one test after the other, in alphabetical order."""
    if not isinstance(test, _Term) or _same(value, other):
        return value if test else other
    if test.kind == "not":
        return _either(_not(test), other, value)
    tests = [_not(part) if part.kind == "not" else part for part in _parts(test)]
    first = min(tests + [choice.parts[0] for choice in (value, other) if _is_choice(choice)])
    yes, no = [
        _either(
            _and([part != _not(holds) and (part == holds or part) for part in _parts(test)]),
            _under([holds], value),
            _under([holds], other),
        )
        for holds in (first, _not(first))
    ]
    return _choice(first, yes, no)


def _choice(test, value, other):
    if _same(value, other):
        return value
    return _made("choice", (test, value, other), f"({_show(value)} if {test} else {_show(other)})")


def _is_choice(value):
    return isinstance(value, _Term) and value.kind == "choice"


def _under(tests, value):
    """What a value is where some tests hold."""
    if not _is_choice(value):
        return value
    test, yes, no = value.parts
    if test in tests or _not(test) in tests:
        return _under(tests, yes if test in tests else no)
    return _choice(test, _under(tests, yes), _under(tests, no))


def _same(value, other):
    return isinstance(value, _Term) == isinstance(other, _Term) and _show(value) == _show(other)


def _text(strings):
    """Strings one after the other, as one."""
    parts = []
    for part in [part for string in strings for part in (string.parts if _kind(string) == "text" else [string])]:
        if parts and _kind(parts[-1]) == _kind(part) == "known":
            parts[-1] += part
        elif part:
            parts.append(part)
    if len(parts) < 2:
        return parts[0] if parts else ""
    if len(parts) == 2 and parts[0].startswith("__file__") and re.match("/.", parts[1]):
        return _path(parts[0], parts[1][1:])
    return _made("text", parts, "(" + " + ".join(map(_show, parts)) + ")")


def _kind(value):
    """Of what a string is made, "known" for one that is known; None for what is none."""
    return value.kind or "term" if isinstance(value, _Term) else "known" if isinstance(value, str) else None


def _formatted(place, text, values):
    """A string with others put in its places; None where there is more to it."""
    pieces = text.split(place)
    if len(pieces) != len(values) + 1 or re.search(r"[%{}]", "".join(pieces)) or None in map(_kind, values):
        return None
    return _text([part for pair in zip(pieces, [*values, ""]) for part in pair])


def _path(*parts):
    """The path that `os.path.join` makes."""
    texts = []
    for part in parts:
        if _kind(part) == "known" and not part.startswith("/"):
            texts += [".." if name == ".." else repr(name) for name in part.split("/") if name not in ("", ".")]
        else:
            texts.append(_show(part))
    return _Term("/".join(texts))


def _each(value):
    """What stands for one element after the other of a value."""
    text = re.sub(r"\A(?:list|tuple|iter)\((.*)\)\Z|\.keys\(\)\Z", r"\1", _show(value))
    return _Term(text[6:-1] if text.startswith("every(") else f"each({text})")


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
    text = re.sub(r"\Aint\((.*)\)\Z|(.*)\.value\Z", r"\1\2", value)
    match = re.match(r"each\((.*)\)\Z|(.+)\[each\(range\(1, len\(\2\)\)\)\]\Z", text)
    if match is None:
        return _Term(f"product({value})")
    return _Term(f"product({match.group(1) or match.group(2) + '[1:]'})")


def _rounded(value):
    if isinstance(value, tuple):
        return tuple(map(_rounded, value))
    return round(value) if isinstance(value, float) and abs(value) < _LARGEST else value


class _Fact(collections.namedtuple("_Fact", "where target value")):
    """What is done at a place: `target` set, "return" for the result; if it is None the value is text that says it all.

    A place is a tuple of the statements around, each a word and the tests that hold there or what is looped over.
    """

    def __str__(self):
        how = "return " if self.target == "return" else f"{self.target} = "
        what = self.value if self.target is None else how + _show(self.value)
        return "".join(f"{word} {test}: " for word, tests in self.where for test in tests) + what


class _Facts(ast.NodeVisitor):
    """Walks a function's statements in order and collects what they do.

    `found`: the facts. `calls`: every call that may do something, its place and text. `seen`: the nodes walked through,
    `visits` how often. Visiting an expression gives its value: a number, string, None or tuple where it is known, else
    a _Term.
    """

    def __init__(self, module, arguments=(), given=None, prints=False, visits=0):
        self.module = module
        self.given = given or {}
        self.prints = prints
        self.visits = visits
        self.names = {name: _Term(name) for name in module.known}
        self.names.update((name, self.given.get(name, _Term(name))) for name in arguments)
        self.found, self.calls, self.seen = [], [], set()
        self.where, self.scope = (), ""
        self.dicts = 0
        self.ended = False  # None after a statement that may have ended the function

    def visit(self, node):
        self.seen.add(node)
        self.visits += 1
        if self.visits > _MOST_VISITS:
            raise _TooLong
        value = _value(node)
        return _sized(super().visit(node) if value is node else value)

    def generic_visit(self, node):
        name = type(node).__name__
        if isinstance(node, ast.stmt) or name in ("Await", "NamedExpr", "Yield", "YieldFrom"):
            self._add(name)
            return _OPAQUE
        self._forget(node)
        kinds = (ast.expr, ast.comprehension)
        parts = [_show(self.visit(part)) for part in ast.iter_child_nodes(node) if isinstance(part, kinds)]
        return self._term(f"{name}<{', '.join(parts)}>")

    def block(self, statements):
        for index, node in enumerate(statements):
            if self.ended is None:
                self._add("return somewhere before")
            rest = statements[index + 1 :]
            if isinstance(node, ast.If) and rest and not self.ended:
                # Where one arm returns, what follows belongs to the other.
                arms = [node.body, node.orelse]
                for arm, other in ((0, 1), (1, 0)):
                    if arms[arm] and isinstance(arms[arm][-1], ast.Return):
                        arms[other] = arms[other] + rest
                        self.seen.add(node)
                        self.visit(ast.If(test=node.test, body=arms[0], orelse=arms[1]))
                        return
            if not self.ended:
                self.visit(node)

    def _add(self, value, target=None):
        self.found.append(_Fact(self.where, target, value))

    def _term(self, text):
        return self.given.get(text, _Term(text))

    def _forget(self, node):
        """What is assigned in a loop is not known before and after it."""
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                self.names[part.id] = _OPAQUE

    def _bind(self, target, value):
        _sized(value)
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            if isinstance(value, tuple) and len(value) > len(target.elts):
                self._add(f"{len(target.elts)} of {_show(value)}")  # an error
            for index, part in enumerate(target.elts):
                self._bind(part, self._item(value, index))
        else:
            self._set(_show(self.visit(target)), value)

    def _set(self, target, value):
        """An attribute or element is set. What it was before stands for itself from here on."""
        word = re.compile(re.escape(target) + r"(?!\w)")
        before = self._before(target)
        tests = [test for _, tests in self.where for test in tests]
        old = _show(_under(tests, before[0].value)) if before else f"earlier({target})"

        def replaced(held):
            return _sized(_Term(word.sub(lambda _: old, held))) if isinstance(held, _Term) and target in held else held

        if before:
            value = replaced(value)
            self.calls = [(where, replaced(call)) for where, call in self.calls]
            self._drop([fact for fact in before if fact.where == self.where])
        self._add(value, target)
        for name, held in self.names.items():
            # The name and the attribute are one from here on.
            if isinstance(held, _Term):
                self.names[name] = _Term(target) if isinstance(value, _Term) and held == value else replaced(held)

    def _before(self, target):
        """The fact, alone in a list, that says what is set to a target at the place where the walk is; or none."""
        for fact in reversed(self.found):
            within = self.where[len(fact.where) :]
            if fact.target == target and fact.where + within == self.where and all(word == "if" for word, _ in within):
                return [fact]
        return []

    def _drop(self, facts):
        """Leaves out facts that later ones make up for, if nothing in between depends on them."""
        index = min(map(self.found.index, facts), default=0)
        between = [fact for fact in self.found[index:] if fact not in facts]
        if any(_depend(str(fact), str(other)) for fact in facts for other in between):
            return False
        self.found = self.found[:index] + between
        return True

    def _merge(self, test, arms, start):
        """One fact of what is set in both arms of an `if`, whose facts start there, or in one of them and before."""
        targets = dict.fromkeys(fact.target for fact in self.found[start:] if fact.target)
        sets = [
            {fact.target: fact for fact in self.found if fact.target in targets and fact.where == arm} for arm in arms
        ]
        for target in targets:
            facts = [facts[target] for facts in sets if target in facts]
            before = self._before(target)
            if len(facts) == 2 or (facts and before):
                values = [facts.get(target, *before).value for facts in sets]
                if self._drop(facts + [fact for fact in before if fact.where == self.where]):
                    self._add(_either(test, *values), target)

    def _item(self, value, *parts):
        if isinstance(value, tuple) and len(parts) == 1 and _is_known(parts):
            try:
                return value[parts[0]]
            except (IndexError, TypeError, ValueError):
                return _OPAQUE
        text = _show(value)
        parts = list(parts)
        while len(parts) > 1 and _show(parts[-1]) == ":":
            del parts[-1]
        for index, size in enumerate(self.given.get(f"{text}.shape", ())[:2]):
            part = parts[index] if index < len(parts) else slice(None)
            if isinstance(part, slice) and part.stop is None:  # ends where the image does
                parts[index:] = [slice(part.start, size, part.step)] + parts[index + 1 :]
        index = [_show(part) for part in parts]
        pair = re.match(r"each\((.*)\.items\(\)\)\Z", text)
        if pair and index in (["0"], ["1"]):
            return _Term(f"each({pair.group(1)}{'' if index == ['0'] else '.values()'})")
        if index in ([f"each({text})"], [f"each({text})[0]", f"each({text})[1]"]):
            return _Term(f"each({text}.values())")
        return self._term(f"{text}[{', '.join(index)}]")

    # Statements.

    def visit_Pass(self, node):
        pass

    def visit_Expr(self, node):
        if _is_docstring(node) or _value(node.value) is ...:
            return
        function = ""
        if isinstance(node.value, ast.Call):
            function = _show(self.visit(node.value.func))
            value = self._call(function, self._arguments(function, node.value))
        else:
            value = self.visit(node.value)
        if not _HARMLESS.match(function) and (self.prints or not _PRINT.match(function)):
            self._add(_show(value))

    def visit_Assign(self, node):
        value = self.visit(node.value)
        for target in node.targets:
            self._bind(target, value)

    def visit_AugAssign(self, node):
        old = self.visit(node.target)
        # What is no new object, or has another name, is changed there, too.
        others = [held for name, held in self.names.items() if name != _name(node.target)]
        shared = any(isinstance(held, _Term) and (held == old or held.startswith(f"{old}[")) for held in others)
        if _name(node.target) and isinstance(old, _Term) and (shared or not _NEW.match(old)):
            self._add(f"{old} changed")
        self._bind(node.target, self._operation(node.op, old, self.visit(node.value)))

    def visit_FunctionDef(self, node):
        # One that only returns something is as good as a lambda.
        result = node.body[0] if len(node.body) == 1 and isinstance(node.body[0], ast.Return) else None
        if result is None or result.value is None or not _is_plain(node):
            self.generic_visit(node)
            return
        self.seen.add(result)
        self.names[node.name] = self.visit(ast.Lambda(args=node.args, body=result.value))

    def visit_Return(self, node):
        value = node.value and self.visit(node.value)
        # Without a value it does nothing at the end, and `block` sees to it that this is where it stands.
        if value is not None or "for" in [word for word, _ in self.where]:
            self._add(value, "return")
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
            text = _show(value)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, value)
            if not text.startswith("open("):
                self.scope += text + "/"
                if not isinstance(item.context_expr, ast.Call):
                    self._add("with " + text)
        self.block(node.body)
        self.scope = scope

    def visit_If(self, node):
        tests = [self.visit(part) for part in _conjuncts(node.test)]
        test = _and(tests)
        if not isinstance(test, _Term):
            self.block(node.body if test else node.orelse)
            return
        where, before, start = self.where, self.names, len(self.found)
        arms, ends, names = [], [], []
        for parts, body in ((tests, node.body), ([_not(test)], node.orelse)):
            self.where = where + (("if", _parts(_and(parts))),)
            self.names = dict(before)
            self.block(body)
            arms.append(self.where)
            ends.append(self.ended)
            names.append(self.names)
            self.ended = False
        self.where = where
        self.ended = True if all(ends) else None if any(end is not False for end in ends) else False
        self._merge(test, arms, start)
        self.names = {
            name: _either(test, *[branch.get(name, _OPAQUE) for branch in names]) for name in set().union(*names)
        }

    def visit_For(self, node):
        value = self.visit(node.iter)
        if isinstance(value, tuple) and len(value) <= 3 and not node.orelse:  # of the three channels
            for element in value:
                self._bind(node.target, element)
                self.block(node.body)
            return
        element = _each(value)
        before, found, calls, dicts = dict(self.names), list(self.found), list(self.calls), self.dicts
        self._forget(node)
        self._bind(node.target, element)
        self.block(node.body[:-1])
        gathered = self._gathered(node.body[-1], before)
        if gathered and self.found == found and not node.orelse:
            self.seen.add(node.body[-1])
            self.names.update(gathered)
            return
        self.names, self.found, self.calls, self.dicts = before, found, calls, dicts
        self.ended, where = False, self.where
        # Over the items of a dict or its values is over the dict.
        over = re.sub(r"\Aeach\((.*?)(\.(items|values)\(\))?\)\Z", r"\1", element)
        self.where += (("for", [_Term(over)]),)
        self._forget(node)
        self._bind(node.target, element)
        self.block(node.body)
        self.block(node.orelse)
        self.where, self.ended = where, None if self.ended is not False else False
        self._forget(node)

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

    # Expressions.

    def visit_Name(self, node):
        return self.names.get(node.id, _Term(self.module.imports.get(node.id, node.id)))

    def visit_Attribute(self, node):
        text = f"{_show(self.visit(node.value))}.{node.attr}"
        if node.attr == "value" and re.search(r"\.shape\[\d\]\.value\Z", text):
            text = text[: -len(".value")]
        return _CONSTANTS.get(text) or self._term(text)

    def visit_Tuple(self, node):
        return tuple(self.visit(part) for part in node.elts)

    visit_List = visit_Tuple

    def visit_Dict(self, node):
        if node.keys:
            return self.generic_visit(node)
        return self._call("dict", [])

    def visit_BinOp(self, node):
        return self._operation(node.op, self.visit(node.left), self.visit(node.right))

    def _operation(self, operation, left, right):
        sign, compute = _OPERATORS.get(type(operation), (type(operation).__name__, None))
        if compute and _is_number(left) and _is_number(right):
            if sign == "**" and abs(right) > _LARGEST_EXPONENT:
                raise _TooLong
            try:
                return _sized(compute(left, right))
            except (ArithmeticError, TypeError):
                return _OPAQUE
        if sign == "*" and _is_number(left):
            left, right = right, left
        kinds, whole = {_kind(left), _kind(right)}, None
        if sign == "+" and None not in kinds and kinds & {"known", "text"}:
            return _text([left, right])
        if sign == "%" and _kind(left) == "known":
            whole = _formatted("%s", left, right if isinstance(right, tuple) else (right,))
        return whole if whole is not None else self._term(f"({_show(left)} {sign} {_show(right)})")

    def visit_UnaryOp(self, node):
        value = self.visit(node.operand)
        if isinstance(node.op, ast.Not):
            return _not(value)
        if isinstance(node.op, ast.USub):
            return -value if _is_number(value) else self._term(f"-{_show(value)}")
        return self.generic_visit(node)

    def visit_BoolOp(self, node):
        values, both = [self.visit(value) for value in node.values], isinstance(node.op, ast.And)
        unknown = [value for value in values if isinstance(value, _Term)]
        if not unknown:
            return next((value for value in values if bool(value) != both), values[-1])
        if unknown == values:
            return _and(values) if both else _not(_and([_not(value) for value in values]))
        return self._term("(" + f" {'and' if both else 'or'} ".join(map(_show, values)) + ")")

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
        where, values = self.where, []
        for part, branch in ((test, node.body), (_not(test), node.orelse)):
            self.where = where + (("if", _parts(part)),)
            values.append(self.visit(branch))
        self.where = where
        return _either(test, *values)

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
        if _arguments(node) == "*" or node.args.defaults:
            self._add("lambda with more than plain arguments")
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
        for element in value if isinstance(value, tuple) else [_each(value)]:
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
            declared = [(name, default.split("|")) for name, default in declared]
        else:
            declared = [(name, ()) for name in self.module.methods.get(function, ())]
        names = [name for name, _ in declared]
        given = [(names[index] if index < len(names) else None, value) for index, value in enumerate(node.args)]
        given += [(keyword.arg or "**", keyword.value) for keyword in node.keywords]
        given = [(name, self.visit(value)) for name, value in given]
        defaults = dict(declared)
        given = [pair for pair in given if _show(pair[1]).replace(" ", "") not in defaults.get(pair[0], ())]
        if all(name in names for name, _ in given):
            given.sort(key=lambda pair: names.index(pair[0]))
        if function in self.module.methods and [name for name, _ in given] == names:
            return [(None, value) for _, value in given]
        return given

    def _call(self, function, arguments):
        values = [value for _, value in arguments]
        if not any(name for name, _ in arguments):
            value = self._spelt(function, values, [_show(value) for value in values])
            if value is not None:
                return value
        if function == "skimage.transform.resize":
            # Sizes of output are whole in the end.
            arguments = [(name, _rounded(value) if name == "output_shape" else value) for name, value in arguments]
        opened = (
            re.match(r"open\(file=(.*), mode='rb'\)\Z", _show(values[0]))
            if function == "numpy.load" and values
            else None
        )
        if opened:
            self.calls = [(where, call) for where, call in self.calls if call != values[0]]
            arguments = [("file", _Term(opened.group(1))), *arguments[1:]]
        text = ", ".join(f"{name}={_show(value)}" if name else _show(value) for name, value in arguments)
        scope = self.scope if function.startswith(("tensorflow.", "self.")) else ""
        text = f"{scope}{function}({text})"
        if not _HARMLESS.match(function) and not _PRINT.match(function):
            self.calls.append((self.where, _Term(text)))
        return self._term(text)

    def _spelt(self, function, values, texts):
        """What a call gives, if it is known or is another spelling of something; else None."""
        count, first, value = len(values), texts[0] if texts else "", values[0] if values else None
        receiver, _, method = function.rpartition(".")
        if count == 0:
            if function.startswith("lambda: "):
                return _Term(function[len("lambda: ") :])
            if method == "get_shape":
                return self._term(f"{receiver}.shape")
            if method == "as_list" or (method == "readlines" and receiver.startswith("open(")):
                return self._term(receiver)
        if (function == "dict" and not count) or (function == "collections.defaultdict" and texts == ["dict"]):
            self.dicts += 1
            return _Term(f"{{{first}}}{self.dicts}")  # each is another one
        if function == "os.path.join":
            return _path(*values)
        if method in ("format", "join") and re.match(r"'[^'\\]*'\Z", receiver):
            # "_".join([a, b]) is "{}_{}".format(a, b).
            parts = values if method == "format" else value if isinstance(value, tuple) else ()
            text = receiver[1:-1] if method == "format" else receiver[1:-1].join(["{}"] * len(parts))
            return _formatted("{}", text, parts)
        if function in _REDUCE and first in _TIMES and (count == 2 or texts[2:] == ["1"]):
            return self._spelt("numpy.prod", values[1:2], texts[1:2])
        if function == "range" and first == "0" and count == 2:
            return self._call(function, [(None, values[1])])
        if function in _COMPUTED and all(map(_is_known, values)):
            try:
                return _COMPUTED[function](*values)
            except (TypeError, ValueError, OverflowError):
                return _OPAQUE
        if count != 1:
            return None
        if function in ("os.path.abspath", "os.path.realpath", "os.path.normpath"):
            return value
        if function == "os.path.dirname":
            return _Term(f"{first}/..")
        if function == "os.path.split":
            return (_Term(f"{first}/.."), _Term(f"os.path.basename({first})"))
        if function in ("inspect.getfile", "inspect.getsourcefile") and first in self.module.known:
            return _Term("__file__")
        if function == "numpy.prod":
            return _product(_each(_Term(first)))
        if function == "int" and _WHOLE.match(first):
            return value
        if function in ("list", "tuple") and (isinstance(value, tuple) or _LISTED.search(first)):
            return value
        if receiver == "numpy" and method in ("all", "any", "argsort", "max", "min"):
            return self._term(f"{first}.{method}()")
        return None
