"""Which rules an event matches, why the others do not, and which imports follow."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.hooks.push_event import PushEvent, PushKind
from importcore.request.source_access import NamedCredentials
from importcore.rules.matching import verdicts
from tests.unit.rules.rule_book import PUSHED, rule_of, rules_of


@pytest.mark.parametrize(
    "on",
    [
        "{registry: docker.io}",
        "{registry: [quay.io, docker.io], repository: team/*}",
        "{registry: 'docker.*', repository: ['other/**', '**/app']}",
        "{registry: index.docker.io, tag: '1.*'}",
        "{registry: docker.io, tag: {include: ['1.*'], exclude: ['*-rc*'], semver: '>=1.2 <2'}}",
        "{registry: docker.io, events: push}",
    ],
)
def test_an_event_that_is_what_the_rule_asks_for_matches(on: str) -> None:
    """In every way to say it."""
    assert rule_of(on).on.differences(PUSHED) == ()


@pytest.mark.parametrize(
    ("on", "event", "reason"),
    [
        ("{registry: quay.io}", PUSHED, "the registry is docker.io, not quay.io"),
        ("{registry: docker.io, repository: 'te*'}", PUSHED, "the repository is team/app, not te*"),
        ("{registry: docker.io, tag: '2.*'}", PUSHED, "the tag is 1.2.0, wanted is: include 2.*"),
        ("{registry: docker.io, tag: {semver: '>=2'}}", PUSHED, "the tag is 1.2.0, wanted is: semver >=2"),
        ("{registry: docker.io, tag: {exclude: '1*'}}", PUSHED, "the tag is 1.2.0, wanted is: exclude 1*"),
        ("{registry: docker.io}", replace(PUSHED, tag=None), "it was pushed by digest alone; rules are about tags"),
        (
            "{registry: docker.io, events: [push]}",
            replace(PUSHED, kind=PushKind.CHART),
            "the event is chart_push, not push",
        ),
    ],
)
def test_an_event_that_is_not_is_told_why(on: str, event: PushEvent, reason: str) -> None:
    """One respect at a time."""
    assert rule_of(on).on.differences(event) == (reason,)


def test_several_targets_are_one_import_for_each_registry() -> None:
    """Those in one registry share their blobs; the same target twice is one."""
    text = """\
version: 1
rules:
- name: r
  on: {registry: docker.io}
  to:
  - mine.azurecr.io/{repository}:{tag}
  - other.azurecr.io/hub/{name}:{tag}-mirrored
  - mine.azurecr.io/{registry}/{repository}:latest
  - mine.azurecr.io/{repository}:{tag}
  options: {platforms: [linux/amd64], verify: true, credentials: hub}
"""
    (verdict,) = verdicts(rules_of(text), PUSHED)
    first, second = verdict.requests
    assert (verdict.reasons, str(first.source)) == ((), "docker.io/team/app:1.2.0")
    assert [str(target) for target in first.targets] == [
        "mine.azurecr.io/team/app:1.2.0",
        "mine.azurecr.io/docker.io/team/app:latest",
    ]
    assert [str(target) for target in second.targets] == ["other.azurecr.io/hub/app:1.2.0-mirrored"]
    assert (first.follows, first.options.platforms, first.options.verify) == (True, ("linux/amd64",), True)
    assert first.credentials == NamedCredentials("hub")


def test_a_target_that_is_the_source_and_one_that_is_no_reference_are_left_out_with_their_reasons() -> None:
    """The others are imported all the same."""
    text = """\
version: 1
rules:
- name: r
  on: {registry: mine.azurecr.io}
  to: ["mine.azurecr.io/{repository}:{tag}", "mine.azurecr.io/x:{tag}{tag}", "other.azurecr.io/x:{tag}"]
"""
    (verdict,) = verdicts(rules_of(text), PushEvent("mine.azurecr.io", "app", 100 * "t"))
    assert [[str(target) for target in request.targets] for request in verdict.requests] == [
        [f"other.azurecr.io/x:{100 * 't'}"]
    ]
    assert verdict.reasons[0] == "mine.azurecr.io/{repository}:{tag}: is where the event comes from"
    assert verdict.reasons[1].startswith("mine.azurecr.io/x:{tag}{tag}: ")


@given(st.text(max_size=40), st.text(max_size=60), st.text(max_size=140))
def test_no_event_breaks_a_rule(registry: str, repository: str, tag: str) -> None:
    """Senders write what they like; a name that is none is a reason, never an exception."""
    rules = rules_of(
        "version: 1\nrules:\n- {name: r, on: {registry: '**'}, to: ['mine.azurecr.io/{repository}:{tag}']}"
    )
    (verdict,) = verdicts(rules, PushEvent(registry, repository, tag))
    assert verdict.requests or verdict.reasons
