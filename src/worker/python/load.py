"""Finding the application that `MODULE[:CALLABLE]` names, and telling what is wrong when there is none."""

import ast
import os
import sys
import traceback


class NoCallable(Exception):
    """The module is there, the callable is not."""


def load(spec):
    """The application: `module`, `module:attribute.path`, `module:factory()`, `module:factory("x", n=1)`."""
    module_name, _, expression = spec.partition(":")
    __import__(module_name)
    module = sys.modules[module_name]
    application = evaluate(module, expression or "application")
    if application is None:
        raise NoCallable(f"{spec!r} is None; it must be a callable")
    if not callable(application):
        raise NoCallable(f"{spec!r} is not callable but {type(application).__name__!r}")
    return application


def warm_up(spec, application):
    """Calls what `MODULE:CALLABLE` names, with the application."""
    load(spec)(application)


def evaluate(module, expression):
    try:
        tree = ast.parse(expression, mode="eval").body
    except SyntaxError:
        raise NoCallable(f"{expression!r} is neither a name nor a call such as 'create_app()'") from None
    if not isinstance(tree, ast.Call):
        return attribute(module, tree, expression)
    factory = attribute(module, tree.func, expression)
    positional, keywords = literals(tree, expression)
    if not callable(factory):
        raise NoCallable(f"{ast.unparse(tree.func)!r} in {module.__name__!r} cannot be called")
    return factory(*positional, **keywords)


def attribute(module, tree, expression):
    names = []
    while isinstance(tree, ast.Attribute):
        names.append(tree.attr)
        tree = tree.value
    if not isinstance(tree, ast.Name):
        raise NoCallable(f"{expression!r} is neither a name nor a call such as 'create_app()'")
    names.append(tree.id)
    found = module
    for name in reversed(names):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise NoCallable(f"there is no {name!r} in {place(module, found)}") from None
    return found


def place(module, found):
    if found is module:
        return f"module {module.__name__!r} ({getattr(module, '__file__', None) or 'a namespace package'})"
    return f"{type(found).__name__!r} object"


def literals(call, expression):
    try:
        positional = [ast.literal_eval(value) for value in call.args]
        keywords = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    except ValueError:
        raise NoCallable(f"the arguments in {expression!r} must be literals such as 'production' or 1") from None
    if None in keywords:
        raise NoCallable(f"the arguments in {expression!r} must be written out, without **")
    return positional, keywords


def advice(spec, error):
    """What to check, as the end of a sentence."""
    module_name, _, expression = spec.partition(":")
    if module_name.endswith(".py") and os.path.exists(module_name):
        wanted = module_name[:-3].replace(os.sep, ".") + ":" + (expression or "application")
        return f"did you mean {wanted!r}?"
    if isinstance(error, ModuleNotFoundError) and missing_is_ours(error.name, module_name):
        return f"check the name, and that the directory {os.getcwd()} (setting chdir) contains it"
    if isinstance(error, ModuleNotFoundError):
        return f"check that {error.name!r} is installed for {sys.executable}"
    return "see the traceback above"


def missing_is_ours(missing, module_name):
    return missing is not None and (module_name == missing or module_name.startswith(missing + "."))


def describe(error):
    """The error as the last line of its traceback."""
    return traceback.format_exception_only(error)[-1].strip()


def format_traceback(error, frames):
    """As the interpreter prints it, less the frames of rcorn's own helpers at its top."""
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith("<_rcorn."):
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))
