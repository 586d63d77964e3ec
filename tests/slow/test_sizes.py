"""Every lesson with other values in its parameters cell: the asserts are its claims.

SPREAD is the default. `uv run pytest tests/slow/test_sizes.py --every-size` runs GRID, one changed value at a time, for
each lesson; it takes about an hour.
"""

import pytest
from lessons import LESSONS, NAMES, read, read_lesson, run, with_parameters, without_optional_code

WIDTHS = (1, 2, 3, 7, 50, 257)
LAYERS = (*((width,) for width in WIDTHS), *((width, width) for width in WIDTHS), (4, 4, 4), (2, 9, 3, 5))

GRID = {
    "00": {"hidden": LAYERS, "seed": (1, 2)},
    "01": {"units": WIDTHS, "inputs": (1, 7, 50, 257), "rows": (300, 1000), "seed": (1, 2)},
    "02": {"hidden": LAYERS, "small_hidden": (*LAYERS[:4], (3, 2)), "seed": (1, 2)},
    "03": {
        "hidden": LAYERS,
        "activations": (("gelu", "softplus"), ("silu", "elu"), ("selu", "softsign", "leaky_relu")),
        "learning_rate": (0.005, 0.05),
        "seed": (1, 2),
    },
    "04": {
        "hidden": LAYERS[:-1],
        "activation": ("relu", "gelu", "softsign"),
        "frequent": (0, 9),
        "every": (2, 10),
        "seeds": ((3, 4),),
    },
    "05": {
        "hidden": LAYERS,
        "width": WIDTHS,
        "blocks": (32,),
        "rank": (1, 7),
        "filters": (1, 7),
        "heads": (1, 3),
        "head_size": (1, 7),
        "seed": (1, 2),
    },
    "06": {"hidden": WIDTHS, "twins": WIDTHS, "rows": (300, 1437), "learning_rate": (0.2, 1.0), "seed": (1, 2)},
    "07": {"hidden": WIDTHS, "rows": (150, 1437), "rank": (1, 7), "window": (1, 8), "seed": (1, 2)},
}

# The sizes of the exercises are in test_exercises.py.
SPREAD = [
    ("00", {"hidden": (1,)}),
    ("00", {"hidden": (257, 3, 50), "seed": 1}),
    ("01", {"units": 1, "inputs": 7}),
    ("02", {"hidden": (1,), "small_hidden": (1,)}),
    ("02", {"hidden": (257,), "small_hidden": (50,)}),
    ("03", {"hidden": (1,)}),
    ("03", {"hidden": (257,), "activations": ("relu", "gelu")}),
    ("04", {"hidden": (1,)}),
    ("05", {"hidden": (1,), "width": 1, "rank": 1, "filters": 1, "heads": 1, "head_size": 1}),
    ("06", {"hidden": 1, "twins": 2}),
    ("07", {"hidden": 1}),
    ("07", {"hidden": 50, "window": 8}),
]
# Some readers leave the optional parts out: no later part may need them.
SHORTENED = {
    "01": {"units": 2, "inputs": 3},
    "02": {"hidden": (3, 2)},
    "03": {"hidden": (2, 2)},
    "04": {"hidden": (2,)},
    "05": {"hidden": (2,), "width": 3},
    "06": {"hidden": 3, "twins": 1},
    "07": {"hidden": 2},
}


def one_changed_value_at_a_time():
    for lesson, choices in GRID.items():
        for name, values in choices.items():
            for value in values:
                yield lesson, {name: value}


def pytest_generate_tests(metafunc):
    if metafunc.function is test_every_claim_holds:
        every = metafunc.config.getoption("--every-size")
        cases = list(one_changed_value_at_a_time()) if every else SPREAD
        names = [f"{lesson}-{'-'.join(f'{k}={v}' for k, v in changes.items())}" for lesson, changes in cases]
        metafunc.parametrize(("lesson", "changes"), cases, ids=names)


def test_every_claim_holds(lesson, changes):
    run(with_parameters(read_lesson(lesson), **changes))


@pytest.mark.parametrize("lesson", SHORTENED)
def test_optional_parts_can_be_left_out(lesson):
    notebook = with_parameters(read_lesson(lesson), **SHORTENED[lesson])
    cells = len(notebook.cells)
    assert len(without_optional_code(notebook).cells) < cells
    run(notebook)


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_the_grid_names_parameters_of_the_lesson(path):
    lesson = path.stem[:2]
    assert lesson in GRID
    assert lesson in {name for name, _ in SPREAD}
    assert lesson in SHORTENED or lesson == "00"
    for changes in [{name: values[0]} for name, values in GRID[lesson].items()]:
        with_parameters(read(path), **changes)
