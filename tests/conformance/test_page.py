"""docs/compatibility.md says what the cases say."""

from .page import PAGE, rendered


def test_the_page_is_made_of_the_cases():
    assert PAGE.read_text() == rendered(), "write it anew: cd tests && python -m conformance.page"
