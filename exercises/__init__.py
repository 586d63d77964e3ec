"""Checks for the exercises: they say why an answer is wrong, without giving the right one away."""

from importlib import import_module
from typing import Any

from exercises.kinds import Exercise


def find(number: str) -> Exercise:
    """Return the exercise with a number such as `"2.1"`: lesson 2, exercise 1.

    Raises:
        ValueError: there is no such exercise.
    """
    try:
        lesson = number.partition(".")[0]
        return import_module(f"exercises.lesson_{int(lesson):02d}").EXERCISES[number]
    except (AttributeError, ImportError, KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"number: expected an exercise of the course such as '2.1', got {number!r}") from problem


def check(number: str, answer: Any, **facts: Any) -> None:
    """Print whether `answer` is right, and if not, why.

    Args:
        number: The exercise, such as `"2.1"`.
        answer: Your answer; `...` means that there is none yet.
        **facts: What the answer depends on, such as the sizes of your network.

    Example:
        >>> check("2.1", ...)
        Exercise 2.1: not answered yet.
    """
    exercise = find(number)
    if answer is ...:
        print(f"Exercise {number}: not answered yet.")
    elif _holds(exercise.right, answer, facts):
        print(f"Exercise {number}: right. {exercise.because}")
    else:
        hints = (hint.text for hint in exercise.hints if _holds(hint.applies, answer, facts))
        print(f"Exercise {number}: not yet. {next(hints, exercise.otherwise)}")


def _holds(condition: Any, answer: Any, facts: dict[str, Any]) -> bool:
    """Ask a condition about an answer of any type; an answer that it cannot handle does not meet it."""
    try:
        return bool(condition(answer, **facts))
    except Exception:
        return False
