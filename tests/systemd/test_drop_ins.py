"""The drop-ins of docs/systemd.md: what an application may need beyond the unit."""

from support.waiting import wait_until

from .conftest import drop_in, text_of

UNIT = "rcorn@shop.service"


def get(box, path="/", port=8000):
    return box.run("curl", "-s", f"http://127.0.0.1:{port}{path}")


def test_a_user_with_a_home(box):
    box.run("useradd", "--create-home", "alice")
    box.run("sh", "-c", "cp -r /srv/shop /home/alice/app && chown -R alice: /home/alice && chmod 700 /home/alice")
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace("/srv/shop", "/home/alice/app"))
    box.run("systemctl", "start", UNIT, code=1)
    drop_in(box, "DynamicUser=no\nUser=alice")
    box.run("systemctl", "start", UNIT)
    assert get(box) == "hello"
    (owner,) = {box.run("stat", "-c", "%U", f"/proc/{pid}").strip() for pid in box.run("pgrep", "-f", "rcorn: ").split()}
    assert owner == "alice"
    box.run("systemctl", "reload", UNIT)


def test_a_directory_of_its_own_and_a_secret(box):
    box.put("/etc/rcorn/shop.database", "secret")
    box.run("chmod", "600", "/etc/rcorn/shop.database")
    box.run("sh", "-c", "mkdir /srv/shop/media && chmod 777 /srv/shop/media")
    box.put(
        "/srv/shop/writing.py",
        "import os\nfrom pathlib import Path\nfrom plain import application\n"
        "Path('media/mark').write_text(Path(os.environ['CREDENTIALS_DIRECTORY'], 'database').read_text())\n",
    )
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace('"plain"', '"writing"'))
    drop_in(box, "ReadWritePaths=/srv/shop/media\nLoadCredential=database:/etc/rcorn/shop.database")
    box.run("systemctl", "start", UNIT)
    assert get(box) == "hello" and box.run("cat", "/srv/shop/media/mark") == "secret"


def test_a_name_that_makes_no_user(box):
    unit = "rcorn@shop.example.service"
    box.put("/etc/rcorn/shop.example.toml", text_of("shop"))
    box.run("systemctl", "start", unit, code=1)
    drop_in(box, "User=rcorn-example", unit)
    box.run("systemctl", "start", unit)
    assert get(box) == "hello"
    assert "serving" in box.run("rcornctl", "status", "shop.example")
    box.run("systemctl", "reload", unit)


def test_an_environment_file(box):
    box.put("/etc/rcorn/shop.env", "COLOUR=blue\n")
    box.run("systemctl", "start", UNIT)
    assert '"COLOUR": "blue"' in get(box, "/process-environment")
    wait_until(lambda: "serving" in box.run("rcornctl", "status", "shop"), "it serves")


def test_directories_in_settings(box):
    more = 'error_log = "$LOGS_DIRECTORY/error.log"\nenv = ["DATABASE=$STATE_DIRECTORY/shop.db"]\n'
    box.put("/etc/rcorn/shop.toml", text_of("shop", more))
    box.run("systemctl", "start", UNIT)
    assert '"DATABASE": "/var/lib/rcorn/shop/shop.db"' in get(box, "/process-environment")
    assert "serving: generation 1" in box.run("cat", "/var/log/rcorn/shop/error.log")
    box.put("/etc/rcorn/shop.toml", text_of("shop", 'pid = "$CREDENTIALS_DIRECTORY/pid"\n'))
    said = box.run("rcornctl", "reload", "shop", code=1)
    assert "shop.toml:5: pid: there is no $CREDENTIALS_DIRECTORY here: a unit with LoadCredential= gives one" in said


def test_what_the_sandbox_forbids_may_be_allowed(box):
    box.put("/srv/shop/nicer.py", "import os\nfrom plain import application\nos.sched_setaffinity(0, os.sched_getaffinity(0))\n")
    box.put("/etc/rcorn/shop.toml", text_of("shop").replace('"plain"', '"nicer"'))
    box.run("systemctl", "start", UNIT, code=1)
    drop_in(box, "SystemCallFilter=@resources\nPrivateDevices=no")
    box.run("systemctl", "start", UNIT)
    assert get(box) == "hello"
