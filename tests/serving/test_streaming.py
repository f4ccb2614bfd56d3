"""A generator is sent piece by piece: each piece is on the wire before the next one is asked for."""

import pytest


def test_each_piece_arrives_before_the_next_is_made(plain):
    with plain.connect() as connection:
        connection.send(b"GET /stream HTTP/1.1\r\nHost: test\r\n\r\n")
        assert connection.head().header("Transfer-Encoding") == "chunked"
        assert connection.chunk() == b"first"
        for piece in ("second", "third"):
            (plain.directory / f"{piece}.release").touch()
            assert connection.chunk() == piece.encode()
        assert connection.chunk() == b""


def test_so_does_it_on_http_1_0(plain):
    with plain.connect() as connection:
        connection.send(b"GET /stream HTTP/1.0\r\n\r\n")
        connection.head()
        assert connection.exactly(5) == b"first"
        for piece in (b"second", b"third"):
            (plain.directory / f"{piece.decode()}.release").touch()
            assert connection.exactly(len(piece)) == piece
        assert connection.rest() == b""


@pytest.mark.parametrize("size", [1, 100, 10_000, 300_000])
def test_pieces_of_any_size_arrive_whole(plain, size):
    assert plain.get(f"/pieces?count=50&size={size}").body == b"x" * 50 * size
