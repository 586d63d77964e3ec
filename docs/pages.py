"""Prepares the pages: copies the lessons, writes the card from lesson 0, adds links, and brings MathJax."""

import json
import shutil
from pathlib import Path

import address
import copies
import nbformat
import slides
from sphinx.application import Sphinx

from zerostart.verdict import MEANINGS

DOCS = Path(__file__).parent
CARD = "## May I use zeros here?\n"


def setup(app: Sphinx) -> None:
    """Let Sphinx call what follows."""
    app.connect("builder-inited", copy_lessons)
    app.connect("builder-inited", write_card)
    app.connect("source-read", add_readme)
    app.connect("source-read", add_links)
    app.connect("build-finished", add_files)


def copy_lessons(app: Sphinx) -> None:
    """Sphinx reads only what lies below docs. A lesson that did not change keeps its date and is not read again."""
    folder = DOCS / "lessons"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.ipynb"):
        if old.name not in {path.name for path in copies.LESSONS}:
            old.unlink()
    for path in copies.LESSONS:
        shutil.copy2(path, folder)


def write_card(app: Sphinx) -> None:
    """Write the page of the decision card from the cell of lesson 0 that holds it."""
    cells = nbformat.read(copies.LESSONS[0], as_version=4).cells
    (section,) = [cell.source.partition(CARD)[2] for cell in cells if CARD in cell.source]
    card = section[: section.rindex("|") + 1].replace("](0", "](lessons/0")
    words = "\n".join(f"- **{verdict}**: {meaning}" for verdict, meaning in MEANINGS.items())
    style = '<link rel="stylesheet" href="_static/card.css">'
    origin = f'<p class="onlyprint">Starting from Zero, {address.SITE}</p>'
    page = f"{CARD.removeprefix('#')}{card}\n\n## The verdicts\n\n{words}\n\n{origin}{style}\n"
    (DOCS / "card.md").write_text(page, encoding="utf-8")


def add_readme(app: Sphinx, page: str, source: list[str]) -> None:
    """Begin the first page as README.md begins."""
    if page == "index":
        readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
        top = readme[: readme.index("## Read and play")]
        source[0] = top.replace("](notebooks/", "](lessons/").replace("](docs/", "](") + source[0]


def add_links(app: Sphinx, page: str, source: list[str]) -> None:
    """Add a line of links below the header of a lesson's page. The notebook that is downloaded has none."""
    folder, _, lesson = page.rpartition("/")
    if folder == "lessons":
        links = {
            "Colab": address.colab(lesson),
            "Binder": address.binder(lesson),
            "slides": f"../slides/{lesson}.html",
            "notebook": f"../_sources/{page}.ipynb",
        }
        line = " · ".join(f'<a href="{target}">{name}</a>' for name, target in links.items())
        notebook = json.loads(source[0])
        notebook["cells"][0]["source"] += [f"\n\n<p>Open: {line}</p>"]
        source[0] = json.dumps(notebook)


def add_files(app: Sphinx, problem: Exception | None) -> None:
    """Copy what the pages use, and write the copies for Colab beside the site."""
    if problem is None:
        slides.copy_mathjax(Path(app.outdir) / "_static" / "mathjax")
        slides.write(Path(app.outdir) / "slides")
        copies.write(Path(app.outdir).parent / "colab")
