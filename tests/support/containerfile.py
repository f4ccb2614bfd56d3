"""As much of a container builder as our Containerfiles need: each step runs in a chroot, on a stand-in for its image.

An instruction that is not known here is an error, so that nothing of a Containerfile goes untried.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

# In a mount namespace of its own: what is mounted goes with it. The rest are the words of what becomes process 1.
ENTER = """
mode=$1 root=$2 user=$3 workdir=$4; shift 4
while [ "$1" != -- ]; do mkdir -p "$2" "$root$1" && mount --bind "$2" "$root$1" || exit 125; shift 2; done; shift
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -o "remount,bind,$mode" "$root" || exit 125
exec /usr/sbin/chroot --userspec="$user" "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$workdir" "$@"
"""


def parse(path):
    """(instruction, its text) of each step."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    steps = re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()
    return [tuple(step.strip().split(None, 1)) for step in steps if step.strip()]


class Image:
    """A tree that steps change, and what the image says of whoever runs in it."""

    def __init__(self, lower, environment, binds=()):
        self.place = Path(tempfile.mkdtemp(prefix="rcorn-image-"))
        self.tree = self.place / "root"
        self.environment = dict(environment)
        self.binds = dict(binds)
        self.workdir, self.user, self.words = "/", "0:0", {"ENTRYPOINT": [], "CMD": []}
        self.facts = {}
        for name in ("upper", "work", "root"):
            (self.place / name).mkdir()
        options = f"lowerdir={':'.join(map(str, lower))},upperdir={self.place}/upper,workdir={self.place}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.tree], check=True)

    def remove(self):
        subprocess.run(["umount", "-l", self.tree], check=False)
        shutil.rmtree(self.place, ignore_errors=True)

    def command(self, words, binds=(), mode="rw"):
        """What runs these words in it, as process 1. Read-only, nothing but the binds can be written."""
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-c", ENTER, "sh"]
        places = [word for pair in {**self.binds, **dict(binds)}.items() for word in map(str, pair)]
        return [*enter, mode, str(self.tree), self.user, self.workdir, *places, "--", *words]

    def start(self, arguments=None, **options):
        """What runs it as it is meant to be run, with other arguments perhaps."""
        words = self.words["ENTRYPOINT"] + (arguments or self.words["CMD"])
        environment = [f"{name}={value}" for name, value in self.environment.items()]
        return ["env", "-i", *environment, *self.command(words, **options)]

    def inside(self, path):
        return Path(f"{self.tree}{os.path.normpath(os.path.join(self.workdir, path))}")


class Builder:
    """Builds images of Containerfiles. `base` makes the stand-in for an image of others."""

    def __init__(self, base, caches):
        self.base = base
        self.caches = caches
        self.images = {}
        self.made = []

    def build(self, containerfile, context, name):
        image = None
        stages = {}
        for instruction, text in parse(containerfile):
            if instruction == "FROM":
                source, _, stage = text.partition(" AS ")
                image = self.images.get(source) or self._keep(self.base(source))
                stages[stage] = image
            elif instruction == "COPY":
                self._copy(image, text, context, stages)
            elif instruction == "RUN":
                self._run(image, text)
            else:
                describe(image, instruction, text)
        self.images[name] = image
        return image

    def _keep(self, image):
        self.made.append(image)
        return image

    def _run(self, image, text):
        binds = dict(image.binds)
        while mount := re.match(r"--mount=type=cache,target=(\S+)\s+", text):
            binds[mount[1]] = self.caches(mount[1])
            text = text[mount.end() :]
        assert not text.startswith("--"), f"RUN {text}: not known"
        done = subprocess.run(
            image.command(["/bin/sh", "-c", text], binds), env=image.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"RUN {text}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"

    def _copy(self, image, text, context, stages):
        *sources, place = shlex.split(text)
        origin, ignored = context, ignored_in(context)
        if sources[0].startswith("--from="):
            origin, ignored = stages[sources.pop(0).removeprefix("--from=")].tree, None
        assert not sources[0].startswith("--"), f"COPY {text}: not known"
        for source in sources:
            path, target = origin / source.lstrip("/"), image.inside(place)
            if path.is_dir():
                shutil.copytree(path, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)
            else:
                whole = target if not place.endswith(("/", ".")) else target / path.name
                whole.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, whole)

    def remove(self):
        for image in self.made:
            image.remove()


def describe(image, instruction, text):
    """The steps that only say something."""
    if instruction == "WORKDIR":
        image.workdir = os.path.join(image.workdir, text)
        image.inside(".").mkdir(parents=True, exist_ok=True)
    elif instruction == "ENV":
        name, _, value = text.partition("=")
        image.environment[name] = value
    elif instruction == "USER":
        image.user = text
    elif instruction in ("ENTRYPOINT", "CMD"):
        # As a list: otherwise a shell would be process 1.
        image.words[instruction] = json.loads(text)
    elif instruction in ("EXPOSE", "STOPSIGNAL"):
        image.facts[instruction] = text
    else:
        raise AssertionError(f"{instruction}: not known")


def ignored_in(context):
    """What .dockerignore leaves out, for copytree; paths and `**/NAME` is all that ours has."""
    file = context / ".dockerignore"
    lines = file.read_text().splitlines() if file.exists() else []
    patterns = [line for line in lines if line and not line.startswith("#")]

    def ignored(directory, names):
        inner = os.path.relpath(directory, context)
        return {name for name in names if os.path.normpath(f"{inner}/{name}") in patterns or f"**/{name}" in patterns}

    return ignored
