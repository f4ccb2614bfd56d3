"""Objects of the WSGI environment that are best written in Python."""

import io
import os
import stat
import sys


class FileWrapper:
    """`wsgi.file_wrapper`: a file as an iterable of blocks."""

    def __init__(self, filelike, blksize=8192):
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.blksize)
        if block:
            return block
        raise StopIteration


def part_of_file(filelike):
    """Descriptor, position and length of what is left of a regular file; None where reading could give other bytes.

    What looks like a file may unpack, decode or count what it reads, so only Python's own files are taken, and what
    is known to hold one of them: temporary files, and files of Django.
    """
    file = filelike
    for _ in range(3):
        if type(file) in PLAIN_FILES:
            break
        file = getattr(file, "file", None)
    else:
        return None
    try:
        file.flush()
        status, position = os.fstat(file.fileno()), file.tell()
    except (OSError, ValueError):
        return None
    # Some files of /proc have content and no size.
    if not stat.S_ISREG(status.st_mode) or position >= status.st_size:
        return None
    return file.fileno(), position, status.st_size - position


PLAIN_FILES = (io.FileIO, io.BufferedReader, io.BufferedRandom)


def error_stream(descriptor, is_stderr):
    """`wsgi.errors`: text that goes to the error log, line by line."""
    if is_stderr and sys.stderr is not None:
        return sys.stderr
    raw = open(descriptor, "wb", buffering=0, closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


def memory_input(body):
    """`wsgi.input` of a body in memory."""
    return io.BytesIO(body)


class Arriving(io.RawIOBase):
    """A body that is still arriving, as a raw stream."""

    def __init__(self, body):
        self.body = body

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self.body.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def arriving_input(body):
    """`wsgi.input` of a body that is still arriving."""
    return io.BufferedReader(Arriving(body), 65536)


def file_input(descriptor):
    """`wsgi.input` of a body in a temporary file, which it closes."""
    return open(descriptor, "rb")
