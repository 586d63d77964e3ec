"""A learner as the hub sees one: logs in, opens a lesson, runs its cells, stops some. All of it over the network."""

import ast
import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import nbformat

PATIENCE = 300  # seconds that a learner waits for the hub, or for a cell
PROBE = Path(__file__).with_name("probe.py").read_text(encoding="utf-8")


class Kernel:
    """A kernel at the end of a websocket, which is opened again when it breaks, as JupyterLab does."""

    def __init__(self, connect: Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]], session: str) -> None:
        self.connect, self.session, self.socket, self.run_again = connect, session, None, 0

    async def send(self, kind: str, **content: Any) -> str:
        """Send a message to the kernel and return its id."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self.session, "username": "", "version": "5.4"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await self.socket.send_json(message)
        return header["msg_id"]

    async def run(self, code: str, **expressions: str) -> dict[str, Any]:
        """Run code and return the kernel's reply. If it got lost with the connection, run the code again."""
        request = {"code": code, "silent": False, "store_history": True, "user_expressions": expressions}
        sent, after = None, None
        while True:
            try:
                self.socket = self.socket or await self.connect()
                if sent and not after:
                    after = await self.send("kernel_info_request")
                sent = sent or await self.send("execute_request", **request)
                message = await self.socket.receive_json(timeout=PATIENCE)
            except (aiohttp.ClientError, TypeError, ConnectionError):  # TypeError: the socket said that it closes
                self.socket, after = None, None
                await asyncio.sleep(0.5)
                continue
            parent = message["parent_header"].get("msg_id")
            if message["channel"] == "shell" and parent == sent:
                return message["content"]
            if message["channel"] == "shell" and parent == after:  # it answers in order, so it never got the request
                self.run_again, sent, after = self.run_again + 1, None, None


class Learner:
    """One learner, and what became of the lesson.

    Attributes:
        first_cell: Seconds from logging in to the end of the first cell.
        cells, interrupted: How many cells were run, and how many stopped.
        repeated: How many requests were sent again.
        problems: What went wrong. A learner without problems finished.
    """

    def __init__(self, hub: str, name: str, password: str) -> None:
        self.hub, self.name, self.password, self.headers = hub, name, password, {}
        self.first_cell, self.problems = float("inf"), []
        self.cells = self.interrupted = self.repeated = 0
        self.kernel = None

    async def request(self, method: str, path: str, **options: Any) -> Any:
        """Send a request, again if the hub is away, and return the JSON or text that comes back."""
        gives_up = time.monotonic() + PATIENCE
        while True:
            try:
                async with self.http.request(method, self.hub + path, headers=self.headers, **options) as answer:
                    if answer.status < 500:
                        answer.raise_for_status()
                        return await (answer.json() if answer.content_type == "application/json" else answer.text())
            except (aiohttp.ClientConnectionError, asyncio.TimeoutError):
                if time.monotonic() > gives_up:
                    raise
            self.repeated += 1
            await asyncio.sleep(0.5)

    async def log_in(self) -> None:
        """Fill in the form of the hub as a browser does, and ask for a token."""
        self.arrived = time.perf_counter()
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))  # unsafe: the host may be a number
        secret = re.search(r'name="_xsrf" value="([^"]+)"', await self.request("GET", "/hub/login"))[1]
        form = {"username": self.name, "password": self.password}
        await self.request("POST", "/hub/login", data={"_xsrf": secret, **form}, allow_redirects=False)
        self.http.cookie_jar.clear()  # from here on the token says who asks
        token = await self.request("POST", f"/hub/api/users/{self.name}/tokens", json={"auth": form})
        self.headers = {"Authorization": f"token {token['token']}"}

    async def start_server(self) -> None:
        """Ask for a server until there is one."""
        here = f"/hub/api/users/{self.name}"
        while not (server := (await self.request("GET", here))["servers"].get("", {})).get("ready"):
            if not server:
                await self.request("POST", f"{here}/server")
            await asyncio.sleep(0.5)

    async def open(self, lesson: str, change: Callable[[nbformat.NotebookNode], Any]) -> nbformat.NotebookNode:
        """Open the copy of a lesson in the learner's home, change it, store it, and start its kernel."""
        here = f"/user/{self.name}/api"
        files = (await self.request("GET", f"{here}/contents/notebooks"))["content"]
        (path,) = [file["path"] for file in files if file["name"].startswith(lesson)]
        self.file_path = f"{here}/contents/{path}"
        notebook = nbformat.from_dict((await self.request("GET", self.file_path))["content"])
        change(notebook)
        await self.request("PUT", self.file_path, json={"type": "notebook", "content": notebook})
        self.stored = (await self.request("GET", self.file_path))["content"]
        opened = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        kernel, session = (await self.request("POST", f"{here}/sessions", json=opened))["kernel"]["id"], uuid.uuid4().hex
        self.kernel_path = f"{here}/kernels/{kernel}"
        address = f"{self.hub}{self.kernel_path}/channels?session_id={session}"
        self.kernel = Kernel(lambda: self.http.ws_connect(address, headers=self.headers, max_msg_size=0), session)
        return notebook

    async def work(self, notebook: nbformat.NotebookNode, stops: bool, after_cell: Callable[[], None]) -> None:
        """Run all cells. A learner who `stops` interrupts a cell that takes long, and runs it again."""
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in cells:
            running = asyncio.create_task(self.kernel.run(cell.source))
            # A learner does not stop the imports in the first cell: half a library is none.
            if stops and cell is not cells[0] and not self.interrupted and not await self._ends_soon(running):
                await self.request("POST", f"{self.kernel_path}/interrupt")
                if (await running).get("ename") == "KeyboardInterrupt":
                    self.interrupted += 1
                    running = asyncio.create_task(self.kernel.run(cell.source))
            reply = await running
            if reply["status"] != "ok" and "raises-exception" not in cell.metadata.get("tags", []):
                self.problems.append(f"{reply.get('ename')}: {reply.get('evalue')}")
            self.first_cell = min(self.first_cell, time.perf_counter() - self.arrived)
            self.cells += 1
            after_cell()

    async def _ends_soon(self, running: asyncio.Task) -> bool:
        ended, _ = await asyncio.wait([running], timeout=0.3)
        return bool(ended)

    async def probe(self, neighbour: str) -> dict[str, Any]:
        """Return what the kernel says about itself; see probe.py. Raises if it, or the stored lesson, is another."""
        if (await self.request("GET", self.file_path))["content"] != self.stored:
            raise RuntimeError("the stored lesson has changed")
        reply = await self.kernel.run(PROBE, probed=f"{{'learner': _learner, **probe({neighbour!r})}}")
        return ast.literal_eval(reply["user_expressions"]["probed"]["data"]["text/plain"])

    async def leave(self) -> None:
        """Stop the server, if there is one, and go."""
        if self.headers:
            await self.request("DELETE", f"/hub/api/users/{self.name}/server")
        await self.http.close()
