"""For tests of rules: documents of rules, read as the app reads them."""

from importcore.documents.yaml_document import read_yaml
from importcore.hooks.push_event import PushEvent
from importcore.rules.document import KnownHere, Rule, RulesDocument

KNOWN = KnownHere(("mine.azurecr.io", "other.azurecr.io"), {"hub": "docker.io", "quay": "quay.io"})
PUSHED = PushEvent("docker.io", "team/app", "1.2.0", "sha256:" + 64 * "a")


def rules_of(text: str) -> tuple[Rule, ...]:
    """The rules of a document; raises where it is wrong."""
    return read_yaml(text, RulesDocument, name="TRANSLOAD_RULES", context=KNOWN).rules


def rule_of(on: str = "{registry: docker.io}", to: str = "mine.azurecr.io/{repository}:{tag}", more: str = "") -> Rule:
    """One rule."""
    return rules_of(f"version: 1\nrules:\n- name: r\n  on: {on}\n  to: ['{to}']\n{more}")[0]
