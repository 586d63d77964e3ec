"""Serves folders, starts JupyterLab on one of its own, opens pages in Chromium, and finds what readers stumble over."""

import contextlib
import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight exist too
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

AXE = {"resultTypes": ["violations"], "preload": False}  # preloading asks for style sheets at wrong addresses

# A promise that the kernel of the notebook in front answers.
CONNECTED = """new Promise(resolve => setInterval(() => {
    const session = window.jupyterapp?.shell.currentWidget?.sessionContext.session;
    session?.kernel?.info.then(() => resolve(true));
}, 100))"""


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Open a browser. Where there is none, the test fails if the environment asks for one, else it is skipped."""
    absent = pytest.fail if os.environ.get("BROWSER_REQUIRED") else pytest.skip
    program = next(filter(None, map(shutil.which, PROGRAMS)), None) or absent("no Chromium on the path")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("no Playwright: uv sync --group browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


def opened(browser: Any, url: str, width: int = 1280, height: int = 800, scheme: str = "light") -> Any:
    """Open a page that keeps what it `asked` for, and the `complaints`: what is missing, errors and warnings."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.asked, page.complaints = [], []
    page.on("request", lambda each: page.asked.append(each.url))
    page.on("response", lambda answer: answer.status < 400 or page.complaints.append(answer.url))
    page.on("console", lambda said: said.type not in ("error", "warning") or page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(url)
    return page


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and prints nothing."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder and give the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def barriers(page: Any) -> list[tuple[str, str]]:
    """Return what axe-core finds serious for people who cannot see, hear or use a mouse: its rule and the element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=AXE).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], node["html"]) for each in serious for node in each["nodes"]]


@contextlib.contextmanager
def jupyterlab(home: Path) -> Iterator[str]:
    """Serve `home / "notebooks"` and give the address. All that JupyterLab remembers goes into `home`."""
    (home / "notebooks").mkdir()
    for name, settings in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    folders = {f"JUPYTER_{name}_DIR": name.lower() for name in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {"IPYTHONDIR": "ipython", "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "spaces"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"--no-browser --allow-root --ip=127.0.0.1 --port={port} --IdentityProvider.token=secret"
    options += " --LabApp.expose_app_in_browser=True"
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options.split(), f"--notebook-dir={home / 'notebooks'}"],
            env=os.environ | {name: str(home / folder) for name, folder in folders.items()},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + 180
            while "is running at" not in (home / "log").read_text():
                assert time.monotonic() < deadline and server.poll() is None, (home / "log").read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token=secret&reset"
        finally:
            server.terminate()
            server.wait(60)
