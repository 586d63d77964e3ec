"""The teacher's pages name what the lessons have."""

import re

import pytest
from lessons import NUMBERS, ROOT, parts, read_lesson, wrong


def page(number: str) -> str:
    return (ROOT / "docs" / "teaching" / f"lesson_{number}.md").read_text(encoding="utf-8")


def section(number: str, heading: str) -> str:
    return page(number).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("number", NUMBERS)
def test_an_hour_consists_of_sections_of_the_lesson(number):
    headings = [heading.lstrip("# ") for heading, _ in parts(read_lesson(number))]
    rows = re.findall(r"(?m)^\| (\d+) \| ([^|]+) \| [^|]+ \|$", section(number, "The hour"))
    *named, last = [heading for _, heading in rows]
    assert named == [heading for heading in headings if heading in named] and last == "Exit quiz"
    assert sum(int(minutes) for minutes, _ in rows) <= 45
    *_, settled = zip(*(row.split("|")[1:3] for row in section(number, "Misconceptions").splitlines()[3:]), strict=True)
    cells = [set(re.findall(r"\*\*(.+?)\*\*", cell)) for cell in settled]
    assert all(cell and cell <= set(headings) for cell in cells)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_wrong_answers_are_those_that_exercises_recognise(number):
    named = re.findall(r"(?m)^\| (\d\.\d) \| `(.+?)` \|", page(number))
    recognised = {(exercise, code) for exercise, answers in wrong(number).ANSWERS.items() for code in answers}
    assert set(named) <= recognised and {exercise for exercise, _ in named} == wrong(number).ANSWERS.keys()


@pytest.mark.parametrize("number", NUMBERS)
def test_each_quiz_has_five_questions_with_keys(number):
    questions = re.findall(r"(?m)^(\d)\. (.+)$", section(number, "Exit quiz"))
    keys = re.findall(r"(?m)^(\d)\. \*\*([abc])\.\*\* \S", section(number, "Key"))
    assert [place for place, _ in questions] == [place for place, _ in keys] == list("12345")
    assert all(re.findall(r"\(([a-c])\)", question) == list("abc") for _, question in questions)
    assert len({letter for _, letter in keys}) > 1
