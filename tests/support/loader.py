"""A load from within a box, as a program: `python3 -m support.loader ADDRESS CLIENTS keep|fresh` until its input ends."""

import json
import sys

from .load import Load


def main(address, clients, manner):
    host, colon, port = address.rpartition(":")
    place = (host, int(port)) if colon else address
    with Load(place, clients=int(clients), keep_alive=manner == "keep", path="/number", most=10**7) as load:
        sys.stdin.read()
    print(json.dumps({"answered": load.answered, "failures": load.failures[:5], "slowest": load.slowest}))


main(*sys.argv[1:])
