"""Lessons need no network, and run twice they print and draw the same."""

import json
import shutil
import subprocess
import sys

import pytest
from lessons import LESSONS, NAMES, ROOT, read, run

NEW_NAMESPACE = ["unshare", "--map-root-user", "--net"]  # a process in it sees no network
CONNECT = """
import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as problem:
    print(problem.strerror, end="")
"""
RUN = f"""
import json
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from lessons import LESSONS, code_cells, execute, read
(path,) = [path for path in LESSONS if path.stem == sys.argv[1]]
print(json.dumps(execute([cell.source for cell in code_cells(read(path))])))
"""


def offline(code, *arguments):
    command = [*NEW_NAMESPACE, sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def namespaces():
    done = offline(CONNECT) if shutil.which("unshare") else None
    if done is None or done.returncode:
        pytest.skip("needs the network namespaces of Linux")
    assert done.stdout == "Network is unreachable"


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_a_lesson_prints_and_draws_the_same_offline(path, namespaces):
    """Everything is compared with another run, pictures too: bit for bit."""
    done = offline(RUN, path.stem)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == run(read(path))
