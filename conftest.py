"""How the tests of the helpers and the cells of the lessons are run."""

import os

import pytest

# Two workers share two cores: a kernel that takes both only waits for its neighbour.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


# A worker runs whole files. The last ones should be short, or one worker waits for the other.
LONG_FILES = ("test_exercises", "test_diagnose", "test_offline", "test_sizes", "test_browser", "test_mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: item.path.stem not in LONG_FILES)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--every-size`: the full grid of sizes."""
    parser.addoption("--every-size", action="store_true", help="rerun the lessons at every size of the grid")
