"""How the tests read and run lessons."""

import ast
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
NAMES = [path.stem for path in LESSONS]


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


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
    unknown = values.keys() - parameters(notebook).keys()
    if unknown:
        raise ValueError(f"not in the parameters cell: {sorted(unknown)}")
    lines = []
    for line in cell.source.splitlines():
        name = line.partition(" = ")[0]
        lines.append(f"{name} = {values[name]!r}" if name in values else line)
    cell.source = "\n".join(lines)
    return notebook


def run(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Run all cells in a fresh kernel, in the folder of the lessons. Raises on the first error."""
    options = {"timeout": 300, "startup_timeout": 300, "kernel_name": "python3", "coalesce_streams": True}
    resources = {"metadata": {"path": str(ROOT / "notebooks")}}
    for attempt in range(3):
        try:
            NotebookClient(notebook, resources=resources, **options).execute()
            break
        except RuntimeError as problem:
            # Two workers that look for a free port at the same time can choose the same one: no kernel starts.
            if "Kernel died before replying" not in str(problem) or attempt == 2:
                raise
    return notebook


def printed(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed."""
    return "".join(output.get("text", "") for output in cell.outputs)
