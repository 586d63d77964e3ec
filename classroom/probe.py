"""What a learner's kernel says about itself. The load test runs this text in the kernel."""

import os
from pathlib import Path


def probe(neighbour: str) -> dict:
    """Return MB, processor seconds and open ports of the kernel and its server, and whose files it can read."""
    own = Path.home()
    kernel, server = (Path("/proc", str(pid)) for pid in (os.getpid(), os.getppid()))
    return {
        "kernel": _megabytes(kernel / "smaps_rollup", "Pss:"),
        "server": _megabytes(server / "smaps_rollup", "Pss:"),
        "peak": _megabytes(kernel / "status", "VmHWM:") + _megabytes(server / "status", "VmHWM:"),
        "seconds": _seconds(kernel) + _seconds(server),
        "ports": len(_sockets(kernel) & _listening(kernel)),
        "account": os.getuid(),
        "readable": [str(path) for path in (own.parent / neighbour, own.parent) if _is_readable(path, own)],
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


def _is_readable(folder: Path, own: Path) -> bool:
    try:
        return any(path.name != own.name for path in folder.iterdir())
    except OSError:
        return False
