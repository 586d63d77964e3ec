"""Runs one learner's notebook and tells what `check` said. report.py starts it, inside walls.

Nothing here trusts the notebook: it may be no notebook, never end, or try to do harm.
"""

import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

BYTES_OF_A_FILE = 20_000_000
PROCESSES = 512  # and threads


def main(path: str, seconds: int) -> None:
    """Print a line of JSON for each fact. What the learner's code prints goes nowhere.

    Args:
        path: The notebook.
        seconds: That a cell may take; 0 to run nothing, and to read what the notebook stored.
    """
    results = os.fdopen(os.dup(1), "w", buffering=1)
    for output in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)

    def tell(**facts: Any) -> None:
        results.write(json.dumps(facts) + "\n")

    try:
        with open(path, "rb") as file:
            text = file.read(BYTES_OF_A_FILE + 1)
        if len(text) > BYTES_OF_A_FILE:
            tell(note=f"larger than {BYTES_OF_A_FILE // 1_000_000} MB")
        else:
            cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
            run(cells, seconds, tell) if seconds else read(cells, tell)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
        tell(note="not a notebook")
    tell(end=True)


def read(cells: list[dict], tell: Callable[..., None]) -> None:
    """Tell what `check` said when the learner ran it."""
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        tell(said="".join(output.get("text", "")))


def run(cells: list[dict], seconds: int, tell: Callable[..., None]) -> None:
    """Run all cells as a kernel does, whatever becomes of one, and tell what `check` says in between."""
    import resource

    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    import exercises

    sources = ["".join(cell["source"]) for cell in cells]
    check = exercises.check

    def telling(number: str, answer: Any, **facts: Any) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            check(number, answer, **facts)
        tell(said=printed.getvalue())

    exercises.check = telling
    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.user_ns["check"] = telling  # the cell that imports it may be gone
    resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES_OF_A_FILE, BYTES_OF_A_FILE))
    signal.signal(signal.SIGALRM, _too_long)
    for number, source in enumerate(sources, start=1):
        tell(cell=number)
        signal.alarm(seconds)
        stopped = isinstance(shell.run_cell(source).error_in_exec, TooLong)
        signal.alarm(0)
        if stopped:
            tell(note=f"code cell {number} was stopped after {seconds} seconds")


class TooLong(BaseException):
    """Not an Exception: a learner's `except Exception` does not catch it."""


def _too_long(*_: Any) -> None:
    raise TooLong


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
