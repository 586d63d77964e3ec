"""The reading site: `uv run --group docs sphinx-build -W -b html docs build/site`."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import helpers  # noqa: E402, F401, I001  before Keras, so that it starts quietly
import pages  # noqa: E402

project = "Starting from Zero"
author = "Starting from Zero contributors"
copyright = "Starting from Zero contributors, MIT licence"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [("py:class", r"(collections|keras|matplotlib|numpy)\..*")]  # their pages are elsewhere

nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the {type}"
nb_code_prompt_hide = "Hide the {type}"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}

mathjax_path = "mathjax/tex-chtml.js"

html_theme = "sphinx_book_theme"
html_title = project
html_baseurl = pages.address.SITE
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = True
html_show_sphinx = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "repository_url": pages.address.REPOSITORY,
    "use_repository_button": True,
    "use_issues_button": True,
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "show_toc_level": 2,
}


def setup(app):  # noqa: ANN001, ANN201, D103
    pages.setup(app)
