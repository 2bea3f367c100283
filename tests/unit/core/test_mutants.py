"""The mechanisms that `make mutants` takes away are still where its list says, and so are the tests that notice."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
MUTANTS: list[dict[str, Any]] = tomllib.loads((ROOT / "tests/mutants/mutants.toml").read_text())["mutant"]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["name"])
def test_what_a_mutant_takes_away_is_there_once(mutant: dict[str, Any]) -> None:
    """A mechanism that was rewritten takes its line in the list along."""
    for change in (mutant, *mutant.get("also", [])):
        assert (ROOT / change["file"]).read_text().count(change["old"]) == 1
        assert change["new"] != change["old"]
    assert mutant["tests"]
    assert [path for path in mutant["tests"] if not (ROOT / path).exists()] == []
