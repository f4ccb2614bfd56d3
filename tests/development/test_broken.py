"""With `--reload` an application that cannot be imported is served as a page that says why, until it is good again."""

import pytest
from support.client import request_bytes
from support.waiting import stays_true

pytestmark = pytest.mark.rcorn("Gunicorn shows a SyntaxError, and ends at any other")

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"

ASGI = """
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        {startup}
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        return await send({{"type": "lifespan.shutdown.complete"}})
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    await send({{"type": "http.response.body", "body": b"{text}"}})
"""


def asgi(edited, text, startup="pass"):
    edited.write("app.py", ASGI.format(text=text, startup=startup))


BROKEN = {
    "SyntaxError: '(' was never closed": "def application(\n",
    "ModuleNotFoundError: No module named 'missing'": "import missing\n",
    "ZeroDivisionError: division by zero": "x = 1 / 0\n",
    "NameError: name '&lt;b&gt;' is not defined": "raise NameError(\"name '<b>' is not defined\")\n",
    "there is no &#x27;application&#x27; in module &#x27;app&#x27;": "x = 1\n",
    "SystemExit: 3": "raise SystemExit(3)\n",
}


@pytest.mark.parametrize("preload", ["auto", "off"])
def test_each_error_is_shown_and_made_good(edited, preload):
    edited.answers("'first'")
    edited.serve(f"--preload={preload}")
    for number, (said, source) in enumerate(BROKEN.items()):
        edited.write("app.py", source)
        edited.says("rcorn" if "x = 1\n" == source else "app.py")
        page = edited.get(accept=HTML)
        assert (page.status, page.header("content-type")) == (500, "text/html; charset=utf-8")
        assert said.replace("'", "&#x27;") in page.text or said in page.text
        assert "<b>" not in page.text and "<pre>" in page.text
        edited.answers(f"'good {number}'")
        edited.says(f"good {number}")
    assert "clients are shown why" in edited.server.log


def test_who_takes_no_html_gets_text(edited):
    edited.write("app.py", "import missing\n")
    edited.serve()
    answer = edited.get()
    assert answer.status == 500 and answer.header("content-type") == "text/plain; charset=utf-8"
    assert "cannot import the application 'app': ModuleNotFoundError: No module named 'missing'" in answer.text
    assert 'app.py", line 1, in <module>' in answer.text
    with edited.server.connect() as connection:
        connection.send(request_bytes("/", "HEAD"))
        head = connection.response("HEAD")
        assert (head.status, head.text) == (500, "")
        assert connection.request("/else", "POST", body=b"x").status == 500


@pytest.mark.parametrize("flags", [(), ("-k", "asgi"), ("-k", "gevent"), ("--threads=3",), ("--reload-engine=poll",)], ids=" ".join)
def test_the_first_start_as_well(edited, flags):
    edited.write("app.py", "def application(\n")
    edited.serve(*flags)
    page = edited.get(accept=HTML)
    assert page.status == 500 and "SyntaxError" in page.text
    if "asgi" in flags:
        asgi(edited, "good")
    else:
        edited.answers("'good'")
    edited.says("good")


def test_the_module_that_was_missing_is_written(edited):
    edited.answers("__import__('sys').modules['missing'].TEXT")
    edited.write("app.py", "import missing\n" + (edited.place / "app.py").read_text())
    edited.serve()
    assert "No module named 'missing'" in edited.get().text
    edited.write("missing.py", "TEXT = 'found'")
    edited.says("found")


def test_an_error_in_a_module_below(edited):
    edited.write("package/__init__.py", "")
    edited.write("package/part.py", "TEXT = 'first'")
    edited.answers("__import__('package.part').part.TEXT")
    edited.write("app.py", "import package.part\n" + (edited.place / "app.py").read_text())
    edited.serve()
    edited.write("package/part.py", "TEXT = ")
    edited.says("SyntaxError")
    edited.write("package/part.py", "TEXT = 'good'")
    edited.says("good")


def test_asgi(edited):
    asgi(edited, "first")
    edited.serve()
    assert edited.get().text == "first"
    asgi(edited, "second")
    edited.says("second")
    edited.write("app.py", "import missing\n")
    edited.says("No module named 'missing'")
    asgi(edited, "third")
    edited.says("third")


def test_a_lifespan_that_fails(edited):
    asgi(edited, "first")
    edited.serve("--lifespan", "on")
    asgi(edited, "never", startup="raise RuntimeError('no <database>')")
    edited.says("RuntimeError: no <database>")
    page = edited.get(accept=HTML)
    assert page.status == 500 and "RuntimeError: no &lt;database&gt;" in page.text
    asgi(edited, "good")
    edited.says("good")


def test_without_reload_it_is_a_failed_reload_as_ever(edited):
    edited.write("app.py", "def application(\n")
    server = edited.start(None, "--chdir", edited.place, call="app")
    assert server.wait() == 3 and "SyntaxError" in server.log


def test_the_check_of_settings_still_fails(edited):
    from support.server import call

    edited.write("app.py", "def application(\n")
    outcome = call("--reload", "--check-config", "--chdir", edited.place, "app", directory=edited.place)
    assert outcome.code == 3 and "SyntaxError" in outcome.err


def test_every_line_that_runs_is_printed(edited):
    edited.answers("'spoken'")
    edited.serve("--spew", reload=False)
    assert edited.get().text == "spoken"
    edited.server.wait_for_log(r"app:\d+:     return \[\('spoken'\).encode\(\)\]")
    stays_true(lambda: edited.get().text == "spoken", "it serves", seconds=0.3)
