"""A build that differs from this one as a later version may: another contract, another layout, more to say.

Run as a program it makes that build under `target/tomorrow`, for the tests of upgrades. It is made of the sources as they
are, with a few lines changed; a line that is no longer there is an error, so that nothing here becomes a pretence.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").absolute() / "tomorrow"
BINARIES = PLACE / "target" / "debug"
VERSION = "9.9.9"

CHANGES = {
    "Cargo.toml": [('version = "0.1.0"', f'version = "{VERSION}"')],
    "src/contract/lib.rs": [("pub const VERSION: u32 = 1;", "pub const VERSION: u32 = 2;")],
    "src/contract/scoreboard.rs": [
        ("const HEADER: usize = 64;", "const HEADER: usize = 96;"),
        ("const SLOT: usize = 128;", "const SLOT: usize = 160;"),
        ("    State = 0,", "    State = 3,"),
        ("    Heartbeat = 1,", "    Heartbeat = 0,"),
    ],
    "src/contract/scoreboard/lane.rs": [
        ("const LANE: usize = 40;", "const LANE: usize = 48;"),
        ("    Start = 0,", "    Start = 1,"),
        ("    Progress = 1,", "    Progress = 0,"),
    ],
    "src/contract/settings.rs": [
        ("    pub contract: u32,", "    pub contract: u32,\n    /// Has no default: yesterday's settings cannot be read.\n    pub dreams: bool,")
    ],
    "src/rcorn/arbiter/worker_settings.rs": [
        ("        contract: contract::VERSION,", "        contract: contract::VERSION,\n        dreams: true,")
    ],
    "src/contract/message.rs": [
        ("    /// The worker was signalled to reopen", "    /// Unknown to others.\n    Dreamt {\n        /// What.\n        of: String,\n    },\n    /// The worker was signalled to reopen"),
    ],
    "src/worker/lifecycle.rs": [
        ("            channel.send(&FromWorker::Ready, &[])?;", '            channel.send(&FromWorker::Dreamt { of: "sheep".into() }, &[])?;\n            channel.send(&FromWorker::Ready, &[])?;'),
    ],
    "src/rcorn/arbiter/step/worker.rs": [
        ("        FromWorker::Spent =>", "        FromWorker::Dreamt { .. } => {}\n        FromWorker::Spent =>"),
    ],
    "src/rcorn/arbiter/fleet.rs": [
        ("    last_worker: u64,", "    last_worker: u64,\n    #[serde(default)]\n    dreams: Vec<String>,"),
        ("            last_worker: 0,", "            last_worker: 0,\n            dreams: vec![\"sheep\".to_owned()],"),
    ],
    "src/contract/control.rs": [
        ("    /// The application.\n    pub app: String,", "    /// Unknown to others.\n    pub mood: String,\n    /// The application.\n    pub app: String,")
    ],
    "src/rcorn/control/answer.rs": [
        ("            pid: sys::process::own_pid(),", '            mood: "dreamy".to_owned(),\n            pid: sys::process::own_pid(),')
    ],
}


def changed(name, text):
    for old, new in CHANGES.get(name, []):
        assert text.count(old) == 1, f"{name}: {old!r} is there {text.count(old)} times: tests/support/tomorrow.py has to follow"
        text = text.replace(old, new)
    return text


def write_if_new(path, data):
    """What stays as it is keeps its time, so that it is not compiled again."""
    if not path.exists() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def sources():
    yield from (ROOT / "Cargo.toml", ROOT / "Cargo.lock", ROOT / ".cargo/config.toml")
    yield from (path for path in (ROOT / "src").rglob("*") if path.suffix in (".rs", ".py", ".toml"))


def make(cargo):
    for path in sources():
        name = str(path.relative_to(ROOT))
        write_if_new(PLACE / name, changed(name, path.read_text()).encode())
    subprocess.run([*cargo, "build", "--quiet", "--target-dir", PLACE / "target"], cwd=PLACE, check=True)


if __name__ == "__main__":
    make(sys.argv[1:] or ["cargo"])
