"""A settings file in Python: how it is evaluated."""

import importlib
import os


def evaluate(kind, source):
    """The names that the settings of this `source` set. `kind` is "file" or "module"."""
    if kind == "module":
        return dict(vars(importlib.import_module(source)))
    names = {
        "__builtins__": __builtins__,
        "__name__": "__config__",
        "__file__": source,
        "__doc__": None,
        "__package__": None,
    }
    with open(source, "rb") as file:
        exec(compile(file.read(), os.path.abspath(source), "exec"), names)
    return names
