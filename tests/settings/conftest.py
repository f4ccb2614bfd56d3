"""What the tests of settings share."""

import pytest
from support.server import call, copy_app


@pytest.fixture
def rcorn(directory):
    """Calls rcorn in a directory with the plain application."""
    copy_app("plain", directory)

    def rcorn(*arguments, **options):
        return call(*arguments, directory=directory, **options)

    return rcorn


@pytest.fixture
def printed(rcorn):
    """`--print-config` as a dictionary: the name of a setting to what is said of it."""

    def printed(*arguments, **options):
        outcome = rcorn("--print-config", *arguments, **options)
        assert (outcome.code, outcome.err) == (0, ""), outcome
        lines = [line.split(maxsplit=1) for line in outcome.out.splitlines() if line.strip()]
        return {parts[0].rstrip(":="): parts[-1] for parts in lines}

    return printed
