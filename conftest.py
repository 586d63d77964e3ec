"""How the tests of the helpers and the cells of the lessons are run."""

import os

import pytest

# Two workers share two cores: a kernel that takes both only waits for its neighbour.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the cells of a lesson together, which share a kernel, and the tests that share a JupyterLab."""
    for item in items:
        if item.path.suffix == ".ipynb" or item.path.stem == "test_browser":
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--every-size` (the full grid of sizes) and `--every-lesson` (all of them offline and twice)."""
    parser.addoption("--every-size", action="store_true", help="rerun the lessons at every size of the grid")
    parser.addoption("--every-lesson", action="store_true", help="run all lessons offline and twice, not only some")
