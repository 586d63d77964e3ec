"""Time each lesson beside a kernel that only starts and imports keras.

Run it with `uv run python benchmarks/lesson_seconds.py [rounds]`. All kernels run one after the other, in turn.
"""

import statistics
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"


def seconds(notebook: nbformat.NotebookNode) -> float:
    """Run a notebook in a fresh kernel."""
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": FOLDER}})
    started = time.perf_counter()
    client.execute()
    return time.perf_counter() - started


def main(rounds: int) -> None:
    """Print the median seconds of each lesson and their ratio to those of the bare kernel."""
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import keras")])
    notebooks = {"(import keras)": bare}
    notebooks |= {path.stem: nbformat.read(path, 4) for path in sorted(FOLDER.glob("[0-9]*.ipynb"))}
    taken: dict[str, list[float]] = {name: [] for name in notebooks}
    for _ in range(rounds):
        for name, notebook in notebooks.items():
            taken[name].append(seconds(notebook))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    for name, median in medians.items():
        print(f"{name:28s} {median:5.1f} s   {median / medians['(import keras)']:.1f} x")
    lessons = sum(medians.values()) - medians["(import keras)"]
    ratio = lessons / medians["(import keras)"] / (len(medians) - 1)
    print(f"{'all lessons':28s} {lessons:5.1f} s   {ratio:.1f} x each")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
