"""The values that the parameters of a lesson may have. They are kept in ranges.toml."""

import tomllib
from pathlib import Path
from typing import Any

RANGES = tomllib.loads(Path(__file__).with_name("ranges.toml").read_text(encoding="utf-8"))


def check_ranges(lesson: str, **values: Any) -> None:
    """Stop a lesson whose parameters lie outside the range that its claims were tried in.

    Args:
        lesson: Its number, such as `"02"`.
        **values: Every parameter of the lesson.

    Raises:
        ValueError: a parameter is outside; the message says what is accepted and what came.

    Example:
        >>> check_ranges("00", hidden=(16, 16), steps=100, learning_rate=0.003, seed=-1)
        Traceback (most recent call last):
        ValueError: seed: a whole number from 0 to 1000, got -1
    """
    if values.keys() != RANGES[lesson].keys():
        raise ValueError(f"expected the parameters {', '.join(RANGES[lesson])}; got {', '.join(values)}")
    for name, value in values.items():
        if not accepts(RANGES[lesson][name], value):
            named = f" ({', '.join(RANGES[lesson][name]['one_of'])})" if "named" in RANGES[lesson][name] else ""
            raise ValueError(f"{name}: {in_words(RANGES[lesson][name])}{named}, got {value!r}")


def accepts(accepted: dict[str, Any], value: Any) -> bool:
    """Tell whether a value lies in a range, one entry of ranges.toml."""
    if "count" in accepted:
        (least, most), one = accepted["count"], {**accepted}
        del one["count"]
        return isinstance(value, (tuple, list)) and least <= len(value) <= most and all(accepts(one, v) for v in value)
    if "one_of" in accepted:
        return value in accepted["one_of"]
    ((kind, (least, most)),) = accepted.items()
    kinds = (int, float) if kind == "number" else int
    return isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most


def in_words(accepted: dict[str, Any]) -> str:
    """Return a range as a phrase. The comment beside the parameter has it too."""
    if "count" in accepted:
        one, (fewest, most) = {**accepted}, accepted["count"]
        del one["count"]
        many = f"{fewest} to {most}" if fewest < most else f"{most}"
        if "units" in one:
            return f"{many} layers of {one['units'][0]} to {one['units'][1]} units each"
        return f"{many} {one['named']}" if "named" in one else f"a tuple of {many}, each {in_words(one)}"
    if "one_of" in accepted:
        return "one of " + ", ".join(map(str, accepted["one_of"]))
    ((kind, (least, most)),) = accepted.items()
    return f"a {'' if kind == 'number' else 'whole '}number from {least} to {most}"
