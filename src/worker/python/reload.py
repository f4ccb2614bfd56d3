"""Development: which files are loaded, and an application in place of one that cannot be imported."""

import glob
import html
import os
import re
import sys

TOLD = set()
COUNT = 0
# Of a failure that was not told yet.
FAILED = []


def news():
    """Files that were loaded and not told yet, and patterns of those that may come. Cheap when there is nothing new."""
    global COUNT
    if len(sys.modules) == COUNT and not FAILED:
        return [], []
    COUNT = len(sys.modules)
    files = {file for module in list(sys.modules.values()) for file in files_of(module)}
    patterns = []
    for traceback in FAILED:
        more, patterns = in_traceback(traceback)
        files |= more
    FAILED.clear()
    files -= TOLD
    TOLD.update(files)
    return sorted(files), sorted(patterns)


def files_of(module):
    # Not by its attributes: asking a lazy module for one loads it.
    file = getattr(module, "__dict__", {}).get("__file__")
    if not isinstance(file, str) or file.startswith("<"):
        return
    if file.endswith(".pyc"):
        file = file[:-1] if os.path.exists(file[:-1]) else file
    yield os.path.abspath(file)


def in_traceback(text):
    """The files that a traceback tells of, and patterns of those that may come and make it good."""
    files = {os.path.abspath(file) for file in re.findall(r'^ *File "([^"<>]+)"', text, re.MULTILINE)}
    here = os.getcwd()
    places = {here} | {os.path.dirname(file) for file in files if file.startswith(here + os.sep)}
    patterns = [glob.escape(place) + rest for place in places for rest in ("/*.py", "/*/__init__.py")]
    return files, patterns


def forget_fresh_bytecode(now):
    """Has no bytecode kept of a source that was written a moment ago.

    By its time in whole seconds and its size Python knows whether bytecode is that of a source, so a second change within
    that second would not be seen.
    """
    from importlib.machinery import SourceFileLoader

    keep = SourceFileLoader._cache_bytecode

    def keep_unless_fresh(self, source_path, bytecode_path, data):
        if now() - os.stat(source_path).st_mtime > 2:
            keep(self, source_path, bytecode_path, data)

    SourceFileLoader._cache_bytecode = keep_unless_fresh


def stand_in(summary, traceback, is_asgi):
    """An application that says why there is none."""
    FAILED.append(traceback)
    page = Page(summary, traceback)
    return page.asgi() if is_asgi else page.wsgi()


class Page:
    """The same answer to every request, as HTML for who takes it."""

    def __init__(self, summary, traceback):
        self.summary = summary
        self.traceback = traceback

    def answer(self, accept):
        if "text/html" in accept:
            text = PAGE.format(summary=html.escape(self.summary), traceback=html.escape(self.traceback))
            kind = "text/html"
        else:
            text, kind = f"{self.summary}\n\n{self.traceback}", "text/plain"
        body = text.encode("utf-8", "backslashreplace")
        fields = [
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        return fields, body

    def wsgi(self):
        def explain(environ, start_response):
            fields, body = self.answer(environ.get("HTTP_ACCEPT", ""))
            start_response("500 Internal Server Error", fields)
            return [body]

        return explain

    def asgi(self):
        async def explain(scope, receive, send):
            if scope["type"] == "websocket":
                await receive()
                return await send({"type": "websocket.close"})
            accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
            fields, body = self.answer(accept)
            headers = [(name.lower().encode(), value.encode()) for name, value in fields]
            await send({"type": "http.response.start", "status": 500, "headers": headers})
            await send({"type": "http.response.body", "body": body})

        return explain


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>The application cannot be loaded</title>
<style>
body {{ font-family: sans-serif; margin: 2em; max-width: 75em; color: #222; background: #fff; }}
h1 {{ font-size: 1.3em; color: #a00; }}
pre {{ background: #f4f4f4; border-left: 0.3em solid #a00; padding: 1em; overflow-x: auto; }}
</style>
</head>
<body>
<h1>The application cannot be loaded</h1>
<p>{summary}</p>
<pre>{traceback}</pre>
<p>rcorn tries again as soon as one of its files changes (setting <code>reload</code>).</p>
</body>
</html>
"""
