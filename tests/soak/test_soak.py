"""The soak in short, as a test. `make soak` is the long one."""

import os

import pytest
from support.subject import IS_RCORN

from .soak import soak


@pytest.mark.skipif(not IS_RCORN, reason="memory and access log are judged by rcorn's promises")
@pytest.mark.parametrize(
    "flags", [(), ("--threads", 4), ("--worker-class", "gevent")], ids=["sync", "threads", "gevent"]
)
def test_twenty_thousand_mixed_requests(flags):
    if "gevent" in flags:
        pytest.importorskip("gevent")
    said = []
    problems = soak(int(os.environ.get("RCORN_TEST_SOAK", "20000")), said.append, flags)
    assert not problems, "\n".join(said)
