"""Nothing in the environment of the process decides where requests go, or what they carry: neither proxy nor netrc."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from devtools.receiver import Delivery, Receiver
from devtools.rehearsal import app_settings, open_host
from devtools.serving import serving
from importcore.registry.registries import Registries
from importcore.settings.model import Settings


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Somebody who would like to be everybody's proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            for spelled in (name, name.lower()):
                monkeypatch.setenv(spelled, f"http://127.0.0.1:{listener.getsockname()[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield listener


async def sent_to_a_registry() -> Delivery:
    """Send one request by the product's own client; what the registry heard."""
    receiver = Receiver(answers=[(200, {})])
    async with serving(receiver) as port:
        host = f"127.0.0.1:{port}"
        settings = Settings.from_environment(app_settings("UseDevelopmentStorage=true", host, {host: open_host()}))
        registries, url = Registries(settings), httpx.URL(f"http://{host}/v2/")
        answer = await registries.http(url).post(url, json={"a": 1}, timeout=2)
        await registries.aclose()
    assert answer.status_code == 200
    [delivery] = receiver.deliveries
    assert json.loads(delivery.body) == {"a": 1}
    return delivery


async def test_no_proxy_of_the_environment_is_asked(proxy: socket.socket) -> None:
    """It would see which images are imported, and would look up names itself, past the gate."""
    heard = await sent_to_a_registry()

    assert not {name for name in heard.headers if "proxy" in name}
    with pytest.raises(BlockingIOError):
        proxy.accept()


async def test_another_client_would_ask_the_proxy(proxy: socket.socket) -> None:
    """So it is the product that does not listen to the environment: httpx, as it comes, connects to the proxy."""
    async with httpx.AsyncClient(timeout=0.2) as http:
        with pytest.raises(httpx.HTTPError):
            await http.get("http://127.0.0.1:9/v2/")

    connection, _ = proxy.accept()
    connection.close()


async def test_no_netrc_of_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A registry would get the credentials of whoever once worked on this machine."""
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login somebody password canary-of-netrc\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))

    assert "authorization" not in (await sent_to_a_registry()).headers
