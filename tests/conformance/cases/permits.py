"""What Gunicorn's permit settings let pass."""

from ..case import Case, refused, taken

CASES = [
    Case("permit_obsolete_folding joins with a blank", b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b \r\n \t c\r\n\td\r\n\r\n",
         (taken(HTTP_X_A="b c d"),), group="permits"),
    refused("permit_obsolete_folding not before the first field", b"GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n", 400, group="permits"),
    Case("strip_header_spaces takes blanks before the colon", b"GET / HTTP/1.1\r\nHost \t: a\r\n\r\n",
         (taken(HTTP_HOST="a"),), group="permits"),
    refused("strip_header_spaces not within a name", b"GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n", 400, group="permits"),
    Case("permit_unconventional_http_method lower case", b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
         (taken(REQUEST_METHOD="get"),), group="permits"),
    Case("permit_unconventional_http_method short and odd", b"a# / HTTP/1.1\r\nHost: a\r\n\r\n",
         (taken(REQUEST_METHOD="a#"),), group="permits"),
    refused("permit_unconventional_http_method it is still a token", b"a@b / HTTP/1.1\r\nHost: a\r\n\r\n", 400, group="permits"),
    Case("permit_unconventional_http_version 2.3 is read as 1.1", b"GET / HTTP/2.3\r\nHost: a\r\n\r\n",
         (taken(SERVER_PROTOCOL="HTTP/1.1"),), group="permits",
         gunicorn=(200,), why="Gunicorn tells the application the version that was sent"),
    refused("permit_unconventional_http_version it is still a version", b"GET / HTTP/x.y\r\nHost: a\r\n\r\n", 400, group="permits"),
    Case("casefold_http_method", b"gEt / HTTP/1.1\r\nHost: a\r\n\r\n", (taken(REQUEST_METHOD="GET"),), group="casefold",
         gunicorn=(400,), why="Gunicorn checks the method before it folds it, unless permit_unconventional_http_method is set"),
]
