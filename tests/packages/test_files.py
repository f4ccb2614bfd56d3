"""What `make install` lays down, what the checkers of packages say, and that what is shown as an example works."""

import re
import shutil
import subprocess
import tomllib

import pytest
from support.interpreters import ROOT, supported
from support.subject import binaries, binary

from .conftest import DIST, steps

pytestmark = pytest.mark.rcorn("about rcorn's packages")


def run(*words, code=0, **options):
    if not shutil.which(str(words[0])):
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, **options)
    assert code is None or done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """An installation below a prefix."""
    place = tmp_path_factory.mktemp("tree")
    run("make", "--silent", "install", f"DESTDIR={place}", "PREFIX=/opt/rcorn", "PROXY_GROUP=apache", f"BUILT={binaries()}", cwd=ROOT)
    return place


def test_the_prefix_and_the_group_are_in_the_units(tree):
    units = tree / "opt/rcorn/lib/systemd/system"
    service = (units / "rcorn@.service").read_text()
    assert "ExecStart=/opt/rcorn/bin/rcorn --config" in service and "ExecReload=/opt/rcorn/bin/rcornctl" in service
    assert "/usr/bin" not in service and "\nSocketGroup=apache\n" in (units / "rcorn@.socket").read_text()


def test_what_is_installed_serves(tree):
    """The extension is found in ../lib/rcorn, and --check-config takes the sample as it is."""
    sample = tree / "opt/rcorn/share/doc/rcorn/examples/rcorn.toml"
    python = next(python for python in supported() if python.label == "system").environment
    command = (tree / "opt/rcorn/bin/rcorn", "--config", sample, "--check-config", "--python", python, "--chdir", ROOT / "examples/flask")
    assert run(*command) == ""


def test_every_page_and_example_is_there(tree):
    share = tree / "opt/rcorn/share"
    for page in ("man1/rcorn.1", "man1/rcornctl.1", "man5/rcorn.toml.5", "man5/rcorn@.service.5"):
        assert run("man", "--warnings", "-l", share / "man" / page, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}).count("\nNAME\n") == 1
    for name in ("copyright", "changelog", "third-party.txt", "settings.md", "examples/nginx.conf"):
        assert (share / "doc/rcorn" / name).stat().st_size > 100, name
    assert "serde" in (share / "doc/rcorn/third-party.txt").read_text() and (tree / "etc/rcorn").is_dir()


@pytest.mark.parametrize(
    "line, expected",
    [("rcorn --work", "--worker-class"), ("rcornctl re", "reload"), ("rcorn --log-level ", "warning")],
)
def test_bash_completes(tree, line, expected):
    words = line.split(" ")
    script = tree / "opt/rcorn/share/bash-completion/completions" / words[0]
    ask = f"""source {script}; COMP_WORDS=({' '.join(words)}{' ""' if line.endswith(' ') else ''}); COMP_CWORD={len(words) - 1}
        _{words[0]} {words[0]} "{words[-1]}" "{words[-2]}"; echo "${{COMPREPLY[@]}}" """
    assert expected in run("bash", "-c", ask).split()


def test_the_other_shells_take_their_completions(tree):
    share = tree / "opt/rcorn/share"
    for name in ("rcorn", "rcornctl"):
        run("bash", "-n", share / "bash-completion/completions" / name)
        if shutil.which("zsh"):
            run("zsh", "-n", share / f"zsh/site-functions/_{name}")
        if shutil.which("fish"):
            run("fish", "--no-execute", share / f"fish/vendor_completions.d/{name}.fish")


def test_nginx_takes_its_example(tree, tmp_path):
    example = tree / "opt/rcorn/share/doc/rcorn/examples/nginx.conf"
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ include {example}; }}")
    assert "syntax is ok" in run("nginx", "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf", code=None)


def test_haproxy_takes_its_example(tree, tmp_path):
    example = (tree / "opt/rcorn/share/doc/rcorn/examples/haproxy.cfg").read_text()
    (tmp_path / "cfg").write_text(f"defaults\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n{example}")
    run("haproxy", "-c", "-f", tmp_path / "cfg")


def test_apache_takes_its_example(tree, tmp_path):
    example = tree / "opt/rcorn/share/doc/rcorn/examples/apache.conf"
    modules = "mpm_event authz_core headers proxy proxy_http".split()
    load = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules)
    (tmp_path / "conf").write_text(f"ServerName x\nServerRoot {tmp_path}\nErrorLog {tmp_path}/log\n{load}Include {example}\n")
    assert "Syntax OK" in run("apache2", "-t", "-f", tmp_path / "conf")


def test_one_version():
    """Said in Cargo.toml; the changelog of the Debian package, which needs one of its own, follows."""
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    assert (ROOT / "debian/changelog").read_text().startswith(f"rcorn ({version}-1) ")
    assert run(binary(), "--version") == f"rcorn {version}\n"
    elsewhere = [path for path in ("rpm/rcorn.spec", "debian/control", "packaging/install.mk", "Makefile") if version in (ROOT / path).read_text()]
    assert elsewhere in ([], ["rpm/rcorn.spec"]) and len(re.findall(re.escape(version), (ROOT / "rpm/rcorn.spec").read_text())) <= 1


def test_lintian_says_nothing(deb):
    said = run("lintian", "--allow-root", "--fail-on", "error,warning", "--display-level", ">=warning", next(DIST.glob("*.changes")))
    assert said == ""


def test_rpmlint_says_nothing(rpm):
    said = run("rpmlint", "-c", ROOT / "rpm/rpmlint.toml", rpm, ROOT / "rpm/rcorn.spec")
    assert " 0 errors, 0 warnings" in said, said


def test_the_readme_has_the_steps():
    """`test_deb.py` runs them in a machine; what it would not find is found here, also without root."""
    commands = steps()
    assert "apt install" in commands and "systemctl enable --now rcorn@shop.socket" in commands and "curl" in commands
