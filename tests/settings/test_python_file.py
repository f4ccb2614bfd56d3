"""Settings files in Python: where they are found, how they are evaluated, what they may say, and what is said of them."""

import os
import signal
import subprocess

import pytest
from support import processes
from support.interpreters import find, supported
from support.waiting import wait_until

pytestmark = pytest.mark.rcorn("about rcorn's own words")

SETUP = 1


@pytest.fixture
def conf(directory):
    """Writes a settings file."""

    def conf(text, name="gunicorn.conf.py"):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return conf


class TestWhereItIsFound:
    """Gunicorn's rules: the strongest `-c` wins, else ./gunicorn.conf.py."""

    def test_by_itself(self, printed, conf):
        conf("\nworkers = 3\n")
        config = printed("plain")
        assert config["workers"].split() == ["3", "gunicorn.conf.py:2"]
        assert config["config"].split() == ["gunicorn.conf.py", "default"]

    @pytest.mark.parametrize(
        "word", ["conf/a.py", "./conf/a.py", "file:conf/a.py", "file:conf/a.conf", "python:conf.a", "python:conf"]
    )
    def test_by_name(self, printed, conf, directory, word):
        conf("workers = 9\n")
        for name in ("a.py", "a.conf", "__init__.py"):
            conf("import os\nworkers = 4\n", f"conf/{name}")
        shown = {"python:conf.a": "conf/a.py", "python:conf": "conf/__init__.py"}.get(word, word.removeprefix("file:"))
        assert printed("-c", word, "plain")["workers"].split() == ["4", f"{shown}:2"]

    def test_in_the_environment(self, printed, conf):
        conf("workers = 9\n")
        conf("workers = 2\n", "weak.py")
        conf("workers = 3\n", "strong.py")
        env = {"GUNICORN_CMD_ARGS": "-c weak.py"}
        assert printed("plain", env=env)["workers"].startswith("2")
        env["RCORN_CMD_ARGS"] = "--config=file:strong.py"
        assert printed("plain", env=env)["workers"].startswith("3")
        assert printed("-c", "weak.py", "plain", env=env)["workers"].startswith("2")

    def test_another_file_takes_its_place(self, printed, conf):
        conf("workers = 9\n")
        conf("threads = 2\n", "app.toml")
        config = printed("-c", "app.toml", "plain")
        assert config["workers"].startswith("1 ") and config["threads"].startswith("2 ")

    def test_one_that_is_not_there(self, rcorn):
        outcome = rcorn("-c", "absent.py", "plain")
        assert (outcome.code, outcome.sentence) == (
            SETUP,
            "absent.py: cannot read the settings: No such file or directory",
        )

    def test_python_in_a_file_with_another_ending(self, rcorn, conf):
        conf("import os\n", "gunicorn.conf")
        assert "--config file:gunicorn.conf" in rcorn("-c", "gunicorn.conf", "plain").sentence


def test_flags_and_their_variables_win(printed, conf):
    conf("workers = 2\nthreads = 2\ntimeout = 2\n")
    config = printed("-w", "4", "plain", env={"RCORN_CMD_ARGS": "-w 3 --threads 3"})
    assert [config[name].split()[0] for name in ("workers", "threads", "timeout")] == ["4", "3", "2"]


@pytest.mark.parametrize(
    ("text", "setting", "value", "line"),
    [
        ("import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1\n", "workers", os.cpu_count() * 2 + 1, 2),
        ("import os\nworkers = int(os.environ.get('HOW_MANY', '7'))\n", "workers", 7, 2),
        ("workers = 1\nworkers += 2\n", "workers", 3, 2),
        ("if True:\n  workers = 2\nelse:\n  workers = 3\n", "workers", 2, 4),
        ("try:\n  import nothing_at_all\nexcept ImportError:\n  workers = 3\n", "workers", 3, 4),
        ("for workers in range(5):\n  pass\n", "workers", 4, 1),
        ("threads, (workers, timeout) = 1, (6, 3)\n", "workers", 6, 1),
        ("workers: int = 5\n", "workers", 5, 1),
        ("globals()['workers'] = 6\n", "workers", 6, None),
        ("from helper import *\n", "workers", 8, None),
        ("from helper import workers\n", "workers", 8, 1),
        ("bind = ['127.0.0.1:1',\n 'unix:/x.sock']\n", "bind", "127.0.0.1:1, unix:/x.sock", 1),
        ("bind = ('127.0.0.1:1',)\n", "bind", "127.0.0.1:1", 1),
        ("bind = '127.0.0.1:1'\n", "bind", "127.0.0.1:1", 1),
        ("from pathlib import Path\npidfile = Path('/run') / 'x.pid'\n", "pid", "/run/x.pid", 2),
        ("umask = 0o022\n", "umask", "0o22", 1),
        ("umask = 18\n", "umask", "0o22", 1),
        ("secure_scheme_headers = {'X-TLS': 'yes'}\n", "secure_scheme_headers", "X-TLS=yes", 1),
        ("raw_env = ['A=1', 'B=2']\n", "env", "A=1, B=2", 1),
        ("worker_class = 'uvicorn.workers.UvicornWorker'\n", "worker_class", "uvicorn.workers.UvicornWorker", 1),
        ("request_timeout = '2m'\n", "request_timeout", "2m", 1),
        ("max_worker_memory = '300M'\n", "max_worker_memory", "300M", 1),
        ("preload_app = True\n", "preload", "true", 1),
        ("import enum\nclass Level(str, enum.Enum): x = 'debug'\nloglevel = Level.x\n", "log_level", "debug", 3),
        ("proc_name = b'shop'\n", "name", "shop", 1),
        ("forwarded_allow_ips = ['10.0.0.0/8', '*']\n", "forwarded_allow_ips", "10.0.0.0/8, *", 1),
        ("secure_scheme_headers = {}\n", "secure_scheme_headers", "nothing", 1),
        ("accesslog = None\n", "access_log", "off", "default"),
        ("bind = []\n", "bind", "127.0.0.1:8000", "default"),
        ("pidfile = ''\n", "pid", "-", "default"),
    ],
)
def test_values(printed, conf, text, setting, value, line):
    conf("__all__ = ['workers']\nworkers = 8\n", "helper.py")
    conf(text)
    shown = printed("plain")[setting]
    place = {None: "gunicorn.conf.py", "default": "default"}.get(line, f"gunicorn.conf.py:{line}")
    assert shown.rsplit(maxsplit=1) == [str(value), place]


def test_the_world_that_the_file_sees(rcorn, conf, directory):
    """As Gunicorn has it: its name, its place, the working directory in sys.path, the whole of Python."""
    conf("colour = 'red'\n", "beside.py")
    conf(
        "import sys, os, beside\n"
        f"assert __name__ == '__config__' and sys.modules[__name__].__dict__ is globals()\n"
        f"assert __file__ == {str(directory / 'gunicorn.conf.py')!r}\n"
        f"assert os.getcwd() == sys.path[0] == {str(directory)!r}\n"
        "assert __builtins__ and __doc__ is None and '' not in sys.path\n"
        "assert sys.argv[1:] == ['--print-config', 'plain'], sys.argv\n"
        "assert os.environ['COLOUR'] == beside.colour and 'NOTIFY_SOCKET' not in os.environ\n"
        "assert sys.prefix != sys.base_prefix, 'it is the application\\'s environment'\n"
        "print('to stdout')\nprint('to stderr', file=sys.stderr)\n"
    )
    outcome = rcorn("--print-config", "plain", env={"COLOUR": "red", "NOTIFY_SOCKET": "/nowhere"})
    assert (outcome.code, outcome.err) == (0, "to stderr\n"), outcome
    assert outcome.out.startswith("to stdout\n")


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("\nworkers = 'many'\n", '2: workers: expected a number from 1 to 1024 or auto, found "many"'),
            ("workers = [2]\n", "1: workers: expected a number from 1 to 1024 or auto, found a list"),
            ("import os\nworkers = os\n", "2: workers: expected a number from 1 to 1024 or auto, found a module"),
            ("workers = []\nworkers.append(workers)\n", "1: workers: expected a number from 1 to 1024 or auto, found a list"),
            ("workers = 10 ** 30\n", "1: workers: expected a number from 1 to 1024 or auto, found a number that is too large"),
            ("timeout = float('nan')\n", '1: timeout: expected a time such as 30, "500ms" or "2m", found nan'),
            ("proc_name = '\\udcff'\n", "1: proc_name: expected text, found text that is not UTF-8"),
            ("timeout = len\n", '1: timeout: expected a time such as 30, "500ms" or "2m", found the function builtins.len'),
            ("bind = ['127.0.0.1:99999']\n", '1: bind: "99999" is no port: expected a number from 0 to 65535, in "127.0.0.1:99999"'),
            ("raw_env = {'A': [1]}\n", "1: raw_env: expected text, found a list"),
            ("certfile = 'x.pem'\n", "1: certfile: not supported: a proxy such as nginx does TLS"),
            ("post_fork = 5\n", "1: post_fork: expected a function, which only a settings file in Python can have (--config FILE.py), found 5"),
            ("request_timeout = 'soon'\n", '1: request_timeout: expected a time such as 30, "500ms" or "2m", found "soon"'),
        ],
    )  # fmt: skip
    def test_a_value(self, rcorn, conf, text, sentence):
        conf(text)
        outcome = rcorn("plain")
        assert (outcome.code, outcome.sentence) == (SETUP, f"gunicorn.conf.py:{sentence}")

    def test_a_worker_class_of_ones_own(self, rcorn, conf):
        conf("class Worker: pass\nworker_class = Worker\n")
        assert "gunicorn.conf.py:2: worker_class: classes of one's own" in rcorn("plain").sentence

    @pytest.mark.parametrize(
        ("text", "last", "traceback"),
        [
            ("a = 1\nb = 1 / 0\n", ":2: ZeroDivisionError: division by zero", ['gunicorn.conf.py", line 2, in <module>']),
            ("import helper\nhelper.fail()\n", ":2: ValueError: no", ['helper.py", line 2, in fail', "ValueError: no"]),
            ("import nothing_at_all\n", ":1: ModuleNotFoundError: No module named 'nothing_at_all'", []),
            ("x = 1\ndef f(:\n", ":2: SyntaxError: invalid syntax", ["def f(:"]),
            ("import sys\nsys.exit('no')\n", ":2: the settings file ended the program (SystemExit: no): it may only set values", []),
            ("raise KeyboardInterrupt\n", ":1: KeyboardInterrupt", []),
            ("import os\nos._exit(0)\n", ": the settings file ended its interpreter (exited with code 0): it may only set values", []),
            ("import os\nos.kill(os.getpid(), 9)\n", ": the settings file ended its interpreter (was killed by SIGKILL): it may only set values", []),
        ],
    )  # fmt: skip
    def test_the_file_itself(self, rcorn, conf, text, last, traceback):
        conf("def fail():\n    raise ValueError('no')\n", "helper.py")
        conf(text)
        outcome = rcorn("plain")
        assert outcome.code == SETUP
        assert outcome.err.splitlines()[-1] == f"rcorn: gunicorn.conf.py{last}"
        assert all(words in outcome.err for words in traceback), outcome.err
        assert "_rcorn" not in outcome.err, "the frames are the user's own"

    @pytest.mark.parametrize("body", ["pass", "try: time.sleep(60)\n  except BaseException: pass"])
    def test_a_file_without_an_end(self, rcorn, conf, body):
        conf(f"import time\nwhile True:\n  {body}\n")
        outcome = rcorn("--startup-timeout", "500ms", "plain", seconds=10)
        assert outcome.code == SETUP
        assert "gunicorn.conf.py" in outcome.err and "not through after 0.5 s" in outcome.err.splitlines()[-1]

    def test_a_file_ends_with_who_asked_for_it(self, conf, directory, subject):
        note = directory / "helper"
        conf(
            "import os, time\n"
            f"open({str(note) + '.new'!r}, 'w').write(str(os.getpid()))\n"
            f"os.rename({str(note) + '.new'!r}, {str(note)!r})\n"
            "while True:\n  try: time.sleep(600)\n  except BaseException: pass\n"
        )
        started = subprocess.Popen([*subject.command, "--python", subject.python, "plain"], cwd=directory, stderr=subprocess.DEVNULL)
        try:
            helper = int(wait_until(lambda: note.exists() and note.read_text(), "the file is evaluated"))
        finally:
            started.terminate()
            started.wait()
        wait_until(lambda: not processes.is_alive(helper), "the helper has ended")

    def test_an_interpreter_that_is_none(self, rcorn, conf):
        conf("workers = 2\n")
        outcome = rcorn("--python", "/bin/sh", "plain")
        assert outcome.code == SETUP and "is it a Python interpreter?" in outcome.sentence


def test_an_interpreter_that_is_too_old(rcorn, conf):
    old = next((find(version) for version in ("3.10", "3.9", "3.8", "2.7") if find(version)), None)
    if old is None:
        pytest.skip("this machine has no Python older than 3.11")
    conf("workers = 2\n")
    outcome = rcorn("--python", old.path, "--print-config", "plain")
    assert outcome.code == SETUP and "is too old: rcorn needs Python 3.11 or later" in outcome.sentence


def test_a_slip_is_warned_about(rcorn, conf):
    conf("workers = 1\nwrokers = 2\ncores = 4\nhost = 'x'\n_binds = 1\ndef wrokers_of(): pass\n")
    outcome = rcorn("--print-config", "plain")
    slip = "rcorn: gunicorn.conf.py:2: wrokers: there is no such setting, so it has no effect; did you mean workers?\n"
    assert (outcome.code, outcome.err) == (0, slip)


def test_a_variable_of_the_files_own_may_have_a_name_of_ours(rcorn, conf):
    conf("env = 'production'\nloop = object()\nlog_level = 'chatty'\nloglevel = 'debug'\napp = print\nhooks = ['a']\n")
    outcome = rcorn("--print-config", "plain")
    assert outcome.code == 0 and outcome.err.count("\n") == 1
    assert outcome.err.startswith('rcorn: gunicorn.conf.py:1: env: expected NAME=VALUE, found "production"; it is taken')
    assert "debug" in outcome.out


def test_what_has_no_effect_is_told_by_check_config(rcorn, conf):
    conf("worker_tmp_dir = '/dev/shm'\nhttp_parser = 'fast'\nworkers = 2\n")
    outcome = rcorn("--check-config", "plain")
    assert outcome.code == 0
    assert sorted(outcome.err.splitlines()) == [
        "rcorn: gunicorn.conf.py:1: worker_tmp_dir: it has no effect: "
        "workers report through shared memory, there is no heartbeat file",
        "rcorn: gunicorn.conf.py:2: http_parser: it has no effect: rcorn has one parser of its own",
    ]


# A server of the harness works in a directory of its own below.
CONF = ("-c", "../gunicorn.conf.py")


def test_the_application_may_be_named_in_it(start, conf):
    conf("wsgi_app = 'names:other'\n")
    assert start("names", *CONF, call="").ready().get("/").text == "other"


def test_the_interpreter_may_be_named_in_it(start, conf):
    """The application's, which need not be the one that evaluates the file first."""
    other = supported()[-1].environment
    conf(f"import sys\nprint('evaluated by', sys.prefix)\npython = {str(other)!r}\n")
    server = start("plain", *CONF).ready()
    assert server.get("/interpreter").json["prefix"] == str(other)
    assert f"evaluated by {other}\n" in server.output


def test_what_it_prints_and_nobody_reads_is_no_mistake_of_its_own(start, conf):
    conf("import os\nhere, there = os.pipe()\nos.close(here)\nos.dup2(there, 1)\nprint('said to nobody')\n")
    assert start("plain", *CONF).ready().get("/").status == 200


def test_threads_and_exit_handlers_of_the_file_do_not_hold_the_helper(rcorn, conf):
    conf("import atexit, threading, time\natexit.register(print, 'bye')\nthreading.Thread(target=time.sleep, args=(60,)).start()\n")
    outcome = rcorn("--print-config", "plain", seconds=10)
    assert outcome.code == 0 and "bye" not in outcome.out


def test_what_it_does_to_the_process_the_application_sees(start, conf, directory):
    """The environment, sys.path, modules: the file is evaluated in the zygote as well."""
    conf(
        "import os, sys\nos.environ['COLOUR'] = 'red'\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'more'))\n"
        "raw_env = ['SHAPE=round']\n"
    )
    conf("from plain import application\n", "more/shop.py")
    server = start("plain", *CONF, call="shop").ready()
    environment = server.get("/process-environment").json
    assert (environment["COLOUR"], environment["SHAPE"]) == ("red", "round")


class TestReload:
    def test_it_is_evaluated_again(self, start, conf):
        conf("workers = 1\nraw_env = ['COLOUR=red']\n")
        server = start("plain", *CONF).ready()
        server.wait_for_workers(1)
        conf("workers = 2\nraw_env = ['COLOUR=blue']\n")
        server.send(signal.SIGHUP)
        server.wait_for_log("reloaded: generation 2")
        server.wait_for_workers(2)
        assert server.get("/process-environment").json["COLOUR"] == "blue"

    @pytest.mark.parametrize(
        ("text", "words", "traceback"),
        [
            ("workers = 'many'\n", "gunicorn.conf.py:1: workers: expected", False),
            ("x = 1\nworkers = undefined\n", "gunicorn.conf.py:2: NameError: name 'undefined' is not defined", True),
            ("def f(:\n", "gunicorn.conf.py:1: SyntaxError", True),
            ("import sys; sys.exit()\n", "gunicorn.conf.py:1: the settings file ended the program", True),
        ],
    )
    def test_a_broken_one_changes_nothing(self, start, conf, text, words, traceback):
        conf("workers = 1\n")
        server = start("plain", *CONF).ready()
        before = server.workers()
        conf(text)
        server.send(signal.SIGHUP)
        server.wait_for_log(f"reload failed: ../{words}".replace("(", "\\("))
        assert server.get("/").text == "hello" and server.workers() == before
        assert ('gunicorn.conf.py", line' in server.log) == traceback
        conf("workers = 2\n")
        server.send(signal.SIGHUP)
        server.wait_for_log("reloaded: generation")
        server.wait_for_workers(2)

    def test_one_that_hangs_changes_nothing(self, start, conf):
        conf("workers = 1\n")
        server = start("plain", *CONF, "--startup-timeout", "3").ready()
        conf("while True: pass\n")
        server.send(signal.SIGHUP)
        server.wait_for_log("reload failed: ../gunicorn.conf.py:1: the settings file was not through after 3 s")
        assert server.get("/").text == "hello"

    def test_a_change_within_the_same_second_counts(self, start, conf, directory):
        """Python's own cache would show the older file: the same length, the same second."""
        conf("workers = 1\n")
        server = start("plain", *CONF).ready()
        stamp = os.stat(directory / "gunicorn.conf.py")
        path = conf("workers = 2\n")
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        server.send(signal.SIGHUP)
        server.wait_for_workers(2)
        assert not list(directory.glob("__pycache__/gunicorn.conf*"))


def test_a_file_that_the_applications_user_may_not_read(start, conf):
    if os.getuid() != 0:
        pytest.skip("needs root")
    conf("workers = 1\nuser = 'nobody'\n").chmod(0o600)
    server = start("plain", *CONF)
    assert server.wait() == SETUP
    assert "PermissionError" in server.log and "a second time" in server.log
