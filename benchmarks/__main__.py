"""Measure everything in one run and store the tables in docs/benchmarks.md."""

import importlib.metadata
import os
import platform
from pathlib import Path

import psutil

from benchmarks import change_to_picture, explorer_seconds, lesson_seconds, recording_cost, recording_limits

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "torch", "numpy", "matplotlib")
SECTIONS = {
    "From a changed size to the new picture": change_to_picture,
    "The explorer": explorer_seconds,
    "Recording, 200 steps": recording_limits,
    "Recording, other sizes": recording_cost,
    "The lessons": lesson_seconds,
}


def main() -> None:
    """Print each section as soon as it is measured, then store them all."""
    parts = [f"# Benchmarks\n\nWritten by `uv run python -m benchmarks`, in one run.\n\n{machine()}\n"]
    for title, section in SECTIONS.items():
        parts.append(f"## {title}\n\n{section.measure()}")
        print(parts[-1], flush=True)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def machine() -> str:
    """Describe the machine, how busy it is with other work, and the versions."""
    memory = round(psutil.virtual_memory().total / 2**30)
    found = {
        dist.metadata["Name"].lower().replace("_", "-"): dist.version for dist in importlib.metadata.distributions()
    }
    versions = ", ".join(f"{name} {found[name]}" for name in PACKAGES if name in found)
    busy = f"{psutil.getloadavg()[0]:.1f} processes were running when it began"
    return (
        f"{processor()}, {os.cpu_count()} cores, {memory} GB; {busy}. Python {platform.python_version()}, {versions}."
    )


def processor() -> str:
    """Return the name of the processor."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
