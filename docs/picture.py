"""Writes the picture of README.md, the first figure of lesson 0: `uv run python docs/picture.py`."""

import base64
from pathlib import Path

import nbformat
from copies import LESSONS

PICTURE = Path(__file__).parent / "_static" / "picture.png"


def picture() -> bytes:
    """Return the first figure that lesson 0 stores."""
    cells = nbformat.read(LESSONS[0], as_version=4).cells
    data = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    return base64.b64decode(next(each["image/png"] for each in data if "image/png" in each))


if __name__ == "__main__":
    PICTURE.write_bytes(picture())
