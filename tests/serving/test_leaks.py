"""What a worker opens it closes."""

import os

import pytest
from support.client import request_bytes
from support.waiting import wait_until


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.rcorn("Gunicorn's threads keep some for later")
def test_descriptors_are_given_back(plain):
    (worker,) = plain.wait_for_workers(1)
    plain.get("/")
    before = open_descriptors(worker)
    for number in range(50):
        plain.get(f"/number?n={number}")
        plain.request("/digest", "POST", body=b"x" * 1_200_000)
        plain.get("/raises")
        with plain.connect() as malformed:
            malformed.send(b"nonsense\r\n\r\n")
            assert malformed.response().status == 400
        with plain.connect() as silent:
            silent.send(b"GET")
        aborted = plain.connect()
        aborted.send(request_bytes("/big?size=5000000"))
        aborted.head()
        aborted.abort()
        half = plain.connect()
        half.send(request_bytes("/digest", "POST", {"Content-Length": "3000000"}) + b"x" * 1_500_000)
        half.abort()
    wait_until(lambda: open_descriptors(worker) <= before, "every descriptor is closed", seconds=15)
    assert plain.workers() == [worker]
