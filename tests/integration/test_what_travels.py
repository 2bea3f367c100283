"""What travels with an image, and what is chosen of it: referrers, platforms, backups, verification."""

import json

import pytest

from devtools.emulator import EmulatorConfig
from devtools.emulator.faults import Answer, FaultRule, LieOnHead
from devtools.registry_content import RegistryContent
from devtools.sample_images import SampleImage, artifact, image, index, layer, multi_platform
from devtools.ship import Ship
from importcore.caller import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIGNATURE, SBOM = "application/vnd.example.signature", "application/vnd.example.sbom"
IMAGE = multi_platform([2_000], ["linux/amd64", "linux/arm64"])


async def with_referrers(ship: Ship) -> dict[str, SampleImage]:
    """Push an image with a signature, an SBOM for one platform, a signature of the SBOM, and cosign's older tag."""
    platform = SampleImage(next(iter(IMAGE.manifests)), IMAGE.manifests)
    signature = artifact(b"signature", artifact_type=SIGNATURE, subject=IMAGE)
    sbom = artifact(b"sbom", artifact_type=SBOM, subject=platform)
    of_sbom = artifact(b"signature of the sbom", artifact_type=SIGNATURE, subject=sbom)
    cosign = image([b"cosign's signature"])
    await ship.push(IMAGE)
    for referrer in (signature, sbom, of_sbom):
        await ship.push(referrer, None)
    await ship.push(cosign, f"{IMAGE.root.replace(':', '-')}.sig")
    return {"signature": signature, "sbom": sbom, "of_sbom": of_sbom, "cosign": cosign}


async def test_signatures_and_sboms_travel_by_default(storage: str) -> None:
    """Referrers of the root and of each platform, referrers of referrers, and cosign's tags are at the target."""
    async with Ship.sails(storage) as ship:
        parts = await with_referrers(ship)
        record = await ship.import_app()
        assert (record["status"], record["error"]) == ("Succeeded", None)
        assert {r["digest"] for r in record["referrers"]} == {part.root for part in parts.values()}
        assert ship.manifests() == set(IMAGE.manifests) | {part.root for part in parts.values()}
        assert ship.tags() == {"1": IMAGE.root, f"{IMAGE.root.replace(':', '-')}.sig": parts["cosign"].root}


async def test_referrers_can_be_left_behind(storage: str) -> None:
    """`includeReferrers: false` brings the image alone."""
    async with Ship.sails(storage) as ship:
        await with_referrers(ship)
        record = await ship.import_app(includeReferrers=False)
        assert (record["status"], record["referrers"]) == ("Succeeded", [])
        assert ship.manifests() == set(IMAGE.manifests)


async def test_referrers_can_be_chosen_by_type(storage: str) -> None:
    """`artifactTypes` brings the referrers of those types alone."""
    async with Ship.sails(storage) as ship:
        parts = await with_referrers(ship)
        record = await ship.import_app(artifactTypes=[SBOM])
        assert [r["digest"] for r in record["referrers"]] == [parts["sbom"].root]
        assert ship.manifests() == set(IMAGE.manifests) | {parts["sbom"].root}


async def test_the_fallback_tag_is_read_and_written(storage: str) -> None:
    """Neither side has the referrers API: the source's tag `sha256-…` is read, the target's is added to."""
    without_api = EmulatorConfig(referrers=False)
    async with Ship.sails(storage, without_api, without_api) as ship:
        signature = artifact(b"signature", artifact_type=SIGNATURE, subject=IMAGE)
        tag = IMAGE.root.replace(":", "-")
        await ship.push(IMAGE)
        await ship.push(signature, None)
        await ship.push(index({"any/any": signature}), tag)
        other = artifact(b"made at the target", artifact_type=SIGNATURE, subject=IMAGE)
        async with RegistryContent.at(f"http://{ship.target}", "app") as repository:
            await repository.push(index({"any/any": other}), tag)
        record = await ship.import_app()
        assert record["status"] == "Succeeded"
        async with RegistryContent.at(f"http://{ship.target}", "app") as repository:
            kept = json.loads((await repository.read(tag)).manifests[ship.tags()[tag]])
        assert [entry["digest"] for entry in kept["manifests"]] == [other.root, signature.root]
        assert kept["manifests"][1]["artifactType"] == SIGNATURE


async def test_chosen_platforms_make_a_smaller_index_and_the_record_says_so(storage: str) -> None:
    """Two of three platforms: the index at the target has exactly them, with a digest of its own."""
    wide = multi_platform([1_000], ["linux/amd64", "linux/arm64", "linux/s390x"])
    async with Ship.sails(storage) as ship:
        await ship.push(wide)
        record = await ship.import_app(platforms=["linux/arm64", "linux/amd64"], verify=True)
        assert (record["status"], record["error"]) == ("Succeeded", None)
        assert record["sourceDigest"] == wide.root
        assert record["digest"] == ship.tags()["1"] != wide.root
        assert "PlatformsChosen" in [event["event"] for event in record["history"]]
        async with RegistryContent.at(f"http://{ship.target}", "app") as repository:
            found = json.loads((await repository.read("1")).manifests[record["digest"]])
        original = json.loads(wide.manifests[wide.root][1])["manifests"]
        assert found["manifests"] == original[:2]
        assert len(ship.manifests()) == 3


async def test_attestations_stay_with_their_platform(storage: str) -> None:
    """A build's attestation entry is kept with the platform that it attests, and goes with one that is not chosen."""
    children = {name: image([layer(300, n)], name) for n, name in enumerate(["linux/amd64", "linux/arm64"])}
    notes = {name: artifact(name.encode()) for name in children}
    entries = []
    for name, child in children.items():
        os, _, architecture = name.partition("/")
        entries.append(child.descriptor(platform={"os": os, "architecture": architecture}))
    for name, note in notes.items():
        annotations = {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": children[name].root,
        }
        entries.append(note.descriptor(platform={"os": "unknown", "architecture": "unknown"}, annotations=annotations))
    media_type = "application/vnd.oci.image.index.v1+json"
    body = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    root = SampleImage.of(media_type, body, [], [*children.values(), *notes.values()])
    async with Ship.sails(storage) as ship:
        await ship.push(root)
        record = await ship.import_app(platforms=["linux/arm64"])
        assert ship.manifests() == {record["digest"], children["linux/arm64"].root, notes["linux/arm64"].root}


async def test_all_platforms_chosen_is_the_index_itself(storage: str) -> None:
    """Choosing everything changes nothing: the digest is the source's."""
    async with Ship.sails(storage) as ship:
        await ship.push(IMAGE)
        record = await ship.import_app(platforms=["linux/amd64", "linux/arm64"])
        assert record["digest"] == record["sourceDigest"] == IMAGE.root


async def test_a_platform_that_is_not_there_is_named_with_those_that_are(storage: str) -> None:
    """The error lists what the source has; nothing was written."""
    async with Ship.sails(storage) as ship:
        await ship.push(IMAGE)
        record = await ship.import_app(platforms=["linux/riscv64"])
        assert (record["status"], record["error"]["code"]) == ("Failed", "unsupported_content")
        assert "linux/amd64, linux/arm64" in record["error"]["message"]
        assert ship.target_emulator.state()["repositories"] == {}


async def test_an_overwritten_image_stays_reachable(storage: str) -> None:
    """Force with `backupTag`: the record says what the tag stood on before, and the backup serves it."""
    older = image([layer(400, 7)])
    async with Ship.sails(storage) as ship:
        await ship.push(older)
        await ship.import_app()
        await ship.push(IMAGE)
        record = await ship.import_app(mode="Force", backupTag="{tag}-{digest8}")
        backup = f"1-{older.root[7:15]}"
        (target,) = record["targets"]
        assert (target["digest"], target["previousDigest"]) == (IMAGE.root, older.root)
        assert target["backup"] == f"{ship.target}/app:{backup}"
        assert ship.tags() == {"1": IMAGE.root, backup: older.root}


async def test_a_target_that_lies_about_a_manifest_heals(storage: str) -> None:
    """The target says that it has a child that it has not: the index is refused, the child put, the index taken."""
    child = next(iter(IMAGE.manifests))
    async with Ship.sails(storage) as ship:
        await ship.push(IMAGE)
        lie = FaultRule(method="HEAD", path=f"manifests/{child}", action=LieOnHead(exists=True))
        ship.target_emulator.faults.add(lie)
        record = await ship.import_app(verify=True)
        assert (record["status"], record["error"]) == ("Succeeded", None)
        assert ship.manifests() == set(IMAGE.manifests)


async def test_verification_finds_what_the_target_lost(storage: str) -> None:
    """A blob that the target loses after taking it makes the import fail, with the blob's name."""
    single = image([layer(500, 3)])
    blob = next(iter(single.blobs))
    async with Ship.sails(storage) as ship:
        await ship.push(single)
        rule = FaultRule(method="HEAD", path=f"blobs/{blob}", skip=1, times=None, action=LieOnHead(exists=False))
        ship.target_emulator.faults.add(rule)
        record = await ship.import_app(verify=True)
        assert (record["status"], record["error"]["step"]) == ("Failed", "verify")
        assert blob in record["error"]["reference"]


async def test_a_preview_tells_all_and_writes_nothing(storage: str) -> None:
    """`validateOnly` answers what would be moved, what is there and what the tag stands on; nothing changes."""
    older = image([layer(400, 9)])
    async with Ship.sails(storage) as ship:
        await ship.push(older)
        await ship.import_app()
        await ship.push(IMAGE)
        before = (
            ship.target_emulator.state(),
            await ship.app.services.intake.newest(Caller.by_key(), status=None, top=9, after=None),
        )
        body = {"source": f"{ship.source}/app:1", "target": f"{ship.target}/app:1", "validateOnly": True}
        answer = await ship.app.post(body)
        found = json.loads(answer.body)
        assert (answer.status, found["digest"], found["manifests"]) == (200, IMAGE.root, len(IMAGE.manifests))
        there = sum(len(blob) for name, blob in IMAGE.blobs.items() if name in older.blobs)
        assert (found["bytesTotal"], found["bytesThere"]) == (IMAGE.size, there)
        assert found["bytesToMove"] == IMAGE.size - there
        assert found["targets"] == [{"reference": body["target"], "standing": older.root, "conflict": True}]
        after = (
            ship.target_emulator.state(),
            await ship.app.services.intake.newest(Caller.by_key(), status=None, top=9, after=None),
        )
        assert after == before


async def test_a_preview_of_what_is_not_there_says_so(storage: str) -> None:
    """A source that is missing is the answer's error, with side and step."""
    async with Ship.sails(storage) as ship:
        answer = await ship.app.post({"source": f"{ship.source}/no:1", "validateOnly": True})
        error = json.loads(answer.body)["error"]
        assert (answer.status, error["code"], error["side"], error["step"]) == (
            502,
            "not_found",
            "source",
            "get manifest",
        )


async def test_an_interrupted_plan_asks_for_no_manifest_twice(storage: str) -> None:
    """The source's quota ends in the middle of an index: the import sleeps, and goes on with the manifests it lacks."""
    wide = multi_platform([50], [f"linux/cpu{number}" for number in range(12)])
    async with Ship.sails(storage) as ship:
        await ship.push(wide)
        over = Answer(status=429, headers={"Retry-After": "11"}, body='{"errors":[{"code":"TOOMANYREQUESTS"}]}')
        ship.source_emulator.faults.add(FaultRule(method="GET", path="/manifests/", skip=6, times=7, action=over))
        record = await ship.import_app()
        assert (record["status"], record["error"]) == ("Succeeded", None)
        assert "Waiting" in [event["event"] for event in record["history"]]
        asked = [e for e in ship.source_emulator.journal.select("GET", "/manifests/sha256:") if e.status == 200]
        assert sorted(entry.path.rpartition("/")[2] for entry in asked) == sorted(set(wide.manifests) - {wide.root})
