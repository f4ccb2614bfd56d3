"""The helper that evaluates a settings file for the arbiter: answers with what is plain of it, and where that stands."""

import ast
import inspect
import io
import json
import os
import signal
import sys


def answer(conf, question_at, answer_at):
    """In the helper: evaluates what is asked for in one descriptor, and answers in the other."""
    with open(question_at, encoding="utf-8") as file:
        question = json.load(file)
    told = json.dumps(answer_to(conf, question)).encode("utf-8", "backslashreplace")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with io.FileIO(answer_at, "w") as file:
        file.write(told)
    # What the file has started, or wants done at the end of the process, is for the process that serves.
    os._exit(0)


def answer_to(conf, question):
    ((kind, source),) = question["source"].items()
    conf.settle(question["directory"], question["argv"])
    try:
        try:
            limit(question["seconds"], conf.TimeIsUp)
            namespace = conf.evaluate(kind, source)
        finally:
            limit(0)
        return {"Evaluated": tell(namespace, question["names"])}
    except BaseException as error:
        return {"Failed": conf.failure(error, question["shown"], question["seconds"])}


def limit(seconds, error=None):
    def time_is_up(number, frame):
        raise error

    signal.signal(signal.SIGALRM, time_is_up if seconds else signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


# What it sets


def tell(namespace, names):
    file = namespace.get("__file__")
    lines = lines_of(file)
    known = [name for name in names if name in namespace]
    others = [name for name, value in namespace.items() if is_own(name, value) and name not in names]
    return {
        "file": file if isinstance(file, str) else None,
        "settings": [{"name": name, "line": lines.get(name), "value": told(namespace[name])} for name in known],
        "others": [(name, lines.get(name)) for name in others],
    }


def is_own(name, value):
    """Might this be a setting with a slip in its name?"""
    plain = (bool, int, float, str, list, tuple, dict, os.PathLike, type(None))
    return isinstance(name, str) and name.islower() and not name.startswith("_") and isinstance(value, plain)


def told(value, depth=0):
    """A value as JSON; what is not plain by its name only. No code of the value's own runs."""
    if depth > 20:
        return {"Other": "what contains itself"}
    if value is None:
        return "Nothing"
    for types, tell_it in TELLERS:
        if isinstance(value, types):
            return tell_it(value, depth)
    if inspect.isclass(value):
        return {"Class": f"{value.__module__}.{value.__qualname__}"}
    if inspect.isroutine(value):
        return {"Function": f"{getattr(value, '__module__', None)}.{value.__name__}"}
    name = type(value).__name__
    return {"Function": name} if callable(value) else {"Other": f"a {name}"}


def told_integer(value, depth):
    value = int(value)
    return {"Integer": value} if -(2**63) <= value < 2**63 else {"Other": "a number that is too large"}


def told_float(value, depth):
    value = float(value)
    return {"Float": value} if value - value == 0 else {"Other": str(value)}


def told_text(value, depth):
    try:
        text = bytes(value).decode() if isinstance(value, bytes) else os.fspath(value)
        "".join([text]).encode()
    except (UnicodeError, TypeError):
        return {"Other": "text that is not UTF-8"}
    return {"Text": "".join([text])}


def told_list(value, depth):
    return {"List": [told(item, depth + 1) for item in list(value)]}


def told_table(value, depth):
    return {"Table": [(str(name), told(item, depth + 1)) for name, item in dict(value).items()]}


TELLERS = [
    (bool, lambda value, depth: {"Boolean": bool(value)}),
    (int, told_integer),
    (float, told_float),
    ((str, bytes, os.PathLike), told_text),
    ((list, tuple, set, frozenset), told_list),
    (dict, told_table),
]


# Where it sets it


def lines_of(file):
    """The line of the last assignment to each name, as far as the source says that."""
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    lines = {}
    for statement in statements(tree.body):
        for name in bound_by(statement):
            lines[name] = statement.lineno
    return lines


def statements(body):
    """Those of the module's own level, in their order: also within if, try, for, while, with and match."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for part in ("body", "handlers", "orelse", "finalbody", "cases"):
            for inner in getattr(statement, part, []):
                yield from statements([inner]) if isinstance(inner, ast.stmt) else statements(inner.body)


def bound_by(statement):
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    targets = list(getattr(statement, "targets", []))
    targets += [target for target in [getattr(statement, "target", None)] if target is not None]
    targets += [item.optional_vars for item in getattr(statement, "items", []) if item.optional_vars is not None]
    return [name.id for target in targets for name in ast.walk(target) if is_bound(name)]


def is_bound(node):
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
