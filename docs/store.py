"""Run lessons and store what they print and draw: `uv run python docs/store.py [02 03 ...]`."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

LESSONS = Path(__file__).parent.parent / "notebooks"
OPTIONS = {"timeout": 300, "startup_timeout": 300, "kernel_name": "python3", "coalesce_streams": True}
# As JupyterLab writes it: a reader who changed nothing is not asked whether to save.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(wanted: list[str]) -> None:
    """Store the lessons whose names start with one of `wanted`, or all."""
    for path in sorted(LESSONS.glob("[0-9]*.ipynb")):
        if not wanted or path.name.startswith(tuple(wanted)):
            notebook = nbformat.read(path, as_version=4)
            NotebookClient(notebook, resources={"metadata": {"path": str(LESSONS)}}, **OPTIONS).execute()
            clean(notebook)
            nbformat.write(notebook, path)
            print("stored", path.name)


def clean(notebook: nbformat.NotebookNode) -> None:
    """Drop what differs from run to run, and widgets: without their kernel they show an error, not a picture.

    What a reader is asked to predict is hidden until the cell is run.
    """
    notebook.metadata = {"kernelspec": KERNEL, "language_info": notebook.metadata["language_info"]}
    predicted = False
    for cell in notebook.cells:
        tags = [tag for tag in cell.metadata.get("tags", []) if tag != "hide-output"]
        kept = {"mystnb": cell.metadata["mystnb"]} if "mystnb" in cell.metadata else {}
        if cell.cell_type == "markdown":
            predicted = "**Predict" in cell.source
        elif predicted and cell.outputs:
            kept["jupyter"], tags = {"outputs_hidden": True}, [*tags, "hide-output"]
        cell.metadata = kept | ({"tags": tags} if tags else {})
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


if __name__ == "__main__":
    main(sys.argv[1:])
