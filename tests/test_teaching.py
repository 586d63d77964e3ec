"""The teacher's pages name what the lessons have."""

import re

import pytest
from lessons import NUMBERS, ROOT, parts, read_lesson, wrong

pytestmark = pytest.mark.parametrize("number", NUMBERS)


def section(number: str, heading: str) -> str:
    page = (ROOT / "docs" / "teaching" / f"lesson_{number}.md").read_text(encoding="utf-8")
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def headings(number: str) -> list[str]:
    return [heading.lstrip("# ") for heading, _ in parts(read_lesson(number))]


def test_an_hour_consists_of_sections_of_the_lesson(number):
    rows = re.findall(r"(?m)^\| (\d+) \| ([^|]+) \| [^|]+ \|$", section(number, "The hour"))
    *named, last = [heading for _, heading in rows]
    assert named == [heading for heading in headings(number) if heading in named] and last == "Exit quiz"
    assert sum(int(minutes) for minutes, _ in rows) <= 45
    cells = [row.split("|")[2] for row in section(number, "Misconceptions").splitlines()[3:]]
    assert cells and all(set(re.findall(r"\*\*(.+?)\*\*", cell) or [""]) <= set(headings(number)) for cell in cells)


def test_the_wrong_answers_are_those_that_exercises_recognise(number):
    named = re.findall(r"(?m)^\| (\d\.\d) \| `(.+?)` \|", section(number, "What to ask, and what you will hear"))
    assert set(named) <= {(exercise, code) for exercise, codes in wrong(number)["answers"].items() for code in codes}
    required = re.findall(r"(?m)^Exercise (\d\.\d): (?!.*\(optional\)$)", "\n".join(headings(number)))
    assert set(required) <= {exercise for exercise, _ in named}


def test_a_quiz_has_five_questions_and_a_key_for_each(number):
    questions = re.findall(r"(?m)^(\d)\. (.+)$", section(number, "Exit quiz"))
    keys = re.findall(r"(?m)^(\d)\. \*\*[abc]\.\*\* \S", section(number, "Key"))
    assert [place for place, _ in questions] == keys == list("12345")
    assert all(re.findall(r"\(([a-z])\) ", question) == list("abc") for _, question in questions)
