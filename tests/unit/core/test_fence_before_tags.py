"""No tag moves but right after a heartbeat: that is what keeps a run that was replaced from moving one."""

import httpx
import pytest

from devtools.sample_images import image
from importcore.deadline import Deadline
from importcore.errors import LeaseLostError, Side
from importcore.phases.commit import Commit
from importcore.phases.plan import Plan
from importcore.registry.client import RegistryClient
from importcore.state.record import TargetResult
from tests.unit.registry.scripted import REGISTRY, ScriptedTransport, client_of, streamed
from tests.unit.registry.scripted_content import read

ROOT = read(image([b"the new"]))
STANDING = read(image([b"the old"]))
TARGETS = (TargetResult(f"{REGISTRY}/app:1"), TargetResult(f"{REGISTRY}/app:2"))


def target() -> tuple[RegistryClient, ScriptedTransport]:
    """A target whose tags stand on something else, and that takes every PUT."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return streamed(201)
        body = b"" if request.method == "HEAD" else STANDING.raw
        return streamed(
            200,
            body,
            Docker_Content_Digest=STANDING.digest,
            Content_Type=STANDING.media_type,
            Content_Length=str(len(STANDING.raw)),
        )

    return client_of(answer, side=Side.TARGET)


def commit_to(client: RegistryClient) -> Commit:
    """The third phase of an import of one manifest."""
    return Commit(Plan((ROOT,), source_digest=ROOT.digest), client, lambda _: None, Deadline(60))


@pytest.mark.parametrize("backup", [None, "{tag}-before"])
async def test_a_run_that_was_replaced_moves_no_tag(backup: str | None) -> None:
    """Neither the tag nor the one that keeps what it stood on."""
    client, script = target()

    async def fence() -> None:
        raise LeaseLostError("another run owns the import")

    with pytest.raises(LeaseLostError):
        await commit_to(client).tags(TARGETS, fence, backup)

    assert "PUT" not in {request.method for request in script.requests}


@pytest.mark.parametrize("backup", [None, "{tag}-before"])
async def test_each_tag_has_its_own_heartbeat(backup: str | None) -> None:
    """The last thing before its PUT, however many there are."""
    client, script = target()
    beats: list[int] = []

    async def fence() -> None:
        beats.append(len(script.requests))

    await commit_to(client).tags(TARGETS, fence, backup)

    puts = [number for number, request in enumerate(script.requests) if request.method == "PUT"]
    assert len(puts) == len(TARGETS) * (2 if backup else 1)
    assert beats == puts
