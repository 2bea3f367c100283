"""checkov finds nothing in infra/ but what infra/accepted_findings.toml names and gives a reason for."""

import json
import tomllib

from tests.infra.conftest import ROOT, Tool

_ACCEPTED = tomllib.loads((ROOT / "infra/accepted_findings.toml").read_text())["accepted"]
_FINDINGS = 1
"""checkov's status when it has found something."""


async def test_every_finding_is_accepted_with_its_reason_and_no_other(tool: Tool) -> None:
    """Mend what is found, or add it to infra/accepted_findings.toml; remove from there what is found no more."""
    options = ("--framework", "bicep", "--output", "json", "--quiet", "--compact", "--skip-download")
    report = json.loads(await tool("checkov", "--directory", "infra", *options, expected=(_FINDINGS,)))
    found = {(each["check_id"], each["resource"]) for each in report["results"]["failed_checks"]}
    accepted = {(check, each) for row in _ACCEPTED for check in row["checks"] for each in row["resources"]}
    assert report["summary"]["parsing_errors"] == 0
    assert found == accepted


def test_every_accepted_finding_has_a_reason() -> None:
    """Who reads the table learns why."""
    assert [row["checks"] for row in _ACCEPTED if len(row["why"].split()) < 5] == []
