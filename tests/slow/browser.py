"""Drives a headless Chromium through its DevTools protocol, as a reader with a keyboard would."""

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without the network options Chromium asks for updates all the time.
OPTIONS = """
--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --remote-debugging-port=0
--remote-allow-origins=* --disable-quic --disable-background-networking --disable-component-update --disable-sync
"""
KEYS = {"ArrowRight": (39, ""), "ArrowDown": (40, ""), "Space": (32, " "), "Enter": (13, "\r")}


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One window of Chromium."""

    def __init__(self, program: str, profile: Path) -> None:
        """Start Chromium with an empty profile and connect to its first page."""
        command = [program, *OPTIONS.split(), f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = profile / "DevToolsActivePort"
        wait_until(lambda: port_file.exists() and port_file.read_text().count("\n") == 1, 60, "Chromium to start")
        port = port_file.read_text().splitlines()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (page,) = [page for page in json.load(answer) if page["type"] == "page"]
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=120)
        self.numbers = itertools.count(1)

    def close(self) -> None:
        """End Chromium."""
        self.socket.close()
        self.process.terminate()
        self.process.wait(30)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:  # events come in between
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def open(self, address: str, width: int = 1280, height: int = 800) -> None:
        """Load a page in a window of this size."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)
        self.send("Page.navigate", url=address)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited."""
        result = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait_for(self, script: str, seconds: float = 120) -> Any:
        """Return the value of an expression as soon as it is true. While a page loads, it may raise."""
        return wait_until(
            lambda: self.evaluate(f"(() => {{ try {{ return {script} }} catch {{}} }})()"), seconds, script
        )

    def press(self, key: str) -> None:
        """Press and release a key."""
        number, text = KEYS[key]
        code = {"key": text or key, "code": key, "windowsVirtualKeyCode": number}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **code)
        self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    def screenshot(self, path: Path) -> None:
        """Store what the window shows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))


def wait_until(condition: Any, seconds: float, what: str) -> Any:
    """Ask again and again; return the first true answer, or fail."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)
    return answer
