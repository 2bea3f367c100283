"""The queue message: it reads back as it was, and one that cannot be read names its import where it can."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.sealing import Sealer
from importcore.state.checkpoint import Checkpoint, UploadState
from importcore.state.message import Handover, ImportMessage, UnreadableMessageError, first_message
from importcore.state.record import new_import_id

SEALER = Sealer((("k1", b"\x01" * 32),))
IMPORT_ID = "0123456789abcdefghj"
UPLOADS = (UploadState("sha256:" + "0" * 64, "team/app", "https://r.example/u?_state=secret", 7),)


def altered(**fields: object) -> bytes:
    """The body of a good message with some fields replaced."""
    value: dict[str, Any] = json.loads(first_message(IMPORT_ID).encode(SEALER))
    return json.dumps({**value, **fields}).encode()


@pytest.mark.parametrize("handover", list(Handover))
def test_a_message_reads_back_as_it_was(handover: Handover) -> None:
    """Which import, how it came to wait, by which claim, and where to go on."""
    message = ImportMessage(new_import_id(), handover, 3, Checkpoint(UPLOADS))

    body = message.encode(SEALER)

    assert ImportMessage.decode(body.encode(), SEALER) == message
    assert "secret" not in body


def test_an_import_begins_with_an_empty_message() -> None:
    """Nothing is open and nobody has claimed it."""
    assert first_message(IMPORT_ID) == ImportMessage(IMPORT_ID, Handover.QUEUED, 0, Checkpoint())


@pytest.mark.parametrize(
    "body",
    [
        altered(v=2),
        altered(v=None),
        altered(handover="stolen"),
        altered(handover=None),
        altered(attempt="many"),
        altered(attempt=None),
        altered(attempt=float("inf")),
        altered(attempt="a number too large").replace(b'"a number too large"', b"1e999"),
        altered(checkpoint=None),
        altered(checkpoint={"v": 2, "uploads": ""}),
        altered(checkpoint={"v": 1, "uploads": "k9.AAAA"}),
        altered(checkpoint={"v": 1, "uploads": "k1.AAAA"}),
    ],
)
def test_a_message_that_cannot_be_read_still_names_its_import(body: bytes) -> None:
    """So that the import can be ended with the reason, instead of waiting forever."""
    with pytest.raises(UnreadableMessageError) as caught:
        ImportMessage.decode(body, SEALER)

    assert caught.value.import_id == IMPORT_ID
    assert caught.value.step == "read message"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"\xff", b"[]", b"5", b"[" * 100_000, b"{}",
        altered(importId=None), altered(importId="../x"), altered(importId=5),
    ],
)  # fmt: skip
def test_a_message_of_nobody_names_no_import(body: bytes) -> None:
    """Nothing in it is taken for an id that is none."""
    with pytest.raises(UnreadableMessageError) as caught:
        ImportMessage.decode(body, SEALER)

    assert caught.value.import_id is None


def test_a_future_version_says_which_one_and_what_to_do() -> None:
    """Rolling back a deployment leaves such messages in the queue."""
    with pytest.raises(UnreadableMessageError, match="version is 2, this code reads 1") as caught:
        ImportMessage.decode(altered(v=2), SEALER)

    assert "newer version" in caught.value.action


@given(st.binary(max_size=100) | st.text(max_size=50).map(lambda text: altered(handover=text, importId=text)))
def test_any_body_is_a_message_or_unreadable(body: bytes) -> None:
    """No body makes a run stumble over anything else."""
    with pytest.raises(UnreadableMessageError):
        ImportMessage.decode(body, SEALER)
