"""The mechanisms that `make mutants` takes away are still where its list says, and so are the tests that notice."""

import pytest

from tools.mutants import ROOT, Mutant, mutants


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_what_a_mutant_takes_away_is_there_once(mutant: Mutant) -> None:
    """A mechanism that was rewritten takes its line in the list along."""
    assert [problem for change in mutant.changes if (problem := change.problem(ROOT))] == []
    assert mutant.tests
    assert [path for path in mutant.tests if not (ROOT / path).exists()] == []
