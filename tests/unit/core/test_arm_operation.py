"""ARM's own operation: which registry it means, where it leads its caller, and how its SDK's bodies are read."""

import json
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from azure.mgmt.containerregistry._utils.model_base import SdkJSONEncoder
from azure.mgmt.containerregistry.models import ImportImageParameters, ImportSource, ImportSourceCredentials

from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.api.arm_api import ArmCall, import_image, operation_result
from importcore.api.arm_views import arm_error_json
from importcore.api.http_api import Answer, answered, cancel
from importcore.caller import Caller
from importcore.errors import InvalidRequestError
from importcore.request.model import import_request_from
from importcore.request.source_access import UserCredentials
from importcore.settings.model import Settings
from importcore.wiring import Services, build

CALLER = Caller.by_key()
PATH = {"subscription": "0a1b2c3d-0000-4000-8000-00000000cafe", "group": "team-rg", "registry": "myregistry"}
PLACE = "/api/subscriptions/0a1b2c3d-0000-4000-8000-00000000cafe/resourceGroups/team-rg"
URL = f"http://app.example{PLACE}/providers/Microsoft.ContainerRegistry/registries/myregistry/importImage"
QUERY = {"api-version": "2025-11-01"}
BODY = {"source": {"registryUri": "docker.io", "sourceImage": "library/alpine:3"}, "targetTags": ["alpine:3"]}


def settings(targets: str, hosts: str = "{}") -> Settings:
    """Settings with these targets."""
    keys = "k1:" + "A" * 43 + "="
    return Settings.from_environment(
        {
            "AzureWebJobsStorage": "x",
            "TRANSLOAD_SEALING_KEYS": keys,
            "TRANSLOAD_TARGET_REGISTRIES": targets,
            "TRANSLOAD_REGISTRIES": hosts,
        }
    )


@pytest.mark.parametrize(
    ("targets", "hosts", "name", "found"),
    [
        ("one.azurecr.io,myregistry.azurecr.io", "{}", "MyRegistry", ["myregistry.azurecr.io"]),
        ("myregistry-a1b2c3.azurecr.io", "{}", "myregistry", ["myregistry-a1b2c3.azurecr.io"]),
        ("myregistry.azurecr.io", "{}", "myreg", []),
        ("harbor.example.com", "{}", "harbor", []),
        ("harbor.example.com", '{"harbor.example.com": {"armName": "Harbor"}}', "harbor", ["harbor.example.com"]),
        ("same-a.azurecr.io,same-b.azurecr.io", "{}", "same", ["same-a.azurecr.io", "same-b.azurecr.io"]),
    ],
)
def test_the_name_of_a_registry_means_one_of_the_targets(targets: str, hosts: str, name: str, found: list[str]) -> None:
    """By its host name, which can have a hash behind it; another host by the name that the operator gave it."""
    assert [*settings(targets, hosts).targets_named(name)] == found


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [({}, "http"), ({"X-Forwarded-Proto": "https"}, "https"), ({"X-Forwarded-Proto": "javascript"}, "http")],
)
def test_the_result_is_where_the_caller_can_reach_it(headers: dict[str, str], scheme: str) -> None:
    """Absolute, at the host and path that it called, over https where the front end says so."""
    call = ArmCall.read(f"{URL}?api-version=2025-11-01&x=1", headers, PATH, QUERY)

    result = call.result_url("abc")
    place = URL.removeprefix("http").removesuffix("importImage")
    assert result == f"{scheme}{place}operationResults/abc?api-version=2025-11-01"
    assert ArmCall.read(result, headers, PATH, QUERY).result_url("abc") == result


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        (PATH, {}, "api-version"),
        (PATH, {"api-version": "latest"}, "api-version"),
        (PATH | {"subscription": "mine"}, QUERY, "container registry"),
        (PATH | {"registry": "no.host"}, QUERY, "container registry"),
    ],
)
def test_a_call_that_is_none_of_arm_is_refused(path: dict[str, str], query: dict[str, str], said: str) -> None:
    """With what is wrong, in ARM's form."""
    with pytest.raises(InvalidRequestError) as caught:
        ArmCall.read(URL, {}, path, query)

    error = json.loads(arm_error_json(caught.value))["error"]
    assert (error["code"], said in error["message"]) == ("invalid_request", True)
    assert error["message"].endswith("Correct the fields named in `details` and send the request again.")


RESOURCE_ID = "/".join(("", "subscriptions", PATH["subscription"], "resourceGroups", "src", "providers")) + (
    "/Microsoft.ContainerRegistry/registries/sourceregistry"
)


def test_all_that_the_sdk_can_say_is_understood() -> None:
    """Each field of ImportImageParameters, as the SDK writes it."""
    said = ImportImageParameters(
        source=ImportSource(
            source_image="team/app:1",
            registry_uri="r.example",
            credentials=ImportSourceCredentials(username="me", password="p"),
        ),
        target_tags=["a:1", "b"],
        untagged_target_repositories=["c"],
        mode="Force",
    )
    by_id = ImportImageParameters(source=ImportSource(source_image="team/app", resource_id=RESOURCE_ID))
    bodies = [json.loads(json.dumps(each, cls=SdkJSONEncoder, exclude_readonly=True)) for each in (said, by_id)]

    full, brief = (import_request_from(body | {"targetRegistry": "t.example"}, default_target=None) for body in bodies)

    assert [str(full.source), *map(str, full.targets)] == [
        "r.example/team/app:1",
        "t.example/a:1",
        "t.example/b:1",
        "t.example/c",
    ]
    assert (full.mode, full.credentials) == ("Force", UserCredentials("p", "me"))
    assert (str(brief.source_id), [str(target) for target in brief.targets]) == (
        RESOURCE_ID,
        ["t.example/team/app:latest"],
    )


@pytest_asyncio.fixture
async def app() -> AsyncIterator[Services]:
    """An app whose storage is in memory, and whose imports nobody works on."""
    given = app_settings(CONNECTION_STRING, "myregistry.azurecr.io", {})
    app = build(given, storage_options={"transport": ClockworkTransport(ClockworkAccount())})
    yield app
    await app.aclose()


async def posted(app: Services, body: Mapping[str, object]) -> Answer:
    """`POST …/importImage`."""
    call = ArmCall.read(URL, {}, PATH, QUERY)
    return await answered(lambda: import_image(app, CALLER, call, json.dumps(body).encode()), arm_error_json)


async def test_an_import_is_followed_by_location_until_it_has_ended(app: Services) -> None:
    """202 with where and when to ask again; a cancellation is an error, as it is for ARM."""
    begun = await posted(app, BODY)
    import_id = json.loads(begun.body)["id"]
    call = ArmCall.read(begun.headers["Location"], {}, PATH, QUERY)
    asked = await operation_result(app, CALLER, call, import_id)
    await cancel(app, CALLER, import_id)
    ended = await operation_result(app, CALLER, call, import_id)

    assert [(each.status, each.headers) for each in (begun, asked)] == [
        (202, {"Location": call.result_url(import_id), "Retry-After": "1"})
    ] * 2
    error = json.loads(ended.body)["error"]
    assert (ended.status, error["code"], error["innererror"]["id"]) == (409, "canceled", import_id)


async def test_what_a_client_left_unset_may_be_null(app: Services) -> None:
    """Generated clients of some languages send every field."""
    source = {**BODY["source"], "credentials": None, "resourceId": None}  # type: ignore[dict-item]
    assert (
        await posted(app, {**BODY, "source": source, "mode": None, "untaggedTargetRepositories": None})
    ).status == 202


@pytest.mark.parametrize("name", ["target", "targetRegistry", "validateOnly"])
async def test_what_the_path_says_has_no_place_in_the_body(app: Services, name: str) -> None:
    """Else one of the two would be ignored."""
    answer = await posted(app, {**BODY, name: "x"})
    assert (answer.status, json.loads(answer.body)["error"]["details"][0]["target"]) == (400, name)
