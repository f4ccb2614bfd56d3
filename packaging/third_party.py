"""The licences of the crates that are linked into rcorn: what their authors want to be told with it.

    python3 packaging/third_party.py [cargo] > third-party.txt
"""

import json
import subprocess
import sys
from pathlib import Path

HEAD = """\
rcorn contains the following works of others, each under the licence that stands with it,
and the Rust standard library (MIT OR Apache-2.0, Copyright The Rust Project Contributors).
"""
# Of a crate that offers several licences, the shortest one that it ships.
TEXTS = ["LICENSE-MIT*", "LICENSE*", "LICENCE*", "license*", "COPYING*", "LICENSES/MIT*"]


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def linked(cargo):
    """Name and version of each crate that ends up in the programs or the extension."""
    options = ("--workspace", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}", "--locked")
    lines = {tuple(line.split()[:2]) for line in output(cargo, "tree", *options).splitlines() if line.strip()}
    return {(name, version.lstrip("v")) for name, version in lines}


def text_of(package):
    directory = Path(package["manifest_path"]).parent
    found = next((path for pattern in TEXTS for path in sorted(directory.glob(pattern)) if path.is_file()), None)
    return found.read_text().strip() if found else f"It ships no text; its licence is {package['license']}."


def main(cargo="cargo"):
    wanted = linked(cargo)
    packages = json.loads(output(cargo, "metadata", "--format-version", "1", "--locked"))["packages"]
    by_text = {}
    for package in sorted(packages, key=lambda package: (package["name"], package["version"])):
        if package["source"] and (package["name"], package["version"]) in wanted:
            crate = f"{package['name']} {package['version']} ({package['license']})"
            by_text.setdefault(text_of(package), []).append(crate)
    print(HEAD)
    for text, crates in sorted(by_text.items(), key=lambda entry: entry[1]):
        print("=" * 80, *crates, "", text, "", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
