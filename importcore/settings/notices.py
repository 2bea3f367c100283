"""The app settings about telling others that an import has ended: callbacks, and an events endpoint."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from importcore.settings.clouds import Cloud
from importcore.settings.reader import SettingsReader

_KEY_BYTES_LEAST, _KEY_BYTES_MOST = 24, 64
"""What Standard Webhooks allows for a symmetric secret."""
_LOCAL_SOURCE = "/api/imports"


class NoticeOn(StrEnum):
    """After which ends of an import others are told."""

    ALL = "all"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """What an installation decides about notices.

    Attributes:
        callback_keys: What callbacks are signed with, by id; every one signs.
        callback_hosts: The only hosts that callbacks may go to, `host[:port]` or `*.domain`; empty is any public one.
        events_endpoint: Where an event about each import goes; an Event Grid topic, or any sink of CloudEvents.
        events_on: After which ends.
        events_take_identity: Whether the endpoint is an Event Grid topic of the app's cloud, which gets an Entra token.
        retry_seconds: The pause before the second attempt; later ones grow.
        source: The `source` attribute of every event.
    """

    callback_keys: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    callback_hosts: tuple[str, ...] = ()
    events_endpoint: str | None = field(default=None, repr=False)
    events_on: NoticeOn = NoticeOn.ALL
    events_take_identity: bool = False
    retry_seconds: float = 10.0
    source: str = _LOCAL_SOURCE

    @classmethod
    def read(cls, reader: SettingsReader, cloud: Cloud) -> Self:
        """Read the app settings; what is wrong is told to the reader."""
        endpoint = _endpoint(reader, "TRANSLOAD_EVENTS_ENDPOINT")
        hosts = reader.text("TRANSLOAD_CALLBACK_HOSTS", "").lower().split(",")
        host = reader.text("WEBSITE_HOSTNAME", "")
        on = reader.text("TRANSLOAD_EVENTS_ON", NoticeOn.ALL)
        if on not in set(NoticeOn):
            reader.wrong(f"TRANSLOAD_EVENTS_ON: must be one of {', '.join(NoticeOn)}")
            on = NoticeOn.ALL
        return cls(
            callback_keys=reader.keys("TRANSLOAD_CALLBACK_KEYS", least=_KEY_BYTES_LEAST, most=_KEY_BYTES_MOST),
            callback_hosts=tuple(part.strip() for part in hosts if part.strip()),
            events_endpoint=endpoint,
            events_on=NoticeOn(on),
            events_take_identity=_is_topic(endpoint, cloud),
            retry_seconds=reader.number("TRANSLOAD_NOTICE_RETRY_SECONDS", 10, least=1, most=3_600),
            source=f"https://{host}{_LOCAL_SOURCE}" if host else _LOCAL_SOURCE,
        )


def _is_topic(endpoint: str | None, cloud: Cloud) -> bool:
    parts = urlsplit(endpoint or "")
    return parts.scheme == "https" and (parts.hostname or "").endswith(cloud.event_grid_suffix)


def _endpoint(reader: SettingsReader, name: str) -> str | None:
    """Give a URL that may have a path and a query, which can be a secret and is never repeated."""
    text = reader.text(name, "")
    if not text:
        return None
    try:
        parts = urlsplit(text)
        right = parts.scheme in {"https", "http"} and parts.hostname and not parts.username and not parts.fragment
    except ValueError:
        right = False
    if not right:
        reader.wrong(f"{name}: must be the URL of an Event Grid topic or of another sink of CloudEvents")
        return None
    return text
