"""`rcorn [flags] [MODULE[:CALLABLE]]`: how an application is named, and what is said when it is not there."""

import pytest


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ("names", "default"),
        ("names:application", "default"),
        ("names:other", "other"),
        pytest.param("names:site.inner.app", "nested", marks=pytest.mark.rcorn("Gunicorn takes no dots")),
        ("names:factory()", "() []"),
        ("names:factory('x', n=1)", "('x',) [('n', 1)]"),
        ("names:factory(1, [2, {'a': None}], b=True)", "(1, [2, {'a': None}]) [('b', True)]"),
    ],
)
def test_ways_to_name_it(serve, spec, answer):
    server = serve("names", call=spec)
    assert server.get("/").text == answer


def test_a_package_and_a_submodule(start, directory):
    package = directory / "site" / "shop"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "web.py").write_text("from names import other as application\n")
    server = start("names", "--pythonpath", directory / "site", call="shop.web").ready()
    assert server.get("/").text == "other"


@pytest.mark.rcorn("Gunicorn reads this from a Python file")
@pytest.mark.parametrize("key", ["app", "wsgi_app"])
def test_it_may_be_named_in_the_settings(serve, directory, key):
    (directory / "rcorn.toml").write_text(f'{key} = "names:other"\n')
    server = serve("names", "--config", directory / "rcorn.toml", call="")
    assert server.get("/").text == "other"


@pytest.mark.rcorn("Gunicorn reads this from a Python file")
def test_the_command_line_wins(serve, directory):
    (directory / "rcorn.toml").write_text('wsgi_app = "names:other"\n')
    server = serve("names", "--config", directory / "rcorn.toml", call="names:application")
    assert server.get("/").text == "default"


@pytest.mark.rcorn("Gunicorn says it in other words")
def test_no_application_at_all(rcorn):
    outcome = rcorn()
    assert outcome.code in (1, 2) and "application" in outcome.sentence


@pytest.mark.parametrize("preload", ["on", "off", "auto"])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.rcorn("Gunicorn's exit code depends on the number of workers")
class TestWhatCannotBeImported:
    """The traceback as Python would print it, one line saying what to check, and the exit code."""

    @pytest.fixture
    def failed(self, start, preload, workers):
        def failed(app, call=None):
            server = start(app, f"--preload={preload}", "--workers", workers, call=call)
            return server, server.wait()

        return failed

    def test_a_missing_module_inside_it(self, failed):
        server, code = failed("broken")
        assert code == 3
        assert server.log.count("Traceback (most recent call last):") == 1
        assert "ModuleNotFoundError: No module named 'a_module_that_nobody_has'" in server.log
        assert 'broken.py", line 3, in <module>' in server.log
        assert "is installed" in server.log, "it says what to check"
        assert "_rcorn" not in server.log, "no frame of rcorn is shown"

    def test_a_module_that_is_not_there(self, failed):
        server, code = failed("plain", call="plian:application")
        assert code == 3
        assert "No module named 'plian'" in server.log and str(server.directory) in server.log

    def test_a_syntax_error(self, failed):
        server, code = failed("misspelt")
        assert code == 3
        assert "SyntaxError" in server.log and "misspelt.py" in server.log

    def test_a_factory_that_raises(self, failed):
        server, code = failed("names", call="names:broken_factory()")
        assert code == 3 and "ValueError: the factory does not like this" in server.log

    @pytest.mark.parametrize("name", ["missing", "site.missing", "number", "nothing", "factory_of_nothing()", "1 +"])
    def test_a_callable_that_is_not_there(self, failed, name):
        server, code = failed("names", call=f"names:{name}")
        assert code == 4
        assert "Traceback" not in server.log, "that is no error in the application's code"
        assert name.partition("(")[0].split(".")[-1] in server.log

    def test_a_file_name_instead_of_a_module(self, failed):
        server, code = failed("plain", call="plain.py")
        assert code == 3 and "did you mean 'plain:application'?" in server.log
