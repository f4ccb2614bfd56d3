"""Makes a wheel of a release build: python make.py DIRECTORY-OF-THE-BUILD DIRECTORY-FOR-THE-WHEEL

The binaries are the wheel's scripts, the extension lies in the package. The platform's tag is read from what they need.
The same build gives the same bytes: order, modes and times are fixed (SOURCE_DATE_EPOCH).
"""

import base64
import hashlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).resolve().parent / "rcorn"
LICENCES = ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT"]
# Those of what is linked in.
OTHERS = "third-party.txt"
EXTENSION = "lib_rcorn.so"
BINARIES = ["rcorn", "rcornctl"]
# A zip file knows no time before.
FIRST_DAY = 315532800
CLASSIFIERS = [
    "Development Status :: 4 - Beta",
    "Environment :: No Input/Output (Daemon)",
    "Environment :: Web Environment",
    "Intended Audience :: Developers",
    "Intended Audience :: System Administrators",
    "Operating System :: POSIX :: Linux",
    "Programming Language :: Python :: 3 :: Only",
    "Programming Language :: Python :: 3.11",
    "Programming Language :: Python :: 3.12",
    "Programming Language :: Python :: 3.13",
    "Programming Language :: Python :: Implementation :: CPython",
    "Programming Language :: Rust",
    "Topic :: Internet :: WWW/HTTP :: HTTP Servers",
    "Topic :: Internet :: WWW/HTTP :: WSGI :: Server",
]


def main(built, place):
    version = subprocess.run([built / "rcorn", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    info = f"rcorn-{version}.dist-info"
    tag = f"py3-none-{platform_tag([built / name for name in [*BINARIES, EXTENSION]])}"
    files = {f"rcorn/{path.name}": (path.read_bytes(), 0o644) for path in PACKAGE.glob("*.py")}
    files["rcorn/_rcorn.abi3.so"] = (stripped(built / EXTENSION), 0o755)
    files |= {f"rcorn-{version}.data/scripts/{name}": (stripped(built / name), 0o755) for name in BINARIES}
    files |= {f"{info}/licenses/{name}": ((ROOT / name).read_bytes(), 0o644) for name in LICENCES}
    files[f"{info}/licenses/{OTHERS}"] = (licences_of_others(), 0o644)
    files[f"{info}/METADATA"] = (metadata(version).encode(), 0o644)
    files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: rcorn\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644)
    files[f"{info}/RECORD"] = (record(files, f"{info}/RECORD").encode(), 0o644)
    place.mkdir(parents=True, exist_ok=True)
    wheel = place / f"rcorn-{version}-{tag}.whl"
    write(wheel, files)
    print(wheel)


def platform_tag(paths):
    """manylinux_2_NN_MACHINE, with the newest symbol of glibc that any of them needs (PEP 600)."""
    needs = [subprocess.run(["readelf", "-W", "-V", path], check=True, capture_output=True, text=True).stdout for path in paths]
    major, minor = max((int(a), int(b)) for text in needs for a, b in re.findall(r"Name: GLIBC_(\d+)\.(\d+)", text))
    return f"manylinux_{major}_{minor}_{platform.machine()}"


def stripped(path):
    """Without the line tables, which are most of the file."""
    with tempfile.NamedTemporaryFile() as result:
        subprocess.run(["strip", "--strip-debug", "-o", result.name, path], check=True)
        return Path(result.name).read_bytes()


def licences_of_others():
    command = [sys.executable, ROOT / "packaging" / "third_party.py", os.environ.get("CARGO", "cargo")]
    return subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout


def metadata(version):
    summary = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["description"]
    head = [
        "Metadata-Version: 2.4",
        "Name: rcorn",
        f"Version: {version}",
        f"Summary: {summary}",
        "License-Expression: MIT OR Apache-2.0",
        *(f"License-File: {name}" for name in [*LICENCES, OTHERS]),
        *(f"Classifier: {classifier}" for classifier in CLASSIFIERS),
        "Requires-Python: >=3.11",
        "Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM",
    ]
    # Links lead to files of the repository, which are not there where this is shown.
    readme = re.sub(r"\[([^]]+)\]\((?!https?:)[^)]*\)", r"\1", (ROOT / "README.md").read_text())
    return "\n".join(head) + "\n\n" + readme


def record(files, own):
    """The list of the files with their sums."""
    lines = [f"{name},sha256={checksum(data)},{len(data)}\n" for name, (data, _) in sorted(files.items())]
    return "".join(lines) + f"{own},,\n"


def checksum(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def write(wheel, files):
    moment = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", FIRST_DAY)), FIRST_DAY))[:6]
    draft = wheel.with_suffix(".draft")
    with zipfile.ZipFile(draft, "w") as archive:
        # What describes the wheel stands at its end, as the format recommends.
        for name in sorted(files, key=lambda name: (".dist-info/" in name, name)):
            data, mode = files[name]
            entry = zipfile.ZipInfo(name, moment)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    draft.rename(wheel)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
