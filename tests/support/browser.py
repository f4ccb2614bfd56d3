"""As much of a browser as the examples need: cookies, forms, redirects."""

import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from .client import Connection

BOUNDARY = "a-boundary-of-the-tests"


class Browser:
    """Keeps cookies and one connection."""

    def __init__(self, address):
        self.address = address
        self.connection = Connection(address)
        self.cookies = {}

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self, target, method="GET", headers=(), body=None):
        """Asks, and follows redirects."""
        fields = {"Host": "localhost", **dict(headers)}
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self.connection.request(target, method, fields, body)
        for line in response.all("Set-Cookie"):
            self.cookies.update({name: morsel.coded_value for name, morsel in SimpleCookie(line).items()})
        if response.closes:
            self.connection.close()
            self.connection = Connection(self.address)
        if response.status in (301, 302, 303):
            return self.open(response.header("Location"))
        return response

    def post(self, target, **fields):
        """Sends a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.open(target, "POST", headers, urlencode({**self._token(), **fields}).encode())

    def upload(self, target, name, content):
        """Sends a form with a file."""
        parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in self._token().items()]
        disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts.append(disposition.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content)
        edge = f"--{BOUNDARY}".encode()
        body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"
        return self.open(target, "POST", {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, body)

    def _token(self):
        """Django's protection against forged forms: it wants the token of its own page."""
        if "csrftoken" not in self.cookies:
            return {}
        page = self.open("/").text
        return {"csrfmiddlewaretoken": re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]}
