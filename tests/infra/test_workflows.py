"""The workflows: what GitHub accepts, nothing that an auditor would object to, and one script for all checks."""

import re

from tests.infra.conftest import ROOT, Tool

_FOLDER = ROOT / ".github/workflows"


async def test_github_accepts_the_workflows(tool: Tool) -> None:
    """They follow the schema that is published for them."""
    files = sorted(str(path) for path in _FOLDER.glob("*.yml"))
    assert files
    await tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)


async def test_an_auditor_finds_nothing(tool: Tool) -> None:
    """No right too many, no action that can change under us, nothing that others can inject."""
    await tool("zizmor", "--offline", "--quiet", "--no-progress", str(ROOT / ".github"))


def test_the_workflow_calls_the_script_that_everybody_can_run() -> None:
    """What has to pass stands in `.ci/run` alone."""
    assert "- run: .ci/run\n" in (_FOLDER / "ci.yml").read_text()


def test_the_deployment_signs_in_without_a_secret() -> None:
    """OpenID Connect: no password, key or connection string is kept at GitHub."""
    text = (_FOLDER / "deploy.yml").read_text()
    assert "id-token: write" in text
    assert "secrets." not in text


def test_known_vulnerabilities_are_looked_for_every_week() -> None:
    """By a command that anybody can run; what it could not compare is an error, or silence would look like safety."""
    text = (_FOLDER / "audit.yml").read_text()
    command = re.search(r"^audit: .*\n\t(.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert "- run: make audit\n" in text
    assert re.search(r"- cron: \"\d+ \d+ \* \* [0-6]\"", text)
    assert command
    assert {"--strict", "--require-hashes"} <= set(command[1].split())
