"""Let a class work on one machine: many kernels at once, each with a lesson at sizes of its own.

Run it with `uv run python benchmarks/classroom.py [learners] [seed]`. Every third learner stops a cell in the middle
and runs it again, another third starts a new kernel in the middle. It prints the seconds and the memory of each kernel
and fails unless all lessons pass and no process and no file is left.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "slow")]

from lessons import LESSONS, read, with_parameters  # noqa: E402
from test_sizes import GRID  # noqa: E402

HABITS = ("runs all cells", "stops a cell", "starts anew")


async def learner(number: int, seed: int, habit: str) -> str:
    """Run one lesson from start to end and return a line that says how it went."""
    choose = random.Random(f"{seed} {number}")
    path = random.Random(seed).sample(LESSONS, len(LESSONS))[number % len(LESSONS)]
    name, values = choose.choice(list(GRID[path.stem[:2]].items()))
    changes = {name: choose.choice(values)}
    started = time.perf_counter()
    middle = choose.choice([index for index, cell in enumerate(read(path).cells) if is_long(cell)])
    if habit == "starts anew":
        await run_cells(with_parameters(read(path), **changes), last=middle)
    stop = middle if habit == "stops a cell" else None
    megabytes = await run_cells(with_parameters(read(path), **changes), stop=stop)
    seconds = time.perf_counter() - started
    size = f"{name} = {changes[name]}"
    return f"{number:3d}  {path.stem:24s} {size:44s} {habit:14s} {seconds:6.1f} s {megabytes:6.0f} MB"


async def run_cells(notebook: nbformat.NotebookNode, last: int | None = None, stop: int | None = None) -> float:
    """Run cells in a fresh kernel, up to `last`; interrupt cell `stop` once. Return the kernel's memory in MB."""
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    client = NotebookClient(notebook, timeout=1800, startup_timeout=600, kernel_name="python3", resources=resources)
    memory = 0.0
    async with client.async_setup_kernel():
        kernel = psutil.Process(client.km.provisioner.pid)
        for index, cell in enumerate(notebook.cells[:last]):
            if index == stop:
                await interrupt(client, cell, index)
            await client.async_execute_cell(cell, index)
            memory = max(memory, kernel.memory_info().rss / 1e6)
    return memory


def is_long(cell: nbformat.NotebookNode) -> bool:
    """Tell whether a cell computes long enough to be stopped in the middle."""
    return cell.cell_type == "code" and any(call in cell.source for call in (" train(", " diagnose(", " gradients("))


async def interrupt(client: NotebookClient, cell: nbformat.NotebookNode, index: int) -> None:
    """Start a cell and stop it soon, as a learner does with the button of JupyterLab."""
    running = asyncio.create_task(client.async_execute_cell(cell, index))
    await asyncio.sleep(0.2)
    await client.km.interrupt_kernel()
    try:
        await running
    except CellExecutionError as stopped:
        if stopped.ename != "KeyboardInterrupt":
            raise


async def main(learners: int, seed: int) -> list[Any]:
    """Let all learners work at once and print what became of each."""
    work = [learner(number, seed, HABITS[number % len(HABITS)]) for number in range(learners)]
    results = await asyncio.gather(*work, return_exceptions=True)
    for number, result in enumerate(results):
        print(result if isinstance(result, str) else f"{number:3d}  FAILED  {result}")
    return [result for result in results if not isinstance(result, str)]


def files(folder: Path) -> set[Path]:
    """Return all files below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    count, seed = [*map(int, sys.argv[1:]), *(12, 0)[len(sys.argv) - 1 :]]
    started = time.perf_counter()
    before = files(ROOT / "notebooks") | files(ROOT / "helpers")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TMPDIR": folder, "TEMP": folder, "TMP": folder, "JUPYTER_RUNTIME_DIR": folder}
        tempfile.tempdir = None
        failed = asyncio.run(main(count, seed))
        left = files(Path(folder)) | (files(ROOT / "notebooks") | files(ROOT / "helpers")) - before
    processes = psutil.Process().children(recursive=True)
    print(
        f"{count} kernels: {time.perf_counter() - started:.0f} s in all, {len(failed)} failed, left: {left} {processes}"
    )
    sys.exit(bool(failed or left or processes))
