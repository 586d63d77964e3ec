"""The report about a class: right on planted answers, and nothing in a notebook stops it or gets out."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from lessons import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from classroom.report import report

pytestmark = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")

# A lesson with two exercises, small enough to be run twenty times.
BEGIN = """
from exercises import check, exercise, number_of

def sum_of(answer, wanted):
    if number_of(answer) == wanted - 1:
        return "One was forgotten."
    return "That is not the sum." if answer != wanted else None

exercise("8.1", "Two and two.")(sum_of)
exercise("8.2", "Three and three.")(sum_of)
"""
FIRST, SECOND = "check('8.1', answer, wanted=4)", "check('8.2', answer, wanted=6)"


def lesson(*cells, first="answer = ...", second="answer = ..."):
    """A learner's notebook: the beginning, cells of their own, and the two exercises."""
    sources = [BEGIN, *cells, f"{first}\n{FIRST}", f"{second}\n{SECOND}"]
    return nbformat.writes(new_notebook(cells=[new_markdown_cell("# Sums"), *map(new_code_cell, sources)]))


SPIN = "while True:\n    pass"
BOMB = "import os\nkept = []\nwhile True:\n    os.fork()\n    kept.append(bytearray(10**8))"
PLACES = ("/", "/usr", "/etc", "/dev/shm", "/var/tmp", "/home")
# Tries to leave a mark, to read a secret, to reach somebody, to end everything, and to lie to the report.
ATTACK = """
import os, signal, socket
from pathlib import Path
for place in ('FOLDER', 'COURSE', *HERE):
    try:
        Path(place, "mark").write_text("here")
    except OSError:
        pass
secrets = ("/etc/shadow", "/etc/passwd", "/root/.profile", 'FOLDER')
found = [path for path in secrets if os.access(path, os.R_OK)]
try:
    socket.create_connection(("127.0.0.1", PORT), 1)
    found.append("network")
except OSError:
    pass
try:
    os.kill(-1, signal.SIGTERM)
except OSError:
    pass
for number in range(3, 20):
    try:
        os.write(number, b'{"said": 1}\\n[[[[\\nnull\\n"x"\\n\\xff\\n')
    except OSError:
        pass
answer = 4 if not found else 99
""".replace("HERE", repr(PLACES))


# file -> what is in it, what the table says of both exercises, what is said below about the file
FILES = {
    "anna": (lesson(first="answer = 4", second="answer = 6"), "right right", None),
    "ben": (lesson("%time 1 + 1", "!ls", first="answer = 3"), "wrong 1 no answer", None),
    "cem": (lesson("raise SystemExit", "1 / 0", first="answer = 3", second="del answer"), "wrong 1 -", None),
    "dora": (lesson("mine = 4\ncheck('8.1', mine, wanted=4)", second="answer = 'six'"), "right wrong 1", None),
    "eve": (lesson(SPIN, first="answer = 5", second="answer = 5"), "wrong 2 wrong 2", "stopped after 15 seconds"),
    "fay": (lesson(first="answer = 4", second="import os; os._exit(0)"), "right -", "ended its own process"),
    "gil": (lesson(first="answer = 4", second=BOMB), "right -", "stopped in code cell 3|after 15 seconds"),
    "hal": (lesson(ATTACK, first="pass", second="answer = 6"), "right right", None),
    "jon": (lesson()[:-9], "- -", "not a notebook"),
    "kim": ('{"cells": [{"cell_type": "code"}]}', "- -", "not a notebook"),
    "leo": ("[" * 100_000, "- -", "not a notebook"),
    "mia": (bytes(range(256)).decode("latin-1"), "- -", "not a notebook"),
    "nia": ('{"cells": 7}', "- -", "not a notebook"),
    "oto": ("", "- -", "not a notebook"),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    with socket.create_server(("127.0.0.1", 0)) as server:
        tried = {"FOLDER": str(folder), "COURSE": str(ROOT), "PORT": str(server.getsockname()[1])}
        for learner, (content, *_) in FILES.items():
            for name, value in tried.items():
                content = content.replace(name, value)
            (folder / f"{learner}.ipynb").write_text(content, encoding="latin-1")
        (folder / "pia").mkdir()
        (folder / "pia" / "folder.ipynb").mkdir()
        os.mkfifo(folder / "pia" / "pipe.ipynb")
        (folder / "pia" / "endless.ipynb").symlink_to("/dev/zero")
        (folder / "quy").mkdir()
        with open(folder / "pia" / "huge.ipynb", "wb") as file:
            file.truncate(10**10)
        before = {*folder.rglob("*")}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("classroom.report.SECONDS_OF_A_CELL", 15)
            printed = report(folder)
        assert {*folder.rglob("*")} == before and not [
            place for place in (ROOT, *PLACES) if Path(place, "mark").exists()
        ]
    return printed


@pytest.mark.parametrize("learner", FILES)
def test_what_was_planted_is_told(printed, learner):
    _, row, note = FILES[learner]
    assert re.search(rf"(?m)^{learner} .*$", printed)[0].split()[1:] == row.split()
    notes = re.findall(rf"(?m)^{learner}\.ipynb: .*$", printed)
    assert [bool(re.search(note, line)) for line in notes] == [True] if note else not notes


def test_the_legend_says_which_wrong_answers(printed):
    assert re.findall(r"(?m)^8\.\d wrong .*$", printed) == [
        "8.1 wrong 1 (2): One was forgotten.",
        "8.1 wrong 2 (1): That is not the sum.",
        "8.2 wrong 1 (1): The answer must be a number; this is of type str.",
        "8.2 wrong 2 (1): One was forgotten.",
    ]


def test_what_is_no_file_or_too_large_gives_a_line(printed):
    for name in ("folder", "pipe", "endless"):
        assert f"\npia/{name}.ipynb: not a file" in printed
    assert "\npia/huge.ipynb: larger than 20 MB" in printed
    assert "\nquy: no notebook" in printed


def test_without_walls_nothing_is_run(tmp_path, monkeypatch):
    mark = tmp_path / "mark"
    notebook = nbformat.reads(lesson(first=f"open({str(mark)!r}, 'w')\nanswer = 4"), as_version=4)
    notebook.cells[2].outputs = [new_output("stream", text="Exercise 8.1: right. Two and two.\n")]
    nbformat.write(notebook, tmp_path / "quy.ipynb")
    monkeypatch.setattr("classroom.report.walls", tuple)
    printed = report(tmp_path)
    assert re.search(r"(?m)^quy +right$", printed)
    assert "Nothing was run" in printed
    assert not mark.exists()


def test_the_command_refuses_what_is_no_folder():
    command = [sys.executable, "-m", "exercises", "report", "nowhere"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "FOLDER: expected a folder, got nowhere" in ended.stderr
