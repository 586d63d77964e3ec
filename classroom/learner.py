"""A learner as the hub sees one: logs in, opens a lesson, runs its cells, stops some. All of it over the network."""

import ast
import asyncio
import json
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import nbformat

PATIENCE = 900  # seconds that a learner waits for the hub, or for a cell
REPLY_AFTER_IDLE = 10  # seconds in which a reply may still come after the kernel has said that it is idle
PROBE = Path(__file__).with_name("probe.py").read_text(encoding="utf-8")


class Learner:
    """One learner, and what became of the lesson.

    Args:
        hub: The address of the hub.
        name: A name that begins with `class-`.
        password: The learner's first password, or the one that the hub knows.

    Attributes:
        first_cell: Seconds from logging in to the end of the first cell.
        cells, interrupted, repeated: How many cells were run, cells stopped, and requests sent again.
        problems: What went wrong. A learner without problems finished.
        probed: What the kernel said about itself at the end; see probe.py.
    """

    def __init__(self, hub: str, name: str, password: str) -> None:  # noqa: D107 - above
        self.hub, self.name, self.password = hub, name, password
        self.headers, self.waiting = {}, {}
        self.first_cell, self.problems, self.probed = float("inf"), [], {}
        self.cells = self.interrupted = self.repeated = 0

    async def request(self, method: str, path: str, **options: Any) -> Any:
        """Send a request, again while the hub is away, and return the JSON or text that comes back."""
        gives_up = time.monotonic() + PATIENCE
        while time.monotonic() < gives_up:
            try:
                async with self.http.request(method, self.hub + path, headers=self.headers, **options) as answer:
                    if answer.ok:
                        return await (answer.json() if answer.content_type == "application/json" else answer.text())
                    if answer.status < 500:
                        raise RuntimeError(f"{method} {path}: {answer.status} {(await answer.text())[:300]}")
            except aiohttp.ClientConnectionError:
                pass
            self.repeated += 1
            await asyncio.sleep(0.5)
        raise TimeoutError(f"{method} {path}: no answer for {PATIENCE} seconds")

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
        self.file = f"{here}/contents/{path}"
        notebook = nbformat.from_dict((await self.request("GET", self.file))["content"])
        change(notebook)
        await self.request("PUT", self.file, json={"type": "notebook", "content": notebook})
        self.stored = await self.request("GET", self.file)
        opened = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        session = await self.request("POST", f"{here}/sessions", json=opened)
        self.kernel, self.session = f"{here}/kernels/{session['kernel']['id']}", uuid.uuid4().hex
        await self.connect()
        return notebook

    async def connect(self) -> None:
        """Open a websocket to the kernel, as JupyterLab does, and listen to it all the time."""
        address = f"{self.hub}{self.kernel}/channels?session_id={self.session}"
        self.socket = await self.http.ws_connect(address, headers=self.headers, max_msg_size=0)
        self.listening = asyncio.create_task(self.listen())

    async def listen(self) -> None:
        """Hand each reply of the kernel to the one who waits for it.

        A cell that is stopped while the kernel takes it up or puts it away gets no reply. The kernel is idle after it.
        """
        async for message in self.socket:
            answer = json.loads(message.data)
            waiting = self.waiting.get(answer["parent_header"].get("msg_id"))
            if waiting and answer["channel"] == "shell":
                settle(waiting, answer["content"])
            elif waiting and answer["content"].get("execution_state") == "idle":
                lost = {"status": "error", "ename": "KeyboardInterrupt", "evalue": "stopped, and no reply came"}
                asyncio.get_running_loop().call_later(REPLY_AFTER_IDLE, settle, waiting, lost)
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the connection to the kernel broke while a cell ran"))

    async def run(self, code: str, **expressions: str) -> dict[str, Any]:
        """Run code in the kernel and return its reply. Raises if the connection breaks, or after much patience."""
        if self.socket.closed:
            await self.connect()
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": self.session, "username": ""}
        # After an error the kernel would for a moment refuse what comes next.
        request = {"code": code, "silent": False, "stop_on_error": False, "user_expressions": expressions}
        message = {"header": {**header, "version": "5.4"}, "parent_header": {}, "metadata": {}, "content": request}
        reply = self.waiting[header["msg_id"]] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({**message, "channel": "shell"})
        try:
            return await asyncio.wait_for(reply, PATIENCE)
        finally:
            del self.waiting[header["msg_id"]]

    async def work(self, notebook: nbformat.NotebookNode, stops: bool, after_cell: Callable[[], None]) -> None:
        """Run all cells. A learner who `stops` interrupts a cell that takes long, and runs all up to it again.

        Running that cell alone is not enough: a `fit` that was stopped while TensorFlow compiled it cannot go on.
        """
        await self.run(f"_learner = {self.name!r}")
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for place, cell in enumerate(cells):
            running = asyncio.create_task(self.run(cell.source))
            # A learner does not stop the imports in the first cell: half a library is none.
            if stops and place and not self.interrupted:
                ended, _ = await asyncio.wait([running], timeout=0.3)
                if not ended:
                    await self.request("POST", f"{self.kernel}/interrupt")
                    if (await running)["status"] == "error":  # mostly KeyboardInterrupt; inside Keras it may be another
                        self.interrupted += 1
                        for above in cells[:place]:
                            await self.run(above.source)
                        running = asyncio.create_task(self.run(cell.source))
            reply = await running
            if reply["status"] != "ok" and "raises-exception" not in cell.metadata.get("tags", []):
                self.problems.append(f"{reply.get('ename')}: {reply.get('evalue')}")
            self.first_cell = min(self.first_cell, time.perf_counter() - self.arrived)
            self.cells += 1
            after_cell()

    async def look_back(self, neighbour: str) -> None:
        """Ask the kernel about itself. Raises if it is not the one that did the lesson."""
        reply = await self.run(PROBE, probed=f"{{'learner': _learner, **probe({neighbour!r})}}")
        self.probed = ast.literal_eval(reply["user_expressions"]["probed"]["data"]["text/plain"])

    async def come_back(self) -> None:
        """Stop the server and start it again, as on the next day. Raises if the stored lesson is another."""
        await self.request("DELETE", f"/hub/api/users/{self.name}/server")
        await self.start_server()
        if (await self.request("GET", self.file))["content"] != self.stored["content"]:
            raise RuntimeError("the stored lesson has changed")

    async def leave(self) -> None:
        """Stop the server, if there is one, and go."""
        if self.headers:
            await self.request("DELETE", f"/hub/api/users/{self.name}/server")
        await self.http.close()


def settle(waiting: asyncio.Future, reply: dict[str, Any]) -> None:
    """Give the one who waits a reply, unless there is one already."""
    if not waiting.done():
        waiting.set_result(reply)
