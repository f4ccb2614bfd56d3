//! Bodies: by length, by transfer coding, in chunks.

use super::*;

#[test]
fn bodies_by_length() {
    let post = |body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{body}");
    let whole = "POST /  1.1 keep Host=a Content-Length=3 [abc]";
    try_all(&[
        ("9112 6.2 exactly so long", &post("abc"), Taken(whole)),
        ("9112 8 shorter", &post("ab"), Waits),
        (
            "9112 9.3.2 the next one follows",
            &(post("abc") + &post("abc")),
            Taken(&format!("{whole}\n{whole}")),
        ),
        (
            "9110 8.6 a body of GET",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
            Taken("GET /  1.1 keep Host=a Content-Length=1 [x]"),
        ),
        (
            "9112 5.1 blanks around a length",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \t1 \t\r\n\r\nx",
            Taken("POST /  1.1 keep Host=a Content-Length=1 [x]"),
        ),
        (
            "9112 6.3 a body in 1.0",
            "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
            Taken("POST /  1.0 close Content-Length=1 [x]"),
        ),
        (
            "9112 6.3 bytes are not text",
            &post("\0\r\n"),
            Taken("POST /  1.1 keep Host=a Content-Length=3 [\0\r\n]"),
        ),
    ]);
}

#[test]
fn transfer_codings() {
    try_lines(&[
        ("9112 6.1 unknown", "Transfer-Encoding: foo\r\n", Refused(501)),
        ("9112 6.1 another before chunked", "Transfer-Encoding: gzip, chunked\r\n", Refused(501)),
        ("9112 6.1 unknown before chunked", "Transfer-Encoding: foo, chunked\r\n", Refused(501)),
        ("9112 7 with a parameter", "Transfer-Encoding: chunked;q=1\r\n", Refused(501)),
        ("9112 6.3 (4) chunked is not last", "Transfer-Encoding: chunked, gzip\r\n", Refused(400)),
        ("9112 6.3 (4) without chunked", "Transfer-Encoding: gzip\r\n", Refused(400)),
        ("9112 6.3 (4) identity is gone", "Transfer-Encoding: identity\r\n", Refused(400)),
        ("9112 6.1 chunked twice", "Transfer-Encoding: chunked, chunked\r\n", Refused(400)),
        (
            "9112 6.1 in two fields",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Refused(400),
        ),
        ("9112 6.1 in two fields", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Refused(400)),
        ("9112 6.1 empty", "Transfer-Encoding:\r\n", Refused(400)),
        ("9112 6.1 glued", "Transfer-Encoding: xchunked\r\n", Refused(501)),
        ("9110 5.6.1 an empty member", "Transfer-Encoding: chunked,\r\n", Refused(501)),
        ("9112 6.1 several codings in 1.1", "Transfer-Encoding: gzip, deflate, chunked\r\n", Refused(501)),
        ("9112 5.1 blank before its colon", "Transfer-Encoding : chunked\r\n", Refused(400)),
        ("9112 5.2 folded", "Transfer-Encoding:\r\n chunked\r\n", Refused(400)),
        ("9110 5.5 NUL behind it", "Transfer-Encoding: chunked\0\r\n", Refused(400)),
        ("9110 5.5 vertical tab", "Transfer-Encoding: \u{b}chunked\r\n", Refused(400)),
        ("9112 6.1 quoted", "Transfer-Encoding: \"chunked\"\r\n", Refused(501)),
    ]);
    try_all(&[
        (
            "9112 6.1 never in 1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Refused(400),
        ),
        (
            "9112 7 in any case",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
            Taken("POST /  1.1 keep Host=a Transfer-Encoding=Chunked []"),
        ),
    ]);
}

fn took_chunked(body: &str) -> String {
    format!("POST /  1.1 keep Host=a Transfer-Encoding=chunked [{body}]")
}

#[test]
fn chunks() {
    let good = [
        ("9112 7.1 two chunks", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
        ("9112 7.1 none", "0\r\n\r\n", ""),
        (
            "9112 7.1 hex in both cases",
            "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
            "01234567890123456789",
        ),
        ("9112 7.1 sixteen digits", "0000000000000003\r\nabc\r\n0\r\n\r\n", "abc"),
        ("9112 7.1.2 a trailer that is no framing", "0\r\nContent-MD5: a\r\nhosts: b\r\n\r\n", ""),
        ("9112 7.1 noughts in front", "0003\r\nabc\r\n000\r\n\r\n", "abc"),
        ("9112 7.1 data may look like framing", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        ("9112 7.1.1 extensions are dropped", "3;a;b=c;d=\"e\\\"f\"\r\nabc\r\n0;z\r\n\r\n", "abc"),
        ("9112 7.1.1 blanks around them", "3; a = b ;c\r\nabc\r\n0\r\n\r\n", "abc"),
        ("9112 7.1.2 trailers are dropped", "3\r\nabc\r\n0\r\nX: a\r\nY:\r\n\r\n", "abc"),
    ];
    for (rule, body, content) in good {
        let expect = took_chunked(content);
        try_one(rule, format!("{CHUNKED}{body}").as_bytes(), Taken(&expect), &Config::default());
    }
    let next = format!("{CHUNKED}1\r\na\r\n0\r\n\r\nGET /n HTTP/1.1\r\nHost: a\r\n\r\n");
    let both = format!("{}\nGET /n  1.1 keep Host=a", took_chunked("a"));
    try_one("9112 9.3.2 the next one follows", next.as_bytes(), Taken(&both), &Config::default());
}

#[test]
fn chunks_that_are_malformed() {
    let bad = [
        ("9112 7.1 empty size", "\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 sign", "+3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 sign", "-3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 prefix", "0x3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 underscore", "1_0\r\n0123456789abcdef\r\n0\r\n\r\n"),
        ("9112 7.1 no hex digit", "g\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 blank before", " 3\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 blank behind", "3 \r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 blank before an extension, as Gunicorn", "3 ;a\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 bare LF behind the size", "3\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 bare CR behind the size", "3\rabc\r\n0\r\n\r\n"),
        ("9112 7.1 overflow", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 overflow", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 noughts without end", "00000000000000003\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 data longer than said", "2\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 data shorter than said", "4\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 LF behind the data", "3\r\nabc\n0\r\n\r\n"),
        ("9112 7.1 CR behind the data", "3\r\nabc\r0\r\n\r\n"),
        ("9112 7.1.1 extension without a name", "3;\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 extension without a value", "3;a=\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1 something behind the CR behind the data", "3\r\nabc\rx0\r\n\r\n"),
        ("9112 7.1 something before the LF behind the data", "3\r\nabcx\n0\r\n\r\n"),
        ("9110 5.6.4 an escaped quote ends nothing", "3;d=\"e\\\"\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 quote without end", "3;a=\"b\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 bare LF in an extension", "3;a\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 bare CR in an extension", "3;a\rb\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.1 NUL in an extension", "3;a\0\r\nabc\r\n0\r\n\r\n"),
        ("9112 7.1.2 trailer without a colon", "0\r\nX\r\n\r\n"),
        ("9112 7.1.2 trailer with a blank before its colon", "0\r\nX : a\r\n\r\n"),
        ("9112 5.2 folded trailer", "0\r\nX: a\r\n b\r\n\r\n"),
        ("9112 7.1.2 control character in a trailer", "0\r\nX: \u{1}\r\n\r\n"),
        ("9112 2.2 bare CR in a trailer", "0\r\nX: a\rb\r\n\r\n"),
        ("9112 2.2 bare LF behind a trailer", "0\r\nX: a\n\r\n"),
        ("9112 2.2 bare LF as the end", "0\r\n\n"),
        ("9110 6.5.1 framing as a trailer", "0\r\nContent-Length: 5\r\n\r\n"),
        ("9110 6.5.1 framing as a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("9110 6.5.1 in any case", "0\r\nCONTENT-length: 5\r\n\r\n"),
        ("9112 7.1.2 trailer without a name", "0\r\n: a\r\n\r\n"),
        ("9112 7.1.2 trailer with a NUL in its name", "0\r\nX\0: a\r\n\r\n"),
        ("9112 7.1 no CRLF behind the data", "3\r\nabc0\r\n\r\n"),
        ("9110 6.5.1 routing as a trailer", "0\r\nHost: b\r\n\r\n"),
        ("9110 6.5.1 authentication as a trailer", "0\r\nAuthorization: x\r\n\r\n"),
    ];
    for (rule, body) in bad {
        try_one(rule, format!("{CHUNKED}{body}").as_bytes(), Refused(400), &Config::default());
    }
}

#[test]
fn chunks_that_end_early() {
    for (rule, body) in [
        ("9112 8 within the data", "3\r\nab"),
        ("9112 8 without the last chunk", "3\r\nabc\r\n"),
        ("9112 8 without the last line", "3\r\nabc\r\n0\r\n"),
        ("9112 8 within the last line", "3\r\nabc\r\n0\r\n\r"),
        ("9112 8 within the trailers", "0\r\nX: a\r\n"),
    ] {
        try_one(rule, format!("{CHUNKED}{body}").as_bytes(), Waits, &Config::default());
    }
}
