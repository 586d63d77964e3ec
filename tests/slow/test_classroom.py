"""The hub for a class: what learners find at home, what the figures say, and that the settings fit together."""

import json
import os
import re
import shutil
from types import SimpleNamespace

import jsonschema
import nbformat
import pytest
import yaml
from lessons import LESSONS, ROOT, read, read_lesson, tagged, with_parameters, wrong
from test_exercises import exercise_of, solution_after, with_answer

from classroom import home
from classroom.figures import Hour, page
from classroom.report import report

CHART = ROOT / "build" / "zero-to-jupyterhub-k8s" / "jupyterhub"
VALUES = yaml.safe_load((ROOT / "classroom" / "values.yaml").read_text())
CONFIGURATION = (ROOT / "classroom" / "jupyterhub_config.py").read_text()
DOCKERFILE = (ROOT / "classroom" / "Dockerfile").read_text()


def test_a_learner_gets_all_lessons_with_hidden_outputs_and_keeps_what_is_theirs(tmp_path):
    (tmp_path / LESSONS[0].name).write_text("mine")
    (tmp_path / LESSONS[1].name).symlink_to("nowhere")
    home.give_lessons(tmp_path)
    home.give_lessons(tmp_path / "new")
    assert all((tmp_path / "new" / path.name).is_file() for path in LESSONS)
    assert (tmp_path / LESSONS[0].name).read_text() == "mine"
    assert os.readlink(tmp_path / LESSONS[1].name) == "nowhere"
    assert sorted(path.name for path in tmp_path.glob("*.ipynb")) == [path.name for path in LESSONS]
    for path in LESSONS[2:]:
        given, stored = read(tmp_path / path.name), read(path)
        nbformat.validate(given)
        for cell, before in zip(given.cells, stored.cells, strict=True):
            assert (cell.source, cell.get("outputs")) == (before.source, before.get("outputs"))
            hidden = cell.metadata.get("collapsed"), cell.metadata.get("jupyter", {}).get("outputs_hidden")
            assert hidden == (True, True) or not cell.get("outputs")


def test_a_server_starts_even_where_lessons_cannot_be_copied(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").write_text("a file")
    started = []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(home.os, "execv", lambda program, command: started.append(command))
    monkeypatch.setattr(home.os, "umask", lambda mask: None)
    home.main()
    assert "--KernelManager.transport=ipc" in started[0]
    assert "not copied" in capsys.readouterr().err


def learner(**probed):
    """A learner who finished, with what the kernel said."""
    said = {"kernel": 400, "server": 100, "peak": 900, "seconds": 10, "transport": "ipc", "ports": 1, "readable": []}
    figures = {"cells": 7, "interrupted": 0, "repeated": 0, "first_cell": 5.0, "problems": [], "name": "class-anna"}
    return SimpleNamespace(**figures, probed={**said, "account": 7, **probed})


def test_the_page_draws_a_straight_line_through_what_was_measured():
    written = page([Hour("02", [learner()] * count, hub_megabytes=200) for count in (1, 3, 9)])
    assert "= 200 MB + 500 MB for each" in written
    assert "\n| 9 | 9 | 5 | 5 | 4,700 | 522 | 10 | 0 |\n" in written
    assert "\n| 3,000 | 1,501 | 250 | 34 |\n" in written  # 200 MB and 3,000 x 500 MB; 3,000 x 10 s in 120 s, in 900 s
    assert "\n| 2 | 8 | 13 | 24 | 180 |\n" in written  # (.85 x 8,000 - 200) / 500; 2 x 120 / 10; 2 x 900 / 10


@pytest.mark.parametrize("fault", [{"ports": 5}, {"transport": "tcp"}, {"readable": ["/var/lib/private/class-ben"]}])
def test_what_others_could_see_counts_as_lost(fault):
    assert Hour("02", [learner(account=1), learner(account=2)]).lost() == []
    assert len(Hour("02", [learner(account=1), learner(account=2, **fault)]).lost()) == 1


def test_settings_of_the_machine_and_of_the_cluster_agree():
    user = VALUES["singleuser"]
    assert f'MEMORY = "{user["memory"]["limit"]}"' in CONFIGURATION
    assert f'FIRST_PAGE = "{user["defaultUrl"]}"' in CONFIGURATION
    assert f"IDLE_SECONDS = {VALUES['cull']['timeout']}" in CONFIGURATION
    assert all(f'"{name}"' in CONFIGURATION for name in user["extraEnv"])
    assert f"CMD {json.dumps(user['cmd'])}\n" in DOCKERFILE
    assert f"WORKDIR {user['storage']['homeMountPath']}\n" in DOCKERFILE
    assert (ROOT / user["cmd"][1].removeprefix("/srv/course/")).is_file()


def chart_says(values):
    """What the schema of the chart finds wrong, when the values are laid over its own, as Helm does."""
    schema, defaults = (yaml.safe_load((CHART / name).read_text()) for name in ("values.schema.yaml", "values.yaml"))

    def over(below, above):
        merged = {key: over(below[key], above[key]) for key in above if isinstance(below.get(key), dict)}
        return {**below, **above, **merged} if isinstance(above, dict) else above

    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(over(defaults, values))]


@pytest.mark.skipif(not CHART.exists(), reason="the chart is not there; classroom/README.md says how to get it")
def test_the_chart_accepts_the_values():
    assert chart_says(VALUES) == []
    assert chart_says({**VALUES, "singleuser": {**VALUES["singleuser"], "memori": {}}}) != []


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_the_report_is_right_on_a_lesson(tmp_path, pytestconfig):
    """Each learner gives other answers: the solution, each wrong answer that is recognised, or none."""
    planted = {}
    for learner in (f"learner{number:02d}" for number in range(pytestconfig.getoption("draws"))):
        notebook, planted[learner] = with_parameters(read_lesson("01"), **wrong("01")["sizes"]), {}
        for cell in tagged(notebook, "exercise"):
            number = exercise_of(cell)
            answers = {solution_after(notebook, cell): "right"}
            answers |= {f"answer = {code}": words for code, words in wrong("01")["answers"][number].items()}
            answers |= {"answer = ...": "no answer"}
            code = list(answers)[len(planted) % len(answers)]
            notebook.cells[notebook.cells.index(cell)] = with_answer(cell, code)
            planted[learner][number] = answers[code]
        (tmp_path / learner).mkdir()
        nbformat.write(notebook, tmp_path / learner / "01.ipynb")
    printed = report(tmp_path)
    legend = dict(re.findall(r"(?m)^(\d\.\d wrong \d+) \(\d+\): (.*)$", printed))
    numbers = printed.split("\n")[0].split()
    for learner, answers in planted.items():
        row = re.split(r"  +", re.search(rf"(?m)^{learner} .*$", printed)[0])[1:]
        for number, shown in zip(numbers, row, strict=True):
            assert legend.get(f"{number} {shown}", shown).startswith(answers[number]), (learner, number)
