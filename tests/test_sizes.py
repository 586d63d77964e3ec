"""Every lesson at other sizes: its asserts are its claims.

`uv run pytest` runs SPREAD. `uv run pytest tests/test_sizes.py --every-size` runs every lesson at every width of
WIDTHS, at every depth of DEPTHS, and with every choice of OTHER; that takes about an hour.
"""

import pytest
from lessons import LESSONS, NAMES, parameters, read, run, with_parameters

WIDTHS = (1, 2, 3, 7, 50, 257)
DEPTHS = ((5,), (7, 3), (4, 4, 4), (2, 9, 2, 9))


def widths_of(value, width):
    """Give every layer the same width, keeping the depth; a plain number of units becomes the width."""
    return tuple(width for _ in value) if isinstance(value, tuple) else width
