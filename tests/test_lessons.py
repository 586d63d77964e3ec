"""The contract of a lesson: see CONTRIBUTING.md."""

import ast
import json
import re
import statistics

import pytest
from lessons import LESSONS, NAMES, ROOT, code_cells, minutes, parameters, read, tagged

every_lesson = pytest.mark.parametrize("path", LESSONS, ids=NAMES)


def opening(notebook):
    return notebook.cells[0].source


def closing(notebook):
    return notebook.cells[-1].source


@every_lesson
def test_opening(path):
    text = opening(read(path))
    assert re.match(r"# [A-Z][^\n]*\n", text)
    assert re.search(r"\*\*Question\.\*\* [^\n]+\?", text)
    assert 3 <= len(re.findall(r"(?m)^- ", text.partition("**You will**")[2])) <= 6
    assert "**You need**" in text
    stated = int(re.search(r"\*\*Time\*\* about (\d+) minutes", text)[1])
    assert stated - 5 < minutes(read(path)) <= stated <= 25


@every_lesson
def test_closing(path):
    notebook = read(path)
    text = closing(notebook)
    promised = re.findall(r"(?m)^- ", opening(notebook))
    found = re.findall(r"(?m)^- ", text.partition("## What you found")[2])
    assert len(found) == len(promised)
    following = LESSONS.index(path) + 1
    if following < len(LESSONS):
        title = opening(read(LESSONS[following])).splitlines()[0].removeprefix("# ")
        assert f"**Next:** [{title}]({LESSONS[following].name})" in text


@every_lesson
def test_stored_outputs_are_from_one_clean_run(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) / 3
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            text = json.dumps({k: v for k, v in output.get("data", {}).items() if k != "image/png"}) + output.get(
                "text", ""
            )
            assert not re.search(r"0x[0-9a-f]{6,}|/(home|root|tmp|work|Users)/|[A-Z]:\\\\", text)


@every_lesson
def test_metadata_is_minimal(path):
    notebook = read(path)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags"}
        assert set(cell.metadata.get("tags", [])) <= {"parameters", "exercise"}


@every_lesson
def test_code_cells_are_short_and_explained(path):
    notebook = read(path)
    lines = [sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in code_cells(notebook)]
    assert min(lines) >= 1 and max(lines) <= 15
    assert statistics.median(lines) <= 7
    assert sum("assert " in cell.source for cell in code_cells(notebook)) >= 3


@every_lesson
def test_helpers_come_before_keras(path):
    first = code_cells(read(path))[0].source
    assert "from helpers import" in first
    assert "import keras" not in first or first.index("from helpers import") < first.index("import keras")


@every_lesson
def test_one_parameters_cell_of_literals_near_the_top(path):
    notebook = read(path)
    (cell,) = tagged(notebook, "parameters")
    assert notebook.cells.index(cell) <= 5
    assert parameters(notebook)


@every_lesson
def test_each_figure_is_followed_by_a_sentence(path):
    notebook = read(path)
    for number, cell in enumerate(notebook.cells):
        outputs = cell.get("outputs", [])
        if any("image/png" in output.get("data", {}) for output in outputs):
            assert cell.source.rstrip().endswith("plt.show()") or "Explorer" in cell.source
            assert notebook.cells[number + 1].cell_type == "markdown"


@every_lesson
def test_nothing_is_downloaded_and_no_shell_is_used(path):
    for cell in code_cells(read(path)):
        assert not re.search(r"(?m)^\s*[!%]", cell.source)
        names = {n.module or "" for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.ImportFrom)}
        names |= {a.name for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Import) for a in n.names}
        roots = {name.split(".")[0] for name in names}
        assert roots <= {
            "contextlib",
            "helpers",
            "itertools",
            "keras",
            "math",
            "matplotlib",
            "numpy",
            "pathlib",
            "tempfile",
        }
        assert "get_file" not in cell.source and "keras.datasets" not in cell.source


@every_lesson
def test_links_lead_somewhere(path):
    for cell in read(path).cells:
        for target in re.findall(r"\]\(([^)#]+)\)", cell.source if cell.cell_type == "markdown" else ""):
            assert target.startswith("https://") or (ROOT / "notebooks" / target).is_file(), target
