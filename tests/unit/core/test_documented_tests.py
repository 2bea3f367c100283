"""The pages name the tests that show what they promise; every test that a table names exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[[^`]*\])?`")


def named_in_tables() -> set[tuple[str, str, str]]:
    """Page, file and test of each test that a row of a table names; the parameters of one do not count."""
    found = set()
    for page in sorted((ROOT / "docs").rglob("*.md")):
        rows = [line for line in page.read_text().splitlines() if line.lstrip().startswith("|")]
        found |= {(page.name, *names) for row in rows for names in NAMED.findall(row)}
    return found


def functions_of(path: Path) -> set[str]:
    """The names of the test functions and methods of a file; none where there is no such file."""
    if not path.is_file():
        return set()
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_a_table_names_exists() -> None:
    """A test that was renamed or removed leaves no promise behind that nothing shows."""
    named = named_in_tables()
    assert {page for page, _, _ in named} >= {"reliability.md", "security.md"}
    missing = {(page, f"{path}::{name}") for page, path, name in named if name not in functions_of(ROOT / path)}
    assert missing == set()


def test_every_threat_names_the_tests_that_show_its_control() -> None:
    """A line of the threat model without a test would be a hope."""
    rows = (ROOT / "docs" / "security.md").read_text().split("| threat | control | test |\n")[1:]
    threats = [line for table in rows for line in table.partition("\n\n")[0].splitlines()[1:]]
    assert len(threats) > 40
    assert [line for line in threats if not NAMED.search(line.rsplit("|", 2)[1])] == []
