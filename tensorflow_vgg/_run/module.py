"""An installed module as a script of 2017 sees it."""

import sys
import types

__all__ = ["Module"]


class Module(types.ModuleType):
    """A module of the name `name` that has the attributes of another, and some that are otherwise.

    What the script sets stays here, and so with the script's modules.

    Attributes:
      values: name -> value, of what is there from the start.
      replaced: name -> a function that makes the value when it is first wanted.
      base: the module that has the rest.
      missing: a function of the dotted name of what is nowhere; it gives the error's text. By default the error is
        that of `base`.
    """

    def __init__(self, name, base, replaced=(), missing=None, values=()):
        super().__init__(name)
        self.__dict__.update(values, _base=base, _replaced=dict(replaced), _missing=missing)

    def __getattr__(self, name):
        if name in self._replaced:
            value = self._replaced[name]()
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
        return sorted({*dir(self._base), *self._replaced, *self.__dict__})
