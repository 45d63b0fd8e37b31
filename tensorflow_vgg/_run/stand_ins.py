"""This package's vgg16, vgg19, vgg19_trainable and utils for a script that lacks upstream's."""

import functools
import importlib.machinery
import os

__all__ = ["Loader"]

# What upstream's modules import, for `from vgg19 import *`.
_NETWORKS_IMPORTS = "import inspect, os, time\nimport numpy as np\nimport tensorflow as tf"
_IMPORTS = {
    "utils": "import skimage, skimage.io, skimage.transform\nimport numpy as np",
    "vgg16": _NETWORKS_IMPORTS,
    "vgg19": _NETWORKS_IMPORTS,
    "vgg19_trainable": "import numpy as np\nimport tensorflow as tf\nfrom functools import reduce",
}


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a copy of one of this package's modules, for the script of `environment` alone."""

    def __init__(self, fullname, path, environment):
        super().__init__(fullname, path)
        self._environment = environment

    def exec_module(self, module):
        super().exec_module(module)
        environment = self._environment
        name = module.__name__.rpartition(".")[2]
        names = {"__builtins__": environment.builtins}
        exec(_IMPORTS[name], names)
        del names["__builtins__"], module.__all__
        vars(module).update(names)
        if name == "utils":
            module.print_prob = _finding_labels(module, environment)
        else:
            cls = module.Vgg16 if name == "vgg16" else module.Vgg19
            cls._find = lambda self, file_name: os.path.join(environment.folder, file_name)
            cls._read = lambda self, path, use_mapped: environment.weights.read(path)


def _finding_labels(utils, environment):
    """`print_prob` that finds upstream's labels, which lie beside the modules that the script has not."""
    original = utils.print_prob

    @functools.wraps(original)
    def print_prob(prob, file_path):
        if os.path.basename(file_path) == "synset.txt" and not os.path.exists(file_path):
            environment.announce(f"{file_path}: this package's (the script has none)")
            file_path = utils.SYNSET
        return original(prob, file_path)

    return print_prob
