"""The reading site: `uv run --group docs sphinx-build -W -b html docs build/site`."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import copies  # noqa: E402

project = "Starting from Zero"
copyright = "Starting from Zero contributors, MIT licence"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "sphinx.ext.napoleon", "pages"]

nb_execution_mode = "off"
nb_code_prompt_show = "Show the {type}"
nb_code_prompt_hide = "Hide the {type}"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
mathjax_path = "mathjax/tex-chtml.js"

default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
nitpicky = True
nitpick_ignore_regex = [("py:class", r"(collections|keras|matplotlib|numpy|t)\..*")]  # their pages are elsewhere

html_theme = "sphinx_book_theme"
html_title = project
templates_path = ["_templates"]
html_baseurl = copies.SITE
html_favicon = "_static/favicon.svg"
html_static_path = ["_static", "../zerostart/explorer/web"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sphinx = False
html_use_index = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "repository_url": copies.REPOSITORY,
    "use_repository_button": True,
    "use_issues_button": True,
    "home_page_in_toc": True,
    "navbar_persistent": [],
    "footer_content_items": ["copyright"],
    "show_toc_level": 2,
}
