"""What a request says about being told when its import has ended: whom to call, after which ends, in which form."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import httpx

from importcore.errors import FieldProblem, InvalidRequestError
from importcore.request.selection_body import selects
from importcore.settings.notices import NoticeOn

_URL_AT_MOST = 2_048
_PORT_AT_MOST = 65_535
_CHILDREN_FIELD = "callbackChildren"
_NEEDS_THE_URL = ("callbackOn", _CHILDREN_FIELD)
URL_FIELD = "callbackUrl"
"""The field of a request that names the URL."""


class CallbackForm(StrEnum):
    """What the body of a callback is."""

    EVENT = "event"
    """A CloudEvent, signed."""
    DOCKER_HUB = "dockerHub"
    """What Docker Hub wants to hear at the `callback_url` of its webhooks; nothing there checks a signature."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback; its whole URL can be a secret.

    Attributes:
        url: Whom to call.
        on: After which ends.
        children: Whether each import of a selection calls, too.
        form: What is sent.
    """

    url: str = field(repr=False)
    on: NoticeOn = NoticeOn.ALL
    children: bool = False
    form: CallbackForm = CallbackForm.EVENT

    @classmethod
    def to(cls, url: str, **more: Any) -> Self:  # noqa: ANN401 (the other fields)
        """Make a callback, with a URL that can be one.

        Raises:
            InvalidRequestError: It cannot; the message repeats nothing of it.
        """
        wrong = url_problem(url)
        if wrong:
            raise InvalidRequestError(f"the callback URL {wrong}", (FieldProblem("invalid_value", wrong, URL_FIELD),))
        return cls(url, **more)


def url_problem(text: str) -> str | None:
    """Say why a text can be no callback's URL; None where it can. Whether it may be one is the origin gate's to say."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError):
        return "is not a URL"
    if len(text) > _URL_AT_MOST or not text.isascii() or not text.isprintable() or " " in text:
        return f"is not a URL of at most {_URL_AT_MOST} printable ASCII characters"
    if url.scheme not in {"https", "http"} or not url.host or (url.port or 0) > _PORT_AT_MOST:
        return "must be a URL such as https://example.com/transload"
    if url.userinfo or url.fragment:
        return "must have neither user information nor a fragment"
    return None


def read_callback(value: dict[str, Any], problems: list[FieldProblem]) -> Callback | None:
    """Read the callback of a decoded body; every problem is added to `problems`."""
    url = value.get(URL_FIELD)
    if not isinstance(url, str):
        message = f"needs `{URL_FIELD}`"
        problems += [FieldProblem("contradiction", message, name) for name in _NEEDS_THE_URL if value.get(name)]
        return None
    if value.get("validateOnly") is True:
        problems.append(FieldProblem("contradiction", "cannot stand beside `validateOnly`: nothing ends", URL_FIELD))
    wrong = url_problem(url)
    if wrong:
        problems.append(FieldProblem("invalid_value", wrong, URL_FIELD))
    children = value.get("callbackChildren") is True
    if children and not selects(value):
        problems.append(FieldProblem("contradiction", "needs a selection: `tags` or `repositories`", _CHILDREN_FIELD))
    on = NoticeOn.FAILURE if value.get("callbackOn") == NoticeOn.FAILURE else NoticeOn.ALL
    return Callback(url, on, children=children)
