"""Opening a lesson is safe: no shell, no network, no pickle, no foreign code, no write outside a temporary folder."""

import ast
import re

import keras
import pytest
from lessons import LESSONS, ROOT, code_cells, read

HELPERS = sorted((ROOT / "helpers").rglob("*.py"))

HARMLESS = {
    *("base64", "collections", "contextlib", "dataclasses", "functools", "html", "importlib", "io", "itertools"),
    *("logging", "math", "numbers", "os", "pathlib", "random", "tempfile", "threading", "typing"),
    *("IPython", "helpers", "ipywidgets", "keras", "matplotlib", "numpy", "torch"),
}
FROM_OS = {"environ", "devnull", "dup", "dup2", "close"}  # to silence the backend's first import
FOREIGN_CODE = {"exec", "eval", "compile", "__import__", "breakpoint", "globals", "vars"}
UNSAFE = {
    *("allow_pickle", "safe_mode", "enable_unsafe_deserialization"),  # harmless only if left alone
    *(
        "get_file",
        "datasets",
        "system",
        "getoutput",
        "run_cell",
        "run_line_magic",
        "ctypeslib",
        "__builtins__",
        "__globals__",
        "__subclasses__",
    ),
}
WRITERS = {
    *("save", "save_model", "save_weights", "export", "savefig", "imsave", "savez", "savez_compressed", "savetxt"),
    *("tofile", "dump", "write_text", "write_bytes", "mkdir", "makedirs", "touch", "rename", "replace_file", "unlink"),
    *("rmdir", "symlink_to", "hardlink_to", "chmod", "CSVLogger", "ModelCheckpoint", "BackupAndRestore", "TensorBoard"),
}


def dangers(source):
    """Return what a piece of code does that a lesson must not do."""
    shell = re.findall(r"(?m)^\s*[!%].*", source)
    if shell:
        return shell
    tree = ast.parse(source)
    return [danger for node in ast.walk(tree) for danger in dangers_of(node, tree)]


def dangers_of(node, tree):
    text = ast.unparse(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        modules = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        names = {alias.name for alias in node.names}
        if any(module.split(".")[0] not in HARMLESS for module in modules) or names & (UNSAFE | FOREIGN_CODE):
            yield text
        if modules == ["os"] and isinstance(node, ast.ImportFrom):
            yield text
    if isinstance(node, ast.Name) and node.id in FOREIGN_CODE | UNSAFE:
        yield text
    if isinstance(node, ast.keyword) and node.arg in UNSAFE:
        yield text
    if isinstance(node, ast.Attribute):
        from_os = isinstance(node.value, ast.Name) and node.value.id == "os"
        if node.attr in UNSAFE or (from_os and node.attr not in FROM_OS):
            yield text
    if isinstance(node, ast.Call) and writes(node) and not mentions(node, temporary_names(tree)):
        yield text


def writes(call):
    """Tell whether a call may create, change or remove a file."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "open" and call.args[:1] and ast.unparse(call.args[0]) == "os.devnull":
        return False
    return name in WRITERS | {"open"}


def temporary_names(tree):
    """Return the names of temporary folders, and of what is made from them."""
    names = set()
    for block in ast.walk(tree):
        if isinstance(block, ast.With):
            made = [item for item in block.items if ast.unparse(item.context_expr) == "tempfile.TemporaryDirectory()"]
            names |= {item.optional_vars.id for item in made}
            for node in ast.walk(block):
                if isinstance(node, ast.Assign) and mentions(node.value, names):
                    names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def mentions(node, names):
    return any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


@pytest.mark.parametrize("path", [*LESSONS, *HELPERS], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_is_safe(path):
    sources = [cell.source for cell in code_cells(read(path))] if path.suffix == ".ipynb" else [path.read_text("utf-8")]
    assert [danger for source in sources for danger in dangers(source)] == []


@pytest.mark.parametrize(
    "bad",
    [
        "!ls",
        "%run other.py",
        "import subprocess",
        "from urllib.request import urlopen",
        "import pickle",
        "import os\nos.system('ls')",
        "from os import remove",
        "exec('1')",
        "eval(text)",
        "get_ipython().run_line_magic('run', 'other.py')",
        "run = eval",
        "from builtins import exec",
        "keras.utils.get_file('a', 'b')",
        "keras.datasets.mnist.load_data()",
        "np.load('a.npy', allow_pickle=True)",
        "keras.saving.load_model('a.keras', safe_mode=False)",
        "keras.config.enable_unsafe_deserialization()",
        "model.save('a.keras')",
        "plt.savefig('a.png')",
        "open('a.txt', 'w')",
        "Path('a').write_text('b')",
        "with tempfile.TemporaryDirectory() as folder:\n    model.save('a.keras')",
    ],
)
def test_a_bad_cell_is_found(bad):
    assert dangers(bad)


def test_a_temporary_folder_may_be_written_to():
    assert not dangers(
        "with tempfile.TemporaryDirectory() as folder:\n    file = Path(folder) / 'a.keras'\n    model.save(file)"
    )


def test_a_file_of_a_lesson_is_loaded_in_safe_mode(tmp_path):
    """Keras refuses foreign code by default, and `dangers` finds whoever asks for something else."""
    assert any("load_model(file)" in cell.source for path in LESSONS for cell in code_cells(read(path)))
    file = tmp_path / "model.keras"
    keras.Sequential([keras.Input((1,)), keras.layers.Lambda(lambda x: x)]).save(file)
    with pytest.raises(ValueError, match="safe_mode"):
        keras.saving.load_model(file)
