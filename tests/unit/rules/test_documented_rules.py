"""The page about rules: each document in it is right, each event under one leads to what the page says."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from importcore.api.trial_body import read_trial
from importcore.documents.yaml_document import read_yaml
from importcore.hooks.payload import Delivery
from importcore.hooks.push_event import PushEvent
from importcore.hooks.senders import SENDERS
from importcore.reference import Reference
from importcore.rules.conditions import Condition
from importcore.rules.document import KnownHere, Rule, RuleOptions, RulesDocument
from importcore.rules.matching import verdicts
from importcore.rules.templates import PLACES

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
KNOWN = KnownHere(("myregistry.azurecr.io", "second.azurecr.io"), {"puller": "docker.io"})
EXAMPLES = [(yaml, text) for (first, yaml), (second, text) in pairwise(BLOCKS) if (first, second) == ("yaml", "text")]


@pytest.mark.parametrize(("document", "events"), EXAMPLES)
def test_an_example_means_what_the_page_says(document: str, events: str) -> None:
    """What follows from each event, or why nothing does."""
    rules = read_yaml(document, RulesDocument, name="docs/rules.md", context=KNOWN).rules
    for line in events.splitlines():
        told, said = line.split(" → ")
        reference = Reference.parse(told)
        (verdict,) = verdicts(rules, PushEvent(reference.registry, reference.repository, reference.tag))
        targets = " ".join(str(target) for request in verdict.requests for target in request.targets)
        assert said == (targets or f"nothing: {'; '.join(verdict.reasons)}")


def test_every_document_has_its_events() -> None:
    """None stands there unread."""
    assert len(EXAMPLES) == sum(language == "yaml" for language, _ in BLOCKS) == 4


def test_the_bodies_of_a_trial_are_such() -> None:
    """Both forms."""
    own, delivered = [read_trial(text.encode()) for language, text in BLOCKS if language == "json"]
    assert str(own.event().source) == "quay.io/team/app:1.4.0"
    heard = SENDERS[delivered.hook or ""].read(Delivery(json.dumps(delivered.payload).encode()))
    assert str(heard.pushes[0].source) == "quay.io/team/app:1.4.0"


def test_the_reference_names_every_key_and_no_other() -> None:
    """A key that is added is described, one that is removed is not."""
    described = set(re.findall(r"^\| `([\w.]+)` \|", PAGE.split("## Examples")[0], re.MULTILINE))
    keys = {field.alias or name for name, field in Rule.model_fields.items()} - {"on", "options"}
    keys |= {f"on.{field.alias or name}" for name, field in Condition.model_fields.items()}
    keys |= {f"options.{field.alias or name}" for name, field in RuleOptions.model_fields.items()}
    assert described == keys
    assert all(f"{{{place}}}" in PAGE for place in PLACES)
