"""The authorization itself keeps to its registry, whoever sends a request with it to somewhere else."""

import httpx

from importcore.registry.auth import RegistryAuth
from importcore.registry.credentials import UserPassword
from tests.unit.registry.scripted import CHALLENGE, REGISTRY, URL, ScriptedTransport, TokenService, streamed


async def test_another_origin_gets_no_authorization_and_its_401_no_answer() -> None:
    """Even after the registry itself was given a token."""
    service = TokenService(lambda _: streamed(200))
    script = ScriptedTransport(
        lambda request: streamed(401, **CHALLENGE) if request.url.host == "other.example" else service(request)
    )
    async with httpx.AsyncClient(transport=script) as http:
        auth = RegistryAuth(http, REGISTRY, URL, UserPassword("robot", "hunter2"))
        assert (await http.get(URL, auth=auth)).status_code == 200

        elsewhere = await http.get("https://other.example/v2/", auth=auth)

    assert elsewhere.status_code == 401
    assert ["authorization" in request.headers for request in script.asked("other.example")] == [False]
    assert service.given == 1
