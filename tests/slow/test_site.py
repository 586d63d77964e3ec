"""The reading site, the card and the slides in Chromium, as a reader on a phone, a laptop or in a class sees them."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pkgutil import resolve_name
from urllib.parse import urlsplit

import nbformat
import pytest
from lab import barriers, served
from lessons import LESSONS, NAMES, ROOT, code_cells, read

if not os.environ.get("BROWSER_REQUIRED"):
    pytest.importorskip("myst_nb", reason="nothing that builds the site: uv sync --group docs")

from sphinx.util.inventory import InventoryFile

FOLDERS = ("zerostart", "helpers", "exercises")
SITE = ROOT / "build" / "site"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What ends outside of a slide; not the notes, nor parts of formulas, whose tall brackets are cut off by design.
OUTSIDE = """[...Reveal.getCurrentSlide().querySelectorAll(':not(aside, aside *, mjx-container :not(mjx-math))')]
    .filter(part => {const box = part.getBoundingClientRect(); return box.right > 1280 || box.bottom > 720})
    .map(part => part.textContent.slice(0, 80))"""


@pytest.fixture(scope="module")
def address():
    """Build the site with its one command, and serve it."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", "docs", "build/site"]
    subprocess.run(command, cwd=ROOT, check=True)
    with served(SITE) as found:
        yield found


def settled(page):
    page.wait_for_load_state("networkidle")
    page.evaluate("window.MathJax?.startup.promise")
    return page


def pages():
    paths = [path.relative_to(SITE) for path in sorted(SITE.rglob("*.html"))]
    found = [path.as_posix() for path in paths if path.parts[0] not in ("_static", "slides")]
    return [*found, "search.html?q=units"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_every_page(open_page, address, width, scheme):
    for path in pages():
        page = settled(open_page(path, width=width, scheme=scheme))
        assert page.evaluate(SIDEWAYS) <= 0, f"{path} scrolls sideways"
        pictures = page.eval_on_selector_all("article img", "all => all.map(e => e.alt)")
        assert all(" " in text for text in pictures), f"{path}: a picture without description: {pictures}"
        assert barriers(page) == [], path
        for target in page.eval_on_selector_all("a[href]", "all => all.map(e => e.href)"):
            if target.startswith(address):
                assert (SITE / urlsplit(target).path[1:]).exists(), f"{path}: {target}"
        page.close()


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_a_lesson_hides_what_is_to_be_predicted_sets_formulas_and_code_fits(open_page, path):
    page = settled(open_page(f"lessons/{path.stem}.html"))
    hidden = ["hide-output" in cell.metadata.get("tags", []) for cell in code_cells(read(path))]
    assert page.locator("details.below-input").count() == sum(hidden)
    assert page.locator("details[open], mjx-merror").count() == 0
    assert page.locator("mjx-container").count() == page.locator("article .math").count() > 0
    wide = page.eval_on_selector_all(".cell_input pre", "all => all.filter(e => e.scrollWidth > e.clientWidth).length")
    assert wide == 0, f"{wide} cells of code are wider than their box"


def test_the_page_of_the_explorer_is_light_and_answers_keys(open_page):
    page = settled(open_page("explorer.html"))
    files = [SITE / urlsplit(url).path[1:] for url in page.asked]
    assert "engine.js" in [file.name for file in files]
    assert sum(file.stat().st_size for file in files) < 300_000
    page.focus("[name=units]")
    before = page.inner_html(".net svg")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("before => document.querySelector('.net svg').innerHTML != before", arg=before)


def test_the_card_is_one_page_of_paper(open_page):
    pdf = settled(open_page("card.html")).pdf(prefer_css_page_size=True)
    assert re.findall(rb"/MediaBox \[0 0 (\d+)[.\d]* (\d+)", pdf) == [(b"594", b"841")]


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_slides_hold_all_and_overflow_nowhere(open_page, path):
    page = open_page(f"slides/{path.stem}.html", height=720)
    page.wait_for_function("Reveal.isReady()", timeout=60_000)
    for number in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(f"Reveal.slide({number})")
        assert page.evaluate(OUTSIDE) == [], f"slide {number + 1}"
    lesson = path.read_text(encoding="utf-8")
    assert page.locator("section.question").count() == lesson.count("**Predict.**")
    assert page.locator("section img").count() == lesson.count('"image/png": ')


@pytest.mark.parametrize("module", ["zerostart", "zerostart.explorer", "helpers", "exercises"])
def test_every_public_name_is_in_the_api(address, module):
    names = InventoryFile.loads((SITE / "objects.inv").read_bytes(), uri="").data
    kinds = ("function", "class", "exception")
    documented = [resolve_name(name) for kind in kinds for name in names[f"py:{kind}"]]
    parts = vars(import_module(module))
    public = [resolve_name(f"{module}.{name}") for name in parts.get("__all__", parts) if name[0] != "_"]
    owned = [part for part in public if getattr(part, "__module__", "").startswith(FOLDERS)]
    assert owned and [part for part in owned if part not in documented] == []


def test_copies_for_colab_begin_with_one_more_cell(address):
    for path in LESSONS:
        copy = nbformat.read(ROOT / "build" / "colab" / path.name, as_version=4)
        assert re.fullmatch(r"%pip install --quiet --no-deps git\+https://github.com/\S+ .*", copy.cells.pop(0).source)
        assert copy == read(path)
