"""What the site shows and nobody types twice: an extension of Sphinx, called by conf.py."""

import base64
import json
import re
import shutil
from pathlib import Path

import copies
import nbformat
import slides
from sphinx.application import Sphinx

import helpers  # noqa: F401  before zerostart, so that Keras starts quietly
from zerostart.verdict import MEANINGS

CARD = "## May I use zeros here?\n"


def setup(app: Sphinx) -> None:
    """Let Sphinx call what follows."""
    app.connect("builder-inited", copy_lessons)
    app.connect("builder-inited", write_card_and_picture)
    app.connect("source-read", add_readme)
    app.connect("source-read", lead_to_lessons)
    app.connect("source-read", add_links)
    app.connect("html-page-context", choose_template)
    app.connect("build-finished", add_files)


def copy_lessons(app: Sphinx) -> None:
    """Sphinx reads only what lies below docs. Copies keep their dates: what did not change is not read again."""
    folder = copies.DOCS / "lessons"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in copies.LESSONS:
        shutil.copy2(path, folder)


def write_card_and_picture(app: Sphinx) -> None:
    """Write the page of the decision card, and the picture of README.md, from lesson 0."""
    cells = nbformat.read(copies.LESSONS[0], as_version=4).cells
    (section,) = [cell.source.partition(CARD)[2] for cell in cells if CARD in cell.source]
    card = section[: section.rindex("|") + 1].replace("](0", "](lessons/0")
    words = "\n".join(f"- **{verdict}**: {meaning}" for verdict, meaning in MEANINGS.items())
    style = '<link rel="stylesheet" href="_static/card.css">'
    origin = f'<p class="onlyprint">Starting from Zero, {copies.SITE}</p>'
    page = f"{CARD.removeprefix('#')}{card}\n\n## The verdicts\n\n{words}\n\n{origin}{style}\n"
    (copies.DOCS / "card.md").write_text(page, encoding="utf-8")
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    picture = next(data["image/png"] for data in shown if "image/png" in data)
    (copies.DOCS / "_static" / "picture.png").write_bytes(base64.b64decode(picture))


def add_readme(app: Sphinx, page: str, source: list[str]) -> None:
    """Begin the first page as README.md begins."""
    if page == "index":
        readme = (copies.DOCS.parent / "README.md").read_text(encoding="utf-8")
        top = readme[: readme.index("## Read and play")]
        source[0] = top.replace("](docs/", "](") + source[0]


def lead_to_lessons(app: Sphinx, page: str, source: list[str]) -> None:
    """Let links to the lessons, which work in the repository too, lead to their copies; and to `classroom`, there."""
    source[0] = re.sub(r"\]\((\.\./)*notebooks/", "](/lessons/", source[0])
    source[0] = re.sub(r"\]\(\.\./\.\./(?=classroom/)", f"]({copies.REPOSITORY}/blob/main/", source[0])


def add_links(app: Sphinx, page: str, source: list[str]) -> None:
    """Add a line of links below the header of a lesson's page. The notebook that is downloaded has none."""
    folder, _, lesson = page.rpartition("/")
    if folder == "lessons":
        notebook = json.loads(source[0])
        notebook["cells"][0]["source"] += [
            f'\n\n<p>Open in <a href="{copies.COLAB}{lesson}.ipynb">Colab</a>',
            f' or <a href="{copies.BINDER}{lesson}.ipynb">Binder</a>',
            f' · <a href="../slides/{lesson}.html">slides</a>',
            f' · <a href="../_sources/{page}.ipynb" download>notebook</a> (it runs in a copy of the course)</p>',
        ]
        source[0] = json.dumps(notebook)


def choose_template(app: Sphinx, page: str, *_: object) -> str | None:
    """Give the page of the explorer no theme: that weighs thirty times as much as the explorer."""
    return "explorer.html" if page == "explorer" else None


def add_files(app: Sphinx, problem: Exception | None) -> None:
    """Copy what the pages use, make the slides, and write the copies for Colab beside the site."""
    if problem is None:
        slides.copy_mathjax(Path(app.outdir) / "_static" / "mathjax")
        slides.write(Path(app.outdir) / "slides")
        copies.write(Path(app.outdir).parent / "colab")
