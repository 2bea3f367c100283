"""Deliveries for fuzzing: what senders send, bent in every way, and what nobody would send."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hypothesis import strategies as st

from importcore.hooks.senders import SENDERS
from tests.unit.hooks.hook_samples import CLOUD_EVENT, EVERY
from tests.unit.hooks.test_malformed import GONE, changed, paths
from tests.unit.hooks.test_proof import signature

SECRET = "hush"
SIGNED_KIND, SECRET_KIND, NAMED_HOOK = "github", "harbor", "quay/team"
HOOKS = {
    SIGNED_KIND: {"secrets": [SECRET]},
    SECRET_KIND: {"secrets": [SECRET]},
    NAMED_HOOK: {"registry": "pinned.example"},
}
"""The setting TRANSLOAD_HOOKS of an app to be fuzzed: hooks of every form of proof, and a named one."""

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANY_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
_TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=16)
_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60).map(str.strip)
_TELLING = st.sampled_from(
    [
        {},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/cloudevents-batch+json"},
        CLOUD_EVENT,
        {"ce-specversion": "1.0", "ce-type": "x", "ce-time": "yesterday", "ce-source": "%zz", "ce-id": "1"},
        {"ce-specversion": "1.0", "ce-type": "Microsoft.ContainerRegistry.ImagePushed"},
        {"x-github-event": "registry_package"},
        {"x-github-event": "ping"},
        {"aeg-event-type": "SubscriptionValidation"},
    ]
)


@dataclass(frozen=True)
class FuzzedDelivery:
    """One request to a hook."""

    kind: str
    name: str | None
    body: bytes
    headers: dict[str, str]


@st.composite
def deliveries(draw: st.DrawFn) -> FuzzedDelivery:
    """Give a delivery: a sample, bent at some places, or anything at all; more often than not with a right proof."""
    each = draw(st.sampled_from(EVERY))
    value: Any = each.value
    for _ in range(draw(st.sampled_from([0, 1, 1, 2, 3]))):
        if places := [*paths(value)]:
            value = changed(value, draw(st.sampled_from(places)), draw(st.just(GONE) | ANY_JSON))
    whole = json.dumps(value).encode()
    what = draw(st.sampled_from(["whole", "whole", "whole", "whole", "batch", "form", "json", "bytes", "cut"]))
    body = {
        "whole": whole,
        "batch": json.dumps([value, value]).encode(),
        "form": urlencode({"payload": whole}).encode(),
        "json": json.dumps(draw(ANY_JSON)).encode(),
        "bytes": draw(st.binary(max_size=200)),
        "cut": whole[: draw(st.integers(0, len(whole)))],
    }[what]
    where = draw(st.integers(0, 9))
    kind = {0: draw(st.sampled_from([*SENDERS])), 1: draw(_TOKEN)}.get(where, each.kind)
    name = {2: "team", 3: draw(_TOKEN)}.get(where)
    headers = {**each.headers, **draw(_TELLING), **draw(st.dictionaries(_TOKEN, _VALUE, max_size=3))}
    if draw(st.integers(0, 3)):
        sender = SENDERS.get(kind)
        proof = signature(body, SECRET) if sender and sender.signs else SECRET
        headers[sender.header if sender else "Authorization"] = proof
    return FuzzedDelivery(kind, name, body, headers)
