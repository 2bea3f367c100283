"""A blob in one PUT: a target gets the whole of it only when its digest is right, even one that would take anything."""

import hashlib
from dataclasses import dataclass, field

import httpx
import pytest

from importcore.deadline import Deadline
from importcore.descriptors import Descriptor
from importcore.errors import DigestMismatchError, Side
from importcore.phases.blob_task import BlobTask, CopyTools
from importcore.phases.whole_blob import send_small, stream_whole
from importcore.registry.auth import RegistryAuth
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import Anonymous
from importcore.registry.registries import Registries
from importcore.settings.model import Settings, StorageAccount
from importcore.state.checkpoint import UploadState
from tests.unit.registry.scripted import REGISTRY, URL, client_of, streamed

RIGHT, WRONG = b"right bytes", b"wrong bytes"
BLOB = Descriptor("application/octet-stream", f"sha256:{hashlib.sha256(RIGHT).hexdigest()}", len(RIGHT))


class Unwritten:
    """A checkpoint log that nobody reads: of a blob in one PUT nothing is noted."""

    def open_upload(self, repository: str, digest: str) -> UploadState | None:
        """None is open."""

    async def note(self, upload: UploadState, *, at_once: bool = False) -> None:
        """Nothing."""

    def forget(self, repository: str, digest: str) -> None:
        """Nothing."""


@dataclass
class Greedy(httpx.AsyncBaseTransport):
    """A target that takes whatever comes, and for whole as soon as it has as many bytes as were announced."""

    taken: list[bytes] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer; of a PUT, while its body is still coming."""
        if request.method == "POST":
            return streamed(202, Location="/v2/app/blobs/uploads/1")
        if request.method != "PUT":
            return streamed(404 if request.method == "HEAD" else 204)
        body = b""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            body += piece
            if len(body) == int(request.headers["content-length"]):
                self.taken.append(body)
        return streamed(201)


def task_of(*bodies: bytes) -> tuple[BlobTask, list[bytes]]:
    """Copying the blob from a source that serves these bytes, one after the other; and what the target takes."""
    left = list(bodies)

    def serve(_: httpx.Request) -> httpx.Response:
        body = left.pop(0) if len(left) > 1 else left[0]
        return streamed(200, body[:6], body[6:])

    source, _ = client_of(serve)
    greedy = Greedy()
    http = httpx.AsyncClient(transport=greedy)
    target = RegistryClient(http, RegistryAuth(http, REGISTRY, URL, Anonymous()), REGISTRY, URL, Side.TARGET)
    registries = Registries(Settings(storage=StorageAccount(connection_string="x"), sealing_keys=()))
    tools = CopyTools(source, "app", target, registries, Unwritten(), lambda _: None, Deadline(540))
    return BlobTask(tools, BLOB, "app"), greedy.taken


@pytest.mark.parametrize("small", [True, False])
async def test_wrong_bytes_are_never_closed_under_the_digest(small: bool) -> None:  # noqa: FBT001 (a column)
    """They are read again a few times; then it is the source's fault."""
    task, taken = task_of(WRONG)

    with pytest.raises(DigestMismatchError) as caught:
        await (send_small(task, None) if small else stream_whole(task))

    assert caught.value.origin is Side.SOURCE
    assert taken == []


@pytest.mark.parametrize("small", [True, False])
async def test_what_was_wrong_once_is_read_again(small: bool) -> None:  # noqa: FBT001 (a column)
    """Another mirror, or another disk of the same registry, may serve it right."""
    task, taken = task_of(WRONG, WRONG, RIGHT)

    await (send_small(task, None) if small else stream_whole(task))

    assert taken == [RIGHT]
