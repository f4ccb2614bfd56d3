"""Runs Autobahn's test suite against the websocket layer: `python -m websocket.autobahn [CASES]`, within tests/.

It takes six minutes, and a Python 2.7 with `pip install autobahntestsuite`, whose `wstest` is on PATH or in $WSTEST.
CASES are such as `6.*` or `12.1.3`; all of them, when none are named. Ends with 1 when a case is not passed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from support.subject import binaries

ALL = ["*"]
# "Informational" is what has no right or wrong; "non-strict" would be right, but late, and counts as a failure here.
PASSED = {"OK", "INFORMATIONAL"}


def run(cases, address, directory):
    specification = directory / "fuzzingclient.json"
    specification.write_text(json.dumps({
        "outdir": str(directory / "reports"),
        "servers": [{"agent": "rcorn", "url": address}],
        "cases": cases,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }))
    wstest = os.environ.get("WSTEST", "wstest")
    subprocess.run([wstest, "-m", "fuzzingclient", "-s", specification], check=True, stdout=subprocess.DEVNULL)
    (results,) = json.loads((directory / "reports" / "index.json").read_text()).values()
    return results


def main(cases):
    program = binaries() / "examples" / "websocket_echo"
    with tempfile.TemporaryDirectory() as directory, subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as server:
        try:
            results = run(cases, f"ws://127.0.0.1:{int(server.stdout.readline())}", Path(directory))
        finally:
            server.kill()
    failed = {case: result for case, result in results.items() if not {result["behavior"], result["behaviorClose"]} <= PASSED}
    for case, result in failed.items():
        print(f"{case}: {result['behavior']}, closing: {result['behaviorClose']}, code {result['remoteCloseCode']}")
    strict = sum(result["behavior"] == "OK" for result in results.values())
    print(f"{len(results)} cases: {strict} OK, {len(results) - strict - len(failed)} informational, {len(failed)} failed")
    return bool(failed or not results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ALL))
