"""Control of a running emulator, below `/_emulator/`; no part of ACR.

POST, GET, DELETE  faults   add rules (one or a list), see how often each fired, forget them all
GET, DELETE        journal  what was asked so far; begin anew
DELETE             uploads  lose every open upload session
GET                state    what the registry holds
POST, GET          webhooks add a webhook; what was sent so far, and what was answered
POST               ping     send every webhook a ping
POST               eventgrid  add an event subscription that delivers to a storage queue
"""

import json
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devtools.emulator.announcements import Announcements, EventGridConfig, WebhookConfig
from devtools.emulator.catalog import Catalog
from devtools.emulator.faults import FaultRule, FaultScript
from devtools.emulator.journal import Journal
from devtools.emulator.store import Store

PREFIX = "/_emulator/"


def state_of(store: Store, catalog: Catalog) -> dict[str, Any]:
    """What the registry holds: repositories with tags, manifests and blobs; blob sizes; open uploads with offsets."""
    return {
        "repositories": {
            name: {
                "tags": catalog.tags(name),
                "manifests": {manifest.digest: manifest.media_type for manifest in catalog.manifests(name)},
                "blobs": catalog.blobs(name),
            }
            for name in catalog.repositories()
        },
        "blobs": store.blobs(),
        "uploads": [{**asdict(upload.info), "offset": upload.offset} for upload in store.uploads()],
    }


class ControlEndpoints:
    """The endpoints below `/_emulator/`; they appear neither in the journal nor in the fault script."""

    def __init__(
        self, faults: FaultScript, journal: Journal, store: Store, catalog: Catalog, announcements: Announcements
    ) -> None:
        self._announcements = announcements
        self._faults = faults
        self._journal = journal
        self._store = store
        self._catalog = catalog

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route(f"{PREFIX}faults", self.add_faults, methods=["POST"]),
            Route(f"{PREFIX}faults", self.list_faults, methods=["GET"]),
            Route(f"{PREFIX}faults", self.clear_faults, methods=["DELETE"]),
            Route(f"{PREFIX}journal", self.read_journal, methods=["GET"]),
            Route(f"{PREFIX}journal", self.clear_journal, methods=["DELETE"]),
            Route(f"{PREFIX}uploads", self.lose_uploads, methods=["DELETE"]),
            Route(f"{PREFIX}state", self.read_state, methods=["GET"]),
            Route(f"{PREFIX}webhooks", self.add_webhook, methods=["POST"]),
            Route(f"{PREFIX}webhooks", self.list_deliveries, methods=["GET"]),
            Route(f"{PREFIX}ping", self.ping, methods=["POST"]),
            Route(f"{PREFIX}eventgrid", self.add_subscription, methods=["POST"]),
        ]

    async def add_faults(self, request: Request) -> Response:
        """Append one rule or a list of them; 400 and no change where one is not understood."""
        document = json.loads(await request.body())
        try:
            rules = [
                FaultRule.model_validate(rule) for rule in (document if isinstance(document, list) else [document])
            ]
        except ValidationError as error:
            return Response(error.json(), status_code=400, media_type="application/json")
        for rule in rules:
            self._faults.add(rule)
        return Response(status_code=204)

    async def list_faults(self, _request: Request) -> Response:
        """The rules, each with how often it `fired`."""
        pairs = zip(self._faults.rules(), self._faults.fired(), strict=True)
        return JSONResponse([{**rule.model_dump(mode="json"), "fired": fired} for rule, fired in pairs])

    async def clear_faults(self, _request: Request) -> Response:
        """Forget all rules."""
        self._faults.clear()
        return Response(status_code=204)

    async def read_journal(self, _request: Request) -> Response:
        """The entries, oldest first."""
        return JSONResponse([asdict(entry) for entry in self._journal])

    async def clear_journal(self, _request: Request) -> Response:
        """Forget all entries."""
        self._journal.clear()
        return Response(status_code=204)

    async def lose_uploads(self, _request: Request) -> Response:
        """Forget all open uploads, as a registry does that purges or restarts."""
        for upload in self._store.uploads():
            upload.cancel()
        return Response(status_code=204)

    async def read_state(self, _request: Request) -> Response:
        """See `state_of`."""
        return JSONResponse(state_of(self._store, self._catalog))

    async def add_webhook(self, request: Request) -> Response:
        """Add a webhook, in the words of ARM: serviceUri, customHeaders, actions, scope."""
        self._announcements.add_webhook(WebhookConfig.model_validate_json(await request.body()))
        return Response(status_code=204)

    async def list_deliveries(self, _request: Request) -> Response:
        """What was sent to webhooks and to Event Grid's queues, oldest first."""
        return JSONResponse(self._announcements.deliveries)

    async def ping(self, _request: Request) -> Response:
        """Send every webhook a ping."""
        self._announcements.ping()
        return Response(status_code=204)

    async def add_subscription(self, request: Request) -> Response:
        """Add an event subscription: connectionString, queue."""
        self._announcements.add_subscription(EventGridConfig.model_validate_json(await request.body()))
        return Response(status_code=204)
