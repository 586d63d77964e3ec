"""Every lesson in JupyterLab, as a reader opens and runs it. Screenshots are kept in build/screenshots."""

import shutil

import pytest
from lab import CONNECTED, jupyterlab
from lessons import LESSONS, NAMES, ROOT, code_cells, read

SHOTS = ROOT / "build" / "screenshots"
PROMPTS = "[...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].map(e => e.textContent)"
NUMBERED = f"{PROMPTS}.filter(text => /^\\[\\d+\\]:$/.test(text)).length"
CELLS = "jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type == 'code')"
HIDDEN = f"{CELLS}.map(cell => cell.outputHidden)"
OUTPUTS = f"{CELLS}.flatMap(cell => cell.model.outputs.toJSON()).map(output => output.name || output.output_type)"


@pytest.fixture(scope="module")
def page(tmp_path_factory, browser):
    home = tmp_path_factory.mktemp("jupyter")
    with jupyterlab(home) as address:
        for path in LESSONS:
            shutil.copy(path, home / "notebooks")
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.address = address
        yield page


@pytest.mark.parametrize("path", LESSONS, ids=NAMES)
def test_a_lesson_hides_what_is_predicted_and_every_cell_runs(page, path):
    cells = code_cells(read(path))
    page.goto(page.address.format(path.name))
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    page.evaluate(CONNECTED)
    hidden = [bool(cell.metadata.get("jupyter")) for cell in cells]
    assert page.evaluate(HIDDEN) == hidden and any(hidden)
    assert not page.evaluate("jupyterapp.shell.currentWidget.context.model.dirty")
    page.evaluate(f"{CELLS}.forEach(cell => cell.model.clearExecution())")  # so that every prompt is a new one
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(f"{NUMBERED} == {len(cells)} || {OUTPUTS}.includes('error')", timeout=300_000)
    shown = page.evaluate(OUTPUTS)
    assert "error" not in shown and "stderr" not in shown
    assert not any(page.evaluate(HIDDEN)), "an output that was hidden opens when its cell is run"
    page.screenshot(path=SHOTS / f"{path.stem}.png")
