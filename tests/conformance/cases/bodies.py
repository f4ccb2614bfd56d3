"""Bodies of requests: how long they are, and chunks (RFC 9112, sections 6 and 7)."""

from ..case import Case, refused, taken


def post(fields, body="", version="1.1"):
    return f"POST / HTTP/{version}\r\nHost: a\r\n{fields}\r\n{body}".encode("latin-1")


def chunks(body, fields="Transfer-Encoding: chunked\r\n"):
    return post(fields, body)


def length(value, body="abc"):
    return post(f"Content-Length: {value}\r\n", body)


def coding(value, body="3\r\nabc\r\n0\r\n\r\n"):
    return post(f"Transfer-Encoding: {value}\r\n", body)


THROUGH = "Gunicorn hands a body in an unknown coding to the application"

CASES = [
    Case("9110-8.6 a body of that length", length("3"), (taken(body="abc", CONTENT_LENGTH="3"),)),
    Case("9110-8.6 a body of no length", length("0", ""), (taken(body="", CONTENT_LENGTH="0"),)),
    Case("9110-8.6 noughts in front", length("003"), (taken(body="abc"),)),
    Case("9112-6.3 without a length there is no body", post(""), (taken(body="", CONTENT_LENGTH=None),)),
    Case("9110-9.3.1 GET may have a body", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", (taken(body="abc"),)),
    refused("9112-6.3 Content-Length twice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400),
    refused("9112-6.3 two lengths that differ", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), 400),
    refused("9110-8.6 a list of equal lengths", length("3, 3"), 400),
    refused("9110-8.6 a list of lengths", length("3, 4"), 400),
    refused("9110-8.6 a sign", length("+3"), 400),
    refused("9110-8.6 a negative length", length("-3"), 400),
    refused("9110-8.6 an empty length", length(""), 400),
    refused("9110-8.6 a hexadecimal length", length("0x3"), 400),
    refused("9110-8.6 a decimal point", length("3.0"), 400),
    refused("9110-8.6 an underscore", length("0_3"), 400),
    refused("9110-8.6 a blank within", length("1 3"), 400),
    refused("9110-8.6 digits that are none", length("\xb3"), 400),
    refused("9110-8.6 more than a number holds", length("99999999999999999999"), 400,
            gunicorn=(200,), why="Gunicorn's application sees a short body and no error", finishes=True),
    refused("9112-6.3 a length beside chunks", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
    refused("9112-6.3 chunks beside a length", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400),
    refused("9112-6.3 a body that ends early", length("9"), 400, finishes=True,
            gunicorn=(200,), why="Gunicorn's application sees a short body and no error"),
    # Transfer codings.
    Case("9112-7.1 chunks", coding("chunked"), (taken(body="abc", CONTENT_LENGTH=None),)),
    Case("9112-7 codings have no case", coding("ChunKed"), (taken(body="abc"),)),
    Case("9112-7 blanks around a coding", coding(" \tchunked \t"), (taken(body="abc"),)),
    refused("9112-6.1 a coding in HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "1.0"), 400),
    refused("9112-6.3 a coding that is not the last", coding("chunked, gzip"), 400),
    refused("9112-7 chunked twice", coding("chunked, chunked"), 400),
    refused("9112-7 chunked in two fields", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
    refused("9112-6.1 gzip before chunked", coding("gzip, chunked"), 501, gunicorn=(200,), why=THROUGH),
    refused("9112-6.1 identity before chunked", coding("identity, chunked"), 501, gunicorn=(200,), why=THROUGH),
    refused("9112-6.1 identity alone", coding("identity"), 400),
    refused("9112-6.1 gzip alone", coding("gzip"), 400),
    refused("9112-6.1 an unknown coding", coding("xchunked"), 501),
    refused("9112-6.1 an empty coding", coding(""), 400, gunicorn=(501,), why="Gunicorn calls it unknown"),
    refused("9112-6.1 chunked and an empty member", coding("chunked,"), 501),
    refused("9112-6.1 a quoted coding", coding('"chunked"'), 501),
    refused("9112-6.1 a vertical tab", coding("\x0bchunked"), 400),
    # Chunks.
    Case("9112-7.1 several chunks", chunks("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), (taken(body="abc"),)),
    Case("9112-7.1 no chunk at all", chunks("0\r\n\r\n"), (taken(body=""),)),
    Case("9112-7.1 hexadecimal digits of both cases", chunks("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
         (taken(body="01234567890123456789"),)),
    Case("9112-7.1 noughts in front of a size", chunks("003\r\nabc\r\n000\r\n\r\n"), (taken(body="abc"),)),
    Case("9112-7.1 line ends in a chunk are data", chunks("4\r\n\r\n\r\n\r\n0\r\n\r\n"), (taken(body="\r\n\r\n"),)),
    Case("9112-7.1.1 an extension is passed over", chunks("3;a=b\r\nabc\r\n0\r\n\r\n"), (taken(body="abc"),)),
    Case("9112-7.1.1 an extension without a value", chunks("3;a\r\nabc\r\n0;b\r\n\r\n"), (taken(body="abc"),)),
    Case("9112-7.1.1 a quoted extension", chunks('3;a="b; \\"c"\r\nabc\r\n0\r\n\r\n'), (taken(body="abc"),)),
    Case("9112-7.1.1 blanks within extensions", chunks("3; a = b\r\nabc\r\n0\r\n\r\n"), (taken(body="abc"),)),
    Case("9112-7.1.2 trailers are read and dropped", chunks("3\r\nabc\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n"),
         (taken(body="abc", HTTP_X_A=None),)),
    refused("9112-7.1 no size", chunks("\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a size with 0x", chunks("0x3\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a size with a sign", chunks("+3\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a negative size", chunks("-3\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a size with an underscore", chunks("0_3\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 no hexadecimal size", chunks("g\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a blank before a size", chunks(" 3\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a blank behind a size", chunks("3 \r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a size beyond 64 bits", chunks("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400, finishes=True,
            gunicorn=(), why="Gunicorn closes without an answer when the client gives up"),
    refused("9112-7.1 a size that ends in LF", chunks("3\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a size with CR alone", chunks("3\rabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a chunk that is longer than its size", chunks("3\r\nabcd\r\n0\r\n\r\n"), 400),
    refused("9112-7.1 a chunk that ends in LF", chunks("3\r\nabc\n0\r\n\r\n"), 400),
    refused("9112-7.1 chunks that stop", chunks("3\r\nabc\r\n"), 400, finishes=True,
            gunicorn=(), why="Gunicorn closes without an answer"),
    refused("9112-7.1 a chunk that stops", chunks("9\r\nabc"), 400, finishes=True,
            gunicorn=(), why="Gunicorn closes without an answer"),
    refused("9112-7.1.1 an extension without a name", chunks("3;\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1.1 an open quote", chunks('3;a="b\r\nabc\r\n0\r\n\r\n'), 400),
    refused("9112-7.1.1 a control byte in an extension", chunks("3;a=\x01\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1.1 a bare CR in an extension", chunks("3;a=\rb\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1.1 a bare LF in an extension", chunks("3;a\nb\r\nabc\r\n0\r\n\r\n"), 400),
    refused("9112-7.1.2 a trailer without a colon", chunks("0\r\nX-A\r\n\r\n"), 400),
    refused("9112-7.1.2 a blank before the colon of a trailer", chunks("0\r\nX-A : b\r\n\r\n"), 400),
    refused("9112-7.1.2 a folded trailer", chunks("0\r\nX-A: b\r\n c\r\n\r\n"), 400),
    refused("9112-7.1.2 a NUL in a trailer", chunks("0\r\nX-A: \0\r\n\r\n"), 400),
    refused("9112-7.1.2 a trailer that ends in LF", chunks("0\r\nX-A: b\n\r\n"), 400),
    refused("9110-6.5.1 Content-Length as a trailer", chunks("0\r\nContent-Length: 3\r\n\r\n"), 400),
    refused("9110-6.5.1 Transfer-Encoding as a trailer", chunks("0\r\nTransfer-Encoding: x\r\n\r\n"), 400),
    refused("9110-6.5.1 Host as a trailer", chunks("0\r\nHost: b\r\n\r\n"), 400),
    refused("9110-6.5.1 Authorization as a trailer", chunks("0\r\nAuthorization: b\r\n\r\n"), 400),
    # Expect.
    Case("9110-10.1.1 a body that came along needs no 100",
         post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"), (taken(body="abc"),)),
    Case("9110-10.1.1 Expect has no case", post("Expect: 100-Continue\r\nContent-Length: 3\r\n", "abc"), (taken(body="abc"),)),
    Case("9110-10.1.1 Expect means nothing in HTTP/1.0", post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc", "1.0"),
         (taken(body="abc"),), closed=True),
]
