"""Servers with hooks: rcorn and Gunicorn, started from the same settings file."""

import json
import shutil
from pathlib import Path

import pytest
from support.lines import in_groups, whole_lines
from support.subject import Subject, binary
from support.waiting import wait_until

HERE = Path(__file__).parent


class Hooked:
    """A server whose hooks take notes."""

    def __init__(self, server):
        self.server = server

    @property
    def notes(self):
        return [json.loads(line) for line in whole_lines(self.server.directory / "notes")]

    def named(self, *hooks):
        return [note for note in self.notes if note["hook"] in hooks]

    def wait_for(self, hook, count=1, **wanted):
        """Waits until a hook was noted so often, with these words; the last note."""

        def found():
            notes = [note for note in self.named(hook) if wanted.items() <= note.items()]
            return len(notes) >= count and notes

        with self.server.explained():
            return wait_until(found, f"{hook} has run {count} times with {wanted}")[-1]

    def master(self):
        """The hooks of the master in their order, those of workers that end together by their age."""
        hooks = ("on_starting", "when_ready", "on_reload", "nworkers_changed", "pre_fork", "child_exit", "on_exit")
        said = [" ".join(map(str, [note["hook"], *self.words(note)])) for note in self.named(*hooks)]
        return in_groups(said)

    @staticmethod
    def words(note):
        return (note[key] for key in ("age", "new", "old") if note.get(key) is not None)

    def worker(self, age):
        """The hooks that ran in one worker, in their order."""
        elsewhere = ("pre_fork", "child_exit")
        return [note["hook"] for note in self.notes if note["age"] == age and note["hook"] not in elsewhere]


def subject_named(name):
    python = Subject.default().python
    if name == "rcorn":
        return Subject((str(binary()),), python)
    return Subject((str(python.parent / "gunicorn"), "--no-control-socket"), python)


@pytest.fixture
def hooked(start):
    """`hooked("gunicorn", "-w", "2")`: a server with the settings of noting.py, or with others. It is ready."""

    def hooked(name="rcorn", *flags, settings=HERE / "noting.py", app="plain", ready=True, env=None, files=None, **options):
        def place(directory):
            if isinstance(settings, Path):
                shutil.copy(settings, directory / "settings.py")
            else:
                (directory / "settings.py").write_text(settings)
            if files:
                files(directory)

        flags = ("-c", "settings.py", *flags)
        server = start(app, *flags, subject=subject_named(name), env=env, prepare=place, **options)
        if ready:
            server.ready()
        return Hooked(server)

    return hooked
