"""A document of rules is right, or everything that is wrong in it is named, with its line and with what was meant."""

import pytest

from importcore.documents.yaml_document import InvalidDocumentError
from importcore.request.model import Mode
from tests.unit.rules.rule_book import rule_of, rules_of

WRONG = """\
line 5: rules.0.on.regsitry: is not a key that is known here; did you mean 'registry'?
line 6: rules.0.on.registry: 'docker.io/library' is no registry; its repositories stand in `repository`
line 7: rules.0.on.tag.semver: is no range of versions; write for example >=1.2 <2
line 8: rules.0.to: {repositry} stands for nothing; did you mean {repository}?
line 11: rules.1.to.0: a.azurecr.io is not in TRANSLOAD_TARGET_REGISTRIES (allowed: mine.azurecr.io, other.azurecr.io)
line 11: rules.1.to.1: has no tag; write for example :{tag} behind it
line 11: rules.1.to.2: 'x:1:2': the tag must be 1 to 128 letters, digits, '_', '.' or '-'
line 11: rules.1.to.3: must begin with the registry: myregistry.azurecr.io/{repository}:{tag}
line 13: rules.1.options.platform: is not a key that is known here; did you mean 'platforms'?
line 14: rules.1.options.platforms.0: must be a platform such as linux/amd64 or linux/arm64/v8
line 15: rules.1.options.credentials: 'nobody' is not a name in TRANSLOAD_CREDENTIALS
line 16: rules.1.shedule: is not a key that is known here; did you mean 'schedule'?
line 17: rules.1.schedule: must be a time such as 30m, 6h or 1d, and at least 10m
""".splitlines()


def problems(text: str) -> list[str]:
    """What is wrong with a document."""
    with pytest.raises(InvalidDocumentError) as caught:
        rules_of(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_rule_in_its_shortest_form_takes_every_tag_of_a_registry() -> None:
    """Texts stand for lists of one; a rule follows the tag, so that it forces unless it says otherwise."""
    rule = rule_of("{registry: docker.io}")
    assert (rule.on.registry, rule.on.repository, rule.on.tag.include) == (("docker.io",), ("**",), ())
    assert (rule.options.mode, rule.options.referrers, rule.schedule) == (Mode.FORCE, True, None)


def test_everything_that_is_wrong_is_named_with_its_line() -> None:
    """Unknown keys at every level with the key that was meant, patterns, templates, versions, times, platforms."""
    text = """\
version: 1
rules:
- name: a
  on:
    regsitry: docker.io
    registry: docker.io/library
    tag: {semver: "nonsense>"}
  to: mine.azurecr.io/{repositry}:{tag}
- name: b
  on: {registry: quay.io}
  to: ["a.azurecr.io/{repository}:{tag}", "mine.azurecr.io/x", "mine.azurecr.io/x:1:2", "{registry}/x:1"]
  options:
    platform: [linux/amd64]
    platforms: [linux]
    credentials: nobody
  shedule: 1h
  schedule: 1m
"""
    assert problems(text) == WRONG


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("  options: {credentials: nobody}\n", "'nobody' is not a name in TRANSLOAD_CREDENTIALS"),
        ("  options: {credentials: quay}\n", "credentials: those are for quay.io, which the rule's registry is not"),
        (
            "  options: {referrers: false, artifactTypes: [x]}\n",
            "artifactTypes: cannot stand beside",
        ),
        ("  options: {mode: NoForce, backupTag: 'x-{digest8}'}\n", "backupTag: needs `mode: Force`"),
        ("  options: {backupTag: 'always-the-same'}\n", "must be a tag with {digest8} in it"),
        ("  options: {mode: force}\n", "Input should be 'NoForce' or 'Force'"),
        ("- {name: r, on: {registry: a.io}, to: ['mine.azurecr.io/x:1']}\n", "two rules have the name 'r'"),
    ],
)
def test_what_cannot_be_meant_together_is_named(more: str, message: str) -> None:
    """Each is a problem of the document, before any event comes."""
    with pytest.raises(InvalidDocumentError, match="line ") as caught:
        rule_of(more=more)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("on", "message"),
    [
        ("{registry: docker.io, repository: alpine}", "Docker Hub's own images are named in full: library/alpine"),
        ("{registry: UPPER}", "lower case"),
        ("{registry: docker.io, repository: '***'}", "three stars"),
        ("{registry: docker.io, events: [pull]}", "Input should be 'push' or 'chart_push'"),
        ("{registry: docker.io, tag: 1.10}", "put it in quotes"),
        ("{registry: nodots}", "not a registry address"),
    ],
)
def test_conditions_that_could_never_be_met_are_refused(on: str, message: str) -> None:
    """A condition that silently matches nothing would be a push that is silently lost."""
    with pytest.raises(InvalidDocumentError) as caught:
        rule_of(on)
    assert message in caught.value.message


def test_a_schedule_must_know_whom_to_ask() -> None:
    """A registry with a wildcard in it cannot be asked for its tags."""
    with pytest.raises(InvalidDocumentError, match="needs registries without wildcards"):
        rule_of("{registry: '*.io'}", more="  schedule: 1h\n")
    assert rule_of("{registry: quay.io}", more="  schedule: 1h\n").schedule == "1h"
