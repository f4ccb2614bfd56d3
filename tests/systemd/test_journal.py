"""What arrives in the journal: entries with fields and priorities, whole tracebacks, and never in the way of a request."""

import json
import time

import pytest
from support.waiting import wait_until

from .conftest import text_of

UNIT = "rcorn@shop.service"
RAISING = """

def raises(environ, start_response):
    raise LookupError("x" * int(environ["QUERY_STRING"]))


ROUTES["/raises-so-much"] = raises
"""


@pytest.fixture
def logging(box):
    box.put("/etc/rcorn/shop.toml", text_of("shop", 'access_log = "-"\nname = "the shop"\n'))
    box.put("/srv/shop/plain.py", box.run("cat", "/srv/shop/plain.py") + RAISING)
    box.run("systemctl", "start", UNIT)
    return box


def entries(box, *words):
    """The entries of the unit with these fields, once there are any."""
    return wait_until(lambda: box.journal("-u", UNIT, *words), f"there is an entry {words}", pause=0.05)


def get(box, path, code=0):
    return box.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:8000{path}", code=code)


def test_lines_have_priorities_and_names(logging):
    (line,) = [entry for entry in entries(logging, "PRIORITY=6") if entry["MESSAGE"].startswith("serving: generation 1")]
    assert (line["RCORN_APP"], line["SYSLOG_IDENTIFIER"]) == ("the shop", "rcorn")
    assert line["_PID"] == logging.show(UNIT, "MainPID")


def test_the_access_log_can_be_filtered(logging):
    for path in ("/?secret=1", "/nowhere", '/a%20"b', "/"):
        get(logging, path)
    entry = entries(logging, "HTTP_PATH=/nowhere")[0]
    assert (entry["HTTP_STATUS"], entry["HTTP_METHOD"], entry["REMOTE_ADDR"]) == ("404", "GET", "127.0.0.1")
    assert entry["RCORN_WORKER"] in ("1", "2") and entry["RCORN_GENERATION"] == "1" and entry["PRIORITY"] == "6"
    assert '"GET /nowhere HTTP/1.1" 404 9' in entry["MESSAGE"] and int(entry["HTTP_DURATION_USEC"]) < 1_000_000
    wait_until(lambda: len(logging.journal("-u", UNIT, "HTTP_STATUS=200")) == 2, "two were answered", pause=0.05)
    assert {entry["HTTP_PATH"] for entry in entries(logging, "HTTP_STATUS=200")} == {"/"}
    assert not logging.journal("-u", UNIT, "HTTP_STATUS=500")


def test_the_access_log_has_the_form_that_was_asked_for(box):
    box.put("/etc/rcorn/shop.toml", text_of("shop", 'access_log = "-"\naccess_log_format = "%(m)s %(U)s %(s)s %(reason)s"\n'))
    box.run("systemctl", "start", UNIT)
    get(box, "/nowhere")
    assert entries(box, "HTTP_PATH=/nowhere")[0]["MESSAGE"] == "GET /nowhere 404 -"
    get(box, "/crashes?signal=9", code=52)
    entry = entries(box, "HTTP_PATH=/crashes")[0]
    assert entry["MESSAGE"] == "GET /crashes 000 the worker was killed by SIGKILL" and entry["HTTP_STATUS"] == "0"
    assert entry["RCORN_WORKER"] in ("1", "2") and entry["REMOTE_ADDR"] == "127.0.0.1"


def test_a_traceback_is_one_entry(logging):
    assert get(logging, "/raises-so-much?3") == "500"
    (entry,) = [entry for entry in entries(logging, "PRIORITY=3")]
    assert entry["MESSAGE"].startswith("Error handling request") and entry["MESSAGE"].endswith("LookupError: xxx")
    assert "Traceback (most recent call last)" in entry["MESSAGE"] and entry["RCORN_WORKER"] in ("1", "2")


def test_that_of_a_reload_as_well(logging):
    logging.put("/srv/shop/plain.py", "\n\nimport shoop\n")
    logging.run("systemctl", "reload", UNIT, code=1)
    found = [entry for entry in entries(logging, "PRIORITY=3") if entry["MESSAGE"].startswith("Traceback")]
    assert 'File "/srv/shop/plain.py", line 3, in <module>' in found[0]["MESSAGE"]
    assert found[0]["MESSAGE"].endswith("ModuleNotFoundError: No module named 'shoop'")


def test_large_entries_pass(logging):
    assert get(logging, "/raises-so-much?400000") == "500"
    entries(logging, "PRIORITY=3")
    text = logging.run("journalctl", "-u", UNIT, "-o", "cat", "--all", "--no-pager", "PRIORITY=3")
    assert "x" * 400_000 in text


def test_the_last_line_of_a_stop_is_in_the_journal_of_its_unit(logging):
    for turn in range(1, 6):
        logging.run("systemctl", "restart", UNIT)
        stops = [entry for entry in logging.journal("-u", UNIT) if " left" in entry["MESSAGE"]]
        assert len(stops) == 2 * turn, "two workers each time"


def test_a_first_start_that_fails_is_in_the_journal_of_its_unit(box):
    box.put("/srv/shop/plain.py", "import shoop\n")
    box.run("systemctl", "start", UNIT, code=1)
    box.run("systemctl", "stop", UNIT)
    (line,) = box.journal("-u", UNIT, "PRIORITY=2")
    assert line["MESSAGE"].startswith("cannot import the application 'plain': ModuleNotFoundError")
    (traceback,) = [entry for entry in box.journal("-u", UNIT, "PRIORITY=3") if entry["SYSLOG_IDENTIFIER"] == "rcorn"]
    assert traceback["MESSAGE"].startswith("Traceback") and traceback["MESSAGE"].endswith("No module named 'shoop'")


def test_a_journal_that_is_restarted_is_written_to_again(logging, load):
    with load() as fresh:
        logging.run("systemctl", "restart", "systemd-journald")
    assert fresh.failures == [] and fresh.result["slowest"] < 5
    get(logging, "/after-the-restart")
    (entry,) = entries(logging, "HTTP_PATH=/after-the-restart")
    assert entry["HTTP_STATUS"] == "404"


@pytest.mark.alone
def test_a_journal_that_does_not_read_holds_up_nobody(logging):
    logging.run("systemctl", "kill", "-s", "STOP", "systemd-journald")
    try:
        begin = time.monotonic()
        knocks = ["env", "PYTHONPATH=/tests", "python3", "-m", "support.many", "8000", "6000"]
        result = json.loads(logging.run(*knocks))
        assert result["answered"] == 6000 and result["slowest"] < 1 and time.monotonic() - begin < 30
    finally:
        logging.run("systemctl", "kill", "-s", "CONT", "systemd-journald")
    assert get(logging, "/") == "200"
    wait_until(
        lambda: get(logging, "/") and [e for e in logging.journal("-u", UNIT, "PRIORITY=4") if "were dropped" in e["MESSAGE"]],
        "it is told that entries are missing",
        pause=0.05,
    )


@pytest.mark.alone
def test_a_journal_that_is_behind_when_a_worker_ends_misses_nothing(logging):
    many = 800
    logging.run("systemctl", "kill", "-s", "STOP", "systemd-journald")
    try:
        knocks = ["env", "PYTHONPATH=/tests", "python3", "-m", "support.many", "8000", many]
        assert json.loads(logging.run(*map(str, knocks)))["answered"] == many
        logging.run("kill", "-TERM", *logging.run("pgrep", "-f", "rcorn: worker").split())
    finally:
        logging.run("systemctl", "kill", "-s", "CONT", "systemd-journald")
    wait_until(lambda: len(logging.journal("-u", UNIT, "HTTP_METHOD=GET")) == many, "every request has its entry", pause=0.05)


PRINTING = """
import logging
import os
import sys


def prints(environ, start_response):
    print("on standard output", flush=True)
    print("on standard error", file=sys.stderr, flush=True)
    print("<3>an error, it says", file=sys.stderr, flush=True)
    logging.getLogger("shop").warning("by logging")
    os.write(2, b"from C, below Python\\n")
    os.system("echo from a program")
    try:
        {}["a key"]
    except KeyError:
        logging.getLogger("shop").exception("by logging, with a traceback")
    return plain_text(start_response, "printed")


def prints_much(environ, start_response):
    sys.stderr.write(("x" * 99 + "\\n") * 20_000)
    sys.stdout.write("y" * 1_000_000)
    sys.stdout.flush()
    return plain_text(start_response, "printed")


ROUTES["/prints"] = prints
ROUTES["/prints-much"] = prints_much
"""


@pytest.fixture
def printing(box):
    box.put("/srv/shop/plain.py", box.run("cat", "/srv/shop/plain.py") + PRINTING)
    box.run("systemctl", "start", UNIT)
    return box


def test_what_the_application_prints_has_the_worker_s_fields(printing):
    box = printing
    assert get(box, "/prints") == "200"
    wanted = {
        "on standard output": "6",
        "on standard error": "4",
        "an error, it says": "3",
        "by logging": "4",
        "from C, below Python": "4",
        "from a program": "6",
        "by logging, with a traceback": "4",
    }
    found = wait_until(
        lambda: len(entries := [e for e in box.journal("-u", UNIT) if e["MESSAGE"] in wanted]) == len(wanted) and entries,
        "all of it arrived",
        pause=0.05,
    )
    assert {entry["MESSAGE"]: entry["PRIORITY"] for entry in found} == wanted
    assert all(entry["RCORN_WORKER"] in ("1", "2") and entry["RCORN_APP"] == "plain" for entry in found)
    (traceback,) = [entry for entry in entries(box, "PRIORITY=3") if entry["MESSAGE"].startswith("Traceback")]
    assert traceback["MESSAGE"].endswith("KeyError: 'a key'") and "in prints" in traceback["MESSAGE"]


def test_a_stuck_request_is_explained_in_two_entries(box):
    box.put("/etc/rcorn/shop.toml", text_of("shop", "timeout = 1\n"))
    box.run("systemctl", "start", UNIT)
    assert get(box, "/sleeps?s=60") == "504"
    (line,) = entries(box, "PRIORITY=2")
    assert 'in "GET /sleeps?s=60 HTTP/1.1" from 127.0.0.1' in line["MESSAGE"]
    stacks = wait_until(
        lambda: [e for e in box.journal("-u", UNIT, "PRIORITY=4") if "Current thread" in e["MESSAGE"]], "stacks are there", pause=0.05
    )
    assert "in sleeps" in stacks[0]["MESSAGE"] and stacks[0]["RCORN_WORKER"] in ("1", "2")


def test_a_request_that_prints_megabytes_goes_on(printing):
    box = printing
    assert get(box, "/prints-much") == "200"
    assert get(box, "/prints-much") == "200"
    box.run("systemctl", "reload", UNIT)
    assert get(box, "/prints") == "200"


def test_what_is_printed_across_a_reload_arrives(printing):
    box = printing
    slow = box.start("curl", "-s", "http://127.0.0.1:8000/sleeps?s=2", stdout=-1)
    wait_until(lambda: "GET /sleeps" in box.run("rcornctl", "workers", "shop"), "it is in flight", pause=0.05)
    (pid,) = {line.split()[1] for line in box.run("rcornctl", "workers", "shop").splitlines() if "GET /sleeps" in line}
    box.run("systemctl", "reload", UNIT)
    box.run("sh", "-c", f"echo said by an old one > /proc/{pid}/fd/2")
    slow.communicate(timeout=20)
    (entry,) = wait_until(
        lambda: [e for e in box.journal("-u", UNIT) if e["MESSAGE"] == "said by an old one"], "it arrived", pause=0.05
    )
    assert entry["RCORN_GENERATION"] == "1"
