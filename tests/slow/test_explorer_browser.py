"""The explorer in a real browser: on a page of its own, and in JupyterLab. `uv run --group browser pytest` runs it.

Screenshots are kept in build/screenshots.
"""

import re
import shutil

import nbformat
import pytest
from lab import CONNECTED, barriers, jupyterlab, served
from lessons import ROOT

SHOTS = ROOT / "build" / "screenshots"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Explorer</title>
<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width"></head>
<body><main><h1>Explorer</h1>{}</main></body></html>"""
PICTURE = "[...document.querySelectorAll('.zerostart figure')].map(figure => figure.innerHTML)"
READY = "document.querySelector('.zerostart .verdict')?.textContent.match(/^(?!Training)\\w/)"
FRESH = """document.querySelector('.net desc').textContent
    .includes(` ${document.querySelector('[name=units]').value} units;`)"""
EXTREMES = {
    "one_unit": "activation=sigmoid&units=1&layers=1",
    "largest": "layers=8&units=64&kernel_initializer=he_normal&activation=relu&steps=20&large_type=true",
    "dead": "activation=relu&head_initializer=glorot_uniform",
    "diverged": "activation=linear&kernel_initializer=ones&scale=1e30&steps=20",
}


def write_page(folder):
    """Write what the page of the reading site holds, without its theme."""
    shutil.copytree(ROOT / "zerostart" / "explorer" / "web", folder / "_static")
    text = (ROOT / "docs" / "explorer.md").read_text(encoding="utf-8")
    raw = re.search(r"```\{raw\} html\n(.*?)```", text, re.DOTALL)[1]
    (folder / "explorer.html").write_text(PAGE.format(raw), encoding="utf-8")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write_page(folder)
    with served(folder) as found:
        yield found


def trained(page):
    """Wait until the explorer on a page has trained."""
    page.wait_for_function(READY, timeout=120_000)
    return page


@pytest.fixture
def open_explorer(open_page):
    def open_explorer(query, **screen):
        return trained(open_page(f"explorer.html?{query}", **screen))

    return open_explorer


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", EXTREMES)
def test_every_setting_fits_and_is_accessible(open_explorer, name, scheme):
    page = open_explorer(EXTREMES[name], scheme=scheme)
    for width, height in [(390, 844), (1280, 800), (1920, 1080)]:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert barriers(page) == []
        page.screenshot(path=SHOTS / f"explorer_{name}_{scheme}_{width}.png", full_page=True)


@pytest.mark.parametrize("control", ["activation", "units", "layers", "steps", "dropout", "large_type", "moment"])
def test_a_key_changes_the_picture(open_explorer, control):
    page = open_explorer("activation=sigmoid&kernel_initializer=glorot_uniform&steps=40")
    before = page.evaluate(PICTURE)
    where = ".moment input" if control == "moment" else f"[name={control}]"
    page.focus(where)
    page.keyboard.press({"large_type": "Space", "moment": "ArrowLeft"}.get(control, "ArrowUp"))
    page.wait_for_function(f"before => JSON.stringify({PICTURE}) != JSON.stringify(before)", arg=before)
    if control not in ("moment", "large_type"):
        assert f"{control}=" in page.url


def test_all_panels_show_the_moment(open_explorer):
    page = open_explorer("activation=sigmoid&layers=3&steps=20")
    page.focus(".moment input")
    page.keyboard.press("Home")
    for step in range(5):
        page.wait_for_function(f"document.querySelector('.moment output').textContent == 'step {step} of 20'")
        page.wait_for_timeout(100)
        rows = page.eval_on_selector(".gradients desc", "e => e.textContent")
        awake = [f"{name} kernel exactly 0" not in rows for name in ("hidden_1", "hidden_2", "hidden_3", "head")]
        assert awake == [step >= 3, step >= 2, step >= 1, True]
        texts = page.eval_on_selector_all("figure desc, figure figcaption", "all => all.map(e => e.textContent).join()")
        assert texts.count(f"step {step}") == 5
        page.keyboard.press("ArrowRight")


def test_a_bad_value_is_answered_and_another_setting_is_compared(open_explorer):
    page = open_explorer("activation=sigmoid")
    before = page.evaluate(PICTURE)
    for value in ("-1", "much", ""):
        page.fill("[name=scale]", value)
        page.keyboard.press("Enter")
        page.wait_for_selector(".verdict.problem")
        assert page.inner_text(".verdict").startswith("scale: expected a number of at least 0, got ")
        assert page.evaluate(PICTURE) == before
    page.fill("[name=scale]", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict:not(.problem)")
    page.select_option("[name=compare_with]", "the setting shown now")
    page.fill("[name=units]", "3")
    page.wait_for_function(
        "document.querySelector('.grey').textContent == 'Grey: 2 x 16 sigmoid, zeros, adam, 100 steps.'"
    )
    assert page.eval_on_selector_all("path.ghost", "paths => paths.length") == 5


def drag(page, seconds):
    """Drag the slider of the units from one end towards the other, and list what the picture showed meanwhile."""
    page.evaluate("""() => {
        window.seen = [];
        const svg = document.querySelector('.zerostart .net svg');
        new MutationObserver(() => window.seen.push([performance.now(), svg.textContent.match(/(\\d+) units;/)?.[1]]))
            .observe(svg, {childList: true});
    }""")
    box = page.locator("[name=units]").bounding_box()
    middle, moves = box["y"] + box["height"] / 2, int(60 * seconds)
    page.mouse.move(box["x"] + 8, middle)
    page.mouse.down()
    for move in range(moves):
        page.mouse.move(box["x"] + 8 + (box["width"] / 2 - 16) * move / moves, middle)
        page.wait_for_timeout(1000 / 60)
    page.mouse.up()
    return page.evaluate("window.seen")


def test_a_drag_is_followed_and_the_newest_wish_wins(open_explorer):
    page = open_explorer("kernel_initializer=glorot_uniform")
    seen = drag(page, seconds=2)
    assert len({units for _, units in seen}) > 3
    page.wait_for_function(FRESH)


def opened_in_jupyter(browser, address, home):
    """Run a notebook with the explorer and a second cell."""
    code = "import helpers\nfrom zerostart.explorer import Explorer\n"
    code += "explorer = Explorer(kernel_initializer='glorot_uniform', units=32)\nexplorer"
    cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("print(explorer.units, explorer.message)")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), home / "notebooks" / "explorer.ipynb")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(address.format("explorer.ipynb"))
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
    page.evaluate(CONNECTED)
    run_cell(page, 0)
    return trained(page)


def run_cell(page, place):
    page.locator(".jp-CodeCell .cm-content").nth(place).click()
    page.keyboard.press("Shift+Enter")


def test_jupyterlab(browser, tmp_path):
    with jupyterlab(tmp_path) as address:
        page = opened_in_jupyter(browser, address, tmp_path)
        seen = drag(page, seconds=3)
        assert len({units for _, units in seen}) > 3
        page.wait_for_function(FRESH)
        page.focus("[name=layers]")
        before = page.evaluate(PICTURE)
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"before => JSON.stringify({PICTURE}) != JSON.stringify(before)", arg=before)
        page.fill("[name=scale]", "-3")
        page.keyboard.press("Enter")
        page.wait_for_selector(".verdict.problem")
        run_cell(page, 1)
        page.wait_for_selector(".jp-CodeCell:nth-child(2) .jp-OutputArea-output pre")
        told = page.inner_text(".jp-CodeCell:nth-child(2) .jp-OutputArea-output pre")
        bad = "scale: expected a finite number of at least 0, got -3"
        assert told.startswith(f"{page.input_value('[name=units]')} {bad}")
        page.locator(".zerostart").scroll_into_view_if_needed()
        page.screenshot(path=SHOTS / "explorer_jupyterlab.png")
        page.close()
