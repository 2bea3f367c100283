"""The signature gate: nothing of an unsigned image moves, and a signature in any form opens it."""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from devtools.cosign_signatures import SigningKey, by_bundle, by_referrer, by_tag, payload_for, signed_payload, tag_of
from devtools.emulator.faults import Answer, FaultRule
from devtools.sample_images import SampleImage, image, layer, multi_platform
from devtools.ship import Ship
from importcore.phases.cosign import fingerprint

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY, OTHER = SigningKey.new(), SigningKey.new()
IMAGE = image([layer(5_000)])
INDEX = multi_platform([2_000], ["linux/amd64", "linux/arm64"])
Sign = Callable[[SampleImage, SigningKey], SampleImage]


def policy(*keys: SigningKey, sources: str = "**") -> dict[str, str]:
    """A policy that demands a signature by one of these keys."""
    rule = {"from": [sources], "keys": [key.public for key in keys]}
    return {"TRANSLOAD_POLICY": yaml.safe_dump({"version": 1, "signatures": [rule]})}


async def push_signed(ship: Ship, sign: Sign, key: SigningKey, content: SampleImage = IMAGE) -> None:
    """Push an image and its signature in one of the forms."""
    await ship.push(content)
    await ship.push(sign(content, key), tag_of(content.root) if sign is by_tag else None)


def refused(ship: Ship, record: dict[str, Any]) -> bool:
    """Whether an import failed for want of a signature, and nothing at all was written."""
    failed = (record["status"], record["error"] and record["error"]["code"]) == ("Failed", "signature_required")
    return failed and ship.target_emulator.state()["repositories"] == {}


@pytest.mark.parametrize("sign", [by_tag, by_referrer, by_bundle])
@pytest.mark.parametrize("content", [IMAGE, INDEX])
async def test_a_signature_by_a_key_of_the_policy_opens_the_gate(
    storage: str, sign: Sign, content: SampleImage
) -> None:
    """In each of cosign's forms, of an image and of an index; the record names the key."""
    async with Ship.sails(storage, None, None, **policy(OTHER, KEY)) as ship:
        await push_signed(ship, sign, KEY, content)
        record = await ship.import_app(includeReferrers=False)

        assert (record["status"], ship.tags()) == ("Succeeded", {"1": content.root})
        said = [event["detail"] for event in record["history"] if event["event"] == "SignatureVerified"]
        assert said == [f"by the key {fingerprint(KEY.public)}"]


async def test_without_a_fitting_signature_nothing_is_written(storage: str) -> None:
    """None at all; by another key, in every form; of another image under this one's tag."""
    async with Ship.sails(storage, None, None, **policy(KEY)) as ship:
        await ship.push(IMAGE)
        assert refused(ship, await ship.import_app())
        for sign in (by_tag, by_referrer, by_bundle):
            await push_signed(ship, sign, OTHER)
        record = await ship.import_app()
        assert refused(ship, record)
        assert "none of its 3 signatures" in record["error"]["message"]
        await ship.push(by_tag(IMAGE, KEY, about=INDEX.root), tag_of(IMAGE.root))
        assert refused(ship, await ship.import_app())


async def test_a_preview_tells_that_the_signature_is_missing(storage: str) -> None:
    """As the import would."""
    async with Ship.sails(storage, None, None, **policy(KEY)) as ship:
        await ship.push(IMAGE)
        body = {"source": f"{ship.source}/app:1", "target": f"{ship.target}/app:1", "validateOnly": True}
        answer = await ship.app.post(body)

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (422, "signature_required")


async def test_of_chosen_platforms_the_whole_index_must_be_signed(storage: str) -> None:
    """The smaller index is this app's own work; what the signer vouched for is what it was made from."""
    async with Ship.sails(storage, None, None, **policy(KEY)) as ship:
        await push_signed(ship, by_tag, KEY, INDEX)
        signed = await ship.import_app(platforms=["linux/amd64"])
        await ship.push(IMAGE, "1")
        unsigned = await ship.import_app(mode="Force")

    assert signed["status"] == "Succeeded"
    assert signed["digest"] != signed["sourceDigest"] == INDEX.root
    assert unsigned["error"]["code"] == "signature_required"


async def test_images_of_other_routes_need_none(storage: str) -> None:
    """The rule is about the sources that it names."""
    async with Ship.sails(storage, None, None, **policy(KEY, sources="elsewhere.example/**")) as ship:
        await ship.push(IMAGE)

        assert (await ship.import_app())["status"] == "Succeeded"


async def test_a_source_that_does_not_say_is_no_reason_to_go_on(storage: str) -> None:
    """Refused signatures are not absent ones: 403 fails the import with the registry's own answer."""
    locked = FaultRule(method="GET", path="/referrers/", times=None, action=Answer(status=403))
    async with Ship.sails(storage, None, None, **policy(KEY)) as ship:
        await push_signed(ship, by_tag, KEY)
        ship.source_emulator.faults.add(locked)
        record = await ship.import_app(includeReferrers=False)

        assert (record["status"], record["error"]["code"]) == ("Failed", "access_denied")
        assert ship.target_emulator.state()["repositories"] == {}


async def test_a_signature_that_openssl_made_opens_the_gate(storage: str, tmp_path: Path) -> None:
    """A key and a signature by another tool than ours, as cosign's documents describe it for whoever has no cosign."""
    payload = payload_for(IMAGE.root)
    (tmp_path / "payload").write_bytes(payload)
    await openssl(tmp_path, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key")
    await openssl(tmp_path, "ec", "-in", "key", "-pubout", "-out", "pub")
    await openssl(tmp_path, "dgst", "-sha256", "-sign", "key", "-out", "sig", "payload")
    signature = base64.b64encode((tmp_path / "sig").read_bytes()).decode()
    rule = {"keys": [(tmp_path / "pub").read_text()]}
    settings = {"TRANSLOAD_POLICY": yaml.safe_dump({"version": 1, "signatures": [rule]})}
    async with Ship.sails(storage, None, None, **settings) as ship:
        await ship.push(IMAGE)
        await ship.push(signed_payload(payload, signature), tag_of(IMAGE.root))

        assert (await ship.import_app())["status"] == "Succeeded"


async def openssl(folder: Path, *arguments: str) -> None:
    """Run openssl."""
    process = await asyncio.create_subprocess_exec("openssl", *arguments, cwd=folder, stderr=asyncio.subprocess.PIPE)
    _, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
