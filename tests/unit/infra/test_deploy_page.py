"""docs/deploy.md says what is so: every variable, a policy that works, figures that follow from the code."""

import re

import function_app
from importcore.documents.yaml_document import read_yaml
from importcore.policy.document import PolicyDocument
from tests.unit.infra.bicep_text import INFRA, ROOT

PAGE = (ROOT / "docs/deploy.md").read_text()
_NUMBERS = {5: "five", 6: "six", 7: "seven", 8: "eight"}


def test_every_variable_is_described() -> None:
    """Add a row to "What can be chosen" for a new parameter; remove that of one that is gone."""
    bound = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text()))
    table = PAGE.partition("## What can be chosen")[2].partition("###")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == bound


def test_the_default_of_a_variable_is_the_one_that_is_bound() -> None:
    """Where the table names one default for one variable, it is the truth."""
    bindings = (INFRA / "main.bicepparam").read_text()
    for names, defaults in re.findall(r"^\| (`[A-Z_`, ]+`) \| (`[^|]+`) \|", PAGE, re.MULTILINE):
        variables, values = re.findall(r"`([A-Z_]+)`", names), re.findall(r"`([^`]*)`", defaults)
        for variable, value in zip(variables, values, strict=False):
            bound = re.search(rf"readEnvironmentVariable\('{variable}', '([^']*)'\)", bindings)
            assert bound, variable
            assert bound[1] in {value, ""}, variable


def test_the_policy_to_begin_with_is_one_that_the_app_takes() -> None:
    """Whoever has the role may import, and nobody else gets in."""
    shown = re.search(r"azd env set POLICY '([^']*)'", PAGE)
    assert shown
    document = read_yaml(shown[1], PolicyDocument, name="docs/deploy.md")
    assert [caller.name for caller in document.callers or ()] == ["importers"]


def test_the_cost_counts_the_queues_that_are_polled() -> None:
    """A further queue costs ten cents a month: count it."""
    builders = [value for value in vars(function_app).values() if hasattr(value, "_function")]
    queues = [b for b in builders if b._function.get_trigger().type == "queueTrigger"]
    assert f"polling of {_NUMBERS[len(queues)]} queues" in PAGE
    assert f": {len(queues)} \u00d7 259,200" in PAGE
    assert f"| {len(queues) * 259_200 / 10_000 * 0.004:.2f} |" in PAGE


def test_every_link_leads_somewhere() -> None:
    """Pages and headings that it names are there."""
    headings = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in headings
        elif "://" not in target:
            assert (ROOT / "docs" / target).exists(), target
