"""Header fields: their grammar (RFC 9112, section 5; RFC 9110, section 5), and Host (RFC 9112, section 3.2)."""

from ..case import Case, refused, taken


def head(fields, start="GET / HTTP/1.1"):
    """A request with a Host and these lines, each with its end."""
    return f"{start}\r\nHost: a\r\n{fields}\r\n".encode("latin-1")


def hosts(fields, version="1.1"):
    return f"GET / HTTP/{version}\r\n{fields}\r\n".encode("latin-1")


LENIENT_HOST = "Gunicorn does not look into Host"

CASES = [
    Case("9112-5 blanks around a value", head("X-A: \t b c \t \r\n"), (taken(HTTP_X_A="b c"),)),
    Case("9112-5 no blank behind the colon", head("X-A:b\r\n"), (taken(HTTP_X_A="b"),)),
    Case("9110-5.5 an empty value", head("X-A:\r\n"), (taken(HTTP_X_A=""),)),
    Case("9110-5.5 a colon in a value", head("X-A: b:c\r\n"), (taken(HTTP_X_A="b:c"),)),
    Case("9110-5.5 bytes beyond ASCII are latin-1", head("X-A: caf\xe9\r\n"), (taken(HTTP_X_A="caf\xe9"),)),
    Case("9110-5.5 a tab within a value", head("X-A: b\tc\r\n"), (taken(HTTP_X_A="b\tc"),)),
    Case("9110-5.1 names have no case", head("x-FoO: 1\r\n"), (taken(HTTP_X_FOO="1"),)),
    Case("9110-5.6.2 odd tokens are names", head("X!#$%&'*+.^`|~1: 1\r\n"), (taken(**{"HTTP_X!#$%&'*+.^`|~1": "1"}),)),
    Case("9110-5.3 repeated fields are joined", head("X-A: 1\r\nX-B: 0\r\nx-a: 2\r\n"), (taken(HTTP_X_A="1,2"),)),
    Case("6265-5.4 cookies are joined with a semicolon", head("Cookie: a=1\r\nCookie: b=2\r\n"),
         (taken(HTTP_COOKIE="a=1; b=2"),), gunicorn=(200,), why="Gunicorn joins them with a comma, which no parser of cookies takes"),
    Case("9110-5.1 a field named like a variable", head("Request-Method: X\r\n"),
         (taken(HTTP_REQUEST_METHOD="X", REQUEST_METHOD="GET"),)),
    Case("3875-4.1.18 Proxy is only a field", head("Proxy: evil\r\n"), (taken(HTTP_PROXY="evil"),)),
    Case("header_map drops names with an underscore", head("X_A: 1\r\nX-B: 2\r\n"), (taken(HTTP_X_B="2", HTTP_X_A=None),)),
    refused("header_map refuses names with an underscore", head("X_A: 1\r\n"), 400, group="refuses-underscores"),
    Case("header_map passes names with an underscore", head("X_A: 1\r\nX-A: 2\r\n"), (taken(HTTP_X_A="1,2"),),
         group="passes-underscores"),
    refused("9112-5.1 a space before the colon", head("X-A : b\r\n"), 400),
    refused("9112-5.1 a tab before the colon", head("X-A\t: b\r\n"), 400),
    refused("9112-5.1 a space within the name", head("X A: b\r\n"), 400),
    refused("9112-5.1 a blank before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    refused("9112-5.2 obsolete folding", head("X-A: b\r\n c\r\n"), 400),
    refused("9112-5.2 obsolete folding with a tab", head("X-A: b\r\n\tc\r\n"), 400),
    refused("9112-5.2 a line of blanks", head("X-A: b\r\n \r\n"), 400),
    refused("9112-5 no colon", head("X-A\r\n"), 400),
    refused("9110-5.1 an empty name", head(": b\r\n"), 400),
    refused("9110-5.6.2 a separator in the name", head("X(A): b\r\n"), 400),
    refused("9110-5.6.2 a quote in the name", head('X"A: b\r\n'), 400),
    refused("9110-5.6.2 a name beyond ASCII", head("X-\xc4: b\r\n"), 400),
    refused("9110-5.6.2 a control byte in the name", head("X-\x01A: b\r\n"), 400),
    refused("9110-5.5 NUL in a value", head("X-A: b\0c\r\n"), 400),
    refused("9110-5.5 a control byte in a value", head("X-A: b\x0bc\r\n"), 400),
    refused("9110-5.5 DEL in a value", head("X-A: b\x7fc\r\n"), 400),
    refused("9110-5.5 a bare CR in a value", head("X-A: b\rc\r\n"), 400),
    refused("9112-2.2 a bare LF ends no field", head("X-A: b\nX-B: c\r\n"), 400),
    refused("9112-2.2 a bare CR ends no field", head("X-A: b\rX-B: c\r\n"), 400),
    refused("9112-2.2 CR CR LF", head("X-A: b\r\r\n"), 400),
    refused("9112-2.2 LF LF ends no head", b"GET / HTTP/1.1\r\nHost: a\n\n", 400),
    refused("9110-5.3 Content-Type twice", head("Content-Type: a/b\r\nContent-Type: a/b\r\n"), 400),
    # Host.
    refused("9112-3.2 no Host in HTTP/1.1", hosts("X-A: b\r\n"), 400, gunicorn=(200,), why="Gunicorn serves it"),
    Case("9112-3.2 no Host in HTTP/1.0", hosts("X-A: b\r\n", "1.0"), (taken(HTTP_HOST=None),), closed=True),
    refused("9112-3.2 two Hosts", hosts("Host: a\r\nHost: a\r\n"), 400),
    refused("9112-3.2 two Hosts in HTTP/1.0", hosts("Host: a\r\nHost: b\r\n", "1.0"), 400),
    Case("9112-3.2 an empty Host", hosts("Host:\r\n"), (taken(HTTP_HOST=""),)),
    Case("9110-7.2 a Host with a port", hosts("Host: a.example:8080\r\n"), (taken(HTTP_HOST="a.example:8080"),)),
    Case("9110-7.2 a Host with an empty port", hosts("Host: a:\r\n"), (taken(HTTP_HOST="a:"),)),
    Case("3986-3.2.2 an IPv6 Host", hosts("Host: [2001:db8::1]:80\r\n"), (taken(HTTP_HOST="[2001:db8::1]:80"),)),
    Case("3986-3.2.2 an underscore in Host", hosts("Host: a_b\r\n"), (taken(HTTP_HOST="a_b"),)),
    refused("9112-3.2 a space in Host", hosts("Host: a b\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("9112-3.2 a slash in Host", hosts("Host: a/b\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("9112-3.2 a user in Host", hosts("Host: user@a\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("9112-3.2 a list in Host", hosts("Host: a, b c\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("9112-3.2 a port that is none", hosts("Host: a:http\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("9112-3.2 a port that is too large", hosts("Host: a:65536\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("9112-3.2 a port without a host", hosts("Host: :80\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("9112-3.2 two ports", hosts("Host: a:1:2\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("3986-3.2.2 a broken IPv6 Host", hosts("Host: [::1\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    refused("3986-3.2.2 bytes beyond ASCII in Host", hosts("Host: caf\xe9\r\n"), 400, gunicorn=(200,), why=LENIENT_HOST),
    # Expect.
    refused("9110-10.1.1 an expectation that cannot be met", head("Expect: 200-ok\r\n"), 417),
    Case("9110-10.1.1 Expect without a body", head("Expect: 100-continue\r\n"), (taken(),)),
    # Upgrade.
    Case("9110-7.8 an upgrade that is not supported is passed over", head("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
         (taken(HTTP_UPGRADE="websocket"),)),
    Case("9113-3.1 an upgrade to h2c is passed over",
         head("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"), (taken(),)),
]
