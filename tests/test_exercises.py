"""Every exercise: untouched, with its solution, and with each wrong answer that it recognises."""

import re

import pytest
from lessons import LESSONS, NAMES, code_cells, read, run, tagged
from nbformat.v4 import new_code_cell

from helpers.exercises import check, find

WITH_EXERCISES = [path for path in LESSONS if not path.stem.startswith("00")]


def number_of(cell):
    return re.search(r'check\("(\d+\.\d+)"', cell.source)[1]


def solution_after(notebook, cell):
    text = notebook.cells[notebook.cells.index(cell) + 1].source
    return re.search(r"<details>.*```python\n(.*?)```.*</details>", text, re.DOTALL)[1]


def with_answer(cell, code):
    check_line = cell.source[cell.source.index("check(") :]
    return new_code_cell(f"{code}\n{check_line}")


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=[path.stem for path in WITH_EXERCISES])
def test_solutions_are_right_and_wrong_answers_get_their_own_hint(path):
    notebook = read(path)
    expected = {}
    exercises = tagged(notebook, "exercise")
    assert 2 <= len(exercises) <= 3
    for cell in exercises:
        number, place = number_of(cell), notebook.cells.index(cell)
        exercise, tries = find(number), {}
        assert len({hint.text for hint in exercise.hints}) >= 2
        tries[solution_after(notebook, cell)] = f"Exercise {number}: right. {exercise.because}\n"
        for hint in exercise.hints:
            tries[f"answer = {hint.example}"] = f"Exercise {number}: not yet. {hint.text}\n"
        tries["answer = object()"] = f"Exercise {number}: not yet. "
        new = [with_answer(cell, code) for code in tries]
        expected |= dict(zip([c["id"] for c in new], tries.values(), strict=True))
        expected[cell["id"]] = f"Exercise {number}: not answered yet.\n"
        notebook.cells[place + 1 : place + 1] = new
    for cell, printed in zip(code_cells(notebook), run(notebook), strict=True):
        if cell["id"] in expected:
            assert printed.startswith(expected[cell["id"]]), cell.source


@pytest.mark.parametrize("number", ["0.1", "2.99", "x", "", "99.1"])
def test_an_unknown_exercise_is_refused(number):
    with pytest.raises(ValueError, match="number: expected an exercise"):
        check(number, 1)


def test_every_lesson_has_its_own_numbers():
    for name in NAMES:
        for cell in tagged(read(LESSONS[NAMES.index(name)]), "exercise"):
            assert number_of(cell).partition(".")[0] == str(int(name[:2]))
