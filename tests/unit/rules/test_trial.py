"""`POST /api/rules/test`: which rules match, why others do not, what would follow and what the policy says; no more."""

import json
from typing import Any

import pytest

from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.api.http_api import Answer, answered
from importcore.api.rules_api import try_rules
from importcore.caller import Caller
from importcore.wiring import build
from tests.unit.hooks.hook_samples import PUSHES

RULES = """
version: 1
rules:
- name: hub
  on: {registry: docker.io, tag: "1.*"}
  to: ["mine.example/{repository}:{tag}", "mine.example/{name}:latest"]
  options: {verify: true, credentials: puller}
- name: quay
  on: {registry: quay.io}
  to: mine.example/quay/{repository}:{tag}
- name: anything
  on: {registry: "**"}
  to: mine.example/all/{name}:{tag}
"""
POLICY = """
version: 1
callers:
- {name: people, who: [function-key], sees: all}
- {name: hub, who: ["rule:hub"], import: [{from: [docker.io]}]}
- {name: webhooks, who: ["hook:acr"], import: [{from: ["**"], to: ["mine.example/all/*"]}]}
"""


async def tried(value: object, policy: str = "", rules: str = RULES) -> tuple[Answer, ClockworkAccount]:
    """Send a body; the answer, and the storage account behind it."""
    more = {
        "TRANSLOAD_RULES": rules,
        "TRANSLOAD_CREDENTIALS": '{"puller": {"registry": "docker.io", "username": "u", "password": "secret"}}',
        **({"TRANSLOAD_POLICY": policy} if policy else {}),
    }
    account = ClockworkAccount()
    app = build(
        app_settings(CONNECTION_STRING, "mine.example", {}, **more),
        storage_options={"transport": ClockworkTransport(account)},
    )
    body = json.dumps(value).encode()
    return await answered(lambda: try_rules(app, Caller.by_key(), body)), account


async def rules_of(value: object, policy: str = "") -> dict[str, Any]:
    """What each rule would make of an event."""
    answer, account = await tried(value, policy)
    assert (answer.status, account.entities, account.messages) == (200, {}, {}), answer.body
    (event,) = json.loads(answer.body)["events"]
    return {rule["rule"]: rule for rule in event["rules"]}


async def test_it_says_what_matches_what_would_follow_and_why_the_rest_does_not() -> None:
    """The short names of Docker Hub are understood, nothing is written, and no secret is shown."""
    rules = await rules_of({"registry": "docker.io", "repository": "alpine", "tag": "1.2"})
    (follows,) = rules["hub"]["imports"]
    assert (rules["hub"]["matches"], follows["source"], follows["targets"]) == (
        True,
        "docker.io/library/alpine:1.2",
        ["mine.example/library/alpine:1.2", "mine.example/alpine:latest"],
    )
    assert (follows["mode"], follows["options"]["verify"], follows["credentials"]) == ("Force", True, "puller")
    assert (rules["quay"]["matches"], rules["quay"]["imports"]) == (False, [])
    assert rules["quay"]["reasons"] == ["the registry is docker.io, not quay.io"]
    assert "secret" not in json.dumps(rules)


async def test_what_the_policy_would_refuse_is_said() -> None:
    """By the rule's own entry, or by that of the hook through which the event comes."""
    event = {"registry": "docker.io", "repository": "library/alpine", "tag": "1.2"}
    alone = await rules_of(event, POLICY)
    assert alone["hub"]["imports"][0]["refused"] is None
    assert "rule:anything is known, but may do nothing here" in alone["anything"]["imports"][0]["refused"]
    through = await rules_of({**event, "hook": "acr"}, POLICY)
    assert through["anything"]["imports"][0]["refused"] is None


@pytest.mark.parametrize("who", ["[function-key]", "[hook:acr]"])
@pytest.mark.parametrize("asked", [{"hook": "github", "payload": {}, "headers": {"x-github-event": "ping"}}, {}])
async def test_rules_are_shown_to_whoever_may_see_every_import(who: str, asked: object) -> None:
    """Asked before anything of the body is looked at: a delivery without pushes is none of a stranger's business."""
    answer, _ = await tried(asked, f"{{version: 1, callers: [{{name: a, who: {who}, import: [{{from: ['**']}}]}}]}}")

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("sample", [sample for sample in PUSHES if sample.registry is None], ids=str)
async def test_a_delivery_can_be_tried_as_its_sender_makes_it(sample: Any) -> None:  # noqa: ANN401 (a sample)
    """Each sender's own form is read as a hook reads it; what is no push is named with its reason."""
    answer, account = await tried({"hook": sample.kind, "payload": sample.value, "headers": dict(sample.headers)})
    assert (answer.status, account.entities, account.messages) == (200, {}, {}), answer.body
    (event, *_) = json.loads(answer.body)["events"]
    assert event["source"] == str(sample.read().pushes[0].source)


@pytest.mark.parametrize(
    ("value", "status", "wrong"),
    [
        ({}, 400, {"registry", "repository"}),
        ({"registry": "UPPER_", "repository": "a b", "tag": "-", "digest": "x"}, 400,
         {"registry", "repository", "tag", "digest"}),
        ({"registry": "docker.io", "repository": "app:1"}, 400, {"repository"}),
        ({"registry": "docker.io", "repository": "app", "tga": "1"}, 400, {"tga"}),
        ({"registry": "docker.io", "repository": "app", "tag": 1}, 400, {"tag"}),
        ({"payload": {}}, 400, {"hook"}),
        ({"hook": "acr", "payload": {}, "tag": "1"}, 400, {"tag"}),
        ({"hook": "nobody", "payload": {}}, 404, set()),
        ({"hook": "acr", "payload": {}}, 400, {"action"}),
        ({"hook": "acr", "payload": None}, 400, {"registry", "repository"}),
    ],
)  # fmt: skip
async def test_a_wrong_body_is_named(value: object, status: int, wrong: set[str]) -> None:
    """Every wrong field at once; never a 500."""
    answer, _ = await tried(value)
    error = json.loads(answer.body)["error"]
    assert (answer.status, {detail["target"] for detail in error["details"]}) == (status, wrong), answer.body


async def test_wrong_rules_are_the_operators_to_read() -> None:
    """The caller learns that they are wrong, and /api/health says where."""
    answer, _ = await tried({"registry": "docker.io", "repository": "a", "tag": "1"}, rules="version: 1\nruls: []\n")
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (500, "document_invalid")
    assert "ruls" not in answer.body
