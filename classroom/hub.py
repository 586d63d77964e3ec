"""A hub of its own for the load test, with the configuration of a class, which can be killed and started again."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

CONFIGURATION = Path(__file__).with_name("jupyterhub_config.py")


class Hub:
    """The hub of a class, on free ports of this machine.

    Attributes:
        url: Where learners reach it.
    """

    def __init__(self) -> None:  # noqa: D107 - above
        self.folder = tempfile.mkdtemp(prefix="class-")
        public, proxy, internal = (_free_port() for _ in range(3))
        self.url = f"http://127.0.0.1:{public}"
        self.command = [sys.executable, "-m", "jupyterhub", f"--config={CONFIGURATION}"]
        self.command += [f"--JupyterHub.bind_url={self.url}", f"--JupyterHub.hub_port={internal}"]
        self.command += [f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy}"]
        self.start()

    def start(self) -> None:
        """Start the hub and wait until it answers."""
        environment = {**os.environ, "CLASSROOM_FOLDER": self.folder}
        with open(Path(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(self.command, env=environment, stdout=log, stderr=log)
        while not self._answers():
            if self.process.poll() is not None:
                raise RuntimeError(f"the hub did not start: {Path(self.folder, 'log').read_text()[-2000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Let the hub die as by a failure: without a chance to tidy up. The learners' servers and the proxy go on."""
        *dying, _ = self.parts()
        for process in dying:
            process.kill()
        self.process.wait()

    def parts(self) -> list[psutil.Process]:
        """Return the processes that a hub needs without any learner: itself, its culler, and its proxy."""
        proxy = int(Path(self.folder, "jupyterhub-proxy.pid").read_text())
        own = psutil.Process(self.process.pid)
        services = [child for child in own.children() if "idle_culler" in _command(child)]
        return [own, *services, psutil.Process(proxy)]

    def megabytes(self) -> float:
        """Return the memory of the hub without its learners."""
        return sum(process.memory_full_info().pss for process in self.parts()) / 1e6

    def errors(self) -> list[str]:
        """Return what the hub and the learners' servers said of errors."""
        lines = Path(self.folder, "log").read_text(errors="replace").splitlines()
        telling = re.compile("error|exception|warning|not copied| 40[0-9] ", re.IGNORECASE)
        while_away = re.compile("hub/health|custom error page")  # what the proxy says while there is no hub
        return [line for line in lines if telling.search(line) and not while_away.search(line)]

    def close(self, learners: set[str]) -> None:
        """Stop the hub and everything that its learners started, and remove their homes."""
        parts = self.parts()
        self.process.terminate()
        self.process.wait()
        for process in psutil.process_iter(["environ"]):
            if process in parts or (process.info["environ"] or {}).get("JUPYTERHUB_USER") in learners:
                process.kill()
        for place in (Path("/var/lib"), Path("/run")):  # where systemd keeps what belongs to a learner
            for left in [path for path in place.glob("*class-load-*") if any(name in path.name for name in learners)]:
                shutil.rmtree(left.resolve(), ignore_errors=True)
                left.unlink()
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/hub/health", timeout=5).status == 200
        except OSError:
            return False


def _command(process: psutil.Process) -> str:
    """Return the command of a process, nothing if it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
