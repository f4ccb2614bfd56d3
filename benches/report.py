"""Tables: for the terminal, and for docs/performance.md."""

import statistics

COLUMNS = ("server", "µs CPU a request", "spread", "× rcorn", "µs of the load", "requests/s", "p50 ms", "p99 ms", "syscalls")


def rows(scenario, results):
    ours = next((result for result in results if result.name == "rcorn"), None)
    for result in sorted(results, key=lambda result: result.cost):
        ratio = f"{result.cost / ours.cost:.2f}" if ours else ""
        yield (
            result.name,
            price(scenario, result.cost),
            f"{min(result.cpu_us):.2f}–{max(result.cpu_us):.2f}",
            ratio,
            f"{statistics.median(result.load_us):.2f}" if any(result.load_us) else "",
            f"{statistics.median(result.rate):,.0f}",
            f"{statistics.median(result.p50):.2f}" if any(result.p50) else "",
            f"{statistics.median(result.p99):.2f}" if any(result.p99) else "",
            f"{result.syscalls:.2f}" if result.syscalls else "",
        )


def price(scenario, cost):
    if scenario.size:
        return f"{cost:.0f} ({cost / scenario.size * 1e9 / 1e3:.0f} ms a GB)"
    return f"{cost:.2f}"


def table(scenario, results, missing, shown=False):
    """As Markdown, which a terminal shows well enough; with its plot, where there is one."""
    lines = [f"### {scenario.title}", "", f"`{scenario.name}`: {conditions(scenario)}", ""]
    if results:
        lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows(scenario, results)]
    lines += ["", f"![{scenario.title}](performance/{scenario.name}.svg)"] if shown else []
    lines += ["", *(f"{verdict}  " for verdict in verdicts(scenario, results))]
    lines += [f"{result.name}: {result.errors} errors." for result in results if result.errors]
    lines += [f"Left out: {' '.join(why.split())}." for why in missing]
    return "\n".join(lines).rstrip() + "\n"


def conditions(scenario):
    parts = [f"{scenario.connections} connections"]
    if scenario.wanted.workers > 1:
        parts.append(f"{scenario.wanted.workers} workers")
    if scenario.depth > 1:
        parts.append(f"{scenario.depth} requests at a time")
    parts.append("the server on one core, the load on another" if scenario.pinned else "on all cores")
    return ", ".join(parts) + "."


def verdicts(scenario, results):
    """What was aimed at, and whether it was hit."""
    costs = {result.name: result.cost for result in results}
    for peer, target in scenario.targets.items():
        if peer in costs and "rcorn" in costs:
            ratio = costs["rcorn"] / costs[peer]
            yield f"Aim: at most {target} of {peer}; measured {ratio:.3f}{'' if ratio <= target else ', missed'}."
