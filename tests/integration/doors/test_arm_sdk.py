"""Azure's own SDK, unchanged, against the running app: `begin_import_image(…).result()`, over real sockets."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerregistry.models import ImportImageParameters, ImportSource, ImportSourceCredentials

from devtools.front_end import FrontEnd
from devtools.sample_images import image, layer
from devtools.serving import serving
from devtools.stack_user import StackUser

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

SUBSCRIPTION, GROUP, REGISTRY = "0a1b2c3d-0000-4000-8000-00000000cafe", "team-rg", "target"


class Sdk:
    """A program that uses the SDK, and knows of Transload nothing but its address and a key."""

    def __init__(self, api: str, **more: Any) -> None:  # noqa: ANN401 (the SDK's options)
        key = AzureKeyCredential("function-key")
        credential: Any = more.pop("credential", key)
        if credential is key:
            more["authentication_policy"] = AzureKeyCredentialPolicy(key, "x-functions-key")
        self._client = ContainerRegistryManagementClient(
            credential, SUBSCRIPTION, base_url=f"{api}/api", use_env_settings=False, **more
        )

    async def result(self, parameters: ImportImageParameters, registry: str = REGISTRY) -> None:
        """`begin_import_image(…).result()`; the SDK waits as it likes."""
        await asyncio.to_thread(
            lambda: self._client.registries.begin_import_image(GROUP, registry, parameters).result()
        )

    async def error(self, parameters: ImportImageParameters, registry: str = REGISTRY) -> HttpResponseError:
        """What the SDK raises."""
        with pytest.raises(HttpResponseError) as caught:
            await self.result(parameters, registry)
        return caught.value


async def test_the_sdk_imports_an_image(user: StackUser) -> None:
    """With a user and a password for the source, several tags, and a repository by digest alone."""
    await user.push("sdk/app")
    reader = user.stack.ready["registryUser"]
    parameters = ImportImageParameters(
        source=ImportSource(
            registry_uri=user.stack.source,
            source_image="sdk/app:1",
            credentials=ImportSourceCredentials(username=reader["name"], password=reader["password"]),
        ),
        target_tags=["sdk/app", "sdk/other:2"],
        untagged_target_repositories=["sdk/archive"],
        mode="Force",
    )

    await Sdk(user.stack.api).result(parameters)

    for place in ("sdk/app:1", "sdk/other:2"):
        await user.require_equal(f"{user.stack.target}/{place}")
    (record,) = (await user.api.get("/api/imports?top=1")).json()["value"]
    assert [each["reference"].removeprefix(user.stack.target) for each in record["targets"]] == [
        "/sdk/app:1",
        "/sdk/other:2",
        "/sdk/archive",
    ]


async def test_what_keeps_an_import_from_ending_well_is_what_the_sdk_raises(user: StackUser) -> None:
    """An image that is not there, and a tag that is taken: with our code and words, what to do, and which import."""
    sdk, source = Sdk(user.stack.api), user.stack.source
    missing = ImportImageParameters(source=ImportSource(registry_uri=source, source_image="sdk/nobody:1"))
    await user.push("sdk/first")
    await user.push("sdk/second", image([layer(2_000)]))
    await sdk.result(ImportImageParameters(source=ImportSource(registry_uri=source, source_image="sdk/first:1")))
    taken = ImportImageParameters(
        source=ImportSource(registry_uri=source, source_image="sdk/second:1"), target_tags=["sdk/first:1"]
    )

    errors = [await sdk.error(missing), await sdk.error(taken)]

    assert [(each.status_code, each.error.code) for each in errors if each.error] == [
        (422, "not_found"),
        (422, "target_tag_exists"),
    ]
    wanted = ("MANIFEST_UNKNOWN", "Check the repository, tag or digest", '"id"', '"side": "source"')
    assert [said for said in wanted if said not in str(errors[0])] == []
    assert "send the request with mode Force to overwrite it" in str(errors[1])


async def test_what_is_refused_at_once_is_raised_at_once(user: StackUser) -> None:
    """Each wrong field by its name; a registry that is no target, with the setting that decides."""
    sdk = Sdk(user.stack.api)
    source = ImportSource(registry_uri=user.stack.source, source_image="UPPER:1")

    wrong = await sdk.error(ImportImageParameters(source=source, target_tags=["bad tag"], mode="Maybe"))
    elsewhere = await sdk.error(
        ImportImageParameters(source=ImportSource(source_image="library/alpine:3")), registry="otherregistry"
    )

    assert (wrong.status_code, wrong.error and wrong.error.code) == (400, "invalid_request")
    assert all(field in str(wrong) for field in ("source.sourceImage", "targetTags.0", "mode"))
    assert (elsewhere.status_code, elsewhere.error and elsewhere.error.code) == (403, "not_allowed")
    assert "TRANSLOAD_TARGET_REGISTRIES" in str(elsewhere)


class _Signed:
    """A credential of azure-identity's kind."""

    def __init__(self) -> None:
        self.scopes: set[str] = set()

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """Give the one token."""
        self.scopes.update(scopes)
        return AccessToken("entra-token", int(time.time()) + 3_600)


async def test_the_sdk_signs_in_and_finds_the_way_back_through_a_front_end(user: StackUser, tmp_path: Path) -> None:
    """TLS ends in front of the app: `Location` must be https and lead to the front, or the SDK would send no token."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "front.pem")
    front, credential = FrontEnd(user.stack.api, "authorization", "Bearer entra-token"), _Signed()
    await user.push("sdk/signed")
    parameters = ImportImageParameters(source=ImportSource(registry_uri=user.stack.source, source_image="sdk/signed:1"))

    async with serving(front, certfile=tmp_path / "front.pem") as port:
        sdk = Sdk(
            f"https://127.0.0.1:{port}",
            credential=credential,
            credential_scopes=["api://transload/.default"],
            connection_verify=str(tmp_path / "ca.pem"),
        )
        await sdk.result(parameters)

    assert credential.scopes == {"api://transload/.default"}
    assert front.passed[0].endswith(f"/registries/{REGISTRY}/importImage")
    assert "/operationResults/" in front.passed[-1]
    await user.require_equal(f"{user.stack.target}/sdk/signed:1")
