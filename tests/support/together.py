"""Things that are done at the same time."""

from concurrent.futures import ThreadPoolExecutor


def at_once(count, what):
    """What `what(0)` to `what(count - 1)` give, each called in a thread of its own."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(what, range(count)))
