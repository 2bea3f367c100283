"""The real `docker-registry` behind a token service, as source and as target: nothing of the handshake is emulated."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from devtools.app_in_process import AppInProcess
from devtools.registry_content import RegistryContent
from devtools.registry_tokens import RegistryTokens
from devtools.rehearsal import app_settings, open_host
from devtools.sample_images import multi_platform
from devtools.serving import serving
from devtools.testing import running_docker_registry
from importcore.registry.auth import RegistryAuth
from importcore.registry.credentials import UserPassword

pytestmark = pytest.mark.asyncio(loop_scope="session")

IMAGE = multi_platform([3_000, 6_000_000], ["linux/amd64", "linux/arm64"])
BOTH = frozenset({"pull", "push"})


async def test_a_token_opens_the_source_and_another_the_target(storage: str, tmp_path: Path) -> None:
    """The reader's token pulls, the writer's pushes; each is asked for the scopes of its side and nothing more."""
    record, asked = await imported(storage, tmp_path, {"username": "reader", "password": "r"})
    assert (record["status"], record["error"]) == ("Succeeded", None)
    assert record["digest"] == IMAGE.root
    assert set(asked["source"]) == {"repository:app:pull"}
    assert set(asked["target"]) == {"repository:copy:pull,push"}


async def test_a_wrong_password_is_the_sources_401(storage: str, tmp_path: Path) -> None:
    """The token service refuses the user: the record names the side, and nothing was written."""
    record, asked = await imported(storage, tmp_path, {"username": "reader", "password": "wrong"})
    assert (record["status"], record["error"]["code"]) == ("Failed", "authentication_failed")
    assert (record["error"]["side"], asked["target"]) == ("source", [])


async def imported(
    storage: str, folder: Path, credentials: dict[str, str]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Import `app:1` as `copy:1` between two registries, each with a token service of its own."""
    source_tokens = RegistryTokens({"reader": ("r", frozenset({"pull"})), "owner": ("o", BOTH)})
    target_tokens = RegistryTokens({"writer": ("w", BOTH)})
    for name in ("source", "target"):
        (folder / name).mkdir()
    async with (
        serving(source_tokens.app) as source_port,
        serving(target_tokens.app) as target_port,
        running_docker_registry(
            folder / "source", auth=source_tokens.registry_auth(source_port, folder / "source")
        ) as source,
        running_docker_registry(
            folder / "target", auth=target_tokens.registry_auth(target_port, folder / "target")
        ) as target,
    ):
        await push_as_owner(source)
        source_tokens.asked.clear()
        hosts = dict.fromkeys((source, target, f"127.0.0.1:{source_port}", f"127.0.0.1:{target_port}"), open_host())
        known = {"writer": {"registry": target, "username": "writer", "password": "w"}}
        settings = app_settings(storage, target, hosts, TRANSLOAD_CREDENTIALS=json.dumps(known))
        async with AppInProcess.started(settings) as app:
            body = {"registryUri": source, "sourceImage": "app:1", "credentials": credentials}
            answer = await app.post({"source": body, "targetTags": ["copy:1"]})
            await app.work_off()
            record = await app.record(json.loads(answer.body)["id"])
    return record, {"source": source_tokens.asked, "target": target_tokens.asked}


async def push_as_owner(registry: str) -> None:
    """Put the image into the source."""
    url = httpx.URL(f"http://{registry}")
    async with httpx.AsyncClient() as http:
        auth = RegistryAuth(http, registry, url, UserPassword("owner", "o"))
        async with RegistryContent.at(str(url), "app", auth) as content:
            await content.push(IMAGE, "1")
