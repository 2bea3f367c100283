"""No secret is in the repository: every tracked file is searched for what secrets of the known kinds look like.

Kinds have a form (a prefix, a header, a length) that nothing else has. A scanner by entropy would be of no use here,
where every other line is a digest; and it would be one more dependency that reads everything.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
KINDS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}",
    "JSON web token": r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
    "Azure storage key": r"(?:AccountKey=|_KEY = \")[A-Za-z0-9+/]{86}==",
    "Azure shared access signature": r"[?&]sig=[A-Za-z0-9%/+]{40,}",
    "Entra client secret": r"\b[\w.~-]{3}\dQ~[\w.~-]{31,34}",
    "ACR password": r"\b[A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9]{6}\b",
    "AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{60,}",
    "GitLab token": r"\bglpat-[\w-]{20,}",
    "Docker Hub token": r"\bdckr_(?:pat|oat)_[\w-]{20,}",
    "Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{20,}",
    "npm or PyPI token": r"\bnpm_[A-Za-z0-9]{36}\b|\bpypi-AgEIcHlwaS5vcmc[\w-]{20,}",
    "user and password in a URL": r"\bhttps?://[\w.-]+:[^\s@/{}<>\"']{12,}@[\w.-]+\.(?:com|net|org|io|dev)\b",
}
KNOWN = {
    # Azurite's own account, the same everywhere and published by Microsoft; it protects nothing.
    ("devtools/azurite.py", "Azure storage key"),
}
SAMPLES = {
    "private key": "-----BEGIN EC " + "PRIVATE KEY-----\n" + "MHcCAQEEIJ" * 3,
    "JSON web token": "eyJhbGciOiJFUzI1NiJ9." + "eyJzdWIiOiJhYmNkIn0." + "a" * 43,
    "Azure storage key": "AccountKey=" + "a" * 86 + "==",
    "Azure shared access signature": "https://a.blob.core.windows.net/b?sv=1&sig=" + "a" * 44,
    "Entra client secret": "abc8Q~" + "a" * 34,
    "ACR password": "a" * 42 + "+ACR" + "AbCdEf",
    "AWS key": "AKIA" + "A" * 16,
    "GitHub token": "ghp_" + "a" * 36,
    "GitLab token": "glpat-" + "a" * 20,
    "Docker Hub token": "dckr_pat_" + "a" * 27,
    "Slack token": "xoxb-" + "1" * 24,
    "npm or PyPI token": "npm_" + "a" * 36,
    "user and password in a URL": "https://robot:" + "a" * 16 + "@registry.example.com/",
}


def found_in(text: str) -> set[str]:
    """The kinds of secrets that a text seems to hold."""
    return {kind for kind, pattern in KINDS.items() if re.search(pattern, text)}


def test_no_tracked_file_holds_a_secret() -> None:
    """None but the one that everybody knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S607 (git)
    names = [name for name in listed.stdout.split("\0") if name]
    found = {
        (name, kind)
        for name in names
        if (ROOT / name).is_file()
        for kind in found_in((ROOT / name).read_text(errors="replace"))
    }

    assert len(names) > 300
    assert found == KNOWN


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_of_each_kind_would_be_found(kind: str) -> None:
    """In the middle of other text."""
    assert found_in(f"x = '{SAMPLES[kind]}' # and so on") == {kind}
