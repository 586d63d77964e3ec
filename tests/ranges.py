"""Draws parameters of a lesson from their ranges, corners included."""

import math
import random
from typing import Any

from helpers.ranges import RANGES


def draw_parameters(lesson: str, generator: random.Random, **fixed: Any) -> dict[str, Any]:
    """Draw every parameter of a lesson but those that are fixed."""
    return {name: draw(accepted, generator) for name, accepted in RANGES[lesson].items()} | fixed


def draw(accepted: dict[str, Any], generator: random.Random) -> Any:
    """Draw a value: often an end of the range, otherwise evenly on a logarithmic scale."""
    if "count" in accepted:
        one = {key: part for key, part in accepted.items() if key != "count"}
        count = draw({"whole": accepted["count"]}, generator)
        if "units" in one or "number" in one:
            return tuple(draw(one, generator) for _ in range(count))
        return tuple(generator.sample(one.get("one_of") or range(one["whole"][0], one["whole"][1] + 1), count))
    if "one_of" in accepted:
        return generator.choice(accepted["one_of"])
    ((kind, (least, most)),) = accepted.items()
    if generator.random() < 0.4:
        return generator.choice((least, most))
    low = max(least, 1e-3 * most)
    drawn = math.exp(generator.uniform(math.log(low), math.log(most)))
    return drawn if kind == "number" else max(least, round(drawn))
