"""Facts about the build: what the binaries link, where the extension lies, which room may use which."""

import json
import re
import shutil
import subprocess

import pytest
from support.interpreters import ROOT
from support.server import call
from support.subject import Subject, binaries, binary, extension

pytestmark = pytest.mark.rcorn("about rcorn's own build")

SOURCES = sorted((ROOT / "src").rglob("*.rs"))


def output_of(*command):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, cwd=ROOT).stdout


@pytest.mark.parametrize("name", ["rcorn", "rcornctl"])
def test_the_binaries_need_only_libc(name):
    needed = {line.split()[0].rpartition("/")[2] for line in output_of("ldd", binaries() / name).splitlines() if line.strip()}
    allowed = r"(linux-vdso|linux-gate|libc|libgcc_s|ld-linux[-\w]*|libm|libpthread|libdl|librt)\.so[.\d]*"
    assert all(re.fullmatch(allowed, library) for library in needed), needed
    assert not any("python" in library or "systemd" in library for library in needed)


def test_the_extension_names_no_libpython():
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-d", extension()))
    assert needed and not any("python" in library for library in needed), needed


def test_the_extension_is_one_module():
    symbols = output_of("readelf", "--dyn-syms", "--wide", extension())
    assert "PyInit__rcorn" in symbols


def test_everything_lies_in_one_directory():
    assert binary().exists() and (binaries() / "rcornctl").exists() and extension().exists()


def test_rcornctl_says_its_version(directory):
    outcome = call("--version", directory=directory, program="rcornctl")
    assert (outcome.code, outcome.err) == (0, "") and re.fullmatch(r"rcornctl \d+\.\d+\.\d+\n", outcome.out)


def test_the_arrows_between_the_rooms():
    """sys ← contract ← rcorn; sys ← http; sys, contract, http ← worker; nothing points back."""
    packages = json.loads(output_of("cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"))["packages"]
    rooms = {package["name"] for package in packages}
    arrows = {
        package["name"]: {d["name"] for d in package["dependencies"] if d["name"] in rooms and d["kind"] is None}
        for package in packages
    }
    assert arrows == {
        "sys": set(),
        "contract": {"sys"},
        "http": {"sys"},
        "_rcorn": {"sys", "contract", "http"},
        "rcorn": {"sys", "contract"},
    }


def test_a_plain_build_makes_the_extension():
    """It is a default member, and its tests are in Python: there is no interpreter to link a test binary with."""
    metadata = json.loads(output_of("cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"))
    (worker,) = (package for package in metadata["packages"] if package["name"] == "_rcorn")
    assert worker["id"] in metadata["workspace_default_members"]
    (library,) = (target for target in worker["targets"] if "cdylib" in target["kind"])
    assert (library["name"], library["test"], library["doctest"]) == ("_rcorn", False, False)


def test_every_exit_code_is_documented():
    codes = re.findall(r"^ +(\w+) = (\d+),", (ROOT / "src/contract/exit.rs").read_text(), re.MULTILINE)
    page = (ROOT / "docs/exit-codes.md").read_text()
    assert len(codes) >= 5
    for name, code in codes:
        words = re.sub(r"(?<!^)([A-Z])", r" \1", name).lower().replace("app ", "application ")
        assert f"| {code} | {words} |" in page, (name, code)


class TestWhereTheExtensionIsFound:
    """Beside the binary (development), in the library directory of a package, or where the setting says."""

    @pytest.fixture
    def installed(self, directory):
        """A copy of the binary without an extension beside it."""
        place = directory / "usr" / "bin"
        place.mkdir(parents=True)
        shutil.copy(binary(), place)
        return place / "rcorn"

    def subject(self, program):
        return Subject((str(program),), Subject.default().python)

    @pytest.mark.parametrize("name", ["_rcorn.abi3.so", "lib_rcorn.so"])
    def test_beside_the_binary(self, start, installed, name):
        shutil.copy(extension(), installed.parent / name)
        assert start("plain", subject=self.subject(installed)).ready().get("/").text == "hello"

    def test_in_the_library_directory(self, start, directory, installed):
        library = directory / "usr" / "lib" / "rcorn"
        library.mkdir(parents=True)
        shutil.copy(extension(), library / "_rcorn.abi3.so")
        link = directory / "rcorn"
        link.symlink_to(installed)
        assert start("plain", subject=self.subject(link)).ready().get("/").text == "hello"

    def test_where_the_setting_says(self, start, directory, installed):
        shutil.copy(extension(), directory / "elsewhere.so")
        server = start("plain", "--extension", directory / "elsewhere.so", subject=self.subject(installed)).ready()
        assert server.get("/").text == "hello"

    def test_nowhere(self, start, installed):
        server = start("plain", subject=self.subject(installed))
        assert server.wait() == 1
        last = server.log.strip().splitlines()[-1]
        assert "extension" in last and str(installed.parent) in last and "Traceback" not in server.log


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_source_says_what_it_is_for(source):
    lines = source.read_text().splitlines()
    assert lines and lines[0].startswith("//! "), "the first line is the beginning of a module doc"
    if not re.search(r"(^|/|_)tests(\.rs$|/)", str(source.relative_to(ROOT))):
        own = next((number for number, line in enumerate(lines) if line == "mod tests {"), len(lines))
        assert own <= 400, f"{own} lines without tests"


def test_unsafe_is_in_two_rooms_only():
    found = {path.relative_to(ROOT / "src").parts[0] for path in SOURCES if re.search(r"\bunsafe\s*(\{|fn|impl)", path.read_text())}
    assert found <= {"sys", "worker"}, found


def test_every_allow_has_its_reason():
    bare = []
    for path in SOURCES:
        for allow in re.findall(r"#!?\[(?:allow|expect)\((?:[^()]|\([^()]*\))*\)\]", path.read_text()):
            if "reason" not in allow:
                bare.append(f"{path.relative_to(ROOT)}: {allow}")
    assert not bare, bare


def test_nothing_that_is_made_is_kept():
    """What .gitignore names is not in the tree all the same."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    assert output_of("git", "ls-files", "--cached", "--ignored", "--exclude-standard") == ""
