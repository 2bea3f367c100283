"""Canceling what an ended import left open at its target: all of it, or as much as there is time for."""

import asyncio

import httpx

from importcore.errors import Side
from importcore.registry.auth import RegistryAuth
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import Anonymous
from importcore.run.open_uploads import SECONDS_AT_MOST, cancel_uploads
from importcore.state.checkpoint import UploadState
from tests.unit.registry.scripted import REGISTRY, URL, client_of, streamed

UPLOADS = [
    UploadState(f"sha256:{number:064x}", "app", f"{URL}/v2/app/blobs/uploads/{number}", number) for number in range(20)
]


class Silent(httpx.AsyncBaseTransport):
    """A registry that takes requests and never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait as long as anybody would."""
        await asyncio.sleep(60)
        raise httpx.ReadTimeout("nothing came", request=request)


async def test_every_session_is_canceled() -> None:
    """Whichever of them the target does not know any more, or refuses."""

    def answer(request: httpx.Request) -> httpx.Response:
        return streamed(404 if request.url.path.endswith("3") else 403 if request.url.path.endswith("5") else 204)

    client, script = client_of(answer, side=Side.TARGET)
    await cancel_uploads(client, [*UPLOADS, UploadState(UPLOADS[0].digest, "app", "https://a.example:port/", 0)])

    canceled = {request.url.path for request in script.requests if request.method == "DELETE"}
    assert canceled == {httpx.URL(upload.location).path for upload in UPLOADS}


async def test_a_target_that_never_answers_does_not_keep_an_import_from_its_end() -> None:
    """Nobody renews the lease meanwhile: the next run would take the import over and wait as long, and so for ever."""
    http = httpx.AsyncClient(transport=Silent())
    client = RegistryClient(http, RegistryAuth(http, REGISTRY, URL, Anonymous()), REGISTRY, URL, Side.TARGET)
    clock = asyncio.get_running_loop()
    began = clock.time()

    await cancel_uploads(client, UPLOADS)

    assert clock.time() - began < SECONDS_AT_MOST + 1
