"""Every exercise: untouched, with its solution, and with each wrong answer that it recognises."""

import re

import pytest
from lessons import LESSONS, NAMES, code_cells, read, read_lesson, run, tagged, with_parameters
from nbformat.v4 import new_code_cell

from exercises import check, find

# Other sizes than those of the stored lessons. One unit is no good size here: "1" is then a right and a wrong answer.
SIZES = {
    "01": {"units": 257, "inputs": 2, "rows": 300, "seed": 2},
    "02": {"hidden": (7, 2), "small_hidden": (3, 3), "seed": 1},
    "03": {"hidden": (3, 7, 2), "activations": ("tanh", "softplus"), "seed": 1},
    "04": {"hidden": (50, 3), "seeds": (3, 4), "activation": "gelu"},
    "05": {"hidden": (7, 3, 2), "width": 33, "rank": 7, "filters": 3, "heads": 3, "seed": 2},
    "06": {"hidden": 50, "twins": 7, "seed": 1},
    "07": {"hidden": 7, "rank": 1, "window": 4, "seed": 1},
}


def number_of(cell):
    return re.search(r'check\("(\d+\.\d+)"', cell.source)[1]


def solution_after(notebook, cell):
    text = notebook.cells[notebook.cells.index(cell) + 1].source
    return re.search(r"<details>.*```python\n(.*?)```.*</details>", text, re.DOTALL)[1]


def with_answer(cell, code):
    check_line = cell.source[cell.source.index("check(") :]
    return new_code_cell(f"{code}\n{check_line}")


@pytest.mark.parametrize("lesson", SIZES)
def test_solutions_are_right_and_wrong_answers_get_their_own_hint(lesson):
    notebook = with_parameters(read_lesson(lesson), **SIZES[lesson])
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


def test_every_lesson_but_the_first_is_tried():
    assert list(SIZES) == [name[:2] for name in NAMES[1:]]


def test_every_lesson_has_its_own_numbers():
    for name in NAMES:
        for cell in tagged(read(LESSONS[NAMES.index(name)]), "exercise"):
            assert number_of(cell).partition(".")[0] == str(int(name[:2]))
