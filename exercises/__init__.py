"""Checks for the exercises: they say why an answer is wrong, without giving the right one away.

Each exercise is a function `(answer, **facts)` in the file of its lesson. It returns what is wrong, or None. What a
reader may get wrong it says by itself, or lets `number_of`, `model_of` and `called` say; any other error is a bug in
the check, and is raised.
"""

import numbers
from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras

CHECKS: dict[str, tuple[Callable[..., str | None], str]] = {}


class NotYet(Exception):
    """Says what is wrong with an answer."""


def exercise(number: str, right: str) -> Callable:
    """Register a check. `right` is what a reader with a right answer is told: why it is right."""

    def keep(complaint: Callable[..., str | None]) -> Callable[..., str | None]:
        CHECKS[number] = complaint, right
        return complaint

    return keep


def check(number: str, answer: Any, **facts: Any) -> None:
    """Print whether `answer` is right, and if not, why.

    Args:
        number: The exercise, such as `"2.1"`.
        answer: Your answer; `...` means that there is none yet.
        **facts: What the answer depends on, such as the sizes of your network.

    Raises:
        ValueError: there is no such exercise.

    Example:
        >>> check("2.1", ...)
        Exercise 2.1: not answered yet.
    """
    lesson = str(number).partition(".")[0]
    if lesson in set("1234567"):
        import_module(f"exercises.lesson_0{lesson}")
    if not isinstance(number, str) or number not in CHECKS:
        raise ValueError(f"number: expected an exercise of the course such as '2.1', got {number!r}")
    complaint, right = CHECKS[number]
    if answer is ...:
        print(f"Exercise {number}: not answered yet.")
        return
    try:
        problem = complaint(answer, **facts)
    except NotYet as words:
        problem = str(words)
    print(f"Exercise {number}: not yet. {problem}" if problem else f"Exercise {number}: right. {right}")


def number_of(answer: Any) -> float:
    """Return the answer as a number, or say that it is none."""
    if isinstance(answer, numbers.Real) and not isinstance(answer, bool):
        return float(answer)
    if getattr(answer, "shape", None) == ():
        return float(answer)
    raise NotYet(f"The answer must be a number; this is {_kind(answer)}.")


def model_of(answer: Any) -> keras.Model:
    """Return the answer as a built model, or say that it is none."""
    if not isinstance(answer, keras.Model):
        raise NotYet(f"The answer must be a model; this is {_kind(answer)}.")
    if not answer.built:
        raise NotYet("This model does not know its inputs yet: begin it with keras.Input.")
    return answer


def called(answer: Any, *arguments: Any) -> Any:
    """Call the answer, a function, or say that it is none, or that it raised an error."""
    if isinstance(answer, keras.Model) or not callable(answer):
        raise NotYet(f"The answer must be a function: its name, without calling it. This is {_kind(answer)}.")
    try:
        return answer(*arguments)
    except Exception as problem:
        raise NotYet(f"Your function raised {type(problem).__name__}: {problem}") from problem


def _kind(answer: Any) -> str:
    return f"of type {type(answer).__name__}"
