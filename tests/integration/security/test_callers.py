"""Callers by HTTP: who they are, what each may do and see, and what the audit log tells of it; on a real Azurite."""

import base64
import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from devtools.sample_images import image, layer
from devtools.ship import Ship
from importcore.api import http_api
from importcore.api.http_api import Answer
from importcore.audit import LOGGER
from importcore.wiring import Services

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTENT = image([layer(2_000)])
ROBOTS = ("robot-1", "robot-2")
OID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
POLICY = """
version: 1
callers:
  - name: importers
    who: ["role:Import"]
    import:
      - from: ["**/app"]
        to: ["**/mirror/*"]
    limits: {inFlight: 2, tags: 2, bytes: 5000}
  - name: second-team
    who: ["role:Second"]
    import: [{from: ["**"]}]
  - name: readers
    who: ["role:Read"]
    sees: all
    cancels: none
"""


def signed_in(who: str, *roles: str) -> dict[str, str]:
    """The headers of a caller whom the platform signed in."""
    claims = [{"typ": OID, "val": who}, *({"typ": "roles", "val": role} for role in roles)]
    value = json.dumps({"auth_typ": "aad", "claims": claims})
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(value.encode()).decode(), "X-Forwarded-For": "1.1.1.1, 9.9.9.9:1"}


ANNA, BEN = signed_in("anna", "Import"), signed_in("ben", "Second")
READER, NOBODY = signed_in("rita", "Read"), signed_in("nobody", "Other")


class Api:
    """The HTTP API as the triggers call it."""

    def __init__(self, ship: Ship) -> None:
        self.ship = ship

    async def post(self, headers: Mapping[str, str], target: str = "mirror/app:1", **more: object) -> Answer:
        """Submit `app:1`."""
        return await self.post_body(headers, target=f"{self.ship.target}/{target}", **more)

    async def post_body(self, headers: Mapping[str, str], **fields: object) -> Answer:
        """Submit these fields, from `app:1` unless they say it."""
        body = {"source": f"{self.ship.source}/app:1", **fields}
        key = headers.get("Idempotency-Key")
        return await self.asked(
            "submit", headers, lambda on, who: http_api.submit(on, who, json.dumps(body).encode(), key)
        )

    async def get(self, headers: Mapping[str, str], import_id: str) -> Answer:
        """Read."""
        return await self.asked("read", headers, lambda on, who: http_api.get(on, who, import_id))

    async def cancel(self, headers: Mapping[str, str], import_id: str) -> Answer:
        """Cancel."""
        return await self.asked("cancel", headers, lambda on, who: http_api.cancel(on, who, import_id))

    async def listed(self, headers: Mapping[str, str]) -> set[str]:
        """The ids that a list has."""
        answer = await self.asked("list", headers, lambda on, who: http_api.list_newest(on, who, {}))
        return {record["id"] for record in json.loads(answer.body)["value"]}

    async def asked(self, what: str, headers: Mapping[str, str], operation: Any) -> Answer:  # noqa: ANN401 (as http_api takes it)
        """Ask as a trigger does."""

        async def services() -> Services:
            return self.ship.app.services

        return await http_api.asked(services, what, headers, operation)


def said(answer: Answer) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status, json.loads(answer.body)["error"]["code"]


def id_in(answer: Answer) -> str:
    """The id of the import that was accepted."""
    assert answer.status == 202, answer.body
    return str(json.loads(answer.body)["id"])


@pytest_asyncio.fixture(loop_scope="session")
async def api(storage: str) -> AsyncIterator[Api]:
    """An app with Entra callers and a policy."""
    robots = {name: {"registry": "private.example", "username": name, "password": "p"} for name in ROBOTS}
    settings = {"TRANSLOAD_CALLERS": "entra", "WEBSITE_AUTH_ENABLED": "True", "TRANSLOAD_POLICY": POLICY}
    settings |= {"TRANSLOAD_CREDENTIALS": json.dumps(robots)}
    async with Ship.sails(storage, None, None, **settings) as ship:
        await ship.push(CONTENT)
        yield Api(ship)


async def test_401_and_403_differ_and_say_what_is_missing(api: Api) -> None:
    """Unknown is 401 with a challenge; known and not allowed is 403 with the line of the policy that is missing."""
    unknown = await api.post({"x-functions-key": "anything"})
    known = await api.post(NOBODY)
    reader = await api.post(READER)
    elsewhere = await api.post(ANNA, "elsewhere/app:1")

    assert (said(unknown), unknown.headers) == (
        (401, "not_authenticated"), {"WWW-Authenticate": 'Bearer realm="transload"'}
    )  # fmt: skip
    assert [said(answer) for answer in (known, reader, elsewhere)] == [(403, "not_allowed")] * 3
    assert "object:nobody, role:Other" in known.body
    assert "`import`" in reader.body
    assert "an entry of its own (importers)" in elsewhere.body


async def test_a_caller_sees_and_cancels_what_it_may(api: Api) -> None:
    """Another one's import is as if it were not there; a reader sees it and may not cancel it."""
    annas = id_in(await api.post(ANNA))
    bens = id_in(await api.post(BEN))

    assert [await api.listed(who) for who in (ANNA, BEN, READER)] == [{annas}, {bens}, {annas, bens}]
    assert said(await api.get(BEN, annas)) == said(await api.cancel(BEN, annas)) == (404, "import_not_found")
    assert json.loads((await api.get(READER, annas)).body)["askedBy"] == "entra:anna"
    assert said(await api.cancel(READER, annas)) == (403, "not_allowed")
    assert said(await api.get(NOBODY, annas)) == (403, "not_allowed")
    assert (await api.cancel(ANNA, annas)).status == 202


async def test_imports_in_flight_are_counted_for_each_caller(api: Api) -> None:
    """The third of two waits (429 with Retry-After); a repeated key does not; an ended one makes room."""
    keyed = ANNA | {"Idempotency-Key": "k"}
    first = id_in(await api.post(keyed))
    id_in(await api.post(ANNA, "mirror/other:1"))
    third = await api.post(ANNA, "mirror/third:1")

    assert said(third) == (429, "too_many_imports")
    assert int(third.headers["Retry-After"]) > 0
    assert id_in(await api.post(keyed)) == first
    id_in(await api.post(BEN))
    assert (await api.cancel(ANNA, first)).status == 202
    id_in(await api.post(ANNA, "mirror/third:1"))


async def test_a_key_is_the_callers_own(api: Api) -> None:
    """The same Idempotency-Key of two callers is two keys: nobody is answered with another's record."""
    key = {"Idempotency-Key": "same"}

    assert id_in(await api.post(ANNA | key)) != id_in(await api.post(BEN | key))


async def test_limits_hold_before_and_while_it_runs(api: Api) -> None:
    """Tags are refused at once; bytes are known after the plan, in a preview as in a run, and nothing is written."""
    await api.ship.push(image([layer(9_000)]), "1")
    tags = [f"mirror/app:{n}" for n in range(3)]
    many = await api.post_body(ANNA, targetRegistry=api.ship.target, targetTags=tags)
    preview = await api.post(ANNA, validateOnly=True)
    large = id_in(await api.post(ANNA))
    await api.ship.app.work_off()
    record = json.loads((await api.get(ANNA, large)).body)

    assert said(many) == said(preview) == (403, "limit_exceeded")
    assert (record["status"], record["error"]["code"]) == ("Failed", "limit_exceeded")
    assert api.ship.target_emulator.state()["repositories"] == {}


async def test_each_child_of_a_selection_passes_the_same_door(api: Api) -> None:
    """A selection by glob that chooses a repository without a route fails as a whole, in the preview and in the run.

    Neither says which one: whoever may not read it is not told that it is there.
    """
    await api.ship.push(CONTENT, "1", "secret")
    selection: dict[str, Any] = {
        "source": {"registryUri": api.ship.source},
        "repositories": ["*"],
        "targetRegistry": api.ship.target,
        "targetTemplate": "mirror/{repository}:{tag}",
    }
    preview = await api.post_body(ANNA, validateOnly=True, **selection)
    parent = id_in(await api.post_body(ANNA, **selection))
    await api.ship.app.work_off()
    record = json.loads((await api.get(ANNA, parent)).body)
    allowed = id_in(await api.post_body(ANNA, **{**selection, "repositories": ["ap*"]}))
    await api.ship.app.work_off()
    children, _ = await api.ship.app.services.records.newest(parent=allowed)

    assert said(preview) == (403, "not_allowed")
    assert (record["status"], record["error"]["code"]) == ("Failed", "not_allowed")
    assert "secret" not in preview.body + json.dumps(record)
    assert "choose more narrowly" in preview.body
    assert [(child.status, child.asked_by and child.asked_by.identity) for child in children] == [
        ("Succeeded", "entra:anna")
    ]


async def test_credentials_are_named_to_those_alone_who_may_read_there(api: Api) -> None:
    """Whoever may not read a registry is told that, whatever credentials it names or leaves out."""
    elsewhere = {"registryUri": "private.example", "sourceImage": "team/secret:1"}
    named = {**elsewhere, "credentials": {"name": "guessed"}}
    for source in (elsewhere, named):
        assert said(await api.post_body(ANNA, source=source, targetTags=["mirror/app:1"])) == (403, "not_allowed")
        several = await api.post_body(BEN, source=source, targetTags=["mirror/app:1"])
        assert (several.status, "robot-1" in several.body) == (400, source is elsewhere)


async def test_the_audit_log_tells_who_did_what_and_who_was_refused(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Every state of an import and every refusal, each with the caller and the address that the platform saw."""
    caplog.set_level(logging.INFO, LOGGER)
    await api.post({})
    await api.post(NOBODY)
    done = id_in(await api.post(ANNA))
    await api.get(BEN, done)
    await api.post(BEN, callbackUrl="https://169.254.169.254/hook?token=hush")
    await api.post_body(BEN, source="169.254.169.254/app:1", targetTags=["app:1"], validateOnly=True)
    await api.ship.app.work_off()

    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == LOGGER]
    refused, about = (
        [line for line in lines if line["event"] == "Refused"],
        [line for line in lines if line.get("importId") == done],
    )
    assert [(line["event"], line["operation"], line.get("caller"), line["code"]) for line in refused] == [
        ("Refused", "submit", None, "not_authenticated"),
        ("Refused", "submit", "entra:nobody", "not_allowed"),
        ("Refused", "read", "entra:ben", "import_not_found"),
        ("Refused", "submit", "entra:ben", "invalid_request"),
        ("Refused", "submit", "entra:ben", "unsafe_url"),
    ]
    assert "hush" not in caplog.text
    assert [line["event"] for line in about] == ["Queued", "Started", "Planned", "Succeeded"]
    assert {(line["caller"], line["address"]) for line in about} == {("entra:anna", "9.9.9.9:1")}
    assert about[-1]["digest"] == CONTENT.root
