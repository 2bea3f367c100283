"""What a request may say about being told, and what is wrong with it; and the queue message of a notice."""

import json
from typing import Any

import pytest

from importcore.errors import InvalidRequestError
from importcore.request.callback import Callback
from importcore.request.model import read_import_request
from importcore.settings.notices import NoticeOn
from importcore.state.message import UnreadableMessageError
from importcore.state.notice import Channel
from importcore.state.notice_message import NoticeMessage
from importcore.state.record import new_import_id

URL = "https://receiver.example/hook?token=hush"
ONE = {"source": "alpine:3", "target": "here.azurecr.io/a:1"}
MANY = {"source": "alpine", "targetRegistry": "here.azurecr.io", "tags": {"include": ["3.*"]}}


def callback(**body: Any) -> Callback | None:  # noqa: ANN401 (fields of the body)
    """The callback of a request."""
    return read_import_request(json.dumps(body).encode(), default_target=None).callback


def problems(**body: Any) -> dict[str, str]:  # noqa: ANN401 (fields of the body)
    """What is wrong with a request, by field."""
    with pytest.raises(InvalidRequestError) as caught:
        callback(**body)
    return {problem.target: problem.message for problem in caught.value.problems}


def test_a_callback_is_read() -> None:
    """After every end, unless only failures are wanted; for the children of a selection where they are wanted."""
    assert callback(**ONE) is None
    assert callback(**ONE, callbackUrl=URL) == Callback(URL)
    assert callback(**ONE, callbackUrl=URL, callbackOn="failure") == Callback(URL, NoticeOn.FAILURE)
    assert callback(**MANY, callbackUrl=URL, callbackChildren=True) == Callback(URL, children=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "receiver.example/hook",
        "ftp://receiver.example/",
        "https://",
        "https://user:hush@receiver.example/",
        "https://receiver.example/#part",
        "https://receiver.example/a b",
        "https://receiver.example/\u00e9",
        "https://receiver.example/\n",
        "https://receiver.example:99999/",
        "https://receiver.example/" + "a" * 2_048,
    ],
)
def test_what_is_no_url_to_call_is_refused(url: str) -> None:
    """The field is named, and nothing of it is repeated."""
    found = problems(**ONE, callbackUrl=url)

    assert list(found) == ["callbackUrl"]
    assert "hush" not in found["callbackUrl"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**ONE, "callbackOn": "failure"}, "callbackOn"),
        ({**MANY, "callbackChildren": True}, "callbackChildren"),
        ({**ONE, "callbackUrl": URL, "callbackChildren": True}, "callbackChildren"),
        ({**ONE, "callbackUrl": URL, "validateOnly": True}, "callbackUrl"),
        ({**ONE, "callbackUrl": URL, "callbackOn": "never"}, "callbackOn"),
        ({**ONE, "callbackUrl": URL, "callbackOn": ["all"]}, "callbackOn"),
        ({**ONE, "callbackUrl": 7}, "callbackUrl"),
    ],
)
def test_what_means_nothing_is_refused(body: dict[str, Any], field: str) -> None:
    """Nothing that was asked for is ignored silently."""
    assert list(problems(**body)) == [field]


def test_a_callback_does_not_show_its_url() -> None:
    """Neither when it is printed nor when it is refused."""
    assert "hush" not in repr(Callback.to(URL))
    with pytest.raises(InvalidRequestError) as caught:
        Callback.to("https://user:hush@receiver.example/")
    assert "hush" not in str(caught.value)


def test_a_message_is_read_back() -> None:
    """Every field of it."""
    message = NoticeMessage(new_import_id(), Channel.EVENTS, 3)

    assert NoticeMessage.decode(message.encode().encode()) == message


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"importId":"x","v":1}', b"\xff", b"[" * 100_000])
def test_a_message_of_somebody_else_is_unreadable(body: bytes) -> None:
    """It names no import."""
    with pytest.raises(UnreadableMessageError) as caught:
        NoticeMessage.decode(body)

    assert caught.value.import_id is None


@pytest.mark.parametrize("change", [{"v": 2}, {"channel": "pigeon"}, {"attempt": "many"}, {"attempt": None}])
def test_a_message_of_another_version_names_its_import(change: dict[str, Any]) -> None:
    """So that the record can say what became of it."""
    import_id = new_import_id()
    value = json.loads(NoticeMessage(import_id, Channel.CALLBACK).encode()) | change

    with pytest.raises(UnreadableMessageError) as caught:
        NoticeMessage.decode(json.dumps(value).encode())

    assert caught.value.import_id == import_id
