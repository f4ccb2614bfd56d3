"""The soak in short, as a test. `make soak` is the long one."""

import os

import pytest
from support.subject import IS_RCORN

from .soak import GROWTH_AT_ONCE_KIB, soak


@pytest.mark.skipif(not IS_RCORN, reason="memory and access log are judged by rcorn's promises")
@pytest.mark.parametrize(
    ("flags", "growth"),
    [((), None), (("--threads", 4), GROWTH_AT_ONCE_KIB), (("--worker-class", "gevent"), GROWTH_AT_ONCE_KIB)],
    ids=["sync", "threads", "gevent"],
)
def test_twenty_thousand_mixed_requests(flags, growth):
    if "gevent" in flags:
        pytest.importorskip("gevent")
    said = []
    problems = soak(int(os.environ.get("RCORN_TEST_SOAK", "20000")), said.append, flags, growth)
    assert not problems, "\n".join(said)
