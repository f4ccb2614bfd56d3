"""Where settings come from: command line > RCORN_CMD_ARGS > GUNICORN_CMD_ARGS > file > default."""

import pytest

pytestmark = pytest.mark.rcorn("about rcorn's own words")


@pytest.fixture
def file(directory):
    """A settings file."""
    path = directory / "app.toml"
    path.write_text('# settings\n\nworkers = 5\ntimeout = "2m"\nbind = ["127.0.0.1:5001", "127.0.0.1:5002"]\n')
    return path


def test_defaults(printed):
    config = printed("plain")
    for name, value in [("workers", "1"), ("bind", "127.0.0.1:8000"), ("timeout", "30"), ("preload", "auto")]:
        assert value in config[name] and "default" in config[name], config[name]


def test_the_sources_in_their_order(printed, file):
    levels = [
        (["--config", file], {}, "5", "app.toml:3"),
        (["--config", file], {"GUNICORN_CMD_ARGS": "--workers 6"}, "6", "GUNICORN_CMD_ARGS"),
        (["--config", file], {"GUNICORN_CMD_ARGS": "-w 6", "RCORN_CMD_ARGS": "-w 7"}, "7", "RCORN_CMD_ARGS"),
        (["--config", file, "-w", "8"], {"RCORN_CMD_ARGS": "-w 7"}, "8", "-w"),
        ([], {"WEB_CONCURRENCY": "4"}, "4", "WEB_CONCURRENCY"),
        (["--config", file], {"WEB_CONCURRENCY": "4"}, "5", "app.toml:3"),
    ]
    for arguments, env, value, origin in levels:
        line = printed(*arguments, "plain", env=env)["workers"]
        assert line.startswith(value) and origin in line, line


def test_port_moves_the_default(printed):
    assert "0.0.0.0:5555" in printed("plain", env={"PORT": "5555"})["bind"]
    assert "5555" not in printed("-b", "127.0.0.1:1", "plain", env={"PORT": "5555"})["bind"]


def test_repeated_flags_collect_and_replace_the_lower_source(printed, file):
    line = printed("--config", file, "-b", "127.0.0.1:1", "--bind=unix:/x.sock", "plain")["bind"]
    assert "127.0.0.1:1" in line and "unix:/x.sock" in line and "5001" not in line
    line = printed("--config", file, "plain")["bind"]
    assert "5001" in line and "5002" in line


def test_the_config_may_be_named_in_the_environment(printed, file):
    assert printed("plain", env={"RCORN_CMD_ARGS": f"-c '{file}'"})["workers"].startswith("5")


def test_quotes_in_the_environment(printed):
    assert "a b" in printed("plain", env={"RCORN_CMD_ARGS": "--name 'a b'"})["name"]


@pytest.mark.parametrize(("text", "seconds"), [("45", 45), ('"45s"', 45), ('"500ms"', 0.5), ('"2m"', 120), ("1.5", 1.5)])
def test_durations(printed, directory, text, seconds):
    (directory / "app.toml").write_text(f"timeout = {text}\n")
    shown = printed("--config", directory / "app.toml", "plain")["timeout"].split()[0]
    unit = {"ms": 0.001, "s": 1, "m": 60}
    suffix = "ms" if shown.endswith("ms") else shown[-1]
    assert float(shown.rstrip("ms")) * unit.get(suffix, 1) == seconds, shown


def test_gunicorns_names_are_understood_in_the_file(printed, directory):
    (directory / "app.toml").write_text('proc_name = "shop"\nloglevel = "debug"\naccesslog = "-"\nkeepalive = 7\n')
    config = printed("--config", directory / "app.toml", "plain")
    assert any("shop" in line and "app.toml:1" in line for line in config.values())
    assert any("debug" in line and "app.toml:2" in line for line in config.values())


@pytest.mark.parametrize("source", ["command line", "RCORN_CMD_ARGS", "GUNICORN_CMD_ARGS", "file"])
def test_each_source_is_obeyed(serve, directory, source):
    flags, env = [], {}
    if source == "command line":
        flags = ["--env", "COLOUR=red"]
    elif source == "file":
        (directory / "app.toml").write_text('env = ["COLOUR=red"]\n')
        flags = ["--config", directory / "app.toml"]
    else:
        env = {source: "--env COLOUR=red"}
    assert serve("plain", *flags, env=env).get("/process-environment").json["COLOUR"] == "red"
