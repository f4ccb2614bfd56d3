"""rcorn as the first process of a namespace, as container runtimes start it."""

import os
import shutil

import pytest
from support import processes
from support.subject import IS_RCORN, Subject
from support.waiting import wait_until

# The shell becomes rcorn, which so is process 1.
ENTER = ("unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child=KILL")
AS_IT_IS = 'exec "$@"'
# Nothing can be written, and there is no shared memory: as with readOnlyRootFilesystem and without a single volume.
READ_ONLY = """
mount --make-rprivate /
umount /dev/shm
while read -r _ place _; do mount -o remount,bind,ro "$place"; done </proc/self/mounts
exec "$@"
"""


class Container:
    """A server in namespaces of its own."""

    def __init__(self, server):
        self.server = server

    @property
    def first(self):
        """What is process 1 within, by its number out here."""
        return wait_until(lambda: self._children(), "process 1 has been started")[0].pid

    def _children(self):
        return [process for process in processes.descendants(self.server.pid) if process.parent == self.server.pid]

    def send(self, number):
        os.kill(self.first, number)
        return self.server

    def zombies(self):
        return [process.pid for process in processes.descendants(self.server.pid) if process.state == "Z"]


@pytest.fixture
def contain(start):
    if not IS_RCORN:
        pytest.skip("about rcorn in containers")
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("namespaces need root, and unshare (util-linux)")

    def contain(app="plain", *flags, root=AS_IT_IS, **options):
        default = Subject.default()
        subject = Subject((*ENTER, "sh", "-c", root, "sh", *default.command), default.python)
        server = start(app, "-b", "127.0.0.1:0", *flags, handed=False, subject=subject, **options)
        return Container(server)

    return contain
