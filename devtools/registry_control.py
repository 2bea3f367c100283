"""The control of an emulated registry over HTTP: whom it tells of pushes, and what they answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

_POLL_SECONDS = 0.1


class RegistryControl:
    """Orders to one registry; the client is of its `/_emulator/`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @classmethod
    @asynccontextmanager
    async def of(cls, registry: str) -> AsyncIterator["RegistryControl"]:
        """Open the control of the registry at `host:port`."""
        async with httpx.AsyncClient(base_url=f"http://{registry}/_emulator", trust_env=False) as http:
            yield cls(http)

    async def order(self, what: str, **body: Any) -> None:  # noqa: ANN401 (JSON)
        """Configure it, or make it do something; see `devtools/emulator/control.py`.

        Raises:
            httpx.HTTPStatusError: It did not understand.
        """
        (await self._http.post(what, json=body)).raise_for_status()

    async def answered(self, action: str, repository: str | None = None, tag: str | None = None) -> dict[str, Any]:
        """Wait until an event was delivered; `sent`, and what was `answered` and `said`."""
        while True:
            for each in (await self._http.get("webhooks")).json():
                target = each["sent"].get("target", {})
                if (each["sent"].get("action"), target.get("repository"), target.get("tag")) == (
                    action,
                    repository,
                    tag,
                ):
                    return dict(each)
            await asyncio.sleep(_POLL_SECONDS)
