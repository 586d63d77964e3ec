"""Writes copies of the lessons for Colab, each with one more cell that installs the course.

uv run python docs/copies.py [what to install instead of the repository] [into which folder]
"""

import sys
from pathlib import Path

import address
import nbformat

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
# What the lessons need and Colab lacks. What Colab has stays as it is: nothing is installed for the sake of another.
LACKING = "anywidget psygnal"


def write(folder: Path, course: str = f"git+{address.REPOSITORY}") -> None:
    """Write the copies. `course` is what pip installs: an address or a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in LESSONS:
        notebook = nbformat.read(path, as_version=4)
        install = nbformat.v4.new_code_cell(f"%pip install --quiet --no-deps {course} {LACKING}", id="install")
        notebook.cells.insert(0, install)
        nbformat.write(notebook, folder / path.name)


if __name__ == "__main__":
    course, folder = (*sys.argv[1:], None, None)[:2]
    write(Path(folder or ROOT / "build" / "colab"), *filter(None, [course]))
