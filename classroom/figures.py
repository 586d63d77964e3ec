"""What was measured in an hour of a class, and what follows for larger classes."""

from dataclasses import dataclass, field
from statistics import mean, median
from typing import Any

import numpy as np

from classroom.learner import Learner

MACHINES = ((2, 8), (4, 16), (8, 32), (16, 64), (32, 128))  # processors, GB
WAIT = 120  # seconds that a class waits when all of it runs all cells in the same minute
SPREAD = 15 * 60  # seconds in which each learner runs all cells once in an ordinary hour


@dataclass
class Hour:
    """A lesson that some learners did at once.

    Attributes:
        probes: What each kernel said when all had finished; see probe.py.
        hub_seconds: From the start of the hub that was killed until it answered.
        hub_megabytes: Memory of the hub, its proxy and its culler, without learners.
    """

    lesson: str
    learners: list[Learner]
    probes: list[dict[str, Any]] = field(default_factory=list)
    hub_seconds: float = 0.0
    hub_megabytes: float = 0.0

    def mean(self, *names: str) -> float:
        """Return the mean over the learners of one or the sum of several figures of the kernels."""
        return mean(sum(probe.get(name, 0) for name in names) for probe in self.probes)

    def memory(self) -> float:
        """Return the MB of all servers, kernels and the hub together."""
        return self.hub_megabytes + len(self.probes) * self.mean("kernel", "server")

    def seconds(self) -> float:
        """Return the processor seconds that a lesson takes."""
        return self.mean("seconds")

    def first_cells(self) -> tuple[float, float]:
        """Return the seconds from logging in to the end of the first cell: the median and the worst."""
        seconds = [learner.first_cell for learner in self.learners]
        return median(seconds), max(seconds)

    def finished(self) -> int:
        """Return how many learners ran every cell, and their kernel was still the same at the end."""
        return sum(not learner.problems for learner in self.learners)

    def are_apart(self) -> bool:
        """Tell whether each learner was an account of their own, so that it makes sense to ask who can read what."""
        return len({probe.get("account") for probe in self.probes}) == len(self.learners) > 1

    def lost(self) -> list[str]:
        """Return everything that a learner lost, or that another could see."""
        lost = [f"{learner.name}: {problem}" for learner in self.learners for problem in learner.problems]
        lost += [f"{learner.name}: a cell was run again" for learner in self.learners for _ in range(getattr(learner.kernel, 'run_again', 0))]
        # ipykernel keeps one port, which only takes what child processes print, and only with a secret of 16 bytes.
        probes = [probe for probe in self.probes if probe]
        lost += [f"open: {probe}" for probe in probes if probe["transport"] != "ipc" or probe["ports"] > 1]
        lost += [f"readable: {probe['readable']}" for probe in probes if self.are_apart() and probe["readable"]]
        return lost

    def __str__(self) -> str:
        """Return all figures, a line each."""
        total = {name: sum(getattr(one, name) for one in self.learners) for name in ("cells", "interrupted", "repeated")}
        files = "none readable by another" if self.are_apart() else "not tried: all learners are one account here"
        first, worst = self.first_cells()
        lines = [
            f"{len(self.learners)} learners, lesson {self.lesson}: {self.finished()} finished, {total['cells']} cells",
            f"first cell: median {first:.1f} s, worst {worst:.1f} s after logging in",
            f"memory of a learner: {self.mean('kernel', 'server'):.0f} MB, of it the server {self.mean('server'):.0f}; "
            f"at its largest, alone: {max(probe.get('peak', 0) for probe in self.probes):.0f} MB",
            f"memory of the hub without learners: {self.hub_megabytes:.0f} MB",
            f"processor seconds of a lesson: {self.seconds():.1f}",
            f"cells interrupted: {total['interrupted']}",
            f"hub killed: it answered after {self.hub_seconds:.1f} s; requests sent again: {total['repeated']}",
            f"files: {files}; kernels reached through: {', '.join({probe['transport'] for probe in self.probes if probe})}",
            f"lost: {len(self.lost())}",
        ]
        return "\n".join(lines + self.lost())


def page(hours: list[Hour]) -> str:
    """Return the page with what was measured and what a class needs: Markdown."""
    counts = [len(hour.learners) for hour in hours]
    each, base = np.polyfit(counts, [hour.memory() for hour in hours], 1) if len(hours) > 1 else (0, 0)
    seconds = mean(hour.seconds() for hour in hours)
    measured = [
        f"| {count} | {hour.finished()} | {' | '.join(f'{part:.0f}' for part in hour.first_cells())} | {hour.memory():.0f} "
        f"| {hour.mean('kernel', 'server'):.0f} | {hour.seconds():.1f} | {len(hour.lost())} |"
        for count, hour in zip(counts, hours, strict=True)
    ]
    return PAGE.format(**locals())
