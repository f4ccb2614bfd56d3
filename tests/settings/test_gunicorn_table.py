"""Our settings beside Gunicorn's own list: the same names, flags and defaults. Every difference is written down here."""

import re

import pytest
from support.interpreters import ROOT

gunicorn_config = pytest.importorskip("gunicorn.config")
pytestmark = pytest.mark.rcorn("about rcorn's own words")

THEIRS = {setting.name: setting for setting in gunicorn_config.KNOWN_SETTINGS}

# Settings whose default is another one here, with ours and the reason.
OTHER_DEFAULTS = {
    "keepalive": ("75", "2 s is less than what load balancers keep a connection for, and their requests then fail"),
    "worker_class": ("auto", "the callable tells whether it is WSGI or ASGI"),
    "preload_app": ("auto", "it is tried whether the application survives a fork"),
    "sendfile": ("on", "Gunicorn's None means on, and its True means off"),
    "control_socket": ("$RUNTIME_DIRECTORY/control.sock", "one that nobody asked for lies in nobody's home"),
    "chdir": (".", "the same directory, by another name"),
    "user": ("", "who starts it"),
    "group": ("", "who starts it"),
    "accesslog": ("off", "Gunicorn's None means off"),
    "access_log_format": ("", "combined, or JSON where log_format says so"),
    "logger_class": ("", "rcorn's own, which does what Gunicorn's does"),
    "default_proc_name": ("", "the application's name is a better one"),
}
# Settings that are flags here, and in a file have no effect or are refused: they have a row for each.
FLAGS = {"config", "check_config", "print_config"}
# Defaults that are written in another way.
SAME = {True: "on", False: "off", None: ""}


def cells(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@pytest.fixture(scope="module")
def ours():
    """From docs/settings.md, which is made of the table: each name to flags and default."""
    found = {}
    for line in (ROOT / "docs" / "settings.md").read_text().splitlines():
        if line.startswith("| `"):
            names, *rest = cells(line)
            flags = re.findall(r"`(-[^`]*)`", names + rest[0])
            default = rest[2].strip("`") if len(rest) == 4 else None
            for name in re.findall(r"`([a-z][a-z0-9_]*)`", names):
                found[name] = (flags, default)
    return found


def test_gunicorn_has_as_many_as_we_know_of():
    """One more, in a later Gunicorn, wants a row."""
    assert len(THEIRS) == 120


def toml_of(value):
    return f'"{value}"' if isinstance(value, str) else "[]"


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_every_name_is_known(rcorn, directory, name):
    (directory / "app.toml").write_text(f"{name} = 1979-05-27\n")
    outcome = rcorn("-c", "app.toml", "--print-config", "plain")
    assert "there is no such setting" not in outcome.err, outcome
    assert outcome.code == 0 or f"app.toml:1: {name}: " in outcome.sentence


@pytest.mark.parametrize("flag", sorted(flag for setting in THEIRS.values() for flag in setting.cli or []))
def test_every_flag_is_known(rcorn, flag):
    outcome = rcorn("--print-config", "plain", flag)
    assert "there is no such flag" not in outcome.err, outcome


def test_a_flag_is_the_flag_of_the_same_setting(ours):
    other = {}
    for name, setting in THEIRS.items():
        flags = {flag.replace("field_size", "field-size") for flag in setting.cli or []}
        if name in ours and name not in FLAGS and not flags <= set(ours[name][0]):
            other[name] = flags - set(ours[name][0])
    assert other == {}


def literal(setting):
    """Its default as a settings file would spell it out."""
    value = setting.default
    if setting.name == "control_socket" or callable(value):
        return None
    return repr(getattr(value, "value", value))


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_a_file_may_spell_out_its_default(rcorn, directory, name):
    value = literal(THEIRS[name])
    if value is None:
        pytest.skip("it has no default that can be written down")
    (directory / "gunicorn.conf.py").write_text(f"{name} = {value}\n")
    outcome = rcorn("--print-config", "plain")
    assert (outcome.code, outcome.err) == (0, ""), outcome


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_a_file_may_leave_it_out_by_none(rcorn, directory, name):
    (directory / "gunicorn.conf.py").write_text(f"{name} = None\n")
    outcome = rcorn("--print-config", "plain")
    assert (outcome.code, outcome.err) == (0, ""), outcome


def normal(value):
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list):
        return ",".join(value)
    return SAME[value] if value in SAME and not isinstance(value, int) or isinstance(value, bool) else str(value)


def test_defaults_are_gunicorns(ours):
    different, written_down = {}, set(OTHER_DEFAULTS)
    for name, setting in THEIRS.items():
        default = ours.get(name, (None, None))[1]
        if default is None or callable(setting.default):
            continue
        default = default.split(", or ")[0]
        if name == "control_socket_mode":
            default = str(int(default, 8))
        if default == normal(setting.default):
            assert name not in OTHER_DEFAULTS, f"{name} is the same by now"
        elif OTHER_DEFAULTS.get(name, (None,))[0] != default:
            different[name] = (default, normal(setting.default))
        written_down.discard(name)
    assert different == {}
    assert not written_down, "these are no settings of ours"
