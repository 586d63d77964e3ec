"""How the tests read, change and run lessons."""

import ast
import contextlib
import io
import math
import multiprocessing
import os
import re
import subprocess
import sys
import tomllib
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat

# Fresh processes that need not import Keras again: on Linux they are forked from one that has done nothing else.
PROCESSES = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
PROCESSES.set_forkserver_preload(["helpers", "lessons"])

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
NAMES = [path.stem for path in LESSONS]
NUMBERS = [name[:2] for name in NAMES]


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def read_lesson(number: str) -> nbformat.NotebookNode:
    """Read the lesson with a number, such as "02"."""
    return read(LESSONS[NUMBERS.index(number)])


def wrong(number: str) -> dict[str, Any]:
    """Return what may be wrong in a lesson: `answers` to its exercises, at which `sizes`, and `faults` to plant."""
    found = tomllib.loads((ROOT / "tests" / "wrong" / f"{number}.toml").read_text(encoding="utf-8"))
    sizes = {name: tuple(size) if isinstance(size, list) else size for name, size in found.get("sizes", {}).items()}
    return {"given": "", "answers": {}} | found | {"sizes": sizes}


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(notebook: nbformat.NotebookNode, tag: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def parameters(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Return the names and literal values of the parameters cell."""
    (cell,) = tagged(notebook, "parameters")
    assignments = ast.parse(cell.source).body
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assignments}


def with_parameters(notebook: nbformat.NotebookNode, **values: Any) -> nbformat.NotebookNode:
    """Write other literals into the parameters cell."""
    (cell,) = tagged(notebook, "parameters")
    values = {**parameters(notebook), **values}
    cell.source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    return notebook


def run(notebook: nbformat.NotebookNode) -> list[str]:
    """Run all code cells in a fresh process; return what each printed. Raises the first error of a cell."""
    sources = [cell.source for cell in code_cells(notebook)]
    with ProcessPoolExecutor(1, mp_context=PROCESSES) as process:
        return process.submit(execute, sources).result()


def python(code: str, **environment: str) -> str:
    """Run code in a fresh Python, in the folder of the course; return what it printed. It may complain of nothing."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def execute(sources: list[str]) -> list[str]:
    """Run code in the folder of the lessons; return what each piece printed, and a digest of each figure it drew."""
    os.chdir(ROOT / "notebooks")
    plt.switch_backend("agg")
    namespace, shown = {"__name__": "__main__"}, []
    plt.show = lambda: print(*map(digest, plt.get_fignums()))
    for number, source in enumerate(sources, start=1):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(source, f"<code cell {number}>", "exec"), namespace)
        shown.append(printed.getvalue())
    return shown


def digest(number: int) -> int:
    """Draw a figure and close it; return a checksum of its pixels."""
    figure = plt.figure(number)
    figure.canvas.draw()
    checksum = zlib.crc32(figure.canvas.buffer_rgba())
    plt.close(figure)
    return checksum


def parts(notebook: nbformat.NotebookNode) -> list[tuple[str, list[Any]]]:
    """Return each heading with what belongs to it: texts, without solutions, and code cells."""
    found: list[tuple[str, list[Any]]] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[-1][1].append(cell)
            continue
        text = re.sub(r"<details>.*?</details>", "", cell.source, flags=re.DOTALL)
        for part in re.split(r"(?m)^(?=#+ )", text):
            if part.startswith("#"):
                found.append((part.partition("\n")[0], []))
            if part:
                found[-1][1].append(part)
    return found


def is_optional(heading: str) -> bool:
    return heading.endswith("(optional)")


def without_optional_code(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leave out the code cells of all parts marked optional."""
    optional = [part for heading, contents in parts(notebook) if is_optional(heading) for part in contents]
    notebook.cells = [cell for cell in notebook.cells if cell not in optional]
    return notebook


def minutes(notebook: nbformat.NotebookNode) -> int:
    """Estimate how long a learner needs for all that is not marked optional.

    150 words or 10 lines of code a minute, 45 seconds for a prediction, 4 minutes for an exercise.
    """
    total = 0.0
    for heading, contents in parts(notebook):
        if is_optional(heading):
            continue
        total += 4 * heading.startswith("### Exercise")
        for part in contents:
            if isinstance(part, str):
                total += len(part.split()) / 150 + part.count("**Predict") * 0.75
            else:
                total += sum(bool(line.strip()) for line in part.source.splitlines()) / 10
    return math.ceil(total)
