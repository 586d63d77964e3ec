"""How long each lesson takes, and how much memory, beside a kernel that imports Keras and does nothing else.

`python -m benchmarks.lessons [02 03 ...]`; KERAS_BACKEND chooses the backend. The two run in turn, in one process each.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
ROUNDS = 3
KERAS = "import os; os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3'); import keras"
LESSON = """
import contextlib, io, json, os, sys
import matplotlib
matplotlib.use("agg")
os.chdir(sys.argv[1].rpartition("/")[0])
with contextlib.redirect_stdout(io.StringIO()):
    for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), globals())
"""


def run(code: str, *arguments: str) -> tuple[float, float]:
    """Return the seconds and the megabytes that a Python process takes."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{arguments or 'keras'} failed")
    return time.perf_counter() - start, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def main(wanted: list[str]) -> None:
    """Print seconds, megabytes and both ratios of each lesson."""
    print(f"{'':28}{'seconds':>9}{'ratio':>7}{'MB':>7}{'ratio':>7}")
    for path in LESSONS:
        if wanted and not path.name.startswith(tuple(wanted)):
            continue
        pairs = [(run(KERAS), run(LESSON, str(path))) for _ in range(ROUNDS)]
        figures = []
        for kind in (0, 1):
            figures.append(statistics.median(lesson[kind] for _, lesson in pairs))
            figures.append(statistics.median(lesson[kind] / bare[kind] for bare, lesson in pairs))
        print(f"{path.stem:28}{figures[0]:9.1f}{figures[1]:7.2f}{figures[2]:7.0f}{figures[3]:7.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
