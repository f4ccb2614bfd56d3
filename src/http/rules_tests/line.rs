//! Request lines: methods, targets, versions; and the Host, which is part of the target.

use super::*;

#[test]
fn request_lines() {
    try_all(&[
        ("9112 3 origin-form", "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n", Taken("GET /a b=c 1.1 keep Host=a")),
        ("9112 3 method is case-sensitive", "get / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 9.1 method is a token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "9110 9.1 extension methods",
            "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("M-SEARCH /  1.1 keep Host=a"),
        ),
        ("method length as Gunicorn", "GE / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("method length as Gunicorn", "ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "method length as Gunicorn",
            "ABCDEFGHIJKLMNOPQRST / HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("ABCDEFGHIJKLMNOPQRST /  1.1 keep Host=a"),
        ),
        ("9112 3 no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 single SP", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 single SP", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 SP and not HTAB", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 SP and not HTAB", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 nothing behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no blank in a target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 three parts", "GET / \r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3 HTTP/0.9 is not spoken", "GET /\r\n\r\n", Refused(400)),
        ("9112 2.3 HTTP in capitals", "GET / http/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/1.x\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/11\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 version digits", "GET / HTTP/+1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.3 no version", "GET / FTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 15.6.6 another version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refused(505)),
        ("9110 15.6.6 another version", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", Refused(505)),
        ("9110 15.6.6 another version", "GET / HTTP/3.1\r\nHost: a\r\n\r\n", Refused(505)),
        (
            "9110 2.5 a later minor version is read as 1.1",
            "GET /a?b HTTP/1.2\r\nHost: a\r\nX: y\r\n\r\n",
            Taken("GET /a b 1.1 keep Host=a X=y"),
        ),
        (
            "9110 2.5 with a body, and another request behind it",
            "POST http://b/c HTTP/1.9\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.0\r\n\r\n",
            Taken("POST /c  1.1 keep Host=b Content-Length=1 [x]\nGET /  1.0 close"),
        ),
        ("9110 2.5 by the rules of 1.1", "GET / HTTP/1.2\r\n\r\n", Refused(400)),
        ("9112 2.2 an empty line before it", "\r\nGET  HTTP/1.2\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 a CR is no empty line", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9113 3.4 preface without support", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refused(505)),
        (
            "9112 2.2 one empty line before",
            "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /  1.1 keep Host=a"),
        ),
        ("9112 2.2 not two", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 nor a bare LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 2.2 nor a bare LF", "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("8446 5.1 a TLS hello is no request", "\u{16}\u{3}\u{1}\u{0}\r\n\r\n", Refused(400)),
        ("PROXY without support", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n\r\n", Refused(400)),
        ("more is to come", "GET / HTTP/1.1\r\nHost: a\r\n", Waits),
    ]);
}

#[test]
fn targets() {
    try_all(&[
        ("9112 3.2.1 empty query", "GET /? HTTP/1.1\r\nHost: a\r\n\r\n", Taken("GET /  1.1 keep Host=a")),
        (
            "9112 3.2.1 two question marks",
            "GET /a?b?c HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /a b?c 1.1 keep Host=a"),
        ),
        ("9112 3.2.1 two slashes", "GET //a HTTP/1.1\r\nHost: a\r\n\r\n", Taken("GET //a  1.1 keep Host=a")),
        (
            "9112 3.2.1 a URL as query",
            "GET /?u=http://b HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET / u=http://b 1.1 keep Host=a"),
        ),
        (
            "9112 3.2 encoded stays encoded",
            "GET /%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /%C3%A9  1.1 keep Host=a"),
        ),
        ("9112 3.2 no fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no raw UTF-8", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no control character", "GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no NUL", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no DEL", "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 no relative path", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn targets_with_a_host() {
    try_all(&[
        (
            "9112 3.2.2 absolute-form, its host counts",
            "GET http://b:8/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /x y 1.1 keep Host=b:8"),
        ),
        (
            "9112 3.2.2 without a path",
            "GET http://b HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET   1.1 keep Host=b"),
        ),
        (
            "9112 3.2.2 query without a path",
            "GET http://b?y HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET  y 1.1 keep Host=b"),
        ),
        (
            "3986 3.1 schemes in any case",
            "GET HTTPS://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("GET /  1.1 keep Host=b"),
        ),
        ("9112 3.2.2 Host is due all the same", "GET http://b/ HTTP/1.1\r\n\r\n", Refused(400)),
        ("9110 4.2.4 no user in the target", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 4.2.1 no empty host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9110 4.2.1 nor a port alone", "GET http://:80/x HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("3986 3.2.2 host in the target", "GET http://b%2/x HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "9112 3.2.2 an invalid Host counts all the same",
            "GET http://b/ HTTP/1.1\r\nHost: a b\r\n\r\n",
            Refused(400),
        ),
        ("9112 3.2.2 in 1.0 without Host", "GET http://b/x HTTP/1.0\r\n\r\n", Taken("GET /x  1.0 close")),
        (
            "9112 3.2.2 OPTIONS of a host",
            "OPTIONS http://b HTTP/1.1\r\nHost: b\r\n\r\n",
            Taken("OPTIONS   1.1 keep Host=b"),
        ),
        ("9112 3.2.2 other schemes", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2.3 CONNECT without support", "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", Refused(501)),
        ("9112 3.2.3 authority-form is CONNECT's", "GET b:443 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        (
            "9112 3.2.4 asterisk-form",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            Taken("OPTIONS *  1.1 keep Host=a"),
        ),
        ("9112 3.2.4 only OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2.4 nothing behind it", "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn hosts() {
    try_all(&[
        ("9112 3.2 missing in 1.1", "GET / HTTP/1.1\r\n\r\n", Refused(400)),
        ("9112 3.2 missing in 1.0", "GET / HTTP/1.0\r\n\r\n", Taken("GET /  1.0 close")),
        ("9112 3.2 repeated", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refused(400)),
        ("9112 3.2 repeated in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", Refused(400)),
        ("9112 3.2 a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Refused(400)),
        ("9112 3.2 blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Refused(400)),
        ("9112 3.2 path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refused(400)),
        ("9112 3.2 user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", Refused(400)),
        ("9112 3.2 scheme", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", Refused(400)),
        ("9112 3.2 port", "GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n", Refused(400)),
        ("9112 3.2 port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", Refused(400)),
        ("3986 2.1 percent without digits", "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", Refused(400)),
        (
            "3986 2.1 percent with digits",
            "GET / HTTP/1.1\r\nHost: a%2d\r\n\r\n",
            Taken("GET /  1.1 keep Host=a%2d"),
        ),
        (
            "9112 5.1 blanks around it",
            "GET / HTTP/1.1\r\nHost: \ta:8 \r\n\r\n",
            Taken("GET /  1.1 keep Host=a:8"),
        ),
        ("9112 3.2 a NUL", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", Refused(400)),
        ("9112 3.2 beyond ASCII", "GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", Refused(400)),
        ("9112 3.2 missing, with Host as a value", "GET / HTTP/1.1\r\nX: Host: a\r\n\r\n", Refused(400)),
        ("9112 3.2 invalid in 1.0", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n", Refused(400)),
        ("9110 7.2 may be empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", Taken("GET /  1.1 keep Host=")),
        (
            "3986 3.2.2 IPv6",
            "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
            Taken("GET /  1.1 keep Host=[::1]:8000"),
        ),
        ("3986 3.2.2 IPv6", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", Refused(400)),
    ]);
}
