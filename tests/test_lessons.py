"""The contract of a lesson: see CONTRIBUTING.md."""

import ast
import itertools
import json
import re
import statistics

import pytest
from lessons import LESSONS, NAMES, ROOT, code_cells, minutes, parameters, read, tagged

from helpers.ranges import RANGES, accepts, in_words

every_lesson = pytest.mark.parametrize("path", LESSONS, ids=NAMES)
IMPORTS = {"helpers", "exercises", "zerostart", "keras", "matplotlib", "numpy"}
IMPORTS |= {"contextlib", "itertools", "math", "pathlib", "tempfile", "warnings"}
TAGS = {"parameters", "exercise", "found", "hide-output"}
OTHER_WORDS = r"(?i)\b(alive|waking|stuck|healthy|output bias|dead(?! units?\b)|neurons?)\b"


def opening(notebook):
    return notebook.cells[0].source


@every_lesson
def test_opening(path):
    notebook = read(path)
    text = opening(notebook)
    assert re.match(r"# [A-Z][^\n]*\n", text)
    assert re.search(r"\*\*Question\.\*\* [^\n]+\?", text)
    assert 3 <= len(re.findall(r"(?m)^- ", text.partition("**You will**")[2])) <= 6
    assert "**You need**" in text
    stated = int(re.search(r"\*\*Time\*\* about (\d+) minutes", text)[1])
    assert stated == minutes(notebook) <= (20 if path.stem.startswith("00") else 45)


@every_lesson
def test_what_you_found_is_checked(path):
    """The last page answers the first, and each of its points has an assert in the cell below it."""
    notebook = read(path)
    found, claims, following = notebook.cells[-3:]
    points = re.findall(r"(?m)^- ", found.source.partition("## What you found")[2])
    assert len(points) == len(re.findall(r"(?m)^- ", opening(notebook)))
    assert "found" in claims.metadata["tags"]
    checked = re.split(r"(?m)^# (\d+)\b.*$", claims.source)[1:]
    assert checked[::2] == [str(number) for number in range(1, len(points) + 1)]
    assert all("assert " in code for code in checked[1::2])
    number = LESSONS.index(path) + 1
    if number < len(LESSONS):
        title = opening(read(LESSONS[number])).splitlines()[0].removeprefix("# ")
        assert f"**Next:** [{title}]({LESSONS[number].name})" in following.source


@every_lesson
def test_parameters_have_ranges_and_are_checked_below(path):
    notebook, ranges = read(path), RANGES[path.stem[:2]]
    (cell,) = tagged(notebook, "parameters")
    place = notebook.cells.index(cell)
    assert place <= 5
    values = parameters(notebook)
    assert values.keys() == ranges.keys()
    for line, (name, value) in zip(cell.source.splitlines(), values.items(), strict=True):
        assert accepts(ranges[name], value)
        assert line.startswith(f"{name} = ") and line.endswith(in_words(ranges[name])), in_words(ranges[name])
    call = ", ".join([f'check_ranges("{path.stem[:2]}"', *(f"{name}={name}" for name in values)])
    assert call in re.sub(r"\s+", " ", notebook.cells[place + 1].source).replace("( ", "(")


@every_lesson
def test_outputs_below_a_prediction_are_hidden_until_run(path):
    """And no others. JupyterLab still shows the first line of a hidden text, so it is a heading with a colon."""
    predicted = False
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            predicted = "**Predict" in cell.source
            continue
        hidden = predicted and bool(cell.outputs)
        assert cell.metadata.get("jupyter", {}).get("outputs_hidden", False) == hidden, cell.source
        assert ("hide-output" in cell.metadata.get("tags", [])) == hidden, cell.source
        for output in cell.outputs if hidden else ():
            assert output.output_type != "stream" or re.match(r"[^\n]*:\n", output.text), output.text


@every_lesson
def test_stored_outputs_are_from_one_clean_run(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert sum(bool(cell.outputs) for cell in cells) >= len(cells) / 3
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            data = {kind: value for kind, value in output.get("data", {}).items() if kind != "image/png"}
            text = json.dumps(data) + output.get("text", "")
            assert not re.search(r"0x[0-9a-f]{6,}|/(home|root|tmp|work|Users)/|[A-Z]:\\\\", text)


@every_lesson
def test_cells_are_short_and_their_metadata_minimal(path):
    notebook = read(path)
    lines = [sum(map(bool, map(str.strip, cell.source.splitlines()))) for cell in code_cells(notebook)]
    assert min(lines) >= 1 and max(lines) <= 15 and statistics.median(lines) <= 7
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}
    assert notebook.metadata["kernelspec"]["display_name"] == "Python 3 (ipykernel)"  # or JupyterLab would change it
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "jupyter", "mystnb"}
        assert set(cell.metadata.get("tags", [])) <= TAGS


@every_lesson
def test_each_figure_is_described_and_read(path):
    for cell, following in itertools.pairwise(read(path).cells):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            assert len(cell.metadata["mystnb"]["image"]["alt"]) >= 40, cell.source
            assert following.cell_type == "markdown", cell.source


@every_lesson
def test_code_imports_what_the_course_needs_and_says_what_it_asserts(path):
    cells = code_cells(read(path))
    assert cells[0].source.index("from helpers import") < cells[0].source.index("import keras")
    for cell in cells:
        for node in ast.walk(ast.parse(cell.source)):  # which refuses magics and commands of the shell
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
                assert {name.split(".")[0] for name in names} <= IMPORTS, ast.unparse(node)
            assert not isinstance(node, ast.Assert) or isinstance(node.msg, ast.Constant | ast.JoinedStr), cell.source


@every_lesson
def test_texts_ask_use_one_word_for_one_thing_and_lead_somewhere(path):
    for text in [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]:
        assert all("?" in question for question in re.findall(r"\*\*Predict\.\*\*[^*]*", text)), text
        plain = re.sub(r'"[^"]*"|`[^`]*`', "", text)  # quotations and code keep theirs
        assert not re.search(OTHER_WORDS, plain), text
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or (ROOT / "notebooks" / target).is_file(), target
