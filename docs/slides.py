"""Slides of the lessons: `uv run --group docs python docs/slides.py [02 03 ...]` writes build/slides.

Shown are headings and what follows them first, predictions, outputs, formulas, lists, tables, and code that a shown
text announces. All text and code are in the speaker's notes: press S. slides.js divides what is too much for one slide.
"""

import importlib.util
import re
import shutil
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import nbformat
from copies import LESSONS
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.dollarmath import dollarmath_plugin

DOCS = Path(__file__).parent
REVEAL = Path(importlib.util.find_spec("sphinx_revealjs").origin).parent / "_static" / "revealjs"
MATHJAX = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
PREDICT = "Predict"
PREDICTION = "<p><strong>Predict.</strong>"
QUESTION = "<p><strong>Question.</strong>"
SHOWN = {"math_block", "bullet_list", "ordered_list", "table", "blockquote", "fence"}


@dataclass
class Slide:
    """A heading, what is shown below it, and what only the speaker sees."""

    heading: str
    shown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def html(self) -> str:
        """Return the slide as reveal.js wants it."""
        kind = "question" if self.heading == PREDICT else "page"
        shown, notes = "".join(self.shown), "".join(self.notes)
        return f'<section class="{kind}"><h2>{self.heading}</h2>{shown}<aside class="notes">{notes}</aside></section>'


class Slides(list[Slide]):
    """The slides of one lesson."""

    def __init__(self, notebook: nbformat.NotebookNode) -> None:
        """Sort the cells into slides."""
        super().__init__()
        for cell in notebook.cells:
            self.read(cell.source) if cell.cell_type == "markdown" else self.run(cell)

    def read(self, text: str) -> None:
        """Add a text."""
        solution = False
        for node in SyntaxTreeNode(MARKDOWN.parse(text)).children:
            html = _render(node)
            if node.type == "heading":
                self.append(Slide(_render(*node.children)))
            elif html.startswith(PREDICTION):
                self.append(Slide(PREDICT, ["<p>" + html.removeprefix(PREDICTION)]))
            elif node.type == "html_block":
                solution = "</details>" not in html
            else:
                begins = not self[-1].shown and not self[-1].notes
                if not solution and (node.type in SHOWN or begins or html.startswith(QUESTION)):
                    self.show(html, answer=bool(self[-1].notes))
                self[-1].notes.append(html)

    def run(self, cell: nbformat.NotebookNode) -> None:
        """Add a cell of code. It is shown where the text before it ends in a colon."""
        if "".join(self[-1].shown[-1:]).endswith(":</p>\n"):
            self.show(_lines(cell.source), answer=False)
        if "exercise" not in cell.metadata.get("tags", []):
            for output in cell.outputs:
                self.show(_output(cell, output), answer=True)
        self[-1].notes.append(f"<pre>{escape(cell.source)}</pre>")

    def show(self, html: str, answer: bool) -> None:
        """Show more on the last slide; but the answer to a prediction on the next one."""
        if answer and self[-1].heading == PREDICT:
            self.append(Slide(next(slide.heading for slide in reversed(self) if slide.heading != PREDICT)))
        self[-1].shown.append(html)


def write(folder: Path, wanted: tuple[str, ...] = ("",)) -> None:
    """Write the slides of the lessons whose names start with one of `wanted`, and the files that they need."""
    (folder / "reveal").mkdir(parents=True, exist_ok=True)
    for name in ("dist/reset.css", "dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js"):
        shutil.copy2(REVEAL / name, folder / "reveal")
    for name in ("slides.css", "slides.js", "_static/favicon.svg"):
        shutil.copy2(DOCS / name, folder / "reveal")
    copy_mathjax(folder / "mathjax")
    page = (DOCS / "slides.html").read_text(encoding="utf-8")
    for path in LESSONS:
        if path.name.startswith(wanted):
            slides = [slide for slide in Slides(nbformat.read(path, as_version=4)) if slide.shown or slide.notes]
            html = "\n".join(slide.html() for slide in slides).replace('.ipynb"', '.html"')
            whole = page.replace("{title}", slides[0].heading).replace("{slides}", html)
            (folder / f"{path.stem}.html").write_text(whole, encoding="utf-8")


def copy_mathjax(folder: Path) -> None:
    """Copy what turns TeX into text, and its fonts."""
    fonts = Path("output") / "chtml" / "fonts" / "woff-v2"
    shutil.copytree(MATHJAX / fonts, folder / fonts, dirs_exist_ok=True)
    shutil.copy2(MATHJAX / "tex-chtml.js", folder)


def _output(cell: nbformat.NotebookNode, output: nbformat.NotebookNode) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        alt = escape(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))
        return f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"].strip()}">'
    text = output.get("text") or data.get("text/plain") or f"{output.get('ename')}: {output.get('evalue')}"
    return _lines(re.sub(r"\x1b\[[0-9;]*m", "", text))  # without colours of a terminal


def _lines(text: str) -> str:
    lines = text.splitlines(keepends=True)
    longest = max(map(len, lines), default=1)
    size = min(29, 1950 // longest) if longest <= 81 else 26  # pixels: lines that do not fit at 24 are broken
    rows = sum(1 + len(line) * size // 1950 for line in lines)
    whole = "".join(f"<span>{escape(line)}</span>" for line in lines)
    return f'<pre class="{"long" * (rows > 12)}" style="font-size: {size}px">{whole}</pre>'


def _formula(text: str, options: dict[str, bool]) -> str:
    return rf"<div>\[{escape(text)}\]</div>" if options["display_mode"] else rf"\({escape(text)}\)"


def _render(*nodes: SyntaxTreeNode) -> str:
    tokens = [token for node in nodes for token in node.to_tokens()]
    return MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})


MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, renderer=_formula)

if __name__ == "__main__":
    write(DOCS.parent / "build" / "slides", tuple(sys.argv[1:]) or ("",))
