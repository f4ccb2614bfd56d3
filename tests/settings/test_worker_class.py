"""worker_class: names of others, what each kind of application needs, and what is refused with which sentence."""

import functools
import importlib.util

import pytest
from support.interpreters import ROOT
from support.subject import IS_RCORN

pytestmark = pytest.mark.skipif(not IS_RCORN, reason="Gunicorn has one default")

NAMES = [
    "auto", "sync", "gthread", "thread", "threads", "gevent", "asgi", "egg:gunicorn#sync",
    "gunicorn.workers.sync.SyncWorker", "gunicorn.workers.gthread.ThreadWorker", "gunicorn.workers.ggevent.GeventWorker",
    "gunicorn.workers.gasgi.ASGIWorker", "uvicorn.workers.UvicornWorker", "uvicorn.workers.UvicornH11Worker",
    "uvicorn_worker.UvicornWorker",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_others_use_are_taken(printed, name):
    assert printed("-k", name, "--threads", 4, "plain")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tornado", ["neither WSGI nor ASGI", "HTTPServer"]),
        ("gunicorn.workers.gtornado.TornadoWorker", ["HTTPServer"]),
        ("eventlet", ["no longer developed", "threads or gevent"]),
        ("my.workers.Special", ["classes of one's own", "use auto, sync, threads, asgi or gevent"]),
        ("fast", ["expected auto, sync, threads, asgi or gevent"]),
    ],
)
def test_what_cannot_be_is_told_what_to_do(rcorn, name, words):
    outcome = rcorn("--worker-class", name, "plain")
    assert outcome.code == 2 and "--worker-class" in outcome.sentence
    assert all(word in outcome.sentence for word in words), outcome.sentence


@pytest.mark.parametrize("threads", ["0", "1025", "many"])
def test_threads_are_a_number(rcorn, threads):
    outcome = rcorn("--threads", threads, "plain")
    assert outcome.code == 2 and "--threads" in outcome.sentence and "from 1 to 1024" in outcome.sentence


ANSWER = """
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["type"].encode()})
"""


@pytest.mark.parametrize(
    "source",
    [
        "async def application(scope, receive, send):" + ANSWER,
        "def application(scope):\n  async def instance(receive, send):" + ANSWER + "  return instance\n",
        "class application:\n  def __init__(self, scope):\n    self.scope = scope\n"
        "  async def __call__(self, receive, send):\n    scope = self.scope" + ANSWER,
        "class application:\n  def __init__(self, *given):\n    self.given = given\n"
        "  def __await__(self):\n    return self.answer(*self.given).__await__()\n"
        "  async def answer(self, scope, receive, send):" + ANSWER,
    ],
    ids=["asgi", "asgi2", "asgi2 class", "awaited class"],
)
@pytest.mark.parametrize("flags", [[], ["-k", "uvicorn.workers.UvicornWorker"]], ids=["auto", "uvicorn's name"])
def test_asgi_applications_are_served(serve, directory, source, flags):
    (directory / "modern.py").write_text(source)
    server = serve(None, "--pythonpath", directory, *flags, call="modern")
    assert server.get("/").text == "http"


def test_who_insists_on_asgi_is_warned(serve, directory):
    (directory / "odd.py").write_text("def application(environ, start_response, more=None):\n    pass\n")
    server = serve(None, "--pythonpath", directory, "--worker-class", "asgi", "--lifespan", "off", call="odd")
    server.wait_for_log(r"\[WARNING\] 'odd' looks like a WSGI application")
    assert server.get("/").status == 500


def test_who_insists_is_warned(serve, directory):
    (directory / "odd.py").write_text(
        "def application(scope, receive, send=None):\n    pass\n"
        "class Odd:\n"
        "    def __call__(self, scope, receive, send):\n        pass\n"
        "odd = Odd()\n"
    )
    server = serve(None, "--pythonpath", directory, "--worker-class", "sync", call="odd:odd")
    server.wait_for_log(r"\[WARNING\] 'odd:odd' looks like an ASGI application")


@pytest.mark.parametrize(
    ("flags", "multithread"),
    [
        ([], False),
        (["--threads", 2], True),
        (["--worker-class", "sync", "--threads", 2], True),
        (["--worker-class", "gthread"], True),
        (["--worker-class", "sync"], False),
    ],
    ids=str,
)
def test_who_gets_threads(serve, flags, multithread):
    assert serve("pep3333", *flags).get("/multithread").json is multithread


# Which is which


def module():
    path = ROOT / "src/worker/python/interface.py"
    spec = importlib.util.spec_from_file_location("interface", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


INTERFACE = module().interface


def wsgi(environ, start_response):
    pass


async def asgi(scope, receive, send):
    pass


async def asgi_with_other_names(s, r, d):
    pass


def asgi_that_gives_a_coroutine(scope, receive, send):
    return asgi(scope, receive, send)


def asgi2(scope):
    async def instance(receive, send):
        pass

    return instance


class Wsgi:
    def __call__(self, environ, start_response):
        pass


class Asgi:
    async def __call__(self, scope, receive, send):
        pass


class AsgiThatDelegates:
    def __call__(self, scope, receive, send):
        return asgi(scope, receive, send)


class DerivedAsgi(Asgi):
    pass


class WsgiClass:
    """Its objects are results."""

    def __init__(self, environ, start_response):
        pass

    def __iter__(self):
        return iter([])


class Asgi2Class:
    """Its objects are instances of ASGI 2."""

    def __init__(self, scope):
        pass

    async def __call__(self, receive, send):
        pass


class Methods:
    def wsgi(self, environ, start_response):
        pass

    async def asgi(self, scope, receive, send):
        pass


def decorated(application):
    @functools.wraps(application)
    def wrapper(*args, **kwargs):
        return application(*args, **kwargs)

    return wrapper


def with_a_setting(setting, environ, start_response):
    pass


async def asgi_with_a_setting(setting, scope, receive, send):
    pass


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (wsgi, "wsgi"),
        (asgi, "asgi"),
        (asgi_with_other_names, "asgi"),
        (asgi_that_gives_a_coroutine, "asgi"),
        (asgi2, "asgi2"),
        (Wsgi(), "wsgi"),
        (Asgi(), "asgi"),
        (AsgiThatDelegates(), "asgi"),
        (DerivedAsgi(), "asgi"),
        (WsgiClass, "wsgi"),
        (Asgi2Class, "asgi2"),
        (Methods().wsgi, "wsgi"),
        (Methods().asgi, "asgi"),
        (decorated(wsgi), "wsgi"),
        (decorated(asgi), "asgi"),
        (decorated(Asgi()), "asgi"),
        (functools.partial(with_a_setting, 1), "wsgi"),
        (functools.partial(asgi_with_a_setting, 1), "asgi"),
        (functools.partial(functools.partial(asgi_with_a_setting), 1), "asgi"),
        (lambda environ, start_response: [], "wsgi"),
        (lambda scope, receive, send: asgi(scope, receive, send), "asgi"),
        (print, "wsgi"),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__),
)
def test_the_callable_tells(application, expected):
    assert INTERFACE(application) == expected


def test_frameworks():
    flask = pytest.importorskip("flask")
    assert INTERFACE(flask.Flask("x")) == "wsgi"
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler

    assert INTERFACE(WSGIHandler.__new__(WSGIHandler)) == "wsgi"
    assert INTERFACE(ASGIHandler.__new__(ASGIHandler)) == "asgi"
