"""Where the course is published, and copies of the lessons for Colab: each with one more cell that installs the course.

`uv run python docs/copies.py` writes build/colab. After it may stand what to install instead of the repository, and
another folder.
"""

import sys
import tomllib
from pathlib import Path

import nbformat

DOCS = Path(__file__).parent
LESSONS = sorted((DOCS.parent / "notebooks").glob("[0-9]*.ipynb"))
ADDRESS = tomllib.loads((DOCS / "address.toml").read_text(encoding="utf-8"))
REPOSITORY = "https://github.com/{owner}/{name}".format(**ADDRESS)
SITE = "https://{owner}.github.io/{name}/".format(**ADDRESS)
COLAB = "https://colab.research.google.com/github/{owner}/{name}/blob/colab/".format(**ADDRESS)
BINDER = "https://mybinder.org/v2/gh/{owner}/{name}/HEAD?urlpath=lab/tree/notebooks/".format(**ADDRESS)
# What the lessons need and Colab lacks. What Colab has stays as it is: nothing is installed for the sake of another.
LACKING = "anywidget psygnal"


def write(folder: Path, course: str = f"git+{REPOSITORY}") -> None:
    """Write the copies. `course` is what pip installs: an address or a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in LESSONS:
        notebook = nbformat.read(path, as_version=4)
        install = nbformat.v4.new_code_cell(f"%pip install --quiet --no-deps {course} {LACKING}", id="install")
        notebook.cells.insert(0, install)
        nbformat.write(notebook, folder / path.name)


if __name__ == "__main__":
    course, folder = (*sys.argv[1:], None, None)[:2]
    write(Path(folder or DOCS.parent / "build" / "colab"), *filter(None, [course]))
