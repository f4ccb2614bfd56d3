"""`make bench`: every scenario, or those that are named. BENCH=quick takes two minutes."""

import argparse
import os
import tempfile
from pathlib import Path

from . import environment, machine, plot, report, rounds
from .scenarios import FILE_SIZE, SCENARIOS
from .studies import STUDIES

BEGIN, END = "<!-- Made by `make bench WRITE=docs` from here -->", "<!-- to here. -->"


def main():
    arguments = parser().parse_args()
    environment.set_up(arguments.interpreter or environment.newest())
    with tempfile.TemporaryDirectory(prefix="rcorn-bench-", ignore_cleanup_errors=True) as base:
        os.environ["BENCH_FILE"] = str(Path(base) / "sent-file")
        Path(os.environ["BENCH_FILE"]).write_bytes(os.urandom(FILE_SIZE))
        Path(base).chmod(0o755)
        texts = []
        for text in tables(arguments, Path(base)):
            print(text, flush=True)
            texts.append(text)
    if arguments.write:
        put(arguments.write / "performance.md", "\n".join(texts))


def put(page, text):
    """Between its two marks, in place of what stands there."""
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.partition(END)[2]}")


def tables(arguments, base):
    """Each as soon as it is there."""
    plots = arguments.write and arguments.write / "performance"
    if plots:
        plots.mkdir(exist_ok=True)
    yield machine.describe() + "\n"
    quick, full = rounds.Effort(3, 1, False), rounds.Effort(arguments.rounds, arguments.seconds, True)
    for scenario in SCENARIOS:
        if wants(arguments, scenario.name, scenario.quick):
            results, missing = rounds.measure(scenario, base / scenario.name, quick if arguments.quick else full)
            if plots and results:
                rows = sorted(((result.name, result.cost) for result in results), key=lambda row: row[1])
                (plots / f"{scenario.name}.svg").write_text(plot.bars(f"{scenario.title}: µs of CPU a request", rows))
            yield report.table(scenario, results, missing, shown=bool(plots and results))
    for name, study in STUDIES.items():
        if wants(arguments, name, quick=False):
            yield study(base / name, arguments.quick, plots)


def wants(arguments, name, quick):
    return name in arguments.names if arguments.names else quick or not arguments.quick


def parser():
    parser = argparse.ArgumentParser(prog="benches", description=__doc__)
    names = [*(scenario.name for scenario in SCENARIOS), *STUDIES]
    parser.add_argument("names", nargs="*", choices=[*names, []], metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", default=os.environ.get("BENCH") == "quick")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--interpreter", help="that the environment is made with; else the newest")
    parser.add_argument("--write", type=Path, help="a directory for the tables and plots")
    return parser


main()
