"""What an exercise consists of."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Hint:
    """A wrong answer that is recognised, and what to say about it.

    Attributes:
        example: Code of such an answer, which the tests put in the place of the reader's.
        applies: Called as `applies(answer, **facts)`.
        text: What the reader is told. It explains the mistake and does not give the answer.
    """

    example: str
    applies: Callable[..., bool]
    text: str


@dataclass(frozen=True)
class Exercise:
    """An exercise of a lesson.

    Attributes:
        right: Called as `right(answer, **facts)`.
        because: Why a right answer is right.
        hints: Wrong answers that are recognised, the first that applies.
        otherwise: What to say about any other wrong answer.
    """

    right: Callable[..., bool]
    because: str
    hints: tuple[Hint, ...]
    otherwise: str
