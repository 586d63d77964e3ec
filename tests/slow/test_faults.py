"""Claims that can fail: with a fault planted in Keras, in the helpers or in it, a lesson must stop at an assert.

The faults are in tests/wrong: code that runs before the lesson, or `[old, new]`, a change of the lesson's own code.
"""

import pytest
from lessons import NUMBERS, code_cells, read_lesson, run, wrong
from nbformat.v4 import new_code_cell

PREPARE = "import helpers, zerostart, zerostart.recorder, keras\nimport numpy as np\nfrom keras import ops\n"
FAULTS = [(number, name) for number in NUMBERS for name in wrong(number)["faults"]]


@pytest.mark.parametrize(("number", "name"), FAULTS)
def test_a_lesson_notices(number, name):
    notebook, fault = read_lesson(number), wrong(number)["faults"][name]
    if isinstance(fault, list):
        old, new = fault
        (cell,) = [cell for cell in code_cells(notebook) if old in cell.source]
        cell.source = cell.source.replace(old, new)
    else:
        notebook.cells.insert(0, new_code_cell(PREPARE + fault))
    with pytest.raises(AssertionError):
        run(notebook)
