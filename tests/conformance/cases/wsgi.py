"""WSGI: the environ, `wsgi.input`, `start_response`, results and exceptions (PEP 3333)."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Wsgi:
    """`body` is what the client reads, as text or as what JSON says; `events` is what the application noted."""

    rule: str
    path: str
    status: int = 200
    body: object = None
    events: list | None = None
    method: str = "GET"
    headers: tuple = ()
    send: bytes | None = None
    response: dict = field(default_factory=dict)
    # The response is cut short.
    cut: bool = False
    # The log shows this.
    log: str = ""
    interim: int = 0
    gunicorn: str = ""

    @property
    def name(self):
        return self.rule.replace(" ", "-")


def fails(rule, path, log="Error handling request", **more):
    """The application's fault: a 500 and a traceback."""
    return Wsgi(rule, path, 500, log=log, **more)


def reads(rule, calls, send, expected, **more):
    return Wsgi(f"3333-input {rule}", f"/input-calls?do={calls}", body=expected, method="POST", send=send, **more)


LINES = b"one\ntwo\nthree"
CHUNKED = (("Transfer-Encoding", "chunked"),)
SILENT = "Gunicorn lets it pass"
EARLY = "Gunicorn has sent the head when it finds out, and cuts the response"
WORKER = "Gunicorn answers otherwise, or its worker ends"

ENVIRON = [
    Wsgi("3333-environ it is a dict", "/environ-types", response={"Content-Type": "application/json"}),
    Wsgi("3333-environ wsgi.version and flags", "/environ-values",
         body={"wsgi.version": [1, 0], "wsgi.multiprocess": False, "wsgi.run_once": False,
               "wsgi.input_terminated": True}),
    Wsgi("3333-environ it is the request's own", "/environ-changes", body=False),
    Wsgi("3333-environ it is the request's own, again", "/environ-changes", body=False),
    Wsgi("3333-environ nothing of the process's environment", "/environ-process", body=[],
         gunicorn="SERVER_SOFTWARE is in both"),
    Wsgi("3333-errors-stream write, writelines, flush", "/errors-stream", body="ok", log="three"),
]

INPUT = [
    reads("read everything", "read", LINES, ["one\ntwo\nthree"]),
    reads("read a part", "read:4", LINES, ["one\n"]),
    reads("read more than there is", "read:400", LINES, ["one\ntwo\nthree"]),
    reads("read minus one", "read:-1", LINES, ["one\ntwo\nthree"]),
    reads("read None", "read:None", LINES, ["one\ntwo\nthree"]),
    reads("read nothing", "read:0,read:3", LINES, ["", "one"]),
    reads("read past the end", "read,read,read:5", LINES, ["one\ntwo\nthree", "", ""]),
    reads("readline", "readline,readline,readline,readline", LINES, ["one\n", "two\n", "three", ""]),
    reads("readline with a size", "readline:2,readline:9,readline", LINES, ["on", "e\n", "two\n"]),
    reads("readline of nothing", "readline:0,readline", LINES, ["", "one\n"]),
    reads("readlines", "readlines", LINES, [["one\n", "two\n", "three"]]),
    reads("readlines with a hint", "readlines:5,read", LINES, [["one\n", "two\n"], "three"],
          gunicorn="Gunicorn ignores the hint"),
    reads("iteration", "list", LINES, [["one\n", "two\n", "three"]]),
    reads("one after the other", "read:2,readline,next,read", LINES, ["on", "e\n", "two\n", "three"]),
    reads("of no body", "read,readline,readlines,list,next", b"", ["", "", [], [], None]),
    reads("of chunks", "readline,read", b"4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n", ["one\n", "two\n"], headers=CHUNKED),
    reads("a line across chunks", "readline", b"2\r\non\r\n2\r\ne\n\r\n0\r\n\r\n", ["one\n"], headers=CHUNKED),
    Wsgi("3333-input a body that nobody reads", "/input-ignored", body="not read", method="POST", send=b"x" * 300_000),
    Wsgi("3333-input a body that is spooled", "/input-size", body=5_000_000, method="POST", send=b"x" * 5_000_000),
]

START = [
    Wsgi("3333-start called within the iteration", "/late-start", 201, "late"),
    Wsgi("3333-start called behind an empty piece", "/start-after-empty-piece", 200, "after",
         gunicorn="Gunicorn sends the head with the empty piece"),
    fails("3333-start never called", "/no-start"),
    fails("3333-start never called by a generator", "/no-start-in-generator"),
    fails("3333-start called twice", "/start-twice"),
    Wsgi("3333-start again with exc_info replaces", "/start-again-with-exc-info", 503, "sorry",
         response={"X-First": None, "X-Second": "2"}, gunicorn="Gunicorn keeps the fields of the first call as well"),
    Wsgi("3333-start exc_info when sent is raised", "/start-with-exc-info-when-sent", events=["raised again"], cut=True,
         log="the original error"),
    Wsgi("3333-start exc_info None", "/start-with-exc-info-none", 200, "x"),
    Wsgi("3333-start it is the request's own", "/keeps-start-response", 200, "mine"),
    Wsgi("3333-start headers as a tuple", "/headers-tuple-of-pairs", 200, "x", response={"X-A": "b"}),
    Wsgi("3333-start subclasses of str", "/headers-subclass", 200, "x", response={"X-A": "b"}),
    Wsgi("3333-start blanks around a value", "/headers-blanks", 200, "x", response={"X-A": "b"}),
    Wsgi("9110-8.6 the same length twice", "/length-twice-the-same", 200, "x", response={"Content-Length": "1"},
         gunicorn="Gunicorn sends both"),
    *[fails(f"3333-start {path}", f"/{path}", gunicorn=gunicorn) for path, gunicorn in {
        "status-number": "", "status-bytes": "", "status-none": "", "status-empty": "", "status-short": "",
        "status-words": "", "status-four-digits": "", "status-no-blank": "", "status-control": "",
        "status-beyond-latin-1": "", "headers-none": "", "headers-dict": "", "headers-lists": SILENT, "headers-triple": "",
        "headers-bytes-name": "", "headers-bytes-value": "", "headers-number": "", "headers-beyond-latin-1": "",
        "headers-colon": "", "length-word": "", "length-negative": SILENT, "length-twice": SILENT,
    }.items()],
]

RESULTS = [
    Wsgi("3333-result a list", "/result-list", 200, "ab"),
    Wsgi("3333-result a tuple", "/result-tuple", 200, "ab"),
    Wsgi("3333-result an empty list", "/result-empty-list", 200, "", response={"Content-Length": "0"},
         gunicorn="Gunicorn sends an empty chunked body"),
    Wsgi("3333-result an empty piece", "/result-empty-piece", 200, ""),
    Wsgi("3333-result empty pieces between", "/result-empty-pieces-between", 200, "ab"),
    Wsgi("3333-result a generator", "/result-generator", 200, "ab", response={"Transfer-Encoding": "chunked"}),
    Wsgi("3333-result an empty generator", "/result-empty-generator", 200, ""),
    Wsgi("3333-result __getitem__ alone", "/result-getitem", 200, "ab"),
    Wsgi("3333-length one piece of known number", "/result-sized-one", 200, "a", ["iter", "close"], response={"Content-Length": "1"},
         gunicorn="Gunicorn sends it in chunks"),
    Wsgi("3333-length two pieces", "/result-sized-two", 200, "ab", ["iter", "close"]),
    Wsgi("3333-length a wrong number of pieces", "/result-sized-wrongly", 200, events=["iter", "close"]),
    Wsgi("3333-length the application's own", "/result-with-length", 200, "ab", response={"Content-Length": "2"}),
    fails("3333-result None", "/result-none"),
    fails("3333-result a number", "/result-number"),
    fails("3333-result bytes are numbers", "/result-bytes", gunicorn=EARLY),
    fails("3333-result str", "/result-str", gunicorn=EARLY),
    fails("3333-result pieces of str", "/result-str-pieces", gunicorn=EARLY),
    Wsgi("3333-result a late piece of str", "/result-late-str", cut=True, log="must be bytes", gunicorn="Gunicorn words it otherwise"),
    fails("3333-result bytearray is not bytes", "/result-bytearray", gunicorn=SILENT),
    fails("3333-result memoryview is not bytes", "/result-memoryview", gunicorn=SILENT),
    Wsgi("3333-result one huge piece", "/result-huge", 200, "x" * 20_000_000),
    Wsgi("3333-close after success", "/close-after-success", 200, "ab", ["iter", "close"]),
    Wsgi("3333-close after HEAD", "/close-after-success", 200, "", ["iter", "close"], method="HEAD"),
    Wsgi("3333-close after a failure", "/close-after-failure", events=["iter", "close"], cut=True, log="in the iteration"),
    Wsgi("3333-close after a failure at the first piece", "/close-after-first-failure", 500, None, ["iter", "close"],
         log="in the iteration"),
    Wsgi("3333-close after more than was promised", "/close-after-too-many", 200, "a", ["iter", "close"]),
    Wsgi("3333-close that fails", "/close-fails", 200, events=["iter", "close"], log="in close"),
    Wsgi("3333-close that exits", "/close-exits", 200, events=["iter", "close"]),
]

WRITE = [
    Wsgi("3333-write alone", "/write-only", 200, "ab"),
    Wsgi("3333-write before the result", "/write-then-result", 200, "written returned"),
    Wsgi("3333-write keeps to the length", "/write-with-length", 200, "abc"),
    fails("3333-write of str", "/write-text", gunicorn=EARLY),
    Wsgi("3333-write of nothing", "/write-nothing", 200, "x"),
]

EXCEPTIONS = [
    fails("3333-errors after start_response", "/exception-after-start", log="after start"),
    *[fails(f"3333-errors {kind} at the call", f"/{kind}-at-call", gunicorn="" if own else WORKER) for kind, own in {
        "exception": True, "system-exit": False, "interrupt": False, "generator-exit": False, "own-base": False,
        "recursion": True, "memory": True}.items()],
    *[fails(f"3333-errors {kind} at the first piece", f"/{kind}-at-first", gunicorn="" if own else WORKER) for kind, own in {
        "exception": True, "system-exit": False, "interrupt": False, "generator-exit": False, "own-base": False}.items()],
    *[Wsgi(f"3333-errors {kind} at the second piece", f"/{kind}-at-second", cut=True, log="Error handling request", gunicorn="" if own else WORKER)
      for kind, own in {"exception": True, "system-exit": True, "interrupt": False, "generator-exit": False,
                        "own-base": False}.items()],
]

FILES = [
    Wsgi("3333-files a real file", "/file-real", 200, "0123456789", response={"Content-Length": "10"},
         gunicorn="Gunicorn sends it in chunks"),
    Wsgi("3333-files from its position", "/file-position", 200, "456789"),
    Wsgi("3333-files read partly before", "/file-read-partly", 200, "3456789",
         gunicorn="Gunicorn asks the descriptor, which Python has read ahead of"),
    Wsgi("3333-files with a length", "/file-with-length", 200, "0123456789", response={"Content-Length": "10"}),
    Wsgi("3333-files a shorter length", "/file-shorter-length", 200, "012"),
    Wsgi("3333-files a longer length", "/file-longer-length", cut=True),
    Wsgi("3333-files an empty file", "/file-empty", 200, ""),
    Wsgi("3333-files a large file", "/file-large", 200, "0123456789" * 1_000_000),
    Wsgi("3333-files HEAD", "/file-real", 200, "", method="HEAD", response={"Content-Length": "10"},
         gunicorn="Gunicorn says nothing of the length"),
    Wsgi("3333-files something like a file", "/file-in-memory", 200, "0123456789", ["close"]),
    Wsgi("3333-files without close", "/file-without-close", 200, "abcd"),
    Wsgi("3333-files of text", "/file-text", 500, log="Error handling request", gunicorn=EARLY),
    Wsgi("3333-files wrapped within a generator", "/file-wrapped-in-a-generator", 200, "0123456789"),
]

HINTS = [
    Wsgi("8297-2 early hints", "/early-hints", 200, "ok", interim=2),
    Wsgi("8297-2 no early hints in HTTP/1.0", "/early-hints", 200, "ok", headers=(("HTTP", "1.0"),)),
    Wsgi("8297-2 no injection by early hints", "/early-hints-injection", 200, "ok", ["ValueError"],
         gunicorn="Gunicorn raises another exception"),
]

CASES = [*ENVIRON, *INPUT, *START, *RESULTS, *WRITE, *EXCEPTIONS, *FILES, *HINTS]
