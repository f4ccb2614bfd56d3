"""Settings files in Python: evaluated as Gunicorn does it, and what is said when that fails.

A file is evaluated twice: in a helper process of the arbiter's, which answers with the plain values (conf_answer.py),
and in each zygote, where its functions and objects are used.
"""

import importlib.machinery
import importlib.util
import os
import sys
import traceback

# What was evaluated in this process: once is enough.
NAMESPACES = {}


def evaluate(kind, source):
    """The names that a file (kind "File", an absolute path) or a module ("Module") sets, with their values."""
    if (kind, source) not in NAMESPACES:
        try:
            NAMESPACES[kind, source] = run_file(source) if kind == "File" else import_module(source)
        finally:
            flush()
    return NAMESPACES[kind, source]


def flush():
    """What was printed is printed once: forks would inherit what is left in the buffers. Nor is it lost at the end."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                pass  # nobody reads it any more


def run_file(path):
    loaders = importlib.machinery
    loader_of = loaders.SourcelessFileLoader if path.endswith(".pyc") else loaders.SourceFileLoader
    loader = loader_of("__config__", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location("__config__", path, loader=loader))
    sys.modules["__config__"] = module
    # Compiled anew each time: what Python keeps of a file that was changed twice in a second may be the older one.
    is_source = loader_of is loaders.SourceFileLoader
    code = compile(loader.get_data(path), path, "exec", dont_inherit=True) if is_source else loader.get_code("__config__")
    exec(code, module.__dict__)
    return vars(module)


def import_module(name):
    __import__(name)
    return vars(sys.modules[name])


def settle(directory, argv):
    """Makes the process as a settings file expects to find it."""
    os.chdir(directory)
    sys.argv = list(argv)
    # `python -c` puts the empty string, the directory of the moment, first.
    if sys.path[:1] == [""]:
        del sys.path[0]
    if directory not in sys.path:
        sys.path.insert(0, directory)


class TimeIsUp(BaseException):
    """The file took too long."""


def failure(error, shown, seconds=None):
    """What went wrong in it: a sentence with the line, and the traceback of the user's own frames."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith("<_rcorn."):
        frames = frames.tb_next
    line = line_in_file(error, frames)
    place = shown if line is None else f"{shown}:{line}"
    text = stack_of_file(frames) if isinstance(error, TimeIsUp) else "".join(
        traceback.format_exception(type(error), error, frames)
    )
    return {"code": "Setup", "summary": f"{place}: {clause(error, seconds)}", "traceback": text}


def stack_of_file(frames):
    """Where it was when its time was up, less the frame that said so."""
    stack = [frame for frame in traceback.extract_tb(frames) if not frame.filename.startswith("<_rcorn.")]
    return "".join(["Traceback (most recent call last):\n", *traceback.format_list(stack)])


def line_in_file(error, frames):
    """Where the file itself was when it happened: the last of its own lines in the traceback."""
    own = frames.tb_frame.f_code.co_filename if frames is not None else None
    lines = [frame.lineno for frame in traceback.extract_tb(frames) if frame.filename == own]
    if lines:
        return lines[-1]
    return error.lineno if isinstance(error, SyntaxError) else None


def clause(error, seconds):
    if isinstance(error, TimeIsUp):
        limit = f"the settings file was not through after {seconds:g} s"
        return f"{limit}: it is evaluated at each start and reload, and may only set values"
    if isinstance(error, SystemExit):
        return f"the settings file ended the program (SystemExit: {error.code}): it may only set values"
    return traceback.format_exception_only(error)[-1].strip()
