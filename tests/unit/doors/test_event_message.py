"""What a message of the queue `events` can be, and that nothing of it is lost on its way back."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.doors.event_message import EventMessage, as_text, given_up
from importcore.hooks.payload import MalformedEventError
from importcore.rounds.round_message import RoundMessage
from tests.unit.hooks.hook_samples import sample

MOMENT = datetime(2026, 3, 1, 10, tzinfo=UTC)
PUSH = sample("eventgrid", "eventgrid-push")
_V1 = Path(__file__).parents[2] / "samples" / "v1"


def test_what_event_grid_wrote_is_the_event() -> None:
    """Decoded by the host, or in another layer of base64, which some tools put around it."""
    assert EventMessage.decode(PUSH.body) == EventMessage(PUSH.value)
    assert EventMessage.decode(base64.b64encode(PUSH.body)) == EventMessage(PUSH.value)


def test_what_waits_remembers_since_when() -> None:
    """However often it is put off."""
    once = EventMessage.decode(EventMessage(PUSH.value).again(MOMENT).encode())
    twice = EventMessage.decode(once.again(MOMENT + timedelta(hours=1)).encode())

    assert once == EventMessage(PUSH.value, 1, MOMENT)
    assert twice == EventMessage(PUSH.value, 2, MOMENT)


def test_what_was_given_up_can_be_taken_up_again() -> None:
    """As it is, by moving the message; it begins anew."""
    message = given_up(PUSH.value, "nobody could read it")

    assert json.loads(message)["reason"] == "nobody could read it"
    assert EventMessage.decode(message.encode()) == EventMessage(PUSH.value)


def test_what_an_older_version_left_in_the_queue_is_taken() -> None:
    """Waiting, given up, or a check of a round: as version 1 wrote them, and with fields that a later one has added."""
    event = PUSH.value[0]
    left = {name: json.loads((_V1 / f"event-{name}.json").read_text()) for name in ("again", "given-up", "check")}
    waiting, given, check = (EventMessage.decode(json.dumps({**value, "later": 1}).encode()) for value in left.values())

    assert waiting == EventMessage(event, 1, MOMENT)
    assert given == EventMessage(event)
    assert RoundMessage.read(check.value) == RoundMessage("nightly", 20513, "docker.io", "library/alpine", "3.20")


@pytest.mark.parametrize("name", ["again", "given-up"])
def test_a_message_of_a_later_version_is_kept_as_it_is(name: str) -> None:
    """Rollback: it goes to the poison queue, and is taken up as it was once that version is back."""
    left = json.loads((_V1 / f"event-{name}.json").read_text())
    later = json.dumps({**left, "v": 2}).encode()

    with pytest.raises(MalformedEventError, match="its version is 2, this code reads 1"):
        EventMessage.decode(later)

    kept = given_up(as_text(later), "its version is 2").encode()
    assert json.loads(json.loads(kept)["event"]) == {**left, "v": 2}
    back = given_up(as_text(json.dumps(left).encode()), "its version is 2").encode()
    assert EventMessage.decode(back) == EventMessage.decode(json.dumps(left).encode())


@pytest.mark.parametrize("kept", ["no JSON", "\ud800", json.dumps({"v": 2, "kind": "again", "event": {}})])
def test_what_nobody_can_read_yet_is_kept_as_it_is_however_often_it_is_tried(kept: str) -> None:
    """Moved back too early, it is given up again as the same text, half a character in it or not."""
    assert EventMessage.decode(given_up(kept, "nobody could read it").encode()) == EventMessage(kept)


@pytest.mark.parametrize("kind", [[], {}, 5, None, "push"])
def test_an_event_may_have_a_kind_of_its_own(kind: object) -> None:
    """Whatever it is: nothing but our own two kinds is ours."""
    event = {"kind": kind, "event": "x"}

    assert EventMessage.decode(json.dumps(event).encode()) == EventMessage(event)


@pytest.mark.parametrize("body", [b"", b"no JSON", b"\xff\xfe", base64.b64encode(b"no JSON"), b'{"a": 1, "a": 2}'])
def test_what_is_no_json_is_said_to_be_none(body: bytes) -> None:
    """And is kept as text, or as base64 of what is no text."""
    with pytest.raises(MalformedEventError, match="is no JSON"):
        EventMessage.decode(body)

    assert as_text(body).encode() == body or base64.b64decode(as_text(body)) == body


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,0ae=', max_size=40).map(str.encode))
def test_any_bytes_are_a_message_or_the_one_error(body: bytes) -> None:
    """Whoever may write into the queue may write anything."""
    try:
        message = EventMessage.decode(body)
    except MalformedEventError:
        return
    assert EventMessage.decode(message.again(MOMENT).encode()).value == message.value
