//! Header fields: their form, what they say of length, connection and expectation.

use super::*;

#[test]
fn fields() {
    try_lines(&[
        ("9112 5.1 OWS around a value", "X:a\r\nY: \t b \t\r\n", Taken("POST /  1.1 keep Host=a X=a Y=b")),
        ("9110 5.5 empty value", "X:\r\nY: \r\n", Taken("POST /  1.1 keep Host=a X= Y=")),
        (
            "9110 5.6.2 odd tokens",
            "!#$%&'*+-.^`|~1: a\r\n",
            Taken("POST /  1.1 keep Host=a !#$%&'*+-.^`|~1=a"),
        ),
        ("a name that could pass for another", "X_Y: a\r\n", Taken("POST /  1.1 keep Host=a")),
        ("9110 5.5 bytes beyond ASCII", "X: \u{e9}\r\n", Taken("POST /  1.1 keep Host=a X=\u{e9}")),
        ("9110 5.5 blanks and tabs within", "X: a\tb  c\r\n", Taken("POST /  1.1 keep Host=a X=a\tb  c")),
        (
            "9110 5.2 order and repetition stay",
            "X: 1\r\nY: 2\r\nx: 3\r\n",
            Taken("POST /  1.1 keep Host=a X=1 Y=2 x=3"),
        ),
        ("9112 5.1 blank before the colon", "X : a\r\n", Refused(400)),
        ("9112 5.1 tab before the colon", "X\t: a\r\n", Refused(400)),
        ("9112 5.2 folding", "X: a\r\n b\r\n", Refused(400)),
        ("9112 5.2 folding with a tab", "X: a\r\n\tb\r\n", Refused(400)),
        ("9112 2.2 blank before the first field", " X: a\r\n", Refused(400)),
        ("9112 5 no colon", "X\r\n", Refused(400)),
        ("9112 5 no name", ": a\r\n", Refused(400)),
        ("9110 5.1 name is a token", "X Y: a\r\n", Refused(400)),
        ("9110 5.1 name is a token", "X(Y): a\r\n", Refused(400)),
        ("9110 5.1 name is a token", "X\u{e9}: a\r\n", Refused(400)),
        ("9110 5.1 NUL in a name", "X\0: a\r\n", Refused(400)),
        ("9110 5.1 control character in a name", "X\u{1}: a\r\n", Refused(400)),
        ("9110 5.5 NUL in a value", "X: a\0b\r\n", Refused(400)),
        ("9110 5.5 control character in a value", "X: a\u{1}b\r\n", Refused(400)),
        ("9110 5.5 DEL in a value", "X: a\u{7f}b\r\n", Refused(400)),
        ("9112 2.2 bare CR in a value", "X: a\rb\r\n", Refused(400)),
        ("9112 2.2 bare LF in a value", "X: a\nY: b\r\n", Refused(400)),
        ("9112 2.2 CR CR LF", "X: a\r\r\n", Refused(400)),
        ("9110 5.3 Content-Type is no list", "Content-Type: a/b\r\nContent-Type: c/d\r\n", Refused(400)),
    ]);
    try_all(&[
        ("9112 2.2 bare LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", Refused(400)),
        ("9112 2.2 bare CR ends the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn lengths() {
    try_lines(&[
        ("9112 6.3 (8) no length, no body", "", Taken("POST /  1.1 keep Host=a")),
        ("9110 8.6 nought", "Content-Length: 0\r\n", Taken("POST /  1.1 keep Host=a Content-Length=0 []")),
        (
            "9110 8.6 more digits than needed",
            "Content-Length: 000\r\n",
            Taken("POST /  1.1 keep Host=a Content-Length=000 []"),
        ),
        ("9112 6.3 (5) repeated", "Content-Length: 1\r\nContent-Length: 1\r\n", Refused(400)),
        ("9112 6.3 (5) differing", "Content-Length: 1\r\nContent-Length: 2\r\n", Refused(400)),
        ("9112 6.3 (5) a list", "Content-Length: 1, 1\r\n", Refused(400)),
        ("9110 8.6 signed", "Content-Length: +1\r\n", Refused(400)),
        ("9110 8.6 signed", "Content-Length: -1\r\n", Refused(400)),
        ("9110 8.6 hex", "Content-Length: 0x1\r\n", Refused(400)),
        ("9110 8.6 fraction", "Content-Length: 1.0\r\n", Refused(400)),
        ("9110 8.6 underscore", "Content-Length: 1_0\r\n", Refused(400)),
        ("9110 8.6 blank within", "Content-Length: 1 0\r\n", Refused(400)),
        ("9110 8.6 empty", "Content-Length:\r\n", Refused(400)),
        ("9110 8.6 other digits", "Content-Length: \u{661}\r\n", Refused(400)),
        ("9110 8.6 overflow", "Content-Length: 18446744073709551616\r\n", Refused(400)),
        ("9110 8.6 the largest", "Content-Length: 9223372036854775807\r\n", Waits),
        ("9112 6.3 (5) repeated in another case", "Content-Length: 1\r\nCONTENT-LENGTH: 1\r\n", Refused(400)),
        ("9110 8.6 a list of one", "Content-Length: 1,\r\n", Refused(400)),
        ("9110 8.6 an exponent", "Content-Length: 1e1\r\n", Refused(400)),
        ("9110 8.6 quoted", "Content-Length: \"1\"\r\n", Refused(400)),
        ("9110 8.6 overflow", "Content-Length: 9223372036854775808\r\n", Refused(400)),
        (
            "9112 6.3 (3) beside Transfer-Encoding",
            "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            Refused(400),
        ),
        (
            "9112 6.3 (3) the other way round",
            "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
            Refused(400),
        ),
        (
            "9112 6.3 (3) even an odd coding",
            "Content-Length: 0\r\nTransfer-Encoding: identity\r\n",
            Refused(400),
        ),
    ]);
}

#[test]
fn connections() {
    try_lines(&[
        ("9112 9.3 1.1 stays", "", Taken("POST /  1.1 keep Host=a")),
        ("9112 9.6 close", "Connection: close\r\n", Taken("POST /  1.1 close Host=a Connection=close")),
        (
            "9110 7.6.1 in any case",
            "connection: CLOSE\r\n",
            Taken("POST /  1.1 close Host=a connection=CLOSE"),
        ),
        (
            "9110 7.6.1 a list",
            "Connection: x , Close\r\n",
            Taken("POST /  1.1 close Host=a Connection=x , Close"),
        ),
        (
            "9110 5.3 two fields",
            "Connection: x\r\nConnection: close\r\n",
            Taken("POST /  1.1 close Host=a Connection=x Connection=close"),
        ),
        (
            "9112 9.3 close wins",
            "Connection: keep-alive, close\r\n",
            Taken("POST /  1.1 close Host=a Connection=keep-alive, close"),
        ),
        (
            "9110 7.6.1 not part of a word",
            "Connection: closed\r\n",
            Taken("POST /  1.1 keep Host=a Connection=closed"),
        ),
        (
            "9110 7.8 Upgrade without support is ignored",
            "Connection: Upgrade\r\nUpgrade: h2c\r\n",
            Taken("POST /  1.1 keep Host=a Connection=Upgrade Upgrade=h2c"),
        ),
    ]);
    try_all(&[
        ("9112 9.3 1.0 ends", "GET / HTTP/1.0\r\n\r\n", Taken("GET /  1.0 close")),
        (
            "9112 9.3 1.0 keep-alive",
            "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            Taken("GET /  1.0 keep Connection=Keep-Alive"),
        ),
        (
            "9112 9.3 1.0 close wins",
            "GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n",
            Taken("GET /  1.0 close Connection=close, keep-alive"),
        ),
        (
            "9112 9.3.2 pipelined",
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /1  1.1 keep Host=a\nGET /2  1.1 keep Host=a"),
        ),
        (
            "9112 2.2 an empty line between",
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /1  1.1 keep Host=a\nGET /2  1.1 keep Host=a"),
        ),
    ]);
}

#[test]
fn expectations() {
    try_lines(&[
        (
            "9110 10.1.1 in any case",
            "Expect: 100-Continue\r\n",
            Taken("POST /  1.1 keep Host=a Expect=100-Continue"),
        ),
        ("9110 10.1.1 another", "Expect: 200-ok\r\n", Refused(417)),
        ("9110 10.1.1 a list with another", "Expect: 100-continue, x\r\n", Refused(417)),
        ("9110 10.1.1 empty", "Expect:\r\n", Refused(417)),
        (
            "9112 5.1 blanks around it",
            "Expect:  100-continue \r\n",
            Taken("POST /  1.1 keep Host=a Expect=100-continue"),
        ),
        ("9110 10.1.1 another behind the one", "Expect: 100-continue\r\nExpect: x\r\n", Refused(417)),
    ]);
    let begins = |bytes: &str, config: &Config| {
        let mut head = Head::default();
        match Intake::new().next(bytes.as_bytes(), &mut head, config, false) {
            Ok(Event::BodyBegins { expects_continue, .. }) => Ok(expects_continue),
            Ok(event) => panic!("{event:?}"),
            Err(refusal) => Err(refusal.status),
        }
    };
    let lines = "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    let unlimited = Config::default();
    assert_eq!(begins(&format!("PUT / HTTP/1.1\r\nHost: a\r\n{lines}"), &unlimited), Ok(true));
    assert_eq!(
        begins(&format!("PUT / HTTP/1.0\r\n{lines}"), &unlimited),
        Ok(false),
        "9110 10.1.1: never in 1.0"
    );
    let limited = Config { body: 8, ..Config::default() };
    assert_eq!(
        begins(&format!("PUT / HTTP/1.1\r\nHost: a\r\n{lines}"), &limited),
        Err(413),
        "before it is sent"
    );
}
