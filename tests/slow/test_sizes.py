"""Every lesson with other parameters, drawn from its ranges: the asserts are its claims.

`uv run pytest tests/slow/test_sizes.py --draws 30` draws more often; `--first 100` begins with another seed.
"""

import random

import pytest
from lessons import NUMBERS, read_lesson, run, with_parameters, without_optional_code
from ranges import draw_parameters


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first")
        metafunc.parametrize("seed", range(first, first + metafunc.config.getoption("--draws")))


@pytest.mark.parametrize("lesson", NUMBERS)
def test_every_claim_holds(lesson, seed):
    values = draw_parameters(lesson, random.Random(f"{lesson} {seed}"))
    print(values)  # shown if a claim fails
    run(with_parameters(read_lesson(lesson), **values))


@pytest.mark.parametrize("lesson", NUMBERS[1:])
def test_optional_parts_can_be_left_out(lesson):
    """Some readers do: no later part may need them."""
    notebook = read_lesson(lesson)
    cells = len(notebook.cells)
    assert len(without_optional_code(notebook).cells) < cells
    run(notebook)
