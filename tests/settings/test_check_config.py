"""`--check-config`: everything but serving. The application is imported in a process that is thrown away."""

import os

import pytest

pytestmark = pytest.mark.rcorn("about rcorn's own words")


def test_all_is_well(rcorn):
    outcome = rcorn("--check-config", "plain")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_it_binds_and_writes_nothing(rcorn, directory):
    (directory / "gunicorn.conf.py").write_text("bind = 'unix:x.sock'\npidfile = 'x.pid'\nerrorlog = 'x.log'\n")
    before = set(os.listdir(directory))
    assert rcorn("--check-config", "plain").code == 0
    assert set(os.listdir(directory)) - before <= {"__pycache__"}


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        ("broken", 3, ["Traceback (most recent call last):", 'broken.py", line 3', "No module named 'a_module_that_nobody_has'"]),
        ("absent", 3, ["No module named 'absent'"]),
        ("plain:absent", 4, ["there is no 'absent' in module 'plain'"]),
    ],
)
def test_what_cannot_be_imported(rcorn, directory, call, code, words):
    (directory / "broken.py").write_text("\n\nimport a_module_that_nobody_has\n")
    (directory / "gunicorn.conf.py").write_text(f"wsgi_app = {call!r}\n")
    outcome = rcorn("--check-config")
    assert outcome.code == code and all(word in outcome.err for word in words), outcome.err
    assert outcome.err.splitlines()[-1].startswith("rcorn: ")


def test_an_import_that_does_not_end(rcorn, directory):
    (directory / "slow.py").write_text("import time\ntime.sleep(60)\n")
    outcome = rcorn("--check-config", "--startup-timeout", "500ms", "slow", seconds=20)
    assert outcome.code == 3 and "within 0.5 s" in outcome.sentence
