"""What a learner's kernel says about itself. The load test runs this text in the kernel."""

import json
import os
from pathlib import Path

from ipykernel.connect import get_connection_file


def probe(neighbour: str) -> dict:
    """Return MB and processor seconds of the kernel and its server, how it is reached, and whose files it can read."""
    kernel, server = (Path("/proc", str(pid)) for pid in (os.getpid(), os.getppid()))
    return {
        "kernel": _megabytes(kernel / "smaps_rollup", "Pss:"),
        "server": _megabytes(server / "smaps_rollup", "Pss:"),
        "peak": _megabytes(kernel / "status", "VmHWM:") + _megabytes(server / "status", "VmHWM:"),
        "seconds": _seconds(kernel) + _seconds(server),
        "transport": json.loads(Path(get_connection_file()).read_text())["transport"],
        "ports": len(_sockets(kernel) & _listening(kernel)),
        "account": os.getuid(),
        "readable": [str(path) for path in _of_others(neighbour) if os.access(path, os.R_OK)],
    }


def _megabytes(file: Path, key: str) -> float:
    return sum(int(line.split()[1]) for line in file.read_text().splitlines() if line.startswith(key)) * 1024 / 1e6


def _seconds(process: Path) -> float:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _sockets(process: Path) -> set[str]:
    return {os.readlink(file)[8:-1] for file in (process / "fd").iterdir() if os.path.lexists(file)}


def _listening(process: Path) -> set[str]:
    lines = [line.split() for name in ("tcp", "tcp6") for line in (process / "net" / name).read_text().splitlines()]
    return {fields[9] for fields in lines if fields[3] == "0A"}


def _of_others(neighbour: str) -> list[Path]:
    """Return the home of a neighbour, wherever it may be, and what the processes of other accounts were told."""
    homes = [Path.home().parent / neighbour, Path("/var/lib/private", neighbour)]
    told = [path / "environ" for path in Path("/proc").glob("[0-9]*") if _owner(path) != os.getuid()]
    return homes + told


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except FileNotFoundError:  # it ended meanwhile
        return None
