"""Secrets that real processes leave nowhere: the host's output, the storage's disk, and what users are answered."""

import asyncio
import base64
import json
import re
from typing import Any

import pytest

from devtools.canaries import files_below, sightings
from devtools.stack_user import CALLBACK_KEY, StackUser

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME, WRONG = "plainly/visible", "canary-for-the-host-7"
TOKEN = re.compile(rb"eyJ[\w-]{10,}\.|ZXlK[\w-]{10,}")
"""A JWT, and one in base64."""


async def test_no_process_leaves_a_secret_behind(user: StackUser) -> None:
    """No password, no key, no callback's address, and no token of any kind."""
    body: dict[str, Any] = {"source": await user.push(NAME), "target": f"{user.stack.target}/{NAME}:1"}
    body["callbackUrl"] = user.callback_url
    told = await user.told((await user.api.post("/api/imports", json=body)).json()["id"])
    credentials = {"username": "puller", "password": WRONG}
    body["source"] = {"registryUri": user.stack.source, "sourceImage": "app:1", "credentials": credentials}
    failed = await user.ended((await user.api.post("/api/imports", json=body)).json()["id"])
    left, visible = dict[str, bytes](), set[str]()
    while visible < {"logs", "azurite"}:  # Azurite writes its tables to the disk every few seconds
        await asyncio.sleep(0.2)
        left = {at: text for at, text in files_below(user.data) if at.startswith(("logs", "azurite"))}
        visible = {at.partition("/")[0] for _, at in sightings({"name": NAME}, left.items())}

    assert (told["status"], failed["error"]["code"]) == ("Succeeded", "authentication_failed")
    secrets = {"password": WRONG, "sealing key": (user.data / "sealing-key").read_text()}
    secrets |= {"callback key": base64.b64encode(CALLBACK_KEY).decode(), "callback": "told?token=hush"}
    assert sightings(secrets, [("answers", json.dumps([told, failed]).encode()), *left.items()]) == set()
    assert [at for at, text in left.items() if TOKEN.search(text)] == []
