"""The tables of docs/compatibility.md, made of the cases: `python -m conformance.page` in tests/ writes them anew."""

from pathlib import Path

from .cases import HTTP
from .cases.wsgi import CASES as WSGI

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
BEGIN, END = "<!-- made of the conformance cases: begin -->\n", "<!-- end -->\n"


def differences():
    """Every case in which Gunicorn differs, with the reason, the same reasons together."""
    by_reason = {}
    for case in HTTP:
        if case.gunicorn is not None:
            by_reason.setdefault(("HTTP", case.why), []).append((case.rule, outcome(case)))
    for case in WSGI:
        if case.gunicorn:
            by_reason.setdefault(("WSGI", case.gunicorn), []).append((case.rule, ""))
    return by_reason


def outcome(case):
    statuses = tuple(expect if isinstance(expect, int) else expect[0] for expect in case.expect)
    if statuses == case.gunicorn:
        return ""
    ours, theirs = (", ".join(map(str, sent)) for sent in (statuses, case.gunicorn))
    return f" (rcorn {ours or 'closes'}; Gunicorn {theirs or 'no answer'})"


def tables():
    lines = []
    for kind, count in (("HTTP", len(HTTP)), ("WSGI", len(WSGI))):
        lines.append(f"## {kind}\n\n{count} cases; where Gunicorn 27 differs:\n\n")
        for (of, reason), cases in differences().items():
            if of == kind:
                rules = "; ".join(f"{rule}{more}" for rule, more in cases)
                lines.append(f"- **{reason}**: {rules}\n")
        lines.append("\n")
    return "".join(lines)


def rendered():
    before, rest = PAGE.read_text().split(BEGIN)
    return before + BEGIN + "\n" + tables() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(rendered())
