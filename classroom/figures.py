"""What was measured in an hour of a class, and what follows for larger classes."""

from dataclasses import dataclass
from math import ceil, floor, nan
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from classroom.learner import Learner

CLASSES = (12, 30, 300, 3000)
MACHINES = ((2, 8), (4, 16), (8, 32), (16, 64), (32, 128))  # processors, GB
USABLE = 0.85  # part of the memory; the rest is for the system and for what a learner needs more than the mean
WAIT = 120  # seconds that a class waits when all of it runs all cells in the same minute
SPREAD = 15 * 60  # seconds in which each learner runs all cells once in an ordinary hour

PAGE = Path(__file__).with_name("page.md").read_text(encoding="utf-8")


@dataclass
class Hour:
    """A lesson that some learners did at once.

    Attributes:
        hub_seconds: From the start of the hub that was killed until it answered.
        hub_megabytes: Memory of the hub, its proxy and its culler, without learners.
    """

    lesson: str
    learners: "list[Learner]"
    hub_seconds: float = 0.0
    hub_megabytes: float = 0.0

    def probed(self, name: str) -> list[Any]:
        """Return a figure of every kernel that answered at the end; see probe.py."""
        return [learner.probed[name] for learner in self.learners if learner.probed]

    def average(self, name: str) -> float:
        """Return the mean of a figure; NaN if no kernel answered."""
        return mean(self.probed(name) or [nan])

    def finished(self) -> int:
        """Return how many learners ran every cell, and their kernel was still the same at the end."""
        return sum(not learner.problems for learner in self.learners)

    def memory(self) -> float:
        """Return the MB of all servers, kernels and the hub together."""
        return self.hub_megabytes + sum(self.probed("kernel") + self.probed("server"))

    def are_apart(self) -> bool:
        """Tell whether each learner was an account of their own, so that it makes sense to ask who can read what."""
        return len({*self.probed("account")}) == len(self.learners) > 1

    def lost(self) -> list[str]:
        """Return everything that a learner lost, or that another could see."""
        lost = [f"{learner.name}: {problem}" for learner in self.learners for problem in learner.problems]
        # ipykernel keeps one port, which only takes what child processes print, and only with a secret of 16 bytes.
        lost += [f"a kernel listens on {ports} ports" for ports in self.probed("ports") if ports > 1]
        lost += [f"a kernel is reached by {way}" for way in self.probed("transport") if way != "ipc"]
        lost += [f"another can read {paths}" for paths in self.probed("readable") if paths and self.are_apart()]
        return lost

    def __str__(self) -> str:
        """Return all figures, a line each."""
        first = [learner.first_cell for learner in self.learners]
        files = "none readable by another" if self.are_apart() else "not tried, because all learners are one account"
        cells, stopped, again = (
            sum(getattr(learner, name) for learner in self.learners) for name in ("cells", "interrupted", "repeated")
        )
        lines = [
            f"{len(first)} learners with lesson {self.lesson}: {self.finished()} finished",
            f"cells run: {cells}, stopped: {stopped}",
            f"first cell after logging in: median {median(first):.0f} s, worst {max(first):.0f} s",
            f"memory (MB): {self.memory():.0f}, of it the hub {self.hub_megabytes:.0f}, each kernel "
            f"{self.average('kernel'):.0f}, each server {self.average('server'):.0f}",
            f"processor seconds of a lesson: {self.average('seconds'):.1f}",
            f"hub killed: {f'it answered after {self.hub_seconds:.0f} s' if self.hub_seconds else 'no'}",
            f"requests sent again: {again}",
            f"files: {files}",
            f"lost: {len(self.lost())}",
        ]
        return "\n".join(lines + self.lost())


def page(hours: list[Hour]) -> str:
    """Return the page with what was measured and what larger classes need: Markdown."""
    each, base = np.polyfit([len(hour.learners) for hour in hours], [hour.memory() for hour in hours], 1)
    seconds = mean(hour.average("seconds") for hour in hours)
    measured, needed, carried = [], [], []
    for hour in hours:
        count, first = len(hour.learners), [learner.first_cell for learner in hour.learners]
        measured.append([count, hour.finished(), median(first), max(first), hour.memory(), hour.memory() / count])
        measured[-1] += [hour.average("seconds"), len(hour.lost())]
    for count in CLASSES:
        needed.append(
            [count, ceil((base + each * count) / 1000), *(ceil(count * seconds / wait) for wait in (WAIT, SPREAD))]
        )
    for processors, memory in MACHINES:
        room = (USABLE * memory * 1000 - base) / each
        learners = [room, *(processors * wait / seconds for wait in (WAIT, SPREAD))]
        carried.append([processors, memory, *map(floor, learners)])
    return PAGE.format(
        lesson=hours[0].lesson,
        base=base,
        each=each,
        seconds=seconds,
        peak=max(max(hour.probed("peak")) for hour in hours),
        measured=rows(measured),
        needed=rows(needed),
        carried=rows(carried),
        wait=WAIT // 60,
        spread=SPREAD // 60,
        usable=USABLE,
    )


def rows(table: list[list[float]]) -> str:
    """Return the rows of a Markdown table of whole numbers."""
    return "\n".join("| " + " | ".join(f"{value:,.0f}" for value in row) + " |" for row in table)
