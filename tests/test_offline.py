"""Lessons need no network, and run twice they print the same.

`uv run pytest` tries some lessons, `uv run pytest tests/test_offline.py --every-lesson` all of them.
"""

import shutil
import subprocess
import sys

import pytest
from lessons import LESSONS, NAMES, ROOT, code_cells, read, run

SOME = ("01", "07")

# In a network namespace of its own a process sees no network. Its kernel needs 127.0.0.1, which has to be switched on.
NEW_NAMESPACE = ["unshare", "--map-root-user", "--net"]
SWITCH_ON = """
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP
"""
CONNECT = """
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as problem:
    print(problem.strerror)
"""
RUN = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from lessons import LESSONS, read, run
(path,) = [path for path in LESSONS if path.stem == sys.argv[1]]
run(read(path))
"""


def offline(code, *arguments):
    command = [*NEW_NAMESPACE, sys.executable, "-c", SWITCH_ON + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def namespaces():
    if not shutil.which("unshare"):
        pytest.skip("needs the network namespaces of Linux")
    done = offline("socket.create_server(('127.0.0.1', 0)).close()")
    if done.returncode:
        pytest.skip(f"no network namespace here: {done.stderr.strip()[-200:]}")


@pytest.fixture
def chosen(path, request):
    if path.stem[:2] not in SOME and not request.config.getoption("--every-lesson"):
        pytest.skip("only with --every-lesson")


def test_there_is_no_network(namespaces):
    assert offline(CONNECT).stdout == "Network is unreachable\n"


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_a_lesson_runs_offline(path, chosen, namespaces):
    done = offline(RUN, path.stem)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_a_lesson_prints_the_same_in_two_fresh_kernels(path, chosen):
    """Everything is compared, pictures too: bit for bit."""
    once, again = (run(read(path)) for _ in range(2))
    for first, second in zip(code_cells(once), code_cells(again), strict=True):
        assert contents(first) == contents(second), first.source


def contents(cell):
    """Return what a cell shows. Widgets have an address of their own in every kernel."""
    texts = [output.get("text", "") for output in cell.outputs]
    data = [
        output.get("data", {})
        for output in cell.outputs
        if "application/vnd.jupyter.widget-view+json" not in str(output)
    ]
    return "".join(texts), data
