"""Objects of the WSGI environment that are best written in Python."""

import io
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


def error_stream(descriptor, is_stderr):
    """`wsgi.errors`: text that goes to the error log, line by line."""
    if is_stderr and sys.stderr is not None:
        return sys.stderr
    raw = open(descriptor, "wb", buffering=0, closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


def memory_input(body):
    """`wsgi.input` of a body in memory."""
    return io.BytesIO(body)


def file_input(descriptor):
    """`wsgi.input` of a body in a temporary file, which it closes."""
    return open(descriptor, "rb")
