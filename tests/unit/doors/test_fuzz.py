"""Whatever is sent to whatever hook, with whatever headers: it is answered, and never with 500."""

import base64
import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importcore.api.hooks_api import shake_hands, take_delivery
from importcore.wiring import Services, build
from tests.unit.doors.deliveries import HOOKS, FuzzedDelivery, deliveries

SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "TRANSLOAD_SEALING_KEYS": "k1:" + base64.b64encode(b"\x01" * 32).decode(),
    "TRANSLOAD_DEFAULT_TARGET_REGISTRY": "target.example",
    "TRANSLOAD_HOOKS": json.dumps(HOOKS),
    # No rule wants it, so that nothing is asked of storage; each is held to all of this.
    "TRANSLOAD_RULES": """
version: 1
rules:
- name: nothing
  on: {registry: nowhere.example, repository: "team/**", tag: {semver: ">=1"}, events: push}
  to: "target.example/{registry}/{name}:{tag}"
""",
}
ANSWERS = {200, 400, 401, 404}


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(sent=deliveries())
async def test_every_delivery_is_answered(sent: FuzzedDelivery) -> None:
    """With a status that says whether to deliver again, and a body that a person can read."""
    apps: list[Services] = []

    async def services() -> Services:
        apps.append(build(SETTINGS))
        return apps[0]

    try:
        answer = await take_delivery(services, sent.kind, sent.name, sent.body, sent.headers)
    finally:
        for app in apps:
            await app.aclose()

    assert answer.status in ANSWERS
    said = json.loads(answer.body)
    if answer.status == 200:
        assert set(said) in ({"imports", "ignored"}, {"validationResponse"})
    else:
        assert said["error"]["code"] in {"event_malformed", "hook_refused", "hook_unknown"}
        assert said["error"]["message"].isprintable()


@given(
    kind=st.sampled_from(["cloudevents", "eventgrid"]) | st.text(max_size=12),
    origin=st.none() | st.text(max_size=40),
)
def test_every_handshake_is_answered_in_headers_that_can_be_sent(kind: str, origin: str | None) -> None:
    """An origin that is no header's value is not given back."""
    answer = shake_hands(kind, {} if origin is None else {"WebHook-Request-Origin": origin})

    assert answer.status in {200, 400, 404}
    assert all(value.isascii() and value.isprintable() for value in answer.headers.values())
