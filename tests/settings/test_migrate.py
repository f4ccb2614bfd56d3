"""`--migrate`: what it writes is a file that rcorn takes and that says the same; what cannot come along is a comment."""

import tomllib

import pytest

pytestmark = pytest.mark.rcorn("about rcorn's own words")

GUNICORN = """
import multiprocessing
import os

bind = ["127.0.0.1:0", f"unix:{os.getcwd()}/x.sock"]
workers = multiprocessing.cpu_count() * 2 + 1
threads = 4
worker_class = "gthread"
umask = 0o007
raw_env = ['GREETING=say "hi", they said', "PATTERN=\\\\d+\\t$"]
timeout, keepalive = 20, 5
graceful_timeout = 7.5
accesslog = None
max_requests = 1000
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
forwarded_allow_ips = "10.0.0.0/8,127.0.0.1"
proc_name = "shop"
preload_app = True
worker_tmp_dir = "/dev/shm"
daemon = True
certfile = "cert.pem"
keyfile = None
env = "production"
workers_per_core = 2


def post_fork(server, worker):
    pass


when_ready = "os.path.join"
"""

UWSGI = """
# an ordinary one
[uwsgi]
project = plain
base = {directory}
chdir = %(base)
module = %(project):application
master = true
processes = 4
enable-threads = true
threads = 2
http-socket = 127.0.0.1:0
socket = %(base)/u.sock
chmod-socket = 660
vacuum = true
die-on-term = true
harakiri = 30
max-requests = 5000
max-worker-lifetime = 3600
reload-on-rss = 2048
env = DJANGO_SETTINGS_MODULE=shop.settings
env = LANG=C.UTF-8
pidfile = %(base)/%(project).pid
daemonize = /var/log/shop.log
buffer-size = 65535
listen = 1024
need-app = true
cheaper = 2
stats = /tmp/stats.sock
static-map = /static=/srv/static
gevent = 50
virtualenv = $(HOME)/venv
lazy-apps = true
something-else = 7

[another]
threads = 99
"""


@pytest.fixture
def migrated(rcorn, directory):
    """The file, its comments, and `--check-config` has nothing against it."""

    def migrated(name, text):
        (directory / name).write_text(text)
        outcome = rcorn("--migrate", name)
        assert (outcome.code, outcome.err) == (0, ""), outcome
        (directory / "app.toml").write_text(outcome.out)
        checked = rcorn("-c", "app.toml", "--check-config", "plain")
        assert (checked.code, checked.err) == (0, ""), (checked, outcome.out)
        comments = [line for line in outcome.out.splitlines() if line.startswith("#")]
        return tomllib.loads(outcome.out), comments

    return migrated


def settings_of(printed, *arguments):
    """Every setting, without where it comes from."""
    return {name: line.rsplit(maxsplit=1)[0] for name, line in printed(*arguments).items() if name != "config"}


def test_gunicorns_settings_say_the_same(migrated, printed, directory):
    values, comments = migrated("old.py", GUNICORN)
    said = "\n".join(comments)
    for words in ["line 6: workers = multiprocessing", "worker_tmp_dir: it has no effect", "daemon: not supported",
                  "certfile: not supported", "when_ready", "app = "]:  # fmt: skip
        assert words in said, said
    assert values["hooks"] == "old.py" and not {"certfile", "keyfile", "workers_per_core", "worker_tmp_dir"} & set(values)
    assert values["umask"] == "07" and values["env"][0] == 'GREETING=say "hi", they said'
    # What is refused would be refused in the Python file as well.
    (directory / "same.py").write_text(GUNICORN.replace("daemon = True", "").replace('certfile = "cert.pem"', ""))
    before, after = settings_of(printed, "-c", "same.py", "plain"), settings_of(printed, "-c", "app.toml", "plain")
    different = {name for name in before if before[name].split() != after[name].split()} - {"hooks", "umask"}
    assert different == set()
    assert int(before["umask"], 8) == int(after["umask"], 8) == 7


LOGGED = """
from gunicorn import glogging

class Quiet(glogging.Logger):
    pass

logger_class = Quiet
logconfig_dict = {"version": 1, "disable_existing_loggers": False, "loggers": {"shop.orders": {"level": "INFO", "handlers": []}}}
accesslog = "access.log"
access_log_format = '%(h)s "%(r)s" %({x-id}i)s'
errorlog, loglevel, capture_output = "-", "debug", True
syslog, syslog_addr, syslog_facility, syslog_prefix = True, "udp://127.0.0.1:514", "local3", "shop"
statsd_host = "127.0.0.1:8125"
statsd_prefix = "shop"
dogstatsd_tags = "env:test,zone:1"
enable_backlog_metric = True
reload, reload_engine = True, "poll"
reload_extra_files = ["a.txt", "templates/*.html"]
"""


def test_logs_metrics_and_reload_say_the_same(migrated, printed, directory):
    values, comments = migrated("old.py", LOGGED)
    assert any("logger_class: the class is this file's own" in line for line in comments)
    assert values["logconfig_dict"]["loggers"] == {"shop.orders": {"level": "INFO", "handlers": []}}
    before, after = settings_of(printed, "-c", "old.py", "plain"), settings_of(printed, "-c", "app.toml", "plain")
    assert {name for name in before if before[name].split() != after.get(name, "").split()} == {"logger_class"}


def test_uwsgis_settings(migrated, directory):
    values, comments = migrated("uwsgi.ini", UWSGI.format(directory=directory))
    assert values == {
        "app": "plain:application",
        "chdir": str(directory),
        "workers": 4,
        "threads": 2,
        "bind": ["127.0.0.1:0", f"unix:{directory}/u.sock"],
        "umask": "0117",
        "timeout": 30,
        "request_timeout": 30,
        "max_requests": 5000,
        "max_worker_age": 3600,
        "max_worker_memory": "2048M",
        "env": ["DJANGO_SETTINGS_MODULE=shop.settings", "LANG=C.UTF-8"],
        "pid": f"{directory}/plain.pid",
        "backlog": 1024,
        "worker_connections": 50,
        "preload": "off",
        "worker_class": "gevent",
        "access_log": "-",
    }
    said = "\n".join(comments)
    for option in ["socket = ", "daemonize", "buffer-size", "cheaper", "stats", "static-map", "virtualenv", "something-else"]:
        assert f"# {option}" in said, said


@pytest.mark.parametrize(
    ("lines", "app"),
    [
        ("wsgi-file = plain.py", "plain"),
        ("wsgi-file = plain.py\ncallable = application", "plain:application"),
        ("wsgi-file = {directory}/plain.py\ncallable = application", "plain:application"),
        ("module = plain\ncallable = application", "plain:application"),
        ("wsgi = plain", "plain"),
    ],
)
def test_ways_of_uwsgi_to_name_an_application(migrated, rcorn, directory, lines, app):
    values, _ = migrated("uwsgi.ini", "[uwsgi]\n" + lines.format(directory=directory))
    assert values["app"] == app
    assert rcorn("-c", "app.toml", "--check-config").code == 0


def test_what_cannot_be_migrated(rcorn, directory):
    assert rcorn("--migrate").code == 2
    (directory / "shop.yaml").write_text("uwsgi:\n")
    outcome = rcorn("--migrate", "shop.yaml")
    assert outcome.code == 2 and "shop.yaml: expected gunicorn.conf.py" in outcome.sentence
    (directory / "a.py").write_text("workers = 1 / 0\n")
    outcome = rcorn("--migrate", "a.py")
    assert outcome.code == 1 and outcome.err.endswith("rcorn: a.py:1: ZeroDivisionError: division by zero\n")


class TestHooksBesideToml:
    def test_only_the_hooks_of_the_file_count(self, printed, directory):
        (directory / "hooks.py").write_text("workers = 7\nwrokers = 8\ndaemon = True\ndef post_fork(server, worker): pass\n")
        (directory / "app.toml").write_text('workers = 2\nhooks = "hooks.py"\n')
        config = printed("-c", "app.toml", "plain")
        assert config["workers"].startswith("2 ") and config["hooks"].split()[0] == "hooks.py"

    @pytest.mark.parametrize(
        ("hooks", "words"),
        [
            ("hooks.toml", "hooks: expected FILE.py or python:MODULE"),
            ("absent.py", "absent.py: cannot read the settings: No such file"),
            ("broken.py", "broken.py:1: post_fork: expected a function"),
        ],
    )
    def test_what_is_wrong_with_it(self, rcorn, directory, hooks, words):
        (directory / "broken.py").write_text("post_fork = 5\n")
        outcome = rcorn("--hooks", hooks, "plain")
        assert outcome.code == 1 and words in outcome.sentence

    def test_a_python_file_has_its_own(self, rcorn, directory):
        for name in ("a.py", "b.py"):
            (directory / name).write_text("")
        assert "has its own" in rcorn("-c", "a.py", "--hooks", "b.py", "plain").sentence
