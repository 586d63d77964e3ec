"""How the benchmarks take the time, and how they print a table."""

import statistics
import time
from collections.abc import Callable
from typing import Any


def seconds(work: Callable[[], Any]) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(
    ways: dict[str, Callable[[Any], Any]], cases: list[Any], summary: Callable = statistics.median
) -> dict[str, float]:
    """Call all ways in turn, case after case, so that a busy moment hits all of them; return seconds."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for case in cases:
        for name, way in ways.items():
            taken[name].append(seconds(lambda way=way, case=case: way(case)))
    return {name: summary(times) for name, times in taken.items()}


def table(*rows: tuple[Any, ...]) -> str:
    """Return a Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines) + "\n"
