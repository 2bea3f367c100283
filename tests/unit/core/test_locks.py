"""The lock files hold every dependency that the project declares, with hashes and without an address."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = PROJECT["project"]["dependencies"]
DEVELOPMENT = PROJECT["dependency-groups"]["dev"]


def names(requirements: list[str]) -> set[str]:
    """The names of packages, without extras and versions."""
    return {re.split(r"[\[<>=~! ]", requirement)[0].lower() for requirement in requirements}


def locked(file: str) -> set[str]:
    """The names of the packages that a lock file pins."""
    return {
        match[1] for match in re.finditer(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==", (ROOT / file).read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        ("requirements.txt", RUNTIME),
        ("requirements-dev.txt", RUNTIME + DEVELOPMENT),
        ("requirements-runtime-test.txt", RUNTIME),
    ],
)
def test_what_is_declared_is_locked(file: str, declared: list[str]) -> None:
    """`make lock` was run after the last change of the dependencies."""
    assert names(declared) - locked(file) == set()


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt", "requirements-runtime-test.txt"])
def test_every_pin_has_a_hash_and_no_address(file: str) -> None:
    """Each pinned package is followed by hashes, and no line names a server."""
    text = (ROOT / file).read_text()
    pins = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert re.search(r"https?://|--index|--find-links", text) is None


def test_what_is_deployed_needs_nothing_of_the_development_group() -> None:
    """The app's own lock holds none of the packages that only a developer needs."""
    assert locked("requirements.txt") & {"pytest", "mypy", "ruff", "rich", "uvicorn", "starlette"} == set()
