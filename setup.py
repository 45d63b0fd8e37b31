import re

from setuptools import find_packages, setup

with open("tensorflow_vgg/__init__.py", encoding="utf-8") as file:
    version = re.search(r'^__version__ = "(.+)"$', file.read(), re.MULTILINE).group(1)
with open("README.md", encoding="utf-8") as file:
    readme = file.read()

# Successors of tf.contrib.layers, tf.contrib.slim and tf.layers, for `tensorflow-vgg run`.
legacy = ["tf-slim>=1.1.0; python_version >= '3.10'", "tf-keras>=2.16,<2.22; python_version >= '3.10'"]
# Finding images by image; FAISS is not there for Python 3.7.
search = ["faiss-cpu; python_version >= '3.10'"]

setup(
    name="tensorflow-vgg",
    version=version,
    description="VGG16 and VGG19 of machrisaa/tensorflow-vgg, with attention, on today's TensorFlow",
    long_description=readme,
    long_description_content_type="text/markdown",
    license="MIT",
    packages=find_packages(include=["tensorflow_vgg", "tensorflow_vgg.*"]),
    package_data={"tensorflow_vgg": ["synset.txt"]},
    py_modules=["attention"],
    python_requires=">=3.7",
    install_requires=[
        "tensorflow>=2.16,<2.22; python_version >= '3.10'",
        "numpy>=1.23.5; python_version >= '3.10'",
        "scikit-image>=0.20; python_version >= '3.10'",
        # Upstream's own platform. TensorFlow 1.15 does not say what it needs of the others.
        "tensorflow>=1.15.5,<2; python_version < '3.8'",
        "numpy>=1.16,<1.19; python_version < '3.8'",
        "scikit-image>=0.14,<0.18; python_version < '3.8'",
        "protobuf<3.21; python_version < '3.8'",
        "h5py<3; python_version < '3.8'",
    ],
    extras_require={
        "legacy": legacy,
        "milvus": ["pymilvus; python_version >= '3.10'", "milvus-lite; python_version >= '3.10'"],
        "plot": ["matplotlib"],
        "search": search,
        "test": ["pytest", "pytest-xdist>=3.5", "matplotlib", *legacy, *search],
    },
    entry_points={"console_scripts": ["tensorflow-vgg = tensorflow_vgg._command.main:main"]},
)
