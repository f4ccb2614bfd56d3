"""The example applications, unmodified: sessions, forms, uploads, streams, error pages, static files."""

import hashlib
import os
import re

import pytest
from support.browser import Browser
from support.interpreters import ROOT

SITES = {"flask": ("app:app", "/sign", "/static/style.css"), "django": ("mysite.wsgi", "/", "/static/guestbook/style.css")}


@pytest.fixture(params=SITES)
def framework(request):
    return request.param


@pytest.fixture
def server(start, framework):
    """Two workers, so that nothing depends on being answered by the same one."""
    flags = ["--workers", 2, "--chdir", ROOT / "examples" / framework]
    return start(None, *flags, call=SITES[framework][0]).ready()


@pytest.fixture
def browser(server):
    with Browser(server.address) as browser:
        yield browser


def test_the_session_counts_visits(browser):
    for visit in range(1, 4):
        assert f"<b>{visit}</b>" in browser.open("/").text


def test_a_form_is_taken_and_redirects(browser, framework):
    browser.open("/")
    page = browser.post(SITES[framework][1], name="Zoë & Søn").text
    assert "Thank you, Zoë &amp; Søn!" in page and "<li>Zoë &amp; Søn</li>" in page
    assert "Thank you" not in browser.open("/").text, "the message is shown once"


def test_a_form_that_is_not_valid(browser, framework):
    browser.open("/")
    response = browser.post(SITES[framework][1], name=" ")
    assert response.status == {"flask": 400, "django": 200}[framework]
    assert "Thank you" not in response.text


@pytest.mark.parametrize("size", [0, 1000, 3_000_000, 20_000_000])
def test_a_file_is_uploaded(browser, size, framework):
    content = os.urandom(size)
    browser.open("/")
    response = browser.upload("/upload", "photo.jpg", content)
    if framework == "django" and size == 0:
        assert response.status == 400 and "empty" in response.text
    else:
        expected = {"name": "photo.jpg", "size": size, "sha256": hashlib.sha256(content).hexdigest()}
        assert response.json == expected


def test_a_stream(browser):
    response = browser.open("/countdown?pause=0")
    assert response.text == "5\n4\n3\n2\n1\nlift-off\n"


def test_a_stream_arrives_piece_by_piece(server):
    with server.connect() as connection:
        connection.send(b"GET /countdown?pause=0.1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.head().status == 200
        pieces = []
        while piece := connection.chunk():
            pieces.append(piece)
        assert pieces == [b"5\n", b"4\n", b"3\n", b"2\n", b"1\n", b"lift-off\n"]


def test_error_pages_are_the_frameworks(browser, server):
    missing = browser.open("/nowhere")
    assert missing.status == 404 and "<h1>404 Not Found</h1>" in missing.text
    failed = browser.open("/fail")
    assert failed.status == 500 and "<h1>500 Internal Server Error</h1>" in failed.text
    server.wait_for_log("RuntimeError: this page always fails")
    assert browser.open("/").status == 200


def test_static_files(browser, framework):
    response = browser.open(SITES[framework][2])
    assert response.status == 200 and response.header("Content-Type").startswith("text/css")
    assert response.text == next((ROOT / "examples" / framework).rglob("style.css")).read_text()
    again = browser.open(SITES[framework][2], headers={"If-Modified-Since": response.header("Last-Modified")})
    assert again.status == 304 and again.body == b""


def test_head_of_a_page(browser):
    response = browser.open("/", "HEAD")
    assert response.status == 200 and int(response.header("Content-Length")) > 500 and response.body == b""


def test_a_page_links_to_what_there_is(browser):
    page = browser.open("/").text
    for target in re.findall(r'href="([^"]+)"', page):
        assert browser.open(target).status == (500 if target == "/fail" else 200)
