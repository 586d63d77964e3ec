"""Seconds and memory of each lesson, beside a kernel that only starts and imports keras."""

import statistics
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from benchmarks.timing import table

FOLDER = Path(__file__).parent.parent / "notebooks"
ROUNDS = 2
# Linux counts the peak of a process's memory; elsewhere the table says 0.
PEAK = """
from pathlib import Path
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
print(next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0))
"""


def seconds(notebook: nbformat.NotebookNode) -> float:
    """Run a notebook in a fresh kernel."""
    return cost(notebook)[0]


def cost(notebook: nbformat.NotebookNode) -> tuple[float, int]:
    """Run a notebook in a fresh kernel; return seconds and the peak of its memory in megabytes."""
    measured = nbformat.from_dict({**notebook, "cells": [*notebook.cells, nbformat.v4.new_code_cell(PEAK)]})
    client = NotebookClient(measured, timeout=600, kernel_name="python3", resources={"metadata": {"path": FOLDER}})
    started = time.perf_counter()
    client.execute()
    return time.perf_counter() - started, int(measured.cells[-1].outputs[0].text)


def measure() -> str:
    """Return a table of medians and of their ratios to the bare kernel. The kernels run one after the other."""
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import keras")])
    notebooks = {"(import keras)": bare}
    notebooks |= {path.stem: nbformat.read(path, 4) for path in sorted(FOLDER.glob("[0-9]*.ipynb"))}
    taken: dict[str, list[tuple[float, int]]] = {name: [] for name in notebooks}
    for _ in range(ROUNDS):
        for name, notebook in notebooks.items():
            taken[name].append(cost(notebook))
    medians = {name: statistics.median(time for time, _ in runs) for name, runs in taken.items()}
    base = medians["(import keras)"]
    rows = [
        (name, f"{median:.1f}", f"{median / base:.1f}", max(megabytes for _, megabytes in taken[name]))
        for name, median in medians.items()
    ]
    return table(("lesson", "seconds", "times a bare kernel", "peak memory, MB"), *rows)
