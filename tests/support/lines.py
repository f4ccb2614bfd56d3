"""Lines of a file that is being written."""

from itertools import groupby

from .waiting import wait_until


def whole_lines(path):
    """Those that are complete: where one crosses a page of the file, a reader may see its first part before the rest."""
    whole, _, _ = path.read_text().rpartition("\n") if path.exists() else ("", "", "")
    return whole.splitlines()


def wait_for_lines(path, count):
    return wait_until(lambda: len(found := whole_lines(path)) >= count and found, f"{path} has {count} lines")


def in_groups(lines):
    """Those that follow one another with the same first word, sorted: things that happen together have no order."""
    return [line for _, group in groupby(lines, lambda line: line.split()[0]) for line in sorted(group)]
