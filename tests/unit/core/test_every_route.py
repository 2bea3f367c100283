"""Every route that the app has, called by nobody: each asks who it is before it looks at anything else."""

import base64
import json
import os
import subprocess
import sys
from typing import Any

import pytest

OPEN = {"health", "openapi.json"}
SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "TRANSLOAD_SEALING_KEYS": "k1:" + base64.b64encode(b"\x01" * 32).decode(),
    "TRANSLOAD_DEFAULT_TARGET_REGISTRY": "target.azurecr.io",
    "TRANSLOAD_POLICY": "{version: 1, callers: [{name: all, who: ['role:All'], import: [{from: ['**']}]}]}",
}
ENTRA = {"TRANSLOAD_CALLERS": "entra", "WEBSITE_AUTH_ENABLED": "True"}


def answers(**settings: str) -> list[dict[str, Any]]:
    """What each function answers to nobody, by route and method, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.core.every_route"],
        env={"PATH": os.environ.get("PATH", ""), **SETTINGS, **settings},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def entra() -> list[dict[str, Any]]:
    """The answers of an app whose callers sign in."""
    return answers(**ENTRA)


@pytest.fixture(scope="module")
def by_key() -> list[dict[str, Any]]:
    """The answers of an app with keys, whose policy knows no caller by key."""
    return answers()


def refusals(of: list[dict[str, Any]]) -> set[tuple[int, str]]:
    """How the routes refuse that are not open, and are no hook's."""
    asked = [each for each in of if each["route"] not in OPEN and not each["route"].startswith("hooks/")]
    assert len(asked) >= 7
    return {(each["status"], json.loads(each["body"])["error"]["code"]) for each in asked}


def test_who_is_unknown_gets_401_and_who_may_nothing_gets_403(
    entra: list[dict[str, Any]], by_key: list[dict[str, Any]]
) -> None:
    """On every route, before anything of an empty body, an import that is not there or a registry is looked at."""
    assert refusals(entra) == {(401, "not_authenticated")}
    assert refusals(by_key) == {(403, "not_allowed")}


def test_the_host_asks_for_a_key_wherever_nobody_else_asks(
    entra: list[dict[str, Any]], by_key: list[dict[str, Any]]
) -> None:
    """By key every route but the open ones; with Entra ID the hooks, whose senders cannot sign in."""
    assert {each["route"] for each in by_key if each["level"] == "ANONYMOUS"} == OPEN
    assert {each["level"] for each in entra if each["route"].startswith("hooks/")} == {"FUNCTION"}


def test_no_answer_may_be_kept_on_its_way(entra: list[dict[str, Any]]) -> None:
    """A cache between here and the caller does not know whose answer it is."""
    assert {each["headers"].get("Cache-Control") for each in entra} == {"no-store"}
    assert {each["headers"].get("X-Content-Type-Options") for each in entra} == {"nosniff"}
