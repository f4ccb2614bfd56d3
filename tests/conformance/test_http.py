"""The HTTP cases, each sent whole and byte by byte: how bytes are cut into packets must not matter."""

import json
import re
from http import HTTPStatus

import pytest
from support.client import Closed
from support.subject import IS_RCORN

from .cases import HTTP
from .servers import access_lines, calls, wait_for_line

# RFC 9110 has newer names for two of them than Python.
REASONS = {status.value: status.phrase for status in HTTPStatus} | {413: "Content Too Large", 414: "URI Too Long"}
FOLLOWER = b"GET /second HTTP/1.1\r\nHost: a\r\n\r\n"
# Byte by byte only where that takes no time.
LONGEST_DRIP = 700


def ways(case):
    return ["whole", "byte by byte"] if 1 < len(case.send) <= LONGEST_DRIP else ["whole"]


TRIES = [pytest.param(case, way, id=f"{case.name}-{way.replace(' ', '-')}") for case in HTTP for way in ways(case)]


def test_names_are_told_apart():
    names = [case.rule for case in HTTP]
    assert len(names) == len(set(names)) and len(names) >= 150


@pytest.mark.parametrize(("case", "way"), TRIES)
def test_case(servers, case, way):
    server = servers.get(case.group)
    before, lines = calls(server, case.group), count_lines(server)
    with server.connect(timeout=5) as connection:
        send(connection, case, way)
        responses, closed = read(connection, case)
    statuses = tuple(response.status for response in responses)
    if not IS_RCORN and case.gunicorn is not None:
        served_on = [case.gunicorn, (*case.gunicorn, 200)] if follower(case) else [case.gunicorn]
        assert statuses in served_on, case.why
        with pytest.raises(AssertionError):
            check_answers(case, responses, closed)
        return
    check_answers(case, responses, closed)
    if IS_RCORN:
        answered = sum(status < 400 or status == 500 and not case.refused for status in statuses)
        assert calls(server, case.group) - before == answered, "how often the application was called"
        if case.refused:
            check_refusal(server, responses[-1], lines + len(responses) - 1)


def check_answers(case, responses, closed):
    expected = tuple(expect if isinstance(expect, int) else expect[0] for expect in case.expect)
    statuses = tuple(response.status for response in responses)
    assert statuses == expected, [response.body[:200] for response in responses]
    for response, expect in zip(responses, case.expect, strict=True):
        check(response, expect)
    assert closed == (case.closed or case.finishes), "the connection is closed" if closed else "the connection is kept"


def count_lines(server):
    return len([line for line in access_lines(server) if "/calls " not in line])


def follower(case):
    """What follows a refused request on the connection is a good one, which must not be answered."""
    return FOLLOWER if case.refused and not case.finishes and case.group != "impatient" else b""


def send(connection, case, way):
    data = case.send + follower(case)
    try:
        if way == "whole":
            connection.send(data)
        else:
            for index in range(len(data)):
                connection.send(data[index : index + 1])
        if case.finishes:
            connection.finish_sending()
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before the last byte was sent


def read(connection, case):
    """The responses, and whether the connection was closed behind them."""
    responses = []
    try:
        while len(responses) < len(case.expect) + 1:
            if len(responses) == len(case.expect) and not (case.closed or case.finishes):
                return responses, connection.is_closed(0.02)
            responses.append(connection.response(case.method))
    except Closed as error:
        truncated(case, responses, error)
    except AssertionError:
        # Nothing came within the time of the connection.
        if IS_RCORN or case.gunicorn != ():
            raise
        return responses, False
    return responses, True


def truncated(case, responses, error):
    """A body that is cut short is seen as such; its head counts."""
    if len(responses) < len(case.expect) and (found := re.search(r"HTTP/1.1 (\d+)", str(error))):
        raise AssertionError(f"cut short: {found[0]}") from error
    if len(responses) < len(case.expect) and case.rule.startswith(("9112-6.3 less", "3333-errors an exception in the middle")):
        responses.append(Cut())


class Cut:
    """A response whose end is missing."""

    status, body, headers = 200, b"", []


def check(response, expect):
    if isinstance(expect, int):
        return
    _, wanted = expect
    if "response" in wanted:
        return check_response(response, wanted)
    seen = json.loads(response.body)
    for name, value in wanted.items():
        assert seen.get(name) == value, f"{name} is {seen.get(name)!r}, not {value!r}"


def check_response(response, wanted):
    for name, value in wanted["response"].items():
        found = response.header(name)
        assert found is not None if value is True else found == value, f"{name}: {found!r} in {response.headers}"
    if wanted["content"] is not None:
        assert response.text == wanted["content"]


def check_refusal(server, response, earlier):
    assert response.reason == REASONS[response.status]
    assert response.closes and len(response.body) < 300 and response.body.endswith(b"\n")
    line = wait_for_line(server, earlier)
    assert re.search(rf'" {response.status} \d+ "-" "-" "[^"]+"$', line), line
