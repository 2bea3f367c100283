"""Whoever may write to storage can change where a record says that its import comes from; its credentials stay home."""

import json
from dataclasses import replace

import pytest

from devtools.clockwork import ClockworkAccount
from importcore.errors import ConfigurationError
from importcore.request.source_access import UserCredentials
from importcore.sealing import Sealer
from importcore.state.record import ImportRecord
from tests.unit.core.lease_worker import Worker

KEY = (("test", b"k" * 32),)


async def record_of(worker: Worker, sealed: str) -> ImportRecord:
    """An import from Docker Hub with these sealed credentials."""
    return replace(await worker.record(await worker.submitted()), sealed_credentials=sealed)


@pytest.mark.parametrize("user", ["user", None])
async def test_credentials_do_not_go_where_a_changed_record_sends_them(user: str | None) -> None:
    """They open for the registry that the request named, and for no other."""
    async with Worker.on(ClockworkAccount()) as worker:
        record, clients = await record_of(worker, ""), worker.services.clients
        record = replace(
            record, sealed_credentials=clients.sealed(UserCredentials("secret", user), "docker.io", record.id)
        )

        assert clients.source(record).registry == "docker.io"
        with pytest.raises(ConfigurationError, match="another registry"):
            clients.source(replace(record, source="evil.example/library/a:1"))


async def test_credentials_that_an_earlier_version_sealed_are_taken() -> None:
    """It did not say for which registry; imports that are under way at an upgrade go on."""
    async with Worker.on(ClockworkAccount()) as worker:
        record = await record_of(worker, "")
        sealed = Sealer(KEY).seal(json.dumps(["user", "secret"]).encode(), record.id)

        assert worker.services.clients.source(replace(record, sealed_credentials=sealed)).registry == "docker.io"
