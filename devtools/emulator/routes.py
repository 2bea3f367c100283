"""The registry's paths. A repository's name holds slashes, so the routes with more behind the name come first."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from devtools.emulator.access import Access
from devtools.emulator.announcements import Announcements
from devtools.emulator.blobs import BlobEndpoints
from devtools.emulator.catalog import Catalog
from devtools.emulator.config import EmulatorConfig
from devtools.emulator.data_endpoint import DataEndpoint
from devtools.emulator.listings import ListEndpoints
from devtools.emulator.manifests import ManifestEndpoints
from devtools.emulator.refusal import SpecJSONResponse
from devtools.emulator.store import Store
from devtools.emulator.tag_locks import TagLockEndpoints
from devtools.emulator.token_service import TokenService
from devtools.emulator.tokens import TokenSigner
from devtools.emulator.uploads import UploadEndpoints


def registry_routes(
    config: EmulatorConfig, store: Store, catalog: Catalog, announcements: Announcements
) -> list[Route]:
    """All that a client of the registry can reach: `/v2/`, `/oauth2/`, `/acr/v1/` and the data endpoint."""
    tokens = TokenSigner(store.secret(), config.refresh_token_seconds, config.access_token_seconds)
    access = Access(config, tokens)
    data = DataEndpoint(config, store)
    uploads = UploadEndpoints(config, store, catalog, access)
    blobs = BlobEndpoints(store, catalog, access, data)
    manifests = ManifestEndpoints(config, catalog, access, announcements)
    lists = ListEndpoints(config, catalog, access)
    locks = TagLockEndpoints(catalog, access)
    service = TokenService(config, tokens)

    async def ping(request: Request) -> Response:
        access.require_login(request)
        return SpecJSONResponse({})

    async def ping_without_slash(_request: Request) -> Response:
        return RedirectResponse("/v2/", status_code=301)

    session = "/v2/{name:path}/blobs/uploads/{uuid}"
    manifest = "/v2/{name:path}/manifests/{reference}"
    blob = "/v2/{name:path}/blobs/{digest}"
    return [
        Route("/v2/", ping, methods=["GET"]),
        Route("/v2", ping_without_slash, methods=["GET"]),
        Route("/v2/_catalog", lists.repositories, methods=["GET"]),
        Route("/v2/{name:path}/blobs/uploads/", uploads.start, methods=["POST"]),
        Route(session, uploads.append, methods=["PATCH"]),
        Route(session, uploads.status, methods=["GET"]),
        Route(session, uploads.finish, methods=["PUT"]),
        Route(session, uploads.cancel, methods=["DELETE"]),
        Route(blob, blobs.read, methods=["GET"]),
        Route(blob, blobs.delete, methods=["DELETE"]),
        Route(manifest, manifests.read, methods=["GET"]),
        Route(manifest, manifests.put, methods=["PUT"]),
        Route(manifest, manifests.delete, methods=["DELETE"]),
        Route("/v2/{name:path}/tags/list", lists.tags, methods=["GET"]),
        Route("/v2/{name:path}/referrers/{digest}", lists.referrers, methods=["GET"]),
        Route("/oauth2/exchange", service.exchange, methods=["POST"]),
        Route("/oauth2/token", service.token, methods=["GET", "POST"]),
        Route("/acr/v1/{name:path}/_tags/{tag}", locks.read, methods=["GET"]),
        Route("/acr/v1/{name:path}/_tags/{tag}", locks.change, methods=["PATCH"]),
        Route("/data/{digest}", data.read, methods=["GET"]),
    ]
