"""What proxies say of a client: the scheme, the mount point, the hops, and the PROXY protocol."""

from ..case import Case, refused, taken


def get(fields="", path="/"):
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode("latin-1")


V1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 80\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n"
TCP4 = V2 + b"\x21\x11\0\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 80])
TCP6 = V2 + b"\x21\x21\0\x24" + bytes([32, 1, 13, 184] + [0] * 11 + [1]) + bytes([0] * 15 + [1]) + b"\x04\xd2\0\x50"
SOURCE = {"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "1234", "PROXY_ADDR": "192.0.2.2", "PROXY_PORT": "80"}
LOCAL = {"REMOTE_ADDR": "127.0.0.1", "PROXY_ADDR": None}
ON = "proxy-protocol"

CASES = [
    Case("secure_scheme_headers https", get("X-Forwarded-Proto: https\r\n"), (taken(**{"wsgi.url_scheme": "https"}),)),
    Case("secure_scheme_headers ssl", get("X-Forwarded-Protocol: ssl\r\n"), (taken(**{"wsgi.url_scheme": "https"}),)),
    Case("secure_scheme_headers any other value is http", get("X-Forwarded-Proto: HTTPS\r\n"), (taken(**{"wsgi.url_scheme": "http"}),)),
    Case("secure_scheme_headers two that agree", get("X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\n"),
         (taken(**{"wsgi.url_scheme": "https"}),)),
    refused("secure_scheme_headers two that disagree", get("X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n"), 400),
    Case("forwarded_allow_ips a stranger tells no scheme", get("X-Forwarded-Proto: https\r\n"),
         (taken(**{"wsgi.url_scheme": "http", "HTTP_X_FORWARDED_PROTO": "https"}),), group="strangers"),
    Case("forwarded_allow_ips a stranger's fields may disagree", get("X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n"),
         (taken(**{"wsgi.url_scheme": "http"}),), group="strangers"),
    Case("forwarder_headers SCRIPT_NAME of a trusted proxy", get("SCRIPT_NAME: /shop\r\n", "/shop/cart"),
         (taken(SCRIPT_NAME="/shop", PATH_INFO="/cart"),)),
    Case("forwarder_headers SCRIPT_NAME of a stranger is dropped", get("SCRIPT_NAME: /shop\r\n", "/shop/cart"),
         (taken(SCRIPT_NAME="", PATH_INFO="/shop/cart", HTTP_SCRIPT_NAME=None),), group="strangers"),
    refused("forwarder_headers SCRIPT_NAME that the path does not begin with", get("SCRIPT_NAME: /shop\r\n", "/cart"), 500),
    refused("forwarder_headers SCRIPT_NAME is whole segments", get("SCRIPT_NAME: /shop\r\n", "/shopping"), 500,
            gunicorn=(200,), why="Gunicorn gives PATH_INFO ping"),
    Case("script_name as set", get(path="/shop"), (taken(SCRIPT_NAME="/shop", PATH_INFO=""),), group="mounted",
         gunicorn=(200,), why="Gunicorn has $SCRIPT_NAME only"),
    Case("forwarded_for the nearest hop that is not ours", get("X-Forwarded-For: 203.0.113.7, 198.51.100.4, 127.0.0.1\r\n"),
         (taken(REMOTE_ADDR="198.51.100.4", REMOTE_PORT=None),), group="forwarded-for",
         gunicorn=(200,), why="Gunicorn never reads it"),
    Case("forwarded_for fields are one list", get("X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 198.51.100.4\r\n"),
         (taken(REMOTE_ADDR="198.51.100.4"),), group="forwarded-for", gunicorn=(200,), why="Gunicorn never reads it"),
    Case("forwarded_for what is no address ends the way", get("X-Forwarded-For: 203.0.113.7, unknown\r\n"),
         (taken(REMOTE_ADDR="127.0.0.1"),), group="forwarded-for"),
    Case("forwarded_for is off by default", get("X-Forwarded-For: 203.0.113.7\r\n"), (taken(REMOTE_ADDR="127.0.0.1"),)),
    Case("7239-4 Forwarded", get('Forwarded: for=203.0.113.7, for="[2001:db8::1]:99";proto=https\r\n'),
         (taken(**{"REMOTE_ADDR": "2001:db8::1", "REMOTE_PORT": "99", "wsgi.url_scheme": "https"}),), group="forwarded",
         gunicorn=(200,), why="Gunicorn never reads it"),
    refused("7239-4 Forwarded with an open quote", get('Forwarded: for="203.0.113.7, for=198.51.100.4\r\n'), 400, group="forwarded",
            gunicorn=(200,), why="Gunicorn never reads it"),
    # PROXY headers.
    Case("proxy-protocol version 1", V1 + get(), (taken(PROXY_PROTOCOL="TCP4", **SOURCE),), group=ON),
    Case("proxy-protocol it counts for all requests", V1 + get() + get(path="/b"), (taken(**SOURCE), taken(**SOURCE)), group=ON,
         gunicorn=(200, 200), why="Gunicorn's threads forget it after the first"),
    Case("proxy-protocol version 1 UNKNOWN", b"PROXY UNKNOWN\r\n" + get(), (taken(**LOCAL),), group=ON,
         gunicorn=(400,), why="Gunicorn refuses what the protocol says must be taken"),
    Case("proxy-protocol version 1 of IPv6", b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n" + get(),
         (taken(REMOTE_ADDR="2001:db8::1", PROXY_PROTOCOL="TCP6"),), group=ON),
    refused("proxy-protocol version 1 with a bad address", b"PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n" + get(), 400, group=ON),
    refused("proxy-protocol version 1 with a bad port", b"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n" + get(), 400, group=ON),
    refused("proxy-protocol version 1 with a missing part", b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n" + get(), 400, group=ON),
    refused("proxy-protocol version 1 of another family", b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n" + get(), 400, group=ON),
    refused("proxy-protocol version 1 without an end", b"PROXY TCP4 " + b"1" * 200, 400, group=ON),
    Case("proxy-protocol version 2", TCP4 + get(), (taken(PROXY_PROTOCOL="TCP4", **SOURCE),), group=ON),
    Case("proxy-protocol version 2 of IPv6", TCP6 + get(), (taken(REMOTE_ADDR="2001:db8::1", PROXY_PORT="80"),), group=ON),
    Case("proxy-protocol version 2 with more behind the addresses",
         V2 + b"\x21\x11\0\x10" + TCP4[16:] + b"\x04\0\x01x" + get(), (taken(**SOURCE),), group=ON),
    Case("proxy-protocol version 2 LOCAL", V2 + b"\x20\0\0\0" + get(), (taken(**LOCAL),), group=ON,
         gunicorn=(200,), why="Gunicorn says REMOTE_ADDR is None"),
    refused("proxy-protocol version 2 of another version", V2 + b"\x31\x11\0\0" + get(), 400, group=ON,
            gunicorn=(500,), why="Gunicorn fails with a traceback"),
    refused("proxy-protocol version 2 with too little", V2 + b"\x21\x11\0\x04abcd" + get(), 400, group=ON,
            gunicorn=(500,), why="Gunicorn fails with a traceback"),
    Case("proxy-protocol a request without one is served", get(), (taken(**LOCAL),), group=ON),
    refused("proxy-protocol a second one is no request", V1 + V1 + b"\r\n", 400, group=ON),
    refused("proxy-protocol from a stranger", V1 + get(), 403, group="proxy-protocol-strangers"),
    refused("proxy-protocol version 2 from a stranger", TCP4 + get(), 403, group="proxy-protocol-strangers"),
    Case("proxy-protocol a stranger without one is served", get(), (200,), group="proxy-protocol-strangers"),
    refused("proxy-protocol is off by default", V1 + get(), 400),
    refused("proxy-protocol version 2 is off by default", TCP4 + get(), 400),
]
