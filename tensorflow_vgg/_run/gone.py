"""What scripts of 2015 to 2018 use and is gone, and what takes its place today."""

__all__ = ["instead"]

_TENSORFLOW = {
    "audio_summary": "summary.audio", "batch_matmul": "matmul", "batch_matrix_diag": "matrix_diag",
    "batch_matrix_inverse": "matrix_inverse", "batch_matrix_transpose": "matrix_transpose", "complex_abs": "abs",
    "histogram_summary": "summary.histogram", "image.per_image_whitening": "image.per_image_standardization",
    "image_summary": "summary.image", "inv": "reciprocal", "listdiff": "setdiff1d",
    "merge_all_summaries": "summary.merge_all", "merge_summary": "summary.merge", "mul": "multiply", "neg": "negative",
    "nn.bidirectional_rnn": "nn.static_bidirectional_rnn", "nn.deconv2d": "nn.conv2d_transpose",
    "nn.rnn": "nn.static_rnn", "pack": "stack", "scalar_summary": "summary.scalar", "select": "where",
    "sub": "subtract", "train.SummaryWriter": "summary.FileWriter", "unpack": "unstack",
    "contrib.data": "data", "contrib.keras": "keras", "contrib.lookup": "lookup", "contrib.losses": "losses",
    "contrib.metrics": "metrics, whose functions take the labels first and give (value, update)",
    "contrib.rnn": "nn.rnn_cell, for cells, and tf.nn.static_rnn",
    "contrib.cudnn_rnn": "keras.layers.CuDNNLSTM", "contrib.estimator": "estimator", "contrib.learn": "estimator",
    "contrib.image": "keras.preprocessing.image, or scipy.ndimage in tf.py_func",
    "contrib.predictor": "saved_model.load", "contrib.saved_model": "saved_model",
    "contrib.training.HParams": "app.flags, or types.SimpleNamespace",
    "contrib.summary": "summary", "contrib.util": "make_ndarray, tf.make_tensor_proto or tf.get_static_value",
}  # fmt: skip
_PYTHON_2 = {
    "ConfigParser": "configparser", "Queue": "queue", "StringIO": "io", "Tkinter": "tkinter", "__builtin__": "builtins",
    "cPickle": "pickle", "cStringIO": "io", "commands": "subprocess", "httplib": "http.client", "sets": "set",
    "thread": "_thread", "urllib2": "urllib.request", "urlparse": "urllib.parse",
    "urllib.quote": "urllib.parse.quote", "urllib.unquote": "urllib.parse.unquote",
    "urllib.urlencode": "urllib.parse.urlencode",
    "urllib.urlopen": "urllib.request.urlopen", "urllib.urlretrieve": "urllib.request.urlretrieve",
    "itertools.ifilter": "filter", "itertools.imap": "map", "itertools.izip": "zip", "os.getcwdu": "os.getcwd",
    "string.join": "str.join", "string.letters": "string.ascii_letters", "string.maketrans": "str.maketrans",
    "sys.maxint": "sys.maxsize",
}  # fmt: skip


def instead(name):
    """What takes the place of a dotted name, as the end of a message; "" where nothing is known.

    >>> instead("tensorflow.mul")
    '; today it is tf.multiply'
    """
    if name in _PYTHON_2:
        return f"; today it is {_PYTHON_2[name]}"
    top, _, rest = name.partition(".")
    found = _TENSORFLOW.get(rest) if top == "tensorflow" else None
    return f"; today it is tf.{found}" if found else ""
