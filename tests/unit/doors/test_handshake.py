"""The handshake of CloudEvents: who may ask, and what is answered."""

import json

import pytest

from importcore.api.hooks_api import shake_hands

ORIGIN = {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"}


@pytest.mark.parametrize("kind", ["cloudevents", "eventgrid"])
def test_whoever_asks_may_send(kind: str) -> None:
    """By POST, as often as it wants; the origin is given back."""
    answer = shake_hands(kind, ORIGIN)

    assert answer.status == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"
    assert answer.headers["WebHook-Allowed-Rate"] == "*"
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("kind", ["acr", "github", "nobody"])
def test_senders_that_never_ask_are_not_answered(kind: str) -> None:
    """So that OPTIONS tells nothing about the hooks."""
    answer = shake_hands(kind, ORIGIN)

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (404, "hook_unknown")


@pytest.mark.parametrize("origin", [None, "", "a\r\nSet-Cookie: b", "ümlaut"])
def test_an_origin_that_is_no_header_is_refused(origin: str | None) -> None:
    """It would be written into ours."""
    answer = shake_hands("cloudevents", {} if origin is None else {"webhook-request-origin": origin})

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (400, "event_malformed")
    assert answer.headers == {}
