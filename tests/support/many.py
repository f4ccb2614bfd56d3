"""Many requests on one connection after the other, as a program: `python3 -m support.many PORT COUNT`."""

import json
import sys
import time

from .client import Connection


def main(port, count):
    answered, slowest, connection = 0, 0.0, None
    for turn in range(int(count)):
        begin = time.monotonic()
        connection = connection or Connection(("127.0.0.1", int(port)))
        response = connection.request(f"/number?n={turn}")
        answered += response.status == 200
        if response.closes:
            connection.close()
            connection = None
        slowest = max(slowest, time.monotonic() - begin)
    print(json.dumps({"answered": answered, "slowest": slowest}))


main(*sys.argv[1:])
