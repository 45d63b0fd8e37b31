"""Installed modules, and classes of them, as a script of 2017 sees them."""

import sys
import types

__all__ = ["Internals", "Module", "is_internal", "stand_in"]


class Module(types.ModuleType):
    """A module of the name `name` that has the attributes of another, and some that are otherwise.

    What the script sets stays here, and so with the script's modules.

    Attributes:
      base: the module that has the rest.
      values: name -> value, of what is there from the start.
      made: name -> a function that makes the value when it is first wanted.
      missing: a function of the dotted name of what is nowhere; it gives the error's text. By default the error is
        that of `base`.
    """

    def __init__(self, name, base, values=(), made=(), missing=None):
        super().__init__(name)
        self.__dict__.update(values, _base=base, _made=dict(made), _missing=missing)

    def __getattr__(self, name):
        if name in self._made:
            value = self._made[name]()
            setattr(self, name, value)
            return value
        if name == "__all__":
            return getattr(self._base, "__all__", None) or [public for public in dir(self) if public[0] != "_"]
        try:
            return getattr(self._base, name)
        except AttributeError:
            loaded = sys.modules.get(f"{self.__name__}.{name}")
            if loaded is not None:
                return loaded
            if self._missing is None or name.startswith("__"):
                raise
            raise AttributeError(self._missing(f"{self.__name__}.{name}")) from None

    def __dir__(self):
        return sorted({*dir(self._base), *self._made, *self.__dict__})


class Internals(Module):
    """A module of TensorFlow's inside, in which what has left it since is found in the public API.

    Attributes:
      base: the module.
      tf: the public API, TensorFlow 1's.
    """

    def __init__(self, base, tf):
        super().__init__(base.__name__, base, {"_tf": tf})

    def __getattr__(self, name):
        last = self.__name__.rpartition(".")[2]
        public = self._tf.train if last == "pywrap_tensorflow" else getattr(self._tf, last, None)
        for place in (self._base, self._tf, public):
            if hasattr(place, name):
                return self.wrapped(getattr(place, name))
        if last.startswith("gen_") and hasattr(self._base, name.lstrip("_")):
            return getattr(self._base, name.lstrip("_"))  # TensorFlow 1.4 and before had them with underscores
        if name == "variable" and self.__name__.endswith(".variable_scope"):
            return self._tf.Variable
        return getattr(self._base, name)

    def wrapped(self, value):
        """A module of TensorFlow's inside as one of these; anything else as it is."""
        return Internals(value, self._tf) if is_internal(value) else value


def is_internal(value):
    """Whether a value is a module of TensorFlow's inside, and not yet an `Internals`."""
    plain = isinstance(value, types.ModuleType) and not isinstance(value, Module)
    return plain and value.__name__.startswith("tensorflow.python.")


def stand_in(base, call):
    """The class `base` as a script sees it: calling it is `call`; instances and subclasses of `base` are its own."""

    class Meta(type(base)):
        def __call__(cls, *args, **kwargs):
            return call(*args, **kwargs) if cls is seen else super().__call__(*args, **kwargs)

        def __instancecheck__(cls, instance):
            return isinstance(instance, base) if cls is seen else super().__instancecheck__(instance)

        def __subclasscheck__(cls, subclass):
            # Not issubclass(subclass, base): an abstract base asks its subclasses, and so this one.
            return base in subclass.__mro__ if cls is seen else super().__subclasscheck__(subclass)

    seen = Meta(base.__name__, (base,), {"__doc__": base.__doc__})
    return seen
