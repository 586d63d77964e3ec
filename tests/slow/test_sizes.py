"""Every lesson with other parameters, drawn from its ranges: the asserts are its claims. None needs the network.

`uv run pytest tests/slow/test_sizes.py --draws 30` draws more often; `--first 100` begins with another seed.
"""

import json
import random
import shutil
import subprocess
import sys

import pytest
from lessons import NUMBERS, ROOT, code_cells, read_lesson, run, with_parameters, without_optional_code
from ranges import draw_parameters

NEW_NAMESPACE = ["unshare", "--map-root-user", "--net"]  # a process in it sees no network
CONNECT = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
EXECUTE = "import json, lessons, sys; print(json.dumps(lessons.execute(json.load(sys.stdin))))"


@pytest.fixture(scope="module")
def without_network():
    """How a command begins that sees no network, where the machine can hide it."""
    if not shutil.which("unshare"):
        return []
    tried = subprocess.run([*NEW_NAMESPACE, sys.executable, "-c", CONNECT], capture_output=True, text=True)
    return NEW_NAMESPACE if "Network is unreachable" in tried.stderr else []


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--first")
        metafunc.parametrize("seed", range(first, first + metafunc.config.getoption("--draws")))


@pytest.mark.parametrize("lesson", NUMBERS)
def test_every_claim_holds(lesson, seed, without_network, pytestconfig):
    """The first draw runs twice, the second time without network: it must print and draw the same, bit for bit."""
    values = draw_parameters(lesson, random.Random(f"{lesson} {seed}"))
    print(values)  # shown if a claim fails
    notebook = with_parameters(read_lesson(lesson), **values)
    shown = run(notebook)
    if seed == pytestconfig.getoption("--first"):
        command, cells = [*without_network, sys.executable, "-c", EXECUTE], code_cells(notebook)
        sources = json.dumps([cell.source for cell in cells])
        again = subprocess.run(command, input=sources, cwd=ROOT / "tests", capture_output=True, text=True)
        assert again.returncode == 0, again.stderr[-2000:]
        assert json.loads(again.stdout) == shown


@pytest.mark.parametrize("lesson", NUMBERS[1:])
def test_optional_parts_can_be_left_out(lesson):
    """Some readers do: no later part may need them."""
    notebook = read_lesson(lesson)
    cells = len(notebook.cells)
    assert len(without_optional_code(notebook).cells) < cells
    run(notebook)
