"""Connections: kept or closed, pipelines, and what follows an error (RFC 9112, section 9)."""

from ..case import Case, refused, taken


def get(path="/", fields="", version="1.1", method="GET"):
    return f"{method} {path} HTTP/{version}\r\nHost: a\r\n{fields}\r\n".encode()


def option(*values):
    return "".join(f"Connection: {value}\r\n" for value in values)


EXACT = "Gunicorn looks at the first Connection field as a whole"

CASES = [
    Case("9112-9.3 HTTP/1.1 is kept", get() + get("/b"), (taken(PATH_INFO="/"), taken(PATH_INFO="/b"))),
    Case("9112-9.3 HTTP/1.0 is closed", get(version="1.0"), (taken(SERVER_PROTOCOL="HTTP/1.0"),), closed=True),
    Case("9112-9.3 HTTP/1.0 is kept if asked", get(fields=option("keep-alive"), version="1.0") + get("/b"),
         (taken(PATH_INFO="/"), taken(PATH_INFO="/b"))),
    Case("9112-9.6 close is done", get(fields=option("close")) + get("/b"), (taken(PATH_INFO="/"),), closed=True),
    Case("9110-7.6.1 options have no case", get(fields=option("CLOSE")) + get("/b"), (taken(PATH_INFO="/"),), closed=True),
    Case("9110-7.6.1 close in a list", get(fields=option("x, close")) + get("/b"), (taken(PATH_INFO="/"),), closed=True,
         gunicorn=(200, 200), why=EXACT),
    Case("9110-7.6.1 close in a second field", get(fields=option("x", "close")) + get("/b"), (taken(PATH_INFO="/"),),
         closed=True, gunicorn=(200, 200), why=EXACT),
    Case("9112-9.3 close wins over keep-alive", get(fields=option("keep-alive, close")) + get("/b"), (taken(PATH_INFO="/"),),
         closed=True, gunicorn=(200, 200), why=EXACT),
    Case("9112-9.3 keep-alive in a list in HTTP/1.0", get(fields=option("x, Keep-Alive"), version="1.0") + get("/b"),
         (taken(PATH_INFO="/"), taken(PATH_INFO="/b")), gunicorn=(200,), why=EXACT),
    Case("9110-7.6.1 options have blanks around them", get(fields=option(" ,  close ,")) + get("/b"), (taken(PATH_INFO="/"),),
         closed=True, gunicorn=(200, 200), why=EXACT),
    Case("9112-9.3 an unknown option closes nothing", get(fields=option("x-other")) + get("/b"),
         (taken(PATH_INFO="/"), taken(PATH_INFO="/b"))),
    Case("9112-9.3.2 a pipeline is answered in order", b"".join(get(f"/{n}") for n in range(30)),
         tuple(taken(PATH_INFO=f"/{n}") for n in range(30))),
    Case("9112-9.3.2 a pipeline with bodies",
         b"".join(f"POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{'x' * n}".encode() for n in range(20)),
         tuple(taken(PATH_INFO=f"/{n}", body="x" * n) for n in range(20))),
    Case("9112-9.3.2 a pipeline with chunks and lengths",
         b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
         b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\ny" + get("/c"),
         (taken(PATH_INFO="/a", body="x"), taken(PATH_INFO="/b", body="y"), taken(PATH_INFO="/c", body=""))),
    Case("9112-2.2 an empty line between requests", get() + b"\r\n" + get("/b"), (taken(PATH_INFO="/"), taken(PATH_INFO="/b"))),
    Case("9112-9.2 a half-close after a whole request is no leaving", get("/x"), (taken(PATH_INFO="/x"),), finishes=True),
    Case("9112-9.5 a half-close within a head is no request", b"GET / HTTP/1.1\r\nHo", (), finishes=True, closed=True),
    Case("9112-11.2 what is left of a length is the next request, once",
         b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + get("/next"),
         (taken(body="hello"), taken(PATH_INFO="/next", body=""))),
    Case("9112-11.2 a request hidden in a body is body",
         b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\nGET /hidden HTTP/1.1\r\nHost: hidden\r\n" + get("/next"),
         (taken(body="GET /hidden HTTP/1.1\r\nHost: hidden\r\n"), taken(PATH_INFO="/next"))),
    Case("9112-11.2 a good request before a bad one is answered", get("/good") + b"GET / HTTP/1.1\r\nBad\r\n\r\n",
         (taken(PATH_INFO="/good"), 400), closed=True),
    refused("9112-11.2 an error ends the interpretation", b"GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n" + get("/b") * 3, 400),
    refused("9112-11.2 an error in a chunk ends the interpretation",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n" + get("/b") * 3, 400),
    Case("keep_alive nought closes each", get() + get("/b"), (taken(PATH_INFO="/"),), closed=True, group="unkept"),
    Case("9110-9.3.2 HEAD has the length and no body", get("/known", method="HEAD"), (200,), method="HEAD"),
    Case("9112-6.3 after HEAD the next response begins at once", get("/known", "Connection: close\r\n", method="HEAD"),
         (200,), closed=True, method="HEAD"),
]
