"""What the integration tests stand on: one Azurite, and the whole stack as a user has it."""

import base64
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from devtools.azurite import running_azurite
from devtools.receiver import Receiver
from devtools.serving import serving
from devtools.stack_process import running_stack
from devtools.stack_user import CALLBACK_KEY, HOOK_SECRET, StackUser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def storage() -> AsyncIterator[str]:
    """The connection string of a real Azurite that lives as long as the tests."""
    async with running_azurite() as azurite:
        yield azurite.connection_string


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def user(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackUser]:
    """A user of a stack with two workers and emulated ACRs that want a sign-in, whom it may call back."""
    receiver, data = Receiver(), tmp_path_factory.mktemp("stack")
    options = ("--hosts", "2", "--lease-seconds", "2", "--data", str(data))
    async with serving(receiver) as port:
        host = f"127.0.0.1:{port}"
        environment = {
            "TRANSLOAD_CALLBACK_HOSTS": host,
            "TRANSLOAD_HOOKS": json.dumps({"acr": {"secrets": [HOOK_SECRET]}}),
            "TRANSLOAD_CALLBACK_KEYS": "k1:" + base64.b64encode(CALLBACK_KEY).decode(),
            "TRANSLOAD_REGISTRIES": json.dumps({host: {"plainHttp": True, "private": True}}),
        }
        async with (
            running_stack(*options, environment=environment) as stack,
            httpx.AsyncClient(base_url=stack.api, timeout=30, trust_env=False) as api,
        ):
            yield StackUser(stack, api, receiver, f"http://{host}/told?token=hush", data)
