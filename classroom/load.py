"""Let a class work on a hub, with real clients: `uv run --group classroom python -m classroom.load --learners 4`.

Every learner logs in, opens a lesson and runs it with sizes of their own; every third one interrupts a cell. When half
of the work is done, the hub is killed and started again. Ends with an error if anything was lost.
Several numbers of learners, one after the other, give a page with what a class needs: `--learners 1 4 12 --page FILE`.
"""

import argparse
import asyncio
import random
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from classroom.figures import Hour, page
from classroom.hub import Hub
from classroom.learner import PATIENCE, Learner

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from lessons import code_cells, read_lesson, with_parameters
from ranges import draw_parameters


async def hour_of(count: int, lesson: str, arrivals: float, url: str | None) -> Hour:
    """Let learners do a lesson on the hub with an address, or on one of our own, and kill that one in the middle."""
    hub = None if url else Hub()
    run = f"class-load-{secrets.token_hex(2)}"
    learners = [Learner(url or hub.url, f"{run}-{number}", secrets.token_urlsafe()) for number in range(count)]
    hour = Hour(lesson, learners)
    half, reached = count * len(code_cells(read_lesson(lesson))) // 2, asyncio.Event()

    def after_cell() -> None:
        if sum(learner.cells for learner in learners) >= half:
            reached.set()

    try:
        work = asyncio.gather(*(do(lesson, one, number, arrivals, after_cell) for number, one in enumerate(learners)))
        await asyncio.wait([work, asyncio.create_task(reached.wait())], return_when=asyncio.FIRST_COMPLETED)
        if hub:
            hub.kill()
            started = time.perf_counter()
            await asyncio.to_thread(hub.start)
            hour.hub_seconds, hour.hub_megabytes = time.perf_counter() - started, hub.megabytes()
        await work
        for number, learner in enumerate(learners):
            await noting_problems(learner, learner.look_back(learners[number - 1].name))
        await noting_problems(learners[0], learners[0].come_back())
    finally:
        await asyncio.gather(*(learner.leave() for learner in learners), return_exceptions=True)
        if hub:
            if hour.lost():
                print(*hub.errors(), sep="\n")
            hub.close({learner.name for learner in learners})
    return hour


async def do(lesson: str, learner: Learner, number: int, arrivals: float, after_cell: Callable[[], None]) -> None:
    """Let a learner arrive some time after the first, and do the lesson."""
    sizes = draw_parameters(lesson, random.Random(number))

    async def doing() -> None:
        async with asyncio.timeout(PATIENCE):
            await learner.log_in()
            await learner.start_server()
        notebook = await learner.open(lesson, lambda notebook: with_parameters(notebook, **sizes))
        await learner.work(notebook, stops=number % 3 == 0, after_cell=after_cell)

    await asyncio.sleep(random.Random(number).uniform(0, arrivals))
    await noting_problems(learner, doing())
    learner.problems = [f"{problem}, with {sizes}" for problem in learner.problems]


async def noting_problems(learner: Learner, doing: Awaitable[None]) -> None:
    """Wait for what a learner does. What goes wrong is a problem of this learner and stops no other."""
    try:
        await doing
    except Exception as problem:
        learner.problems.append(f"{type(problem).__name__}: {problem}")


def main() -> None:
    """Read the command line, let each class work, and print how it went."""
    parser = argparse.ArgumentParser(prog="python -m classroom.load", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--learners", type=int, nargs="+", default=[4], help="how many; several: one class after another"
    )
    parser.add_argument("--lesson", default="01", help="number of the lesson, such as 01")
    parser.add_argument("--arrivals", type=float, default=0, help="seconds until the last learner has arrived")
    parser.add_argument("--hub", help="address of a running hub, which is not killed; without it one is started")
    parser.add_argument("--page", type=Path, help="file for the table of what a class needs")
    chosen = parser.parse_args()
    if chosen.page and len(set(chosen.learners)) < 2:
        parser.error("--page: a straight line needs two numbers of learners or more, such as --learners 1 4 12")
    hours = []
    for count in chosen.learners:
        hours.append(asyncio.run(hour_of(count, chosen.lesson, chosen.arrivals, chosen.hub)))
        print(hours[-1], flush=True)
    if chosen.page:
        chosen.page.write_text(page(hours), encoding="utf-8")
    sys.exit(any(hour.lost() for hour in hours))


if __name__ == "__main__":
    main()
