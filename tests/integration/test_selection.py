"""One request for several imports: tags chosen by glob, version or digest, whole repositories, and their sum."""

import json
from typing import Any

import pytest

from devtools.sample_images import image, layer
from devtools.ship import Ship
from importcore.caller import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def with_tags(ship: Ship, repository: str, *tags: str) -> dict[str, str]:
    """Push a small image of its own for each tag; answers their digests."""
    digests = {}
    for number, tag in enumerate(tags):
        content = image([layer(200, number)])
        await ship.push(content, tag, repository)
        digests[tag] = content.root
    return digests


async def select(ship: Ship, **body: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of the body)
    """Send a request with a selection, work everything off, and give the parent's record."""
    answer = await ship.app.post(body)
    assert answer.status == 202, answer.body
    await ship.app.work_off()
    return await ship.app.record(json.loads(answer.body)["id"])


def tags_of(ship: Ship, repository: str) -> dict[str, str]:
    """The tags of a repository at the target."""
    return dict(ship.target_emulator.state()["repositories"][repository]["tags"])


async def test_tags_are_chosen_by_glob_and_version(storage: str) -> None:
    """Each chosen tag is an import of its own; the parent sums them up and succeeds with them."""
    async with Ship.sails(storage) as ship:
        there = await with_tags(ship, "app", "1.1", "1.2.0", "1.3-rc1", "1.4", "2.0", "latest")
        tags = {"include": ["1.*"], "exclude": ["*-rc*"], "semver": ">=1.2 <2"}
        parent = await select(ship, source=f"{ship.source}/app", tags=tags, targetTemplate="mirror/{repository}:{tag}")
        assert (parent["status"], parent["error"]) == ("Succeeded", None)
        assert parent["children"] == {"total": 2, "queued": 0, "running": 0, "succeeded": 2, "failed": 0, "canceled": 0}
        assert tags_of(ship, "mirror/app") == {tag: there[tag] for tag in ("1.2.0", "1.4")}
        children, _ = await ship.app.services.intake.newest(
            Caller.by_key(), status=None, parent=parent["id"], top=9, after=None
        )
        assert {child.source for child in children} == {f"{ship.source}/app:{tag}" for tag in ("1.2.0", "1.4")}
        assert {child.parent for child in children} == {parent["id"]}


async def test_the_newest_versions_alone(storage: str) -> None:
    """`newest` takes the highest versions, by number and not by spelling."""
    async with Ship.sails(storage) as ship:
        await with_tags(ship, "app", "v9", "v10", "v2", "edge")
        parent = await select(ship, source=f"{ship.source}/app", tags={"newest": 2})
        assert parent["status"] == "Succeeded"
        assert set(tags_of(ship, "app")) == {"v9", "v10"}


async def test_repositories_are_chosen_from_the_catalog(storage: str) -> None:
    """Globs over the catalog and plain names, with every tag of each."""
    async with Ship.sails(storage) as ship:
        for repository in ("team/a", "team/b", "other/c", "plain"):
            await with_tags(ship, repository, "1", "2")
        source = {"registryUri": ship.source}
        parent = await select(ship, source=source, repositories=["team/*", "plain"])
        assert (parent["status"], parent["children"]["succeeded"]) == ("Succeeded", 6)
        assert set(ship.target_emulator.state()["repositories"]) == {"team/a", "team/b", "plain"}


async def test_one_bad_tag_fails_alone(storage: str) -> None:
    """A tag that cannot be overwritten fails its own import; the others succeed, and the parent names the one."""
    async with Ship.sails(storage) as ship:
        there = await with_tags(ship, "app", "1", "2", "3")
        await ship.app.import_now(f"{ship.source}/app:3", f"{ship.target}/app:2")
        parent = await select(ship, source=f"{ship.source}/app", tags={"include": ["*"]})
        assert (parent["status"], parent["error"]["code"]) == ("Failed", "children_failed")
        assert f"{ship.source}/app:2 (target_tag_exists)" in parent["error"]["message"]
        assert (parent["children"]["succeeded"], parent["children"]["failed"]) == (2, 1)
        assert tags_of(ship, "app") == {"1": there["1"], "2": there["3"], "3": there["3"]}


async def test_nothing_chosen_is_an_error(storage: str) -> None:
    """A selection that fits no tag fails with its own code, and nothing is made."""
    async with Ship.sails(storage) as ship:
        await with_tags(ship, "app", "1")
        parent = await select(ship, source=f"{ship.source}/app", tags={"semver": ">=7"})
        assert (parent["status"], parent["error"]["code"]) == ("Failed", "nothing_selected")


async def test_a_selection_can_be_looked_at_first(storage: str) -> None:
    """`validateOnly` answers source and target of each import, and makes none."""
    async with Ship.sails(storage) as ship:
        await with_tags(ship, "app", "1", "2")
        answer = await ship.app.post({"source": f"{ship.source}/app", "tags": {"newest": 1}, "validateOnly": True})
        chosen = [{"source": f"{ship.source}/app:2", "target": f"{ship.target}/app:2"}]
        assert (answer.status, json.loads(answer.body)) == (200, {"imports": chosen})
        assert (await ship.app.services.intake.newest(Caller.by_key(), status=None, top=9, after=None))[0] == []


async def test_every_tag_of_one_digest(storage: str) -> None:
    """`sameDigest` gives the target all tags on which the source has the same image, and no other."""
    async with Ship.sails(storage) as ship:
        same, other = image([layer(300, 1)]), image([layer(300, 2)])
        for tag in ("1.2.3", "1.2", "latest"):
            await ship.push(same, tag)
        await ship.push(other, "1.1")
        record = await ship.app.import_now(
            f"{ship.source}/app:1.2.3", f"{ship.target}/app:1.2.3", tags={"sameDigest": True}
        )
        assert record["status"] == "Succeeded"
        assert ship.tags() == dict.fromkeys(("1.2", "1.2.3", "latest"), same.root)
        assert len(record["targets"]) == 3


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"tags": {"semver": "nonsense>"}}, {"tags.semver"}),
        ({"tags": {"newest": 0}}, {"tags.newest"}),
        ({"tags": {"newest": 1, "sameDigest": True}}, {"tags.sameDigest"}),
        ({"tags": {"include": ["*"]}, "targetTags": ["a:1"]}, {"targetTags"}),
        ({"tags": {"include": ["*"]}, "targetTemplate": "no-tag"}, {"targetTemplate"}),
        ({"targetTemplate": "x:{tag}"}, {"targetTemplate"}),
        ({"source": "a.example/app:1", "tags": {"include": ["*"]}}, {"source"}),
        ({"source": {"registryUri": "a.example", "sourceImage": "x"}, "repositories": ["y"]}, {"source.sourceImage"}),
        ({"source": {"registryUri": "a.example"}, "repositories": ["UPPER", "ok/*"]}, {"repositories.0"}),
        ({"source": {"registryUri": "a.example"}}, {"source.sourceImage"}),
    ],
)
async def test_a_selection_that_makes_no_sense_is_named(storage: str, body: dict[str, Any], wrong: set[str]) -> None:
    """Contradictions and wrong patterns are 400, with the path of each."""
    async with Ship.sails(storage) as ship:
        answer = await ship.app.post({"source": f"{ship.source}/app", **body})
        problems = json.loads(answer.body)["error"]["details"]
        assert (answer.status, {problem["target"] for problem in problems}) == (400, wrong)
