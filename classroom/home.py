"""Gives a learner the lessons and starts the learner's Jupyter server. The hub runs it as the learner."""

import json
import os
import sys
from pathlib import Path

LESSONS = Path(__file__).resolve().parent.parent / "notebooks"


def give_lessons(folder: Path) -> None:
    """Copy each lesson that is not there yet. What a learner has is never touched."""
    folder.mkdir(exist_ok=True)
    for lesson in sorted(LESSONS.glob("[0-9]*.ipynb")):
        if not os.path.lexists(folder / lesson.name):
            copy = json.dumps(collapsed(json.loads(lesson.read_text(encoding="utf-8"))), indent=1)
            (folder / lesson.name).write_text(copy, encoding="utf-8")


def collapsed(notebook: dict) -> dict:
    """Hide the stored outputs: the learner sees a result after running its cell, not before."""
    for cell in notebook["cells"]:
        if cell.get("outputs"):
            cell["metadata"]["collapsed"] = True
            cell["metadata"].setdefault("jupyter", {})["outputs_hidden"] = True
    return notebook


def main() -> None:
    """Become the Jupyter server, with kernels that are reached through files and not through open ports."""
    os.umask(0o077)
    try:
        give_lessons(Path.home() / "notebooks")
    except OSError as problem:  # a full disk, a file in the place of the folder: the learner has to see it to mend it
        print(f"The lessons were not copied: {problem}", file=sys.stderr)
    # The path of a socket has at most 107 characters, and the name of a kernel takes 49 of them.
    os.environ["JUPYTER_RUNTIME_DIR"] = str(Path.home() / ".run")
    server = [sys.executable, "-m", "jupyterhub.singleuser", "--KernelManager.transport=ipc"]
    os.execv(sys.executable, [*server, *sys.argv[1:]])


if __name__ == "__main__":
    main()
