"""`--reload`: what changes is loaded anew, however it was changed."""

import os
import shutil

import pytest
from support.client import Closed
from support.waiting import stays_true, wait_until

pytestmark = pytest.mark.rcorn("Gunicorn takes a second, and ends at an error")


def reloaded(edited, count):
    edited.server.wait_for_log("reloaded: generation", count=count)


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--reload-engine=poll",),
        ("--preload=off", "--workers=2"),
        ("--preload=on",),
        ("--threads=4",),
        ("-k", "gevent"),
    ],
    ids=" ".join,
)
def test_an_edit_is_served(edited, flags):
    edited.answers("'first'")
    edited.serve(*flags)
    assert edited.get().text == "first"
    for text in ("second", "the third"):
        edited.answers(repr(text))
        edited.says(text)
    edited.server.wait_for_log(r"\[INFO\] reload: app.py has changed", count=2)
    assert "Traceback" not in edited.server.log


def test_nothing_is_watched_unless_asked_for(edited):
    edited.answers("'first'")
    server = edited.serve(reload=False)
    edited.answers("'second'")
    stays_true(lambda: edited.get().text == "first", "nothing was loaded", seconds=2)
    assert "reload" not in server.log


def test_under_a_manager_it_is_warned_of(edited):
    edited.answers("'first'")
    edited.serve()
    edited.server.wait_for_log(r"\[WARNING\] reload is on: files are watched[^\n]*for development")


def test_a_kept_connection_does_not_meet_the_old_code(edited):
    edited.answers("'first'")
    edited.serve()
    with edited.server.connect() as kept:
        assert kept.request("/").text == "first"
        edited.answers("'second'")
        reloaded(edited, 1)
        with pytest.raises(Closed):
            kept.request("/")
    assert edited.get().text == "second"


def test_editors_that_rename_and_links_that_are_turned(edited):
    real = edited.answers("'first'", "versions/1.py")
    (edited.place / "app.py").symlink_to(real)
    edited.serve()
    assert edited.get().text == "first"
    edited.answers("'second'", "versions/1.py.new").rename(real)
    edited.says("second")
    edited.answers("'third'", "versions/2.py")
    (edited.place / "new").symlink_to(edited.place / "versions/2.py")
    (edited.place / "new").rename(edited.place / "app.py")
    edited.says("third")


def test_two_edits_of_the_same_size_within_a_second(edited):
    """By seconds and size Python takes the bytecode of the first for that of the second."""
    edited.answers("__import__('helper').TEXT")
    edited.write("helper.py", "TEXT = 'text 0'")
    edited.serve(env={"PYTHONDONTWRITEBYTECODE": None})
    for number in range(1, 6):
        edited.write("helper.py", f"TEXT = 'text {number}'")
        edited.says(f"text {number}")


def test_a_module_that_is_imported_late(edited):
    edited.answers("__import__('late').TEXT if environ['PATH_INFO'] == '/late' else 'first'")
    late = edited.write("late.py", "TEXT = 'late'")
    edited.serve()
    assert edited.get().text == "first"
    edited.write("late.py", "TEXT = 'later'")
    stays_true(lambda: edited.reloads() == 0, "nobody has imported it", seconds=1)
    assert edited.get("/late").text == "later"

    def is_watched():
        os.utime(late)
        return edited.reloads() > 0

    with edited.server.explained():
        wait_until(is_watched, "it is watched")


def test_many_files_at_once_are_one_reload(edited):
    for number in range(300):
        edited.write(f"package/m{number}.py", "VALUE = 1")
    edited.write("package/__init__.py", "")
    imports = "\n".join(f"from package import m{number}" for number in range(300))
    edited.write("app.py", imports + "\n" + edited.answers("str(sum([m0.VALUE, m299.VALUE]))").read_text())
    edited.serve()
    assert edited.get().text == "2"
    with edited.at_once():
        for number in range(300):
            edited.write(f"package/m{number}.py", "VALUE = 25")
    edited.says("50")
    edited.server.wait_for_log(r"reload: package/m0.py and 299 more files have changed")
    stays_true(lambda: edited.reloads() == 1, "that was all", seconds=1)


def test_a_package_that_is_made_anew(edited):
    edited.write("package/__init__.py", "from .part import TEXT")
    edited.write("package/part.py", "TEXT = 'first'")
    edited.answers("__import__('package').TEXT")
    edited.serve()
    assert edited.get().text == "first"
    old = edited.place / "package"
    for text in ("second", "third"):
        shutil.rmtree(old)
        edited.write("package/part.py", f"TEXT = '{text}'")
        edited.write("package/__init__.py", "from .part import TEXT")
        edited.says(text)


def test_files_and_patterns_beside_modules(edited):
    edited.answers("' '.join(sorted(p.read_text() for p in __import__('pathlib').Path('pages').rglob('*.html')))")
    page = edited.write("pages/a/one.html", "one")
    edited.write("labels.txt", "")
    edited.serve("--reload-extra-file", "pages/**/*.html", "--reload-extra-file", "labels.txt", "--reload-extra-file", "data")
    (edited.place / "data").mkdir()
    changes = [
        lambda: page.write_text("uno"),
        lambda: edited.write("pages/a/two.html", "dos"),
        lambda: edited.write("pages/new/three.html", "tres"),
        page.unlink,
        lambda: edited.write("labels.txt", "x"),
    ]
    for count, change in enumerate(changes, 1):
        with edited.at_once():
            change()
        reloaded(edited, count)
    edited.write("pages/a/notes.txt", "")
    stays_true(lambda: edited.reloads() == len(changes), "that is none of them", seconds=1)
    assert edited.get().text == "dos tres"


def test_the_settings_file_and_the_environment(edited):
    edited.answers("__import__('os').environ['COLOUR'] + environ['SCRIPT_NAME']")
    edited.write("app.env", "COLOUR=red\n")
    settings = edited.write("app.toml", 'env_file = "app.env"\n')
    edited.serve("--config", settings)
    assert edited.get().text == "red"
    edited.write("app.env", "COLOUR=blue\n")
    edited.says("blue")
    settings.write_text('env_file = "app.env"\nscript_name = no\n')
    edited.server.wait_for_log("reload failed")
    assert edited.get().text == "blue"
    settings.write_text('env_file = "app.env"\nscript_name = "/shop"\n')
    with edited.server.explained():
        wait_until(lambda: edited.get("/shop/").text == "blue/shop", "the settings were read again")
    settings.write_text('env_file = "app.env"\nreload = false\n')
    reloaded(edited, 3)


def test_an_edit_of_the_file_that_switches_it_off(edited):
    edited.answers("'first'")
    settings = edited.write("app.toml", "reload = true\n")
    edited.serve("--config", settings, reload=False)
    settings.write_text("reload = false\n")
    reloaded(edited, 1)
    edited.answers("'second'")
    stays_true(lambda: edited.get().text == "first", "nothing is watched any more", seconds=1)


def test_an_edit_while_it_reloads(edited):
    edited.answers("'first'")
    edited.serve()
    for number in range(20):
        edited.answers(f"'edit {number}.'")
    edited.says("edit 19.")
