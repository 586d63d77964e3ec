"""Every exercise: untouched, with its solution, and with the wrong answers that it should recognise."""

import random
import re

import keras
import numpy as np
import pytest
from lessons import LESSONS, NAMES, NUMBERS, code_cells, read, read_lesson, run, tagged, with_parameters, wrong
from nbformat.v4 import new_code_cell
from ranges import draw_parameters

from exercises import CHECKS, called, check, model_of, number_of


def exercise_of(cell):
    return re.search(r'check\("(\d\.\d)"', cell.source)[1]


def solution_after(notebook, cell):
    text = notebook.cells[notebook.cells.index(cell) + 1].source
    return re.search(r"<details>.*```python\n(.*?)```.*</details>", text, re.DOTALL)[1]


def with_answer(cell, code):
    return new_code_cell(f"{code}\n{cell.source[cell.source.index('check(') :]}")


@pytest.mark.parametrize("lesson", NUMBERS[1:])
def test_solutions_are_right_and_wrong_answers_are_recognised(lesson):
    """At sizes that are not the stored ones."""
    known = wrong(lesson)
    sizes = draw_parameters(lesson, random.Random(f"exercises {lesson}"), **known["sizes"])
    notebook, expected = with_parameters(read_lesson(lesson), **sizes), {}
    exercises = tagged(notebook, "exercise")
    assert {exercise_of(cell) for cell in exercises} == set(known["answers"])
    for cell in exercises:
        number = exercise_of(cell)
        tries = {solution_after(notebook, cell): "right."}
        answers = known["answers"][number].items()
        tries |= {f"{known['given']}\nanswer = {code}": f"not yet. {words}" for code, words in answers}
        tries["answer = object()"] = "not yet. "
        new = [with_answer(cell, code) for code in tries]
        expected |= {cell["id"]: f"Exercise {number}: {words}" for cell, words in zip(new, tries.values(), strict=True)}
        expected[cell["id"]] = f"Exercise {number}: not answered yet.\n"
        place = notebook.cells.index(cell) + 1
        notebook.cells[place:place] = new
    for cell, printed in zip(code_cells(notebook), run(notebook), strict=True):
        if cell["id"] in expected:
            assert printed.startswith(expected[cell["id"]]), (cell.source, printed)


BUILT = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
SAID = [
    (number_of, True, "must be a number; this is of type bool"),
    (number_of, "3", "must be a number; this is of type str"),
    (model_of, [BUILT], "must be a model; this is of type list"),
    (model_of, keras.Sequential([keras.layers.Dense(1)]), "does not know its inputs yet"),
    (called, BUILT, "must be a function"),
    (called, lambda: 1 / 0, "raised ZeroDivisionError: division by zero"),
]


@pytest.mark.parametrize(("look", "answer", "words"), SAID)
def test_what_a_reader_gets_wrong_is_said(look, answer, words, monkeypatch, capsys):
    monkeypatch.setitem(CHECKS, "8.1", (look, ""))
    check("8.1", answer)
    assert re.match(f"Exercise 8.1: not yet. .*{words}", capsys.readouterr().out)


def test_any_number_is_taken_and_a_bug_in_a_check_is_raised(monkeypatch):
    assert number_of(2) == number_of(np.float32(2)) == number_of(keras.ops.full((), 2.0)) == 2.0
    monkeypatch.setitem(CHECKS, "8.1", (lambda answer: answer.misspelt, ""))
    with pytest.raises(AttributeError):
        check("8.1", 1)


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_every_lesson_has_its_own_numbers(path):
    numbers = [exercise_of(cell) for cell in tagged(read(path), "exercise")]
    assert numbers == [f"{int(path.stem[:2])}.{count}" for count in range(1, len(numbers) + 1)]
