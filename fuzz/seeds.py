"""Writes the messages that the fuzzers begin with: seeds.py TARGET DIRECTORY.

Each has a name that says what it is for. The first character chooses the settings (its bits: see the target), the
second one how the message is cut into pieces.
"""

import sys
import zlib
from pathlib import Path

HOST = "Host: a\r\n"


def request(line, *fields, body=""):
    return line + "\r\n" + "".join(field + "\r\n" for field in fields) + "\r\n" + body


def post(*fields, body=""):
    return request("POST / HTTP/1.1", "Host: a", *fields, body=body)


CHUNKED = "Transfer-Encoding: chunked"

REQUESTS = {
    "plain": request("GET /a?b=c HTTP/1.1", "Host: a", "Accept: */*"),
    "version-1.0": request("GET / HTTP/1.0"),
    "version-1.0-kept": request("GET / HTTP/1.0", "Connection: x, Keep-Alive"),
    "version-1.2": request("GET / HTTP/1.2", "Host: a"),
    "empty-line-before": "\r\n" + request("GET / HTTP/1.1", "Host: a"),
    "absolute-target": request("GET http://b:8/c?d HTTP/1.1", "Host: a"),
    "absolute-target-without-path": request("GET https://b?d HTTP/1.1", "Host: a"),
    "asterisk": request("OPTIONS * HTTP/1.1", "Host: a"),
    "length": post("Content-Length: 3", body="abc"),
    "chunks": post(CHUNKED, body="3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n"),
    "expectation": post("Expect: 100-continue", "Content-Length: 1", body="x"),
    "pipelined": post("Content-Length: 1", body="x") + post(CHUNKED, body="1\r\nx\r\n0\r\n\r\n") + request("GET / HTTP/1.0"),
    "closing": post("Connection: close, x"),
    "underscore": post("A_B: c", "D: e"),
    "host-with-port": request("GET / HTTP/1.1", "Host: [::1]:8000"),
    "both-lengths": post("Content-Length: 3", CHUNKED, body="0\r\n\r\n"),
    "not-whole": "GET / HTTP/1.1\r\nHost: a\r\nX:",
    "tight": ("1", request("GET /aaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1", "Host: a", "X: " + "y" * 35)),
    "folded": ("2", post("X: a", " b", "\t c", "Y: d")),
    "blank-before-colon": ("4", post("X \t: a")),
    "odd-method": ("8", request("a# / HTTP/1.1", "Host: a")),
    "odd-version": ("P", request("GET / HTTP/3.7", "Host: a")),
    "small-method": ("p", request("get / HTTP/1.1", "Host: a")),
    "all-permits": ("~", request("get / HTTP/9.9", "Host : a", "X: a", " b")),
}

CHUNKS = {
    "three": "3\r\nabc\r\n1\r\nd\r\n00\r\n\r\n",
    "extensions": '3;a;b=c;d="e\\"f" ; g = h\r\nabc\r\n0;x\r\n\r\n',
    "trailers": "1\r\na\r\n0\r\nA: b\r\nC:\r\n\r\nGET",
    "sixteen-digits": "0000000000000001\r\na\r\n0\r\n\r\n",
    "large": "ffffffffffffff\r\na",
    "over-the-limit": ("1", "5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n"),
    "forbidden-trailer": "0\r\nContent-Length: 1\r\n\r\n",
}

SIGNATURE = "\r\n\r\n\0\r\nQUIT\n"
PLAIN = request("GET / HTTP/1.1", "Host: a")
FOUR = "\x7f\0\0\1\xc0\0\2\1\xff\xff\0\x50"
SIX = "\0" * 15 + "\1" + "\x20\1\x0d\xb8" + "\0" * 12 + "\1\0\0\x50"

PREAMBLES = {
    "version-1": "PROXY TCP4 127.0.0.1 192.0.2.1 65535 80\r\n" + PLAIN,
    "version-1-ipv6": "PROXY TCP6 ::1 2001:db8::1 0 80\r\n" + PLAIN,
    "version-1-unknown": "PROXY UNKNOWN whatever\r\n" + PLAIN,
    "version-1-malformed": "PROXY TCP4 127.0.0.1  192.0.2.1 065535 80\r\n",
    "version-1-not-whole": "PROXY TCP4 127.0.0.1",
    "version-2": SIGNATURE + "\x21\x11\0\x0c" + FOUR + PLAIN,
    "version-2-ipv6": SIGNATURE + "\x21\x21\0\x24" + SIX + PLAIN,
    "version-2-local": SIGNATURE + "\x20\0\0\0" + PLAIN,
    "version-2-unix": SIGNATURE + "\x21\x31\0\x03abc" + PLAIN,
    "version-2-with-more": SIGNATURE + "\x21\x11\0\x10" + FOUR + "\4\0\1x" + PLAIN,
    "version-2-too-short": SIGNATURE + "\x21\x11\0\x0b" + FOUR[1:] + PLAIN,
    "none": PLAIN,
    "none-but-empty-line": "\r\n" + PLAIN,
    "only-version-1": ("B", SIGNATURE + "\x20\0\0\0" + PLAIN),
    "only-version-2": ("A", "PROXY UNKNOWN\r\n" + PLAIN),
    "stranger": ("D", "PROXY TCP4 127.0.0.1 192.0.2.1 65535 80\r\n"),
}

# "0" is a trusted proxy that sends X-Forwarded-For, "1" one that sends Forwarded; "@" and "p" differ in underscores.
FORWARDED = {
    "list": "X-Forwarded-For: 192.0.2.1, 10.0.0.1",
    "two-fields": "X-Forwarded-For: 192.0.2.1\r\nA: b\r\nx-forwarded-for: 10.0.0.1, fd00::1",
    "ports": "X-Forwarded-For: 192.0.2.1:80, [fd00::1]:8000, 10.0.0.1:_x, [::ffff:10.0.0.1]",
    "unknown": "X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.1",
    "https": "X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on",
    "scheme-disagrees": "X-Forwarded-Proto: http\r\nX-Forwarded-Ssl: on",
    "script-name": "SCRIPT_NAME: /app/",
    "script-name-set": ("4", "A: b"),
    "script-name-wrong": "SCRIPT_NAME: /ap",
    "underscores": "A_B: c\r\nRemote_User: d",
    "underscores-refused": ("@", "A_B: c\r\nRemote_User: d"),
    "underscores-kept": ("P", "A_B: c\r\nRemote_User: d"),
    "stranger": ("8", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nSCRIPT_NAME: /app"),
    "stranger-forwarded": ("9", "Forwarded: for=192.0.2.1;proto=https"),
    "not-asked-for": ("2", "X-Forwarded-For: 192.0.2.1"),
    "forwarded": ("1", "Forwarded: for=192.0.2.1;proto=https;by=10.0.0.1, for=10.0.0.1"),
    "forwarded-quoted": ("1", 'Forwarded: For="[2001:db8::1]:80";host="a,b;c\\"", for="\\10.0.0.1"'),
    "forwarded-hidden": ("1", "Forwarded: for=_hidden, for=10.0.0.1;proto=http"),
    "forwarded-open-quote": ("1", 'Forwarded: for="192.0.2.1'),
    "forwarded-two-fields": ("1", "Forwarded: for=192.0.2.1\r\nX-Forwarded-Proto: https\r\nForwarded: for=10.0.0.1"),
}


def script(*parts):
    """What an application does with its reply, one letter and a text each; see src/http/fuzz/responses.rs."""
    return "\x1f".join(parts).replace("=", "\x1e")


RESPONSES = {
    "whole": script("s200 OK", "hContent-Type=text/plain", "lhello", "f"),
    "pieces": script("s200 OK", "whel", "wlo", "f"),
    "pieces-last": script("s200 OK", "whel", "llo"),
    "length": script("s200 OK", "hContent-Length=5", "whel", "wlo and more", "f"),
    "length-not-met": script("s200 OK", "hcontent-length=9", "whello", "f"),
    "empty": script("s404", "f"),
    "no-content": script("s204 No Content", "lhello", "f"),
    "reset-content": script("s205 Reset Content", "whello", "f"),
    "not-modified": script("s304 Not Modified", "hContent-Length=5", "f"),
    "begun-twice": script("s200 OK", "hA=b", "s500 No", "hC=d", "lx", "f"),
    "file": script("s200 OK", "hA=b", "Fabcde"),
    "file-shorter": script("s200 OK", "hContent-Length=9", "Fabcde", "f"),
    "hints": script("eLink=</a>", "eContent-Length=3", "s200 OK", "hLink=</a>", "lx", "f"),
    "closing": script("s200 OK", "hConnection=close, x", "lx", "f"),
    "ours": script("s200 OK", "hDate=x", "hTransfer-Encoding=gzip", "hKeep-Alive=x", "hDates=y", "lx", "f"),
    "injection": script("s200 OK\r\nA: b", "s200 OK", "hA=b\r\nC: d", "s200 OK", "hA\n=b", "s200 OK", "hA=b\x00", "f"),
    "failure": script("s200 OK", "hA=b", "x"),
    "failure-late": script("s200 OK", "wa", "x", "wb"),
    "nothing": script(""),
    "head": ("2", script("s200 OK", "hContent-Length=5", "f")),
    "version-1.0": ("1", script("s200 OK", "wa", "wb", "f")),
    "version-1.0-kept-not": ("5", script("s200 OK", "la", "f")),
    "version-1.0-torn": ("1", script("s200 OK", "wa", "x")),
}


def frame(first, payload=b"", key=b"\x01\x02\x03\x04"):
    """A frame of a client, with as many bytes for its length as it needs."""
    length = len(payload)
    header = bytes([first, 128 | length]) if length < 126 else bytes([first, 254]) + length.to_bytes(2, "big")
    return header + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def packed(*messages, bits=-15, flush=zlib.Z_SYNC_FLUSH):
    """The payloads of compressed messages, each of which may refer to those before it."""
    deflate = zlib.compressobj(9, wbits=bits)
    for message in messages:
        payload = deflate.compress(message) + deflate.flush(flush)
        yield payload.removesuffix(b"\0\0\xff\xff")


HELLO = "héllo €, 😀".encode()

FRAMES = {
    "text": frame(0x81, b"hello"),
    "binary": frame(0x82, bytes(range(256))),
    "fragments": frame(1, b"he") + frame(0x89, b"ping") + frame(0, b"l") + frame(0x8A) + frame(0x80, b"lo"),
    "characters-cut": frame(1, HELLO[:2]) + frame(0, HELLO[2:9]) + frame(0x80, HELLO[9:]),
    "not-utf-8": frame(1, b"\xf4") + frame(0, b"\x90"),
    "half-a-character": frame(0x81, b"\xce\xba\xe1\xbd"),
    "closes": frame(0x88, b"\x03\xe8bye"),
    "closes-without-code": frame(0x88),
    "closes-wrongly": frame(0x88, b"\x03\xed"),
    "closes-with-half-a-code": frame(0x88, b"\x03"),
    "long-length": bytes([0x82, 0xFF]) + (1 << 40).to_bytes(8, "big") + b"\0\0\0\0",
    "length-not-minimal": bytes([0x82, 0xFE, 0, 5]) + b"\0\0\0\0hello",
    "not-masked": b"\x81\x05hello",
    "reserved": frame(0xF1, b"a") + frame(0x83),
    "over-the-limit": ("8", frame(2, b"abcde") + frame(0x80, b"fghij")),
    "compressed": ("3", b"".join(frame(0xC1, payload) for payload in packed(HELLO, HELLO, b"", HELLO * 9))),
    "compressed-fragments": ("3", b"".join(frame(0x41, p[:3]) + frame(0x80, p[3:]) for p in packed(HELLO, HELLO * 3))),
    "compressed-not-agreed": frame(0xC1, b"\xf2H\xcd\xc9\xc9\7\0"),
    "bomb": ("9", frame(0xC2, next(packed(bytes(50000))))),
}

SEPARATOR = b"\xff\xfe\xfd"

INFLATED = {
    "shared-window": ("2", SEPARATOR.join(packed(HELLO, HELLO, HELLO * 3))),
    "no-shared-window": ("0", SEPARATOR.join(packed(HELLO, HELLO, flush=zlib.Z_FULL_FLUSH))),
    "small-window": ("6", SEPARATOR.join(packed(HELLO * 20, HELLO * 30, bits=-9))),
    "last-block": ("2", b"\xf3H\xcd\xc9\xc9\7\0\0"),
    "stored": ("2", b"\0\5\0\xfa\xffhello\0"),
    "two-blocks": ("2", b"\xf2H\5\0\0\0\xff\xff\xca\xc9\xc9\7\0"),
    "text": ("R", SEPARATOR.join(packed(HELLO, HELLO))),
    "own-codes": ("2", next(packed(b"".join(b"%d%c" % (n * n, 65 + n % 17) for n in range(150))))),
    "bomb": ("*", next(packed(bytes(6000)))),
    "empty": ("2", b"\0"),
    "not-whole": ("2", b"\xf2H\xcd"),
}

SPOKEN = {
    "repeated": ("0", "\x1f".join(["_hello ", "?hello ", "\x7fhello ", "_hello "])),
    "no-takeover": ("T", "\x1f".join(["_hello ", "_hello ", "\x7fhello "])),
    "uncompressed": ("8", "\x1f".join(["_hello ", "?hello "])),
    "short": ("0", "\x1f".join(["@a", "A", "", "@b"])),
    "mixed": ("3", "\x1f".join(chr(95 + 32 * (n % 2)) + "%d" % (n * 7919) for n in range(40))),
}

SEEDS = {"requests": ("@", REQUESTS), "chunks": ("0", CHUNKS), "responses": ("0", RESPONSES), "preambles": ("@", PREAMBLES), "forwarded": ("0", FORWARDED), "frames": ("0", FRAMES), "inflated": ("2", INFLATED), "spoken": ("0", SPOKEN)}


def main(target, directory):
    usual, seeds = SEEDS[target]
    for name, seed in seeds.items():
        choice, message = seed if isinstance(seed, tuple) else (usual, seed)
        message = message if isinstance(message, bytes) else message.encode("latin-1")
        (Path(directory) / name).write_bytes(choice.encode() + b"5" + message)


main(*sys.argv[1:])
