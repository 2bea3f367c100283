"""A blob in one PUT: a target gets the whole of it only when its digest is right, even one that would take anything."""

import hashlib
from dataclasses import dataclass, field

import httpx
import pytest

from importcore.content import Descriptor
from importcore.deadline import Deadline
from importcore.errors import DigestMismatchError, Side
from importcore.phases.blob_task import BlobTask, CopyTools
from importcore.phases.whole_blob import send_small, stream_whole
from importcore.registry.registries import Registries
from importcore.settings.model import Settings, StorageAccount
from importcore.state.checkpoint import UploadState
from tests.unit.registry.scripted import ScriptedTransport, client_of, streamed

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
class Served:
    """A source that serves these bytes, one after the other, and a target that takes whatever comes."""

    bodies: list[bytes]
    taken: list[bytes] = field(default_factory=list)

    def task(self) -> tuple[BlobTask, ScriptedTransport]:
        """Copying the blob from one to the other, and what the target was asked."""
        source, _ = client_of(self._serve)
        target, script = client_of(self._take, side=Side.TARGET)
        registries = Registries(Settings(storage=StorageAccount(connection_string="x"), sealing_keys=()))
        tools = CopyTools(source, "app", target, registries, Unwritten(), lambda _: None, Deadline(540))
        return BlobTask(tools, BLOB, "app"), script

    def _serve(self, _: httpx.Request) -> httpx.Response:
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return streamed(200, body[:6], body[6:])

    def _take(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return streamed(202, Location="/v2/app/blobs/uploads/1")
        if request.method == "PUT":
            self.taken.append(request.content)
            return streamed(201)
        return streamed(404 if request.method == "HEAD" else 204)


@pytest.mark.parametrize("small", [True, False])
async def test_wrong_bytes_are_never_closed_under_the_digest(small: bool) -> None:  # noqa: FBT001 (a column)
    """They are read again a few times; then it is the source's fault."""
    served = Served([WRONG])
    task, _ = served.task()

    with pytest.raises(DigestMismatchError) as caught:
        await (send_small(task, None) if small else stream_whole(task))

    assert caught.value.origin is Side.SOURCE
    assert served.taken == []


@pytest.mark.parametrize("small", [True, False])
async def test_what_was_wrong_once_is_read_again(small: bool) -> None:  # noqa: FBT001 (a column)
    """Another mirror, or another disk of the same registry, may serve it right."""
    served = Served([WRONG, WRONG, RIGHT])
    task, _ = served.task()

    await (send_small(task, None) if small else stream_whole(task))

    assert served.taken == [RIGHT]
