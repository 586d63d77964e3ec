"""Run lessons and store what they print and draw: `uv run python tests/store.py [02 03 ...]`."""

import sys

import nbformat
from lessons import LESSONS, ROOT, code_cells, read
from nbclient import NotebookClient

OPTIONS = {"timeout": 300, "startup_timeout": 300, "kernel_name": "python3", "coalesce_streams": True}
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(wanted: list[str]) -> None:
    """Store the lessons whose names start with one of `wanted`, or all."""
    for path in LESSONS:
        if not wanted or path.name.startswith(tuple(wanted)):
            notebook = read(path)
            NotebookClient(notebook, resources={"metadata": {"path": str(ROOT / "notebooks")}}, **OPTIONS).execute()
            clean(notebook)
            nbformat.write(notebook, path)
            print("stored", path.name)


def clean(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs from run to run, and widgets: without their kernel they show an error, not a picture."""
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
    for cell in code_cells(notebook):
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET, None)


if __name__ == "__main__":
    main(sys.argv[1:])
