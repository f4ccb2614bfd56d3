"""`paste`: an application that an ini file describes, as Pyramid's are, with the logging that the same file may describe."""

import subprocess

import pytest
from support.subject import Subject

pytestmark = pytest.mark.rcorn("about rcorn's own words")

APPLICATION = '''
import json
import logging
import os


def main(global_config, **settings):
    logging.getLogger("shop").info("made with %s", settings["colour"])

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        defaults = {name: global_config[name] for name in sorted(global_config) if name not in ("here", "__file__")}
        told = {"settings": settings, "defaults": defaults, "shout": environ.get("shout"), "cwd": os.getcwd()}
        return [json.dumps(told).encode()]

    return application


def shout(app, global_config, volume):
    def filtered(environ, start_response):
        return app({**environ, "shout": volume}, start_response)

    return filtered
'''

INI = """
[DEFAULT]
shape = round

[app:main]
paste.app_factory = shop:main
colour = red

[app:other]
use = main
colour = blue

[filter:shout]
paste.filter_factory = shop_filters:factory
volume = 11

[pipeline:loud]
pipeline = shout main

[server:main]
use = egg:waitress#main

[loggers]
keys = root, shop

[handlers]
keys = file

[formatters]
keys = plain

[logger_root]
level = WARNING
handlers = file

[logger_shop]
level = INFO
handlers =
qualname = shop

[handler_file]
class = FileHandler
args = ("%(here)s/shop.log",)
formatter = plain

[formatter_plain]
format = %(levelname)s %(name)s %(message)s
"""

FILTERS = """
from shop import shout


def factory(global_config, volume):
    return lambda app: shout(app, global_config, volume)
"""


@pytest.fixture
def has_paste():
    done = subprocess.run([Subject.default().python, "-c", "import paste.deploy"], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("the environment of the tests has no PasteDeploy")


@pytest.fixture
def shop(directory, has_paste):
    (directory / "shop.py").write_text(APPLICATION)
    (directory / "shop_filters.py").write_text(FILTERS)
    path = directory / "production.ini"
    path.write_text(INI)
    return path


@pytest.mark.parametrize("preload", ["on", "off"])
def test_the_main_section(start, shop, directory, preload):
    server = start(None, "--chdir", directory, "--paste", shop, f"--preload={preload}").ready()
    told = server.get("/").json
    assert told == {"settings": {"colour": "red"}, "defaults": {"shape": "round"}, "shout": None, "cwd": str(directory)}
    assert "INFO shop made with red\n" in (directory / "shop.log").read_text()


def test_another_section_and_other_defaults(start, shop, directory):
    flags = ["--paster", "production.ini#other", "--paste-global", "shape=square", "--paste-global", "a=b=c"]
    told = start(None, "--chdir", directory, *flags).ready().get("/").json
    assert told["settings"] == {"colour": "blue"}
    assert told["defaults"] == {"shape": "square", "a": "b=c"}


def test_a_pipeline_named_in_the_settings(start, shop, directory):
    (directory / "gunicorn.conf.py").write_text("paste = 'production.ini#loud'\nraw_paste_global_conf = ['a=b']\n")
    told = start(None, "--chdir", directory, "-c", "../gunicorn.conf.py").ready().get("/").json
    assert (told["shout"], told["defaults"]["a"]) == ("11", "b")


def test_an_application_beside_it_is_warned_about(rcorn, shop, directory):
    outcome = rcorn("--check-config", "--paste", "production.ini", "plain")
    assert outcome.code == 0 and "\"plain\" is not used" in outcome.sentence


def test_what_is_wrong(rcorn, shop, directory):
    outcome = rcorn("--check-config", "--paste", "absent.ini#x")
    assert (outcome.code, outcome.sentence) == (1, f"--paste: there is no file {directory}/absent.ini")
    outcome = rcorn("--check-config", "--paste", "production.ini#nobody")
    assert outcome.code == 3 and "nobody" in outcome.err and "production.ini#nobody" in outcome.err.splitlines()[-1]
    outcome = rcorn("--paste", "production.ini", "--paste-global", "odd")
    assert outcome.sentence == '--paste-global: expected NAME=VALUE, found "odd"'


def test_without_pastedeploy(rcorn, directory):
    (directory / "shop.ini").write_text("[app:main]\nuse = egg:shop\n")
    (directory / "sitecustomize.py").write_text("import sys\nsys.modules['paste.deploy'] = None\n")
    outcome = rcorn("--check-config", "--paste", "shop.ini", env={"PYTHONPATH": directory})
    assert outcome.code == 3 and "needs PasteDeploy, which is not installed" in outcome.sentence
