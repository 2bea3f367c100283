"""The lock files hold every dependency that the project declares, in a version that it allows, with hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = PROJECT["project"]["dependencies"]
GROUPS = PROJECT["dependency-groups"]
DECLARED = {
    "requirements.txt": RUNTIME,
    "requirements-dev.txt": RUNTIME + GROUPS["dev"],
    "requirements-infra-test.txt": GROUPS["infra"],
    "requirements-runtime-test.txt": RUNTIME,
}
PYTHONS = ("3.11", "3.12", "3.13")
"""Where requirements.txt has to be right: every version that infra offers and the project allows."""


def pins(file: str) -> list[tuple[Requirement, str]]:
    """Each pinned package with the lines that follow it."""
    parts = re.split(r"^(?=[a-z])", (ROOT / file).read_text(), flags=re.MULTILINE)[1:]
    return [(Requirement(part.partition("\\")[0].strip()), part) for part in parts]


def locked(file: str, python: str) -> dict[str, str]:
    """The version of each package that a lock file pins for a Python."""
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    found = [pin for pin, _ in pins(file) if pin.marker is None or pin.marker.evaluate(environment)]
    versions = {pin.name.lower(): str(pin.specifier).removeprefix("==") for pin in found}
    assert len(versions) == len(found), "a package is pinned twice"
    return versions


@pytest.mark.parametrize("file", DECLARED)
def test_what_is_declared_is_locked(file: str) -> None:
    """Run `make lock` after a change of the dependencies: each is pinned, to a version that pyproject.toml allows."""
    for python in PYTHONS if file != "requirements-runtime-test.txt" else ("3.13",):
        versions = locked(file, python)
        for declared in map(Requirement, DECLARED[file]):
            assert declared.name.lower() in versions, (file, python, declared)
            assert declared.specifier.contains(versions[declared.name.lower()]), (file, python, declared)


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_tested_is_what_is_deployed(python: str) -> None:
    """A developer's environment has the very versions that run in Azure."""
    assert locked("requirements.txt", python).items() <= locked("requirements-dev.txt", python).items()


@pytest.mark.parametrize("file", DECLARED)
def test_every_pin_has_a_hash_and_no_address(file: str) -> None:
    """Each pinned package is followed by hashes, and no line names a server."""
    assert [str(pin) for pin, lines in pins(file) if "--hash=sha256:" not in lines] == []
    assert [str(pin) for pin, _ in pins(file) if not re.fullmatch(r"==[^,*]+", str(pin.specifier))] == []
    assert re.search(r"https?://|--index|--find-links", (ROOT / file).read_text()) is None


def test_what_is_deployed_needs_nothing_of_the_other_groups() -> None:
    """The app's own lock holds none of the packages that only a developer needs."""
    needless = {"pytest", "mypy", "ruff", "rich", "uvicorn", "starlette", "checkov", "zizmor"}
    assert {pin.name for pin, _ in pins("requirements.txt")} & needless == set()


def test_infra_offers_the_pythons_that_are_locked_for() -> None:
    """A Python that can be chosen for the app is one that requirements.txt is right for."""
    allowed = re.search(r"@allowed\(\[([^]]*)\]\)\nparam pythonVersion", (ROOT / "infra/main.bicep").read_text())
    assert allowed
    assert tuple(re.findall(r"'([^']+)'", allowed[1])) == PYTHONS
