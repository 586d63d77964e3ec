"""How the benchmarks take the time, and how they print a table."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def seconds(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how long one call takes. `time.process_time` counts the work only, however busy the machine is."""
    started = clock()
    work()
    return clock() - started


def in_turn(
    ways: dict[str, Callable[[Any], Any]],
    cases: list[Any],
    summary: Callable[[list[float]], float] = statistics.median,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Call all ways in turn, case after case, so that a busy moment hits all of them; return seconds."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for case in cases:
        for name, way in ways.items():
            taken[name].append(seconds(lambda way=way, case=case: way(case), clock))
    return {name: summary(times) for name, times in taken.items()}


def table(*rows: tuple[Any, ...]) -> str:
    """Return a Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"
