"""What is sent to whom: the URL, headers and body of one attempt of a notice."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx

from importcore.api.event_views import event_json
from importcore.errors import ConfigurationError
from importcore.notices.docker_hub import docker_hub_json
from importcore.notices.signature import signed_headers
from importcore.request.callback import CallbackForm
from importcore.sealing import Sealer
from importcore.settings.notices import NoticeSettings
from importcore.state.notice import Channel, Notice
from importcore.state.record import ImportRecord

_CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"
"""CloudEvents 1.0, HTTP protocol binding, 3.2 "Structured content mode"; Event Grid's custom topics take it, too."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One POST."""

    url: httpx.URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


class Letters:
    """Writes letters, with what the settings say."""

    def __init__(
        self, settings: NoticeSettings, sealer: Sealer, event_grid_tokens: Callable[[], Awaitable[str]]
    ) -> None:
        """Take what a letter needs; the tokens go to an Event Grid topic of the app's cloud and to nobody else."""
        self._settings = settings
        self._sealer = sealer
        self._event_grid_tokens = event_grid_tokens

    async def write(self, record: ImportRecord, notice: Notice) -> Letter:
        """Write the letter of a notice that is due.

        Raises:
            ConfigurationError: The settings do not hold any more what it needs.
            AuthenticationError: The identity has no token for Event Grid.
            RegistryUnavailableError: The identity endpoint did not answer.
        """
        if notice.channel is Channel.EVENTS:
            return await self._event(record)
        if notice.sealed_url is None:
            raise ConfigurationError("the callback's URL is not there any more")
        url = httpx.URL(self._sealer.open(notice.sealed_url, record.id).decode())
        if notice.form is CallbackForm.DOCKER_HUB:
            return Letter(url, {"Content-Type": "application/json"}, docker_hub_json(record).encode())
        if not self._settings.callback_keys:
            raise ConfigurationError("TRANSLOAD_CALLBACK_KEYS: is not set any more; callbacks are not sent unsigned")
        body = event_json(record, self._settings.source).encode()
        return Letter(url, {"Content-Type": _CLOUD_EVENT, **self._signed(record, body)}, body)

    async def _event(self, record: ImportRecord) -> Letter:
        if self._settings.events_endpoint is None:
            raise ConfigurationError("TRANSLOAD_EVENTS_ENDPOINT: is not set any more")
        body = event_json(record, self._settings.source).encode()
        headers = {"Content-Type": _CLOUD_EVENT, **self._signed(record, body)}
        if self._settings.events_take_identity:
            headers["Authorization"] = f"Bearer {await self._event_grid_tokens()}"
        return Letter(httpx.URL(self._settings.events_endpoint), headers, body)

    def _signed(self, record: ImportRecord, body: bytes) -> Mapping[str, str]:
        keys = self._settings.callback_keys
        if not keys:
            return {}
        return signed_headers(keys, delivery_id=record.id, timestamp=int(time.time()), body=body)
