"""What README and the files around it promise."""

import re
import subprocess
import tomllib

import pytest
from lessons import LESSONS, ROOT, read

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked_files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_the_lesson_table_agrees_with_the_lessons():
    rows = re.findall(r"(?m)^\| \[([^]]+)\]\(notebooks/([^)]+)\) \| ([^|]+) \| (\d+) \|$", README)
    expected = []
    for path in LESSONS:
        text = read(path).cells[0].source
        title = text.splitlines()[0].removeprefix("# ")
        question = re.search(r"\*\*Question\.\*\* ([^\n]+)", text)[1]
        expected.append((title, path.name, question, re.search(r"about (\d+) minutes", text)[1]))
    assert rows == expected


def test_links_of_readme_and_contributing_lead_somewhere():
    for page in (README, (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        for target in re.findall(r"\]\(([^)#]+)\)", page):
            assert target.startswith("https://") or (ROOT / target).exists(), target


@pytest.mark.parametrize("command", ["uv run pytest", "uv run pytest tests/slow"])
def test_ci_calls_the_test_commands_of_the_readme(command):
    assert f"```\n{command}\n```" in README
    assert f"\n{command}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_conda_gets_its_packages_from_this_project():
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    entries = [line.strip().removeprefix("- ") for line in lines if line.strip().startswith("- ")]
    (python,) = [entry for entry in entries if entry.startswith("python=")]
    version = tuple(int(part) for part in python.removeprefix("python=").split("."))
    lower, upper = re.fullmatch(r">=(\d+\.\d+),<(\d+\.\d+)", PROJECT["project"]["requires-python"]).groups()
    assert tuple(map(int, lower.split("."))) <= version < tuple(map(int, upper.split(".")))
    assert entries == ["conda-forge", python, "pip", "pip:", "-e ."]


def test_every_direct_dependency_has_a_reason_and_a_pin():
    assert PROJECT["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement, _, reason = line.partition("#")
            name = re.match(r"[a-z0-9-]+", requirement)[0]
            assert reason.strip(), line
            assert re.search(rf"(?m)^{name}==", pins), line


@pytest.mark.parametrize("host", ["pypi" + ".org", "python" + "hosted", "npm" + "js.org", "conda" + ".anaconda"])
def test_no_file_names_a_registry_host(host):
    for path in tracked_files():
        assert host.encode() not in path.read_bytes(), path


def test_no_clutter_is_tracked():
    names = [str(path.relative_to(ROOT)) for path in tracked_files()]
    assert not [n for n in names if re.search(r"__pycache__|\.pyc$|checkpoint|uv\.lock|\.egg-info|\.coverage", n)]


def test_helpers_import_only_downwards():
    floors = [
        "quiet checks",
        "data layers symmetry tasks untouched diagnose.units",
        "models seam",
        "compiled residual diagnose.probe",
        "recording diagnose.findings",
        "plots",
        "diagnose explorer exercises",
    ]
    height = {name: floor for floor, names in enumerate(floors) for name in names.split()}
    top = ROOT / "helpers"

    def height_of(module):
        return height.get(module, height[module.partition(".")[0]])

    for path in top.rglob("*.py"):
        module = ".".join(path.relative_to(top).with_suffix("").parts).removesuffix(".__init__")
        if module != "__init__":
            for name in re.findall(r"(?m)^from helpers\.([\w.]+)", path.read_text(encoding="utf-8")):
                assert height_of(name) <= height_of(module), f"{module} imports {name}"
