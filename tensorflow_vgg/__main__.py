"""python -m tensorflow_vgg: the tensorflow-vgg command."""

import sys

from tensorflow_vgg._command.main import main

if __name__ == "__main__":
    sys.exit(main())
