"""One case: a rule, what is sent, what must come of it, and where Gunicorn rightly or wrongly differs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`expect` lists the responses: a status, or a status and what the application saw or the response says."""

    rule: str
    send: bytes
    expect: tuple
    closed: bool = False
    # The settings of the server that it is tried on: a key of `servers.GROUPS`.
    group: str = "plain"
    # The client sends no more: what is missing then is truncated.
    finishes: bool = False
    # The statuses that Gunicorn gives instead, and why it is no mistake of the case.
    gunicorn: tuple | None = None
    why: str = ""
    # The client of a HEAD request reads no body.
    method: str = "GET"

    @property
    def name(self):
        return self.rule.replace(" ", "-")

    @property
    def refused(self):
        last = self.expect[-1] if self.expect else None
        return isinstance(last, int) and last >= 400 and self.closed


def taken(**seen):
    """A request that reaches the application, which sees this. Names are those of the environ; `body` is its body."""
    return 200, seen


def response(status, body=None, **headers):
    """A response with these fields (`_` is `-`; None: it must not be there) and this body."""
    return status, {"response": {name.replace("_", "-"): value for name, value in headers.items()}, "content": body}


def refused(rule, send, status, **more):
    """A request that is refused, closes the connection, and never reaches the application."""
    return Case(rule, send, (status,), closed=True, **more)
