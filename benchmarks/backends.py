"""Run every lesson on every backend and Python, and write the table in docs/backends.md.

Run it with `uv run python benchmarks/backends.py [python ...]`. It installs each Python with all backends into a
temporary folder and takes about half an hour. It fails if a lesson does.
"""

import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
PYTHONS = ("3.11", "3.12", "3.13")
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
RUN = (
    "import sys, nbformat; from benchmarks.lesson_seconds import seconds; print(seconds(nbformat.read(sys.argv[1], 4)))"
)

PAGE = """# Backends and Pythons

Seconds that each lesson takes, in a fresh kernel and one after the other.
A number means that every assert of the lesson holds; no backend has an exception.

{table}

{notes}

Written by `uv run python benchmarks/backends.py`.
"""


def install(python: str, folder: Path) -> Path | None:
    """Install the project with JAX, and PyTorch where a build for the CPU can be had; return the interpreter."""
    place = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder)}
    if subprocess.run(["uv", "sync", "--quiet", "--python", python, "--extra", "jax"], cwd=ROOT, env=place).returncode:
        return None
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    (torch,) = EXTRAS["torch"]
    command = ["uv", "pip", "install", "--quiet", "--python", str(interpreter)]
    if subprocess.run([*command, torch, "--torch-backend", "cpu"]).returncode:
        subprocess.run([*command, f"{torch}+cpu"])
    return interpreter


def results(interpreter: Path | None, backend: str) -> Iterator[str]:
    """Run the lessons one after the other. Yield the seconds of each, or what is wrong."""
    modules = interpreter and subprocess.run([interpreter, "-c", f"import {backend}"], capture_output=True)
    for lesson in LESSONS:
        if not modules or modules.returncode:
            yield "not installed"
            continue
        settings = os.environ | {"KERAS_BACKEND": backend}
        command = [interpreter, "-c", RUN, str(lesson)]
        done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True)
        print(lesson.stem, backend, done.stdout or done.stderr, flush=True)
        yield "**fails**" if done.returncode else f"{float(done.stdout):.0f}"


def main(pythons: list[str]) -> bool:
    """Write the page. Return whether every lesson that could run passed."""
    columns = {"Lesson": [lesson.stem for lesson in LESSONS]}
    with tempfile.TemporaryDirectory() as folder:
        for python in pythons:
            interpreter = install(python, Path(folder) / python)
            for backend, name in BACKENDS.items():
                columns[f"{name}, {python}"] = list(results(interpreter, backend))
    rows = [list(columns), ["---"] * len(columns), *zip(*columns.values(), strict=True)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = f"Measured on {platform.system()} ({platform.machine()}) with {os.cpu_count()} processor cores."
    missing = [name for name, column in columns.items() if "not installed" in column]
    if missing:
        notes += f" No build for the CPU could be installed on this machine of {'; '.join(missing)}."
    page = ROOT / "docs" / "backends.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(PAGE.format(table=table, notes=notes), encoding="utf-8", newline="\n")
    return "fails" not in table


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:] or list(PYTHONS)))
