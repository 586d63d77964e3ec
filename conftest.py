"""How the tests are run."""

import os
from typing import Any

import pytest

# Two workers share two cores: a kernel that takes both only waits for its neighbour.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

# A worker runs whole files. The last ones should be short, or one worker waits for the other.
LONG_FILES = ("test_exercises", "test_diagnose", "test_faults", "test_sizes", "test_explorer_browser")


@pytest.fixture(autouse=True)
def names_of_examples(doctest_namespace: dict[str, Any]) -> None:
    """Let the examples of docstrings use NumPy, Keras and the public names of the course."""
    import exercises
    import helpers
    import zerostart

    public = {name: getattr(zerostart, name) for name in zerostart.__all__}
    doctest_namespace |= vars(helpers) | public | {"check": exercises.check}
    doctest_namespace |= {"np": zerostart.training.np, "keras": zerostart.training.keras}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in LONG_FILES)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options of tests/slow/test_sizes.py."""
    parser.addoption("--draws", type=int, default=3, help="how often the parameters of each lesson are drawn")
    parser.addoption("--first", type=int, default=0, help="the first seed of these draws")
