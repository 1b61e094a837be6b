"""What import-linter cannot see: top-level programs, folders it would pass over, clocks behind a method."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("microgrid", "db", "node", "central_monitor", "house_client", "simulation")
IMPURE = {"asyncio", "socket", "threading", "sqlite3", "time", "os", "pathlib"}
CLOCKS_AND_FILES = {"open", "now", "utcnow", "today"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[str]:
    """The top-level names of all absolute imports below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def called(tree: ast.AST) -> Iterator[str]:
    """The last name of everything called below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


def outside_functions(tree: ast.Module) -> ast.Module:
    """The tree without its functions: what runs when the module is imported."""
    body = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return ast.Module(body=body, type_ignores=[])


@pytest.mark.parametrize("path", sorted((ROOT / "microgrid").rglob("*.py")), ids=relative)
def test_the_rules_touch_no_file_socket_thread_or_clock(path: Path) -> None:
    tree = ast.parse(path.read_bytes())
    assert not IMPURE.intersection(imported(tree))
    assert not CLOCKS_AND_FILES.intersection(called(tree))


@pytest.mark.parametrize("path", sorted(ROOT.glob("main_*.py")), ids=relative)
def test_a_program_is_short_and_imports_the_simulation_lazily(path: Path) -> None:
    source = path.read_bytes()
    assert len(source.splitlines()) < 40
    assert "simulation" not in imported(outside_functions(ast.parse(source)))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    """Without its `__init__.py` a folder is invisible to import-linter, and its imports go unchecked."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert folders
    # Alembic runs these by their path; nothing imports them.
    folders = {folder for folder in folders if "migrations" not in folder.parts}
    assert [relative(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_the_checks_above_can_fail() -> None:
    lines = [
        "import os.path",
        "from time import sleep",
        "def later():",
        "    import simulation.demo",
        "x.now()",
    ]
    tree = ast.parse("\n".join(lines))
    assert IMPURE.intersection(imported(tree)) == {"os", "time"}
    assert "now" in set(called(tree))
    assert "simulation" in set(imported(tree))
    assert "simulation" not in set(imported(outside_functions(tree)))
