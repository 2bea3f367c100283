"""Ruff's security rules (S, those of bandit) hold everywhere; each exception says why."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PARTS = ("importcore", "devtools", "tests", "bench", "tools")
EXCEPTION = re.compile(r"# noqa: (?P<rules>[A-Z]+\d+(?:, ?[A-Z]+\d+)*)(?P<reason> \(.+\))?")


def test_no_security_rule_is_off_for_the_product() -> None:
    """Everything is selected; what is ignored everywhere, or in the product's folder, is none of them."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]

    assert lint["select"] == ["ALL"]
    assert [rule for rule in lint["ignore"] if re.fullmatch(r"S\d+", rule)] == []
    assert [part for part in lint["per-file-ignores"] if part.startswith(("importcore", "function_app", "*"))] == []


def test_every_exception_to_a_security_rule_says_why() -> None:
    """In brackets behind it, as for every other rule."""
    files = [path for part in PARTS for path in (ROOT / part).rglob("*.py")] + [ROOT / "function_app.py"]
    found = [
        (str(path.relative_to(ROOT)), number, exception)
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for exception in EXCEPTION.finditer(line)
        if re.search(r"\bS\d+", exception["rules"])
    ]

    assert len(found) > 10
    assert [(path, number) for path, number, exception in found if not exception["reason"]] == []
