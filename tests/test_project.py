"""What README and the files around it promise."""

import base64
import re
import subprocess
import tomllib

import pytest
from lessons import LESSONS, ROOT, python, read

README = (ROOT / "README.md").read_text(encoding="utf-8")
ADDRESS = tomllib.loads((ROOT / "docs" / "address.toml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Each imports from those below it.
FLOORS = ["zerostart", "helpers", "exercises", "notebooks benchmarks docs classroom", "tests"]


def tracked_files(pattern="*"):
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_the_lesson_table_agrees_with_the_lessons():
    rows = re.findall(r"(?m)^\| (\d) \| \[([^]]+)\]\(notebooks/([^)]+)\) \| ([^|]+) \| (\d+) \|$", README)
    expected = []
    for path in LESSONS:
        text = read(path).cells[0].source
        title = text.splitlines()[0].removeprefix("# ")
        question = re.search(r"\*\*Question\.\*\* ([^\n]+)", text)[1]
        stated = re.search(r"about (\d+) minutes", text)[1]
        expected.append((path.name[1], title, path.name, question, stated))
    assert rows == expected


def test_links_lead_somewhere():
    for page in tracked_files("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), (page.name, target)


def test_programs_that_pages_name_exist():
    for page in tracked_files("*.md"):
        text = page.read_text(encoding="utf-8")
        files = re.findall(r"\b(?:benchmarks|classroom|docs|helpers|tests)/[\w/]+\.py\b", text)
        modules = re.findall(r"-m ((?:benchmarks|classroom)\.\w+)", text)
        named = files + [module.replace(".", "/") + ".py" for module in modules]
        assert not [name for name in named if not (ROOT / name).exists()], page


def test_the_readme_leads_to_the_address_of_the_course():
    site, path = f"{ADDRESS['owner']}.github.io/{ADDRESS['name']}/", f"github.com/{ADDRESS['owner']}/{ADDRESS['name']}"
    assert f"git clone https://{path}\ncd {ADDRESS['name']}\n" in README
    assert re.findall(r"https://(\S+?\.github\.io/[^/)]*/)", README) == [site] * README.count("github.io")


def test_the_picture_of_the_readme_is_the_first_of_lesson_0():
    outputs = [output for cell in read(LESSONS[0]).cells for output in cell.get("outputs", [])]
    pictures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert (ROOT / "docs" / "_static" / "picture.png").read_bytes() == base64.b64decode(pictures[0])


@pytest.mark.parametrize("command", ["uv run pytest", "uv run pytest tests/slow"])
def test_ci_calls_the_test_commands_of_the_readme(command):
    assert f"```\n{command}\n```" in README
    assert f"\n{command}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_zerostart_comes_from_its_folder_and_is_never_looked_up():
    """Nobody owns that name where packages are published, so a stranger could."""
    assert {"zerostart", "zerostart.diagnosis", "zerostart.explorer"} <= set(PROJECT["tool"]["setuptools"]["packages"])
    for name in ("requirements.in", "requirements.txt", "environment.yml"):
        assert "zerostart" not in (ROOT / name).read_text(encoding="utf-8"), name
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    assert lines[-2:] == ["  - pip:", "      - -e ."]


def test_every_direct_dependency_has_a_reason_and_a_pin():
    assert PROJECT["tool"]["setuptools"]["dynamic"]["dependencies"] == {"file": ["requirements.txt"]}
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement, _, reason = line.partition("#")
            name = re.match(r"[a-z0-9-]+", requirement)[0]
            assert reason.strip(), line
            assert re.search(rf"(?m)^{name}==", pins), line


def test_no_clutter_is_tracked_and_no_file_names_a_registry_host():
    hosts = ["pypi" + ".org", "python" + "hosted", "npm" + "js.org", "conda" + ".anaconda"]
    for path in tracked_files():
        assert not re.search(
            r"__pycache__|\.pyc$|checkpoint|uv\.lock|\.egg-info|\.coverage", str(path.relative_to(ROOT))
        )
        content = path.read_bytes()
        assert not any(host.encode() in content for host in hosts), path


def test_nothing_imports_upwards():
    height = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}
    for path in tracked_files("*.py"):
        own = path.relative_to(ROOT).parts[0]
        if own in height:
            for name in re.findall(r"(?m)^\s*(?:from|import) (\w+)", path.read_text(encoding="utf-8")):
                assert name not in height or name == own or height[name] < height[own], f"{path}: {name}"


def test_helpers_load_neither_widgets_nor_the_diagnosis():
    widgets = "{'ipywidgets', 'anywidget', 'zerostart.diagnosis'}"
    assert python(f"import helpers, sys; print({widgets} & {{*sys.modules}})") == "set()\n"
