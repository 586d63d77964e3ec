"""Tells a teacher which answers a class gave: each notebook is run inside walls, and `check` says what it thinks."""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import psutil

SECONDS_OF_A_CELL, SECONDS, MEMORY, BYTES_TOLD = 60, 300, 3e9, 1_000_000  # that a notebook may take
NOTEBOOKS = 20  # of a learner, that are looked at
SAID = re.compile(r"Exercise (\d+\.\d+): (right|not yet|not answered yet)\.(.*?)(?=Exercise \d+\.\d+: |\Z)", re.DOTALL)
BETTER = ("not answered yet", "not yet", "right")  # of several answers to an exercise the best one counts
SHOWN = {"not answered yet": "no answer"}
HERE = Path(__file__).resolve().parent


def report(folder: Path, only: str = "*.ipynb") -> str:
    """Return who answered what, what the numbers in the table mean, and a line for each notebook with a problem.

    It shows where a class is stuck, and is no exam: a learner who sets out to deceive it can.

    Args:
        folder: Holds `LEARNER/*.ipynb`, `LEARNER/notebooks/*.ipynb`, or `LEARNER.ipynb`.
        only: Which notebooks, such as `"02*.ipynb"`.
    """
    found, notes = find(folder, only), []
    paths = [path for own in found.values() for path in own[:NOTEBOOKS]]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        told = dict(zip(paths, threads.map(tell, paths), strict=True))
    given = {learner: best([fact for path in own for fact in told.get(path, [])]) for learner, own in found.items()}
    notes += [
        f"{path.relative_to(folder)}: {fact['note'][:300]}" for path in paths for fact in told[path] if "note" in fact
    ]
    notes += [f"{name}: no notebook" for name, own in found.items() if not own]
    notes += [f"{name}: only {NOTEBOOKS} of {len(own)} notebooks" for name, own in found.items() if own[NOTEBOOKS:]]
    notes += [] if walls() else ["Nothing was run, because bubblewrap does not work here: these are stored answers."]
    return "\n".join("".join(filter(str.isprintable, line)) for line in [*table(given), *notes])


def find(folder: Path, only: str) -> dict[str, list[Path]]:
    """Return the notebooks of each learner; a folder without any is a learner too."""
    found = defaultdict(list, {path.name: [] for path in folder.glob("[!.]*") if path.is_dir()})
    for pattern in (only, f"*/{only}", f"*/notebooks/{only}"):
        for path in sorted(folder.glob(pattern)):
            found[path.relative_to(folder).parts[0].removesuffix(".ipynb")].append(path)
    return dict(sorted(found.items()))


def best(facts: list[dict]) -> dict[str, tuple[str, str]]:
    """Return the verdict on each exercise, and what is wrong."""
    answers = {}
    for number, verdict, words in (match for fact in facts for match in SAID.findall(str(fact.get("said", "")))):
        if number not in answers or BETTER.index(verdict) >= BETTER.index(answers[number][0]):
            answers[number] = (verdict, " ".join(words.split())[:300])
    return answers


def table(given: dict[str, dict[str, tuple[str, str]]]) -> list[str]:
    """Return a line for each learner, and one for each kind of wrong answer: most frequent first."""
    numbers = sorted(
        {number for answers in given.values() for number in answers}, key=lambda n: [*map(int, n.split("."))]
    )
    wrong = {number: Counter() for number in numbers}
    for number, (verdict, words) in (answer for answers in given.values() for answer in answers.items()):
        wrong[number][words] += verdict == "not yet"
    kinds = {number: [words for words, count in wrong[number].most_common() if count] for number in numbers}

    def shown(number: str, verdict: str = "-", words: str = "") -> str:
        return f"wrong {kinds[number].index(words) + 1}" if verdict == "not yet" else SHOWN.get(verdict, verdict)

    rows = [["", *numbers]]
    rows += [[learner, *(shown(number, *given[learner].get(number, ())) for number in numbers)] for learner in given]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    legend = [
        f"{number} wrong {place} ({wrong[number][words]}): {words}"
        for number in numbers
        for place, words in enumerate(kinds[number], start=1)
    ]
    return [*lines, "", *legend]


@cache
def walls() -> tuple[str, ...]:
    """Return the command that shuts a program in, or nothing where that does not work.

    Inside there is no network, no other process and no file but Python and the course, and nothing can be written but
    in a folder in memory that is gone afterwards.
    """
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    command += ["--uid", "65534", "--gid", "65534", "--dev", "/dev", "--proc", "/proc"]
    command += ["--size", "200000000", "--tmpfs", "/room", "--chdir", "/room"]
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    told = {"HOME": "/room", "TMPDIR": "/room", "MPLBACKEND": "agg", "KERAS_BACKEND": backend}
    command += [part for name, value in told.items() for part in ("--setenv", name, value)]
    seen = {Path(place) for place in ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")}
    seen |= {Path(place).resolve() for place in (sys.prefix, sys.base_prefix, HERE.parent)}
    command += [part for place in sorted(seen) for part in ("--ro-bind-try", str(place), str(place))]
    works = shutil.which("bwrap") and not subprocess.run([*command, "true"], capture_output=True).returncode
    return tuple(command) if works else ()


def tell(path: Path) -> list[dict]:
    """Return what answers.py tells of a notebook, and notes for the teacher."""
    if not path.is_file():
        return [{"note": "not a file"}]
    program = [sys.executable, str(HERE / "answers.py")]
    inside = ["--ro-bind", str(path.resolve()), "/room/notebook", *program, "/room/notebook", str(SECONDS_OF_A_CELL)]
    command = [*walls(), *inside] if walls() else [*program, str(path), "0"]
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0, **quiet) as process:
        os.set_blocking(process.stdout.fileno(), False)
        ends, told, reason = time.monotonic() + SECONDS, b"", None
        while process.poll() is None and not reason:
            time.sleep(0.1)
            told += process.stdout.read(BYTES_TOLD) or b""
            reason = excess(process.pid, time.monotonic() > ends, len(told))
        process.kill()
        told += process.stdout.read(BYTES_TOLD) or b""
    facts = [fact for fact in map(fact_in, told.splitlines()) if fact]
    if not any("end" in fact for fact in facts):
        cell = max((fact["cell"] for fact in facts if "cell" in fact), default=1)
        facts.append({"note": f"stopped in code cell {cell}: {reason or 'it ended its own process'}"})
    return facts


def fact_in(line: bytes) -> dict:
    """Return a fact that answers.py told. A notebook may write nonsense there; that is no fact."""
    try:
        fact = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    kinds = {"said": str, "note": str, "cell": int, "end": bool}
    return fact if isinstance(fact, dict) and all(isinstance(fact[name], kinds.get(name, ())) for name in fact) else {}


def excess(process: int, late: bool, told: int) -> str | None:
    """Return what a program and all that it started take too much of."""
    memory = 0
    with contextlib.suppress(psutil.NoSuchProcess):  # it ends by itself meanwhile
        for one in psutil.Process(process).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                memory += one.memory_info().rss
    too_much = {f"more than {SECONDS} seconds": late, "more than 3 GB": memory > MEMORY, "a flood": told > BYTES_TOLD}
    return next((reason for reason, holds in too_much.items() if holds), None)


def main() -> None:
    """Read the command line and print the report."""
    parser = argparse.ArgumentParser(prog="python -m exercises", description="Tells a teacher how a class is doing.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("report", help="run the notebooks of a class and print who answered what")
    command.add_argument("folder", type=Path, help="with a folder for each learner, or a notebook for each")
    command.add_argument("--only", default="*.ipynb", metavar="PATTERN", help="which notebooks, such as '02*.ipynb'")
    chosen = parser.parse_args()
    if not chosen.folder.is_dir():
        parser.error(f"FOLDER: expected a folder, got {chosen.folder}")
    print(report(chosen.folder, chosen.only))


if __name__ == "__main__":
    main()
