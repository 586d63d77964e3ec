"""The command of a teacher: `python -m exercises report FOLDER`."""

import argparse
from pathlib import Path

from exercises.report import report


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
