"""The shape of the house: sizes, one-way arrows, who may write, no float, named permissions. See ARCHITECTURE.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "demarc"
FILES = [path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts]
TREES = {path: ast.parse(path.read_text(), filename=str(path)) for path in FILES}

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 50
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager"}
WRITERS = {"actions", "bulk", "access_state", "accounts", "feed"}
"""`actions`, and the files that the actions of a room are made of."""
ORM_WRITES = {
    "save",
    "create",
    "bulk_create",
    "bulk_update",
    "update_or_create",
    "get_or_create",
    "delete",
    "acreate",
    "asave",
}
SQL_WRITE = re.compile(r"^\s*(WITH\b.*\b)?(INSERT INTO|UPDATE \w+|DELETE FROM|COPY \w+.* FROM STDIN)\b", re.I | re.S)
READS_THE_CLOCK = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("timezone", "now"),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef, text: list[str]) -> int:
    """Lines of a function without its docstring, blank lines, and the inside of one long string (SQL counts as one)."""
    skipped: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.end_lineno:
            skipped.update(range(part.lineno + 1, part.end_lineno + 1))
    doc = node.body[0]
    if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and doc.end_lineno:
        skipped.update(range(doc.lineno, doc.end_lineno + 1))
    last = node.end_lineno or node.lineno
    return sum(1 for line in range(node.lineno, last + 1) if line not in skipped and text[line - 1].strip())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_stays_under_500_lines(path):
    assert len(path.read_text().splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_function_stays_under_50_lines(path):
    text = path.read_text().splitlines()
    long = {node.name: code_lines(node, text) for node in functions(TREES[path])}
    assert {name: lines for name, lines in long.items() if lines > FUNCTION_LINES_MAX} == {}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_opens_with_what_it_knows(path):
    if path.read_text().strip():
        assert ast.get_docstring(TREES[path]), "a module opens with a sentence or two"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_drawer_of_odds_and_ends(path):
    assert FORBIDDEN_NAMES.isdisjoint({path.stem, *path.relative_to(SOURCE).parts})


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_import_inside_a_function_and_no_private_import(path):
    for function in functions(TREES[path]):
        inside = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not inside, f"{function.name} imports inside"
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("demarc"):
            private = [alias.name for alias in node.names if alias.name.startswith("_") and alias.name != "__version__"]
            assert not private


@pytest.mark.parametrize("path", [path for path in FILES if room_of(path) in {"core", "billing", "plans"}], ids=name_of)
def test_money_never_meets_a_float(path):
    for node in ast.walk(TREES[path]):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"line {node.lineno}"
        assert not (isinstance(node, ast.Name) and node.id == "float"), f"line {node.lineno}"


@pytest.mark.parametrize("path", [path for path in FILES if name_of(path) != "base/clock.py"], ids=name_of)
def test_only_the_clock_reads_the_clock(path):
    for node in ast.walk(TREES[path]):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            assert (node.func.value.id, node.func.attr) not in READS_THE_CLOCK, f"line {node.lineno}"


def may_write(path: Path) -> bool:
    """Writes happen in actions (and their files), base, radiusd's store, and what starts the installation."""
    room = room_of(path)
    return (
        path.stem in WRITERS
        or "actions" in path.parts
        or room == "base"
        or (room == "radiusd" and path.stem.startswith("store"))
        or (room == "project" and path.stem in {"roles", "firststart"})
    )


@pytest.mark.parametrize("path", [path for path in FILES if not may_write(path)], ids=name_of)
def test_only_actions_write(path):
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ORM_WRITES:
            holder = ast.unparse(node.func.value)
            written = f"line {node.lineno}: {ast.unparse(node)}"
            assert ".objects" not in holder, written
            assert not holder.endswith("_set"), written
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL_WRITE.match(node.value):
            raise AssertionError(f"line {node.lineno} writes by SQL outside actions")


def action_files() -> list[Path]:
    return [path for path in FILES if path.stem == "actions" or path.parent.name == "actions"]


@pytest.mark.parametrize("path", action_files(), ids=name_of)
def test_an_action_names_its_actor_and_is_documented(path):
    for node in TREES[path].body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            keyword_only = {argument.arg for argument in node.args.kwonlyargs}
            assert "by" in keyword_only or "at" in keyword_only, f"{node.name} takes no keyword-only by/at"
            assert ast.get_docstring(node), f"{node.name} says nothing"


def test_every_string_of_the_tree_keeps_the_workplace_out():
    """No machine path of ours, no registry host: the project must build anywhere."""
    root = SOURCE.parent.parent
    tracked = [
        root / name for name in ("requirements.lock", "requirements-dev.lock", "package-lock.json", "pyproject.toml")
    ]
    for path in tracked:
        text = path.read_text()
        assert "resolved" not in text or path.name != "package-lock.json"
        assert not re.search(r"--(index-url|extra-index-url|find-links)", text), path.name
