"""What is measured: one entry each, with the servers that can do it."""

from dataclasses import dataclass, field

from .servers import Wanted

WSGI = ("rcorn", "fastwsgi", "fastpysgi", "bjoern", "granian", "gunicorn")
FORKING = ("rcorn", "granian", "gunicorn", "gunicorn gthread")
ASGI = ("rcorn", "granian", "fastpysgi", "uvicorn", "gunicorn")
BROWSER = ("User-Agent: Mozilla/5.0 (X11; Linux x86_64)", "Accept: text/html,application/json;q=0.9", "Accept-Language: en", "Accept-Encoding: gzip")


@dataclass(frozen=True)
class Scenario:
    """One table."""

    name: str
    title: str
    servers: tuple
    wanted: Wanted
    path: str = "/"
    connections: int = 64
    headers: tuple = BROWSER
    body: int = 0
    depth: int = 1
    # One core for the server and one for the load; else both share all.
    pinned: bool = True
    kind: str = "wrk"
    # Bytes of a response, where what counts is the price of a gigabyte.
    size: int = 0
    # A file without which there is nothing to measure, and what it is.
    needs: tuple = ()
    # Part of the short run.
    quick: bool = False
    # Targets: what rcorn may cost at most, as a part of what the other costs.
    targets: dict = field(default_factory=dict)


HELLO = Wanted("hello:app")
VARIOUS = Wanted("hello:various")
ASYNC = Wanted("hello:asgi", asgi=True)
FILE_SIZE = 10 * 1024 * 1024

SCENARIOS = [
    Scenario(
        "hello",
        "WSGI hello, sync",
        (*WSGI, "nginx"),
        HELLO,
        quick=True,
        targets={"fastwsgi": 0.80, "bjoern": 0.70, "granian": 0.46, "gunicorn": 0.035, "nginx": 1.10},
    ),
    Scenario(
        "threads",
        "WSGI hello, 4 threads, pinned to a core",
        ("rcorn", "granian", "gunicorn gthread"),
        Wanted("hello:app", threads=4),
        quick=True,
        targets={"granian": 0.55},
    ),
    Scenario(
        "threads-free",
        "WSGI hello, 4 threads, free on all cores",
        ("rcorn", "granian", "gunicorn gthread"),
        Wanted("hello:app", threads=4),
        pinned=False,
        targets={"granian": 0.50},
    ),
    Scenario("gevent", "WSGI hello, gevent", ("rcorn", "gunicorn"), Wanted("hello:app", gevent=True)),
    Scenario("flask", "Flask, JSON", WSGI, Wanted("frameworks:flask"), quick=True),
    Scenario("django", "Django, a view with a template", WSGI, Wanted("frameworks:django")),
    Scenario(
        "asgi",
        "ASGI hello",
        ASGI,
        ASYNC,
        quick=True,
        targets={"granian": 0.45, "uvicorn": 0.35, "fastpysgi": 0.70},
    ),
    Scenario("fastapi", "FastAPI, JSON", ASGI, Wanted("frameworks:fastapi", asgi=True), quick=True),
    Scenario("10k", "Responses of 10 KiB", WSGI, VARIOUS, path="/10k"),
    Scenario("1m", "Responses of 1 MiB", WSGI, VARIOUS, path="/1m", connections=16),
    Scenario("stream", "Streamed response, 100 pieces of 1 KiB", ("rcorn", "fastpysgi", "bjoern", "granian", "gunicorn"), VARIOUS, path="/stream"),
    Scenario(
        "file",
        "File of 10 MiB by wsgi.file_wrapper",
        ("rcorn", "granian", "gunicorn", "nginx"),
        VARIOUS,
        path="/file",
        connections=4,
        size=FILE_SIZE,
        targets={"nginx": 1.3},
    ),
    Scenario(
        "pathsend",
        "File of 10 MiB by ASGI",
        ("rcorn", "granian", "uvicorn", "nginx"),
        Wanted("hello:asgi_various", asgi=True),
        path="/file",
        connections=4,
        size=FILE_SIZE,
    ),
    Scenario("upload-10k", "Uploads of 10 KiB", WSGI, VARIOUS, path="/upload", body=10_240),
    Scenario("upload-50m", "Uploads of 50 MiB", ("rcorn", "granian", "gunicorn"), VARIOUS, path="/upload", body=50 * 1024 * 1024, connections=2),
    Scenario("fresh", "A new connection for every request", (*WSGI, "nginx"), HELLO, headers=(*BROWSER, "Connection: close")),
    Scenario("blocking", "A view that waits 5 ms, 4 threads", ("rcorn", "granian", "gunicorn gthread"), Wanted("hello:various", threads=4), path="/wait5"),
    Scenario("websocket", "Websocket echo, 16 messages on their way", ("rcorn", "granian", "uvicorn", "gunicorn"), ASYNC, kind="websocket", connections=16),
    Scenario("log", "WSGI hello, access log to a file", ("rcorn", "gunicorn", "nginx"), Wanted("hello:app", access="file")),
    Scenario(
        "journal",
        "WSGI hello, access log to the journal",
        ("rcorn", "gunicorn"),
        Wanted("hello:app", access="journal"),
        needs=("/run/systemd/journal/socket", "systemd's journal"),
    ),
    Scenario("2-64", "WSGI hello, 2 workers", (*FORKING, "nginx"), Wanted("hello:app", workers=2), pinned=False),
    Scenario("4-64", "WSGI hello, 4 workers", (*FORKING, "nginx"), Wanted("hello:app", workers=4), pinned=False),
    Scenario("2-512", "WSGI hello, 2 workers, 512 connections", FORKING, Wanted("hello:app", workers=2), pinned=False, connections=512),
    Scenario("4-512", "WSGI hello, 4 workers, 512 connections", FORKING, Wanted("hello:app", workers=4), pinned=False, connections=512),
    Scenario("low", "WSGI hello, 4 connections", (*WSGI, "nginx"), HELLO, connections=4),
    Scenario("behind", "Behind nginx, over a unix socket", ("rcorn", "granian", "gunicorn"), HELLO, path="/behind", kind="behind"),
]
