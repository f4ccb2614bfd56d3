"""A client that asks again and again around the moment in which an idle service ends: `python3 -m support.knocker PATH COUNT`."""

import json
import sys
import time

from .client import Connection


def main(path, count):
    answered, failures, slowest = 0, [], 0.0
    for turn in range(int(count)):
        begin = time.monotonic()
        try:
            with Connection(path) as connection:
                response = connection.request(f"/number?n={turn}", headers={"Connection": "close"})
            assert response.status == 200 and response.text.split()[0] == str(turn), response
            answered += 1
        except (AssertionError, OSError) as error:
            failures.append(repr(error))
        slowest = max(slowest, time.monotonic() - begin)
        # From well before the end to well after it, in small steps.
        time.sleep(0.1 + turn % 50 * 0.004)
    print(json.dumps({"answered": answered, "failures": failures[:5], "slowest": slowest}))


main(*sys.argv[1:])
