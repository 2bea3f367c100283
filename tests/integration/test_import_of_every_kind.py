"""Every kind of image and artifact, from a real registry to a real registry, byte for byte."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from devtools.app_in_process import AppInProcess
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host
from devtools.sample_images import SampleImage, digest, every_kind, layer, multi_platform
from devtools.testing import running_docker_registry

pytestmark = pytest.mark.asyncio(loop_scope="session")

KINDS = every_kind()


class Yard:
    """Two real registries and the app between them."""

    def __init__(self, app: AppInProcess, source: str, target: str) -> None:
        self.app, self.source, self.target = app, source, target

    async def push(self, repository: str, tag: str, image: SampleImage) -> str:
        """Push to the source; answers the reference."""
        async with RegistryContent.at(f"http://{self.source}", repository) as content:
            await content.push(image, tag)
        return f"{self.source}/{repository}:{tag}"

    async def require_equal(self, image: SampleImage, repository: str, reference: str) -> None:
        """The target serves exactly the image's bytes."""
        async with RegistryContent.at(f"http://{self.target}", repository) as content:
            found = await content.read(reference)
        assert found.root == image.root
        assert found.manifests == {name: raw for name, (_, raw) in image.manifests.items()}
        assert found.blobs == {name: len(blob) for name, blob in image.blobs.items()}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def yard(storage: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Yard]:
    """Debian's `docker-registry`, twice, and an app that may import from one into the other."""
    folder = tmp_path_factory.mktemp("registries")
    (folder / "source").mkdir()
    (folder / "target").mkdir()
    async with (
        running_docker_registry(folder / "source") as source,
        running_docker_registry(folder / "target") as target,
        AppInProcess.started(app_settings(storage, target, {source: open_host(), target: open_host()})) as app,
    ):
        yield Yard(app, source, target)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_arrives_unchanged(yard: Yard, kind: str) -> None:
    """What stands at the target has the source's digest, and so has every part of it."""
    source = await yard.push("kinds", kind, KINDS[kind])
    record = await yard.app.import_now(source, f"{yard.target}/copied/{kind}:1.0")
    assert (record["status"], record["error"]) == ("Succeeded", None)
    (target,) = record["targets"]
    assert (target["reference"], target["digest"]) == (f"{yard.target}/copied/{kind}:1.0", KINDS[kind].root)
    assert record["progress"]["bytesDone"] == record["progress"]["bytesTotal"] == KINDS[kind].size
    assert record["progress"]["manifestsDone"] == record["progress"]["manifestsTotal"] == len(KINDS[kind].manifests)
    await yard.require_equal(KINDS[kind], f"copied/{kind}", "1.0")


async def test_sixty_platforms_are_no_limit(yard: Yard) -> None:
    """An index of sixty platforms, more manifests than `az acr import` takes, arrives whole."""
    image = multi_platform([200], [f"linux/cpu{number}" for number in range(60)])
    assert len(image.manifests) == 61
    record = await yard.app.import_now(await yard.push("wide", "1", image), f"{yard.target}/wide:1")
    assert record["status"] == "Succeeded"
    await yard.require_equal(image, "wide", "1")


async def test_a_second_import_moves_no_bytes(yard: Yard) -> None:
    """What stands at the target already is found there, and a tag on the same digest is success."""
    source = await yard.push("again", "1", KINDS["index"])
    await yard.app.import_now(source, f"{yard.target}/again:1")
    record = await yard.app.import_now(source, f"{yard.target}/again:1")
    assert record["status"] == "Succeeded"
    assert (record["bytesSent"], record["progress"]["blobsCopied"]) == (0, 0)
    assert record["progress"]["blobsSkipped"] == record["progress"]["blobsTotal"]


async def test_several_targets_are_copied_once_and_mounted(yard: Yard) -> None:
    """The first repository gets the bytes, the others mount them, and an untagged one is reached by digest."""
    image = KINDS["single"]
    await yard.push("many", "1", image)
    source = {"registryUri": yard.source, "sourceImage": "many:1"}
    body = {"targetTags": ["many/a:1", "many/b"], "untaggedTargetRepositories": ["many/c"]}
    answer = await yard.app.post({"source": source, **body})
    await yard.app.work_off()
    record = await yard.app.record(json.loads(answer.body)["id"])
    assert record["status"] == "Succeeded"
    blobs = len(image.blobs)
    assert (record["progress"]["blobsCopied"], record["progress"]["blobsMounted"]) == (blobs, 2 * blobs)
    assert record["bytesSent"] == image.size
    for repository, reference in (("many/a", "1"), ("many/b", "1"), ("many/c", image.root)):
        await yard.require_equal(image, repository, reference)


async def test_no_force_refuses_before_any_byte_moves_and_force_overwrites(yard: Yard) -> None:
    """A tag on another digest stays as it is with NoForce, and moves with Force."""
    target = f"{yard.target}/kept:1"
    await yard.app.import_now(await yard.push("kept", "old", KINDS["single"]), target)
    newer = await yard.push("kept", "new", KINDS["index"])
    refused = await yard.app.import_now(newer, target)
    assert (refused["status"], refused["error"]["code"]) == ("Failed", "target_tag_exists")
    assert (refused["error"]["side"], refused["error"]["reference"], refused["bytesSent"]) == ("target", target, 0)
    await yard.require_equal(KINDS["single"], "kept", "1")
    forced = await yard.app.import_now(newer, target, mode="Force")
    assert forced["status"] == "Succeeded"
    await yard.require_equal(KINDS["index"], "kept", "1")


async def test_retagging_inside_one_registry_moves_no_bytes(yard: Yard) -> None:
    """Source and target in one registry: every blob is mounted."""
    await yard.app.import_now(await yard.push("origin", "1", KINDS["index"]), f"{yard.target}/origin:1")
    record = await yard.app.import_now(f"{yard.target}/origin:1", f"{yard.target}/elsewhere:2")
    assert (record["status"], record["bytesSent"]) == ("Succeeded", 0)
    await yard.require_equal(KINDS["index"], "elsewhere", "2")


async def test_a_source_that_is_not_there_is_named(yard: Yard) -> None:
    """The record says which side, which reference, what the registry answered and what to do."""
    record = await yard.app.import_now(f"{yard.source}/nobody/home:1", f"{yard.target}/x:1")
    error = record["error"]
    assert record["status"] == "Failed"
    assert (error["code"], error["side"], error["step"], error["status"]) == (
        "not_found",
        "source",
        "get manifest",
        404,
    )
    assert "nobody/home:1" in error["reference"]
    assert error["answers"] == ["MANIFEST_UNKNOWN: manifest unknown"]
    assert "Check" in error["action"]


async def test_skopeo_reads_what_was_written(yard: Yard, tmp_path: Path) -> None:
    """An independent client copies the imported image to disk and finds every blob as its digest says."""
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not on PATH; on Debian: apt-get install skopeo")
    image = multi_platform([5_000_000, 100], ["linux/amd64", "linux/arm64"])
    await yard.app.import_now(await yard.push("read", "1", image), f"{yard.target}/read:1")
    process = await asyncio.create_subprocess_exec(
        *("skopeo", "copy", "--all", "--preserve-digests", "--src-tls-verify=false"),
        *(f"docker://{yard.target}/read:1", f"dir:{tmp_path / 'image'}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    written = {path.name: path.read_bytes() for path in (tmp_path / "image").iterdir()}
    assert digest(written["manifest.json"]) == image.root
    for name, blob in image.blobs.items():
        assert written[name.removeprefix("sha256:")] == blob


async def test_a_layer_of_many_chunks_arrives_whole(yard: Yard) -> None:
    """A layer that needs several chunks is the source's, byte for byte."""
    image = multi_platform([70_000_000], ["linux/amd64"], seed=layer(1)[0])
    record = await yard.app.import_now(await yard.push("large", "1", image), f"{yard.target}/large:1")
    assert (record["status"], record["bytesSent"]) == ("Succeeded", image.size)
    await yard.require_equal(image, "large", "1")
