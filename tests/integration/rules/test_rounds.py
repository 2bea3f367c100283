"""Rules with a schedule: a round finds what no event announced, by HEADs alone, in a repository of any size."""

import time

import pytest

from devtools.rule_stage import SOURCE, TARGET, RuleStage
from devtools.sample_images import SampleImage, image, layer, multi_platform
from importcore.rounds.round_message import RoundMessage
from importcore.rounds.rounds import TAGS_AT_MOST
from importcore.state.record import Status

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR = 3_600


def rules(repository: str = "'*'", options: str = "{}") -> str:
    """A rule with a schedule."""
    return f"""
version: 1
rules:
- name: hourly
  on: {{registry: {SOURCE}, repository: {repository}, tag: {{exclude: "old*"}}}}
  to: {TARGET}/{{repository}}:{{tag}}
  options: {options}
  schedule: 1h
"""


async def began(stage: RuleStage) -> int:
    """The timer goes off; how many checks were sent."""
    app = stage.born()
    try:
        return await app.rounds.begin()
    finally:
        await app.aclose()


async def checked(stage: RuleStage, repository: str = "app", number: int | None = None) -> None:
    """One check is made."""
    app = stage.born()
    try:
        await app.rounds.check(RoundMessage("hourly", number or int(time.time()) // HOUR, SOURCE, repository))
    finally:
        await app.aclose()


def asked(stage: RuleStage) -> set[str]:
    """By which methods the source was asked for manifests."""
    return {entry.method for entry in stage.registries[SOURCE].journal.select(None, "/manifests/")}


async def test_a_round_finds_what_no_event_announced(storage: str) -> None:
    """The timer goes off twice and begins one round; catalog and tags lead to an import for each tag that is meant."""
    stage = await RuleStage(storage, rules()).set_up()
    contents = [image([layer(300, number)]) for number in range(4)]
    for content, (repository, tag) in zip(
        contents, [("app", "1"), ("app", "2"), ("app", "old1"), ("other", "1")], strict=True
    ):
        await stage.push(content, tag, repository)
    assert (await began(stage), await began(stage)) == (1, 0)
    assert await stage.take_events() == 3
    await stage.work_off(2)
    records = await stage.records()
    assert [(record.status, record.asked_by and record.asked_by.identity) for record in records] == (
        [(Status.SUCCEEDED, "rule:hourly")] * 3
    )
    assert (stage.tag("2"), stage.tag("1", "other"), stage.tag("old1")) == (contents[1].root, contents[3].root, None)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (image([layer(300)]), "{}"),
        (multi_platform([300, 300], ["linux/amd64", "linux/arm64"]), "{platforms: [linux/amd64]}"),
    ],
    ids=["same digest", "smaller index"],
)
async def test_what_the_target_has_is_seen_by_heads_alone(storage: str, content: SampleImage, options: str) -> None:
    """Also where the target has a smaller index with a digest of its own; a tag that moved is seen."""
    stage = await RuleStage(storage, rules("app", options)).set_up()
    await stage.push(content)
    await checked(stage)
    await stage.work_off()
    stage.registries[SOURCE].journal.clear()
    await checked(stage)
    assert (asked(stage), len(await stage.records())) == ({"HEAD"}, 1)
    await stage.push(image([layer(300, 7)]) if options == "{}" else multi_platform([9], ["linux/amd64"], 7))
    await checked(stage)
    assert len(await stage.records()) == 2


async def test_a_check_of_many_tags_goes_on_in_another_message(storage: str) -> None:
    """After so many tags the next message says from where; together they see every tag once."""
    stage = await RuleStage(storage, rules("app")).set_up()
    content = image([layer(300)])
    await stage.push(content, "000")
    for number in range(1, TAGS_AT_MOST + 1):
        stage.registries[SOURCE].catalog.put_tag("app", f"{number:03}", content.root)
    await began(stage)
    assert await stage.take_events() == 2
    heads = [entry.path[-3:] for entry in stage.registries[SOURCE].journal.select("HEAD", "/v2/app/manifests/")]
    assert heads == [f"{number:03}" for number in range(TAGS_AT_MOST + 1)]
    assert len(await stage.records()) == TAGS_AT_MOST + 1


async def test_a_check_of_an_older_round_and_one_of_a_rule_that_is_gone_do_nothing(storage: str) -> None:
    """They waited for so long that the next round asks again."""
    stage = await RuleStage(storage, rules("app")).set_up()
    await stage.push(image([layer(300)]))
    await checked(stage, number=1)
    assert asked(stage) & {"HEAD"} == set()
