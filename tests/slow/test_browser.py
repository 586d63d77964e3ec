"""JupyterLab in a real browser: every lesson runs, and the explorer answers the keyboard.

Screenshots are kept in build/screenshots.
"""

import json
import os
import socket
import subprocess
import sys

import nbformat
import pytest
from browser import Browser, find_chromium, wait_until
from lessons import LESSONS, ROOT, code_cells, read

SHOTS = ROOT / "build" / "screenshots"
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight exist too
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
PANEL = "document.querySelector('.jp-OutputArea .widget-vbox')"
PICTURE = f"{PANEL}.querySelector('img').src"

OUTPUTS = """
jupyterapp.shell.currentWidget.content.widgets.filter(cell => cell.model.type == 'code')
    .flatMap(cell => cell.model.outputs.toJSON()).map(output => output.name || output.output_type)
"""


@pytest.fixture(scope="module")
def chromium():
    """Find the browser first: without one there is no need to start JupyterLab."""
    program = find_chromium()
    if program is None:
        reason = "no Chromium on the path: the lessons are not tried in a browser"
        pytest.fail(reason) if os.environ.get("BROWSER_REQUIRED") else pytest.skip(reason)
    return program


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Start JupyterLab on a copy of the lessons; all that it remembers goes into temporary folders."""
    home = tmp_path_factory.mktemp("jupyter")
    (home / "lessons").mkdir()
    for path in LESSONS:
        nbformat.write(cleared(read(path)), home / "lessons" / path.name)
    for name, settings in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    folders = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    environment = os.environ | {f"JUPYTER_{key}_DIR": str(home / value) for key, value in folders.items()}
    environment |= {"IPYTHONDIR": str(home / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings")}
    environment |= {"JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"-m jupyterlab --no-browser --allow-root --ip=127.0.0.1 --port={port} --IdentityProvider.token=secret"
    server = subprocess.Popen(
        [sys.executable, *command.split(), "--LabApp.expose_app_in_browser=True", f"--notebook-dir={home / 'lessons'}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=(home / "log").open("w"),
    )
    try:
        wait_until(lambda: "is running at" in (home / "log").read_text(), 120, "JupyterLab to start")
        yield f"http://127.0.0.1:{port}/lab?token=secret&reset"
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="module")
def browser(chromium, address, tmp_path_factory):
    """Open JupyterLab once; the tests open one lesson after the other in it."""
    window = Browser(chromium, tmp_path_factory.mktemp("chromium"))
    window.open(address)
    window.wait_for("jupyterapp.restored.then(() => true)")
    yield window
    window.close()


def cleared(notebook):
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    return notebook


def open_lesson(browser, name):
    """Open a lesson alone and wait until its kernel answers."""
    browser.evaluate("[...jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose())")
    browser.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
    browser.evaluate(f"jupyterapp.commands.execute('docmanager:open', {{path: {name!r}}}).then(() => true)")
    browser.wait_for("jupyterapp.shell.currentWidget.sessionContext.session.kernel.info.then(() => true)")


def use(browser, control, *keys):
    """Focus a control of the explorer, press keys there and wait for another picture."""
    before = browser.wait_for(PICTURE)
    browser.evaluate(f"{PANEL}.querySelector({control!r}).focus()")
    for key in keys:
        browser.press(key)
    browser.wait_for(f"{PICTURE} != {before!r}", 30)


@pytest.mark.parametrize("path", LESSONS[1:], ids=[path.stem for path in LESSONS[1:]])
def test_every_cell_runs(browser, path):
    notebook = read(path)
    cells = code_cells(notebook)
    open_lesson(browser, path.name)
    browser.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")  # as the menu Run does
    prompts = "[...document.querySelectorAll('.jp-CodeCell .jp-InputArea-prompt')].map(e => e.textContent)"
    numbered = f"{prompts}.filter(text => /\\d/.test(text)).length"
    error = "document.querySelector('[data-mime-type=\"application/vnd.jupyter.error\"]')"
    browser.wait_for(f"{numbered} == {len(cells)} || {error} != null", 300)
    shown = browser.evaluate(OUTPUTS)
    assert "error" not in shown
    assert browser.evaluate(prompts) == [f"[{number}]:" for number in range(1, len(cells) + 1)]
    assert "stderr" not in shown and shown.count("stdout") > 2
    if any("Explorer(" in cell.source for cell in cells):
        try_explorer(browser)
    browser.screenshot(SHOTS / f"{path.stem}.png")


def try_explorer(browser):
    """Change the number of layers and the activation from the keyboard."""
    use(browser, ".noUi-handle", "ArrowRight")
    use(browser, "select", "Space", "ArrowDown", "Enter")
    browser.evaluate(f"{PANEL}.scrollIntoView()")
