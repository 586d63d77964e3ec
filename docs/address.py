"""The addresses of the repository and the site, made from address.toml."""

import tomllib
from pathlib import Path

_SETTING = tomllib.loads((Path(__file__).parent / "address.toml").read_text(encoding="utf-8"))
_PATH = f"{_SETTING['owner']}/{_SETTING['name']}"

REPOSITORY = f"https://github.com/{_PATH}"
SITE = f"https://{_SETTING['owner']}.github.io/{_SETTING['name']}/"


def colab(lesson: str) -> str:
    """Return the address that opens the copy of a lesson, such as "02_the_symmetry_problem", in Colab."""
    return f"https://colab.research.google.com/github/{_PATH}/blob/colab/{lesson}.ipynb"


def binder(lesson: str) -> str:
    """Return the address that opens a lesson in Binder."""
    return f"https://mybinder.org/v2/gh/{_PATH}/HEAD?urlpath=lab/tree/notebooks/{lesson}.ipynb"
