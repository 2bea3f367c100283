"""Rules that lead from one registry to another and back: what this app wrote itself does not go round and round."""

import random

from devtools.any_order import AnyOrder
from devtools.clockwork import CONNECTION_STRING
from devtools.rule_stage import SOURCE, TARGET, RuleStage
from devtools.sample_images import image, index, layer
from importcore.state.record import ImportRecord, Status

FIRST, SECOND, THIRD = (image([layer(100, number)]) for number in range(3))
BOTH = index({"linux/amd64": FIRST, "linux/arm64": image([layer(100, 9)], "linux/arm64")})


def rules(*pairs: tuple[str, str], options: str = "{}") -> str:
    """Rules from one registry to a template each; the options are those of the first."""
    lines = [
        f"- {{name: r{number}, on: {{registry: {here}}}, to: '{there}', options: {'{}' if number else options}}}"
        for number, (here, there) in enumerate(pairs)
    ]
    return "\n".join(["version: 1", "rules:", *lines])


def world(document: str) -> AnyOrder:
    """Two registries that tell of every push, and rules between them."""
    return AnyOrder(random.Random(1), RuleStage(CONNECTION_STRING, document), longest=0.0, registries_tell=True)  # noqa: S311 (chance, no secret)


def echoes(records: list[ImportRecord]) -> int:
    """How many imports wrote nothing, because they would have led back."""
    return sum(any(event.event == "Echo" for event in record.history) for record in records)


MIRRORED = ((SOURCE, f"{TARGET}/{{repository}}:{{tag}}"), (TARGET, f"{SOURCE}/{{repository}}:{{tag}}"))


async def test_two_registries_that_mirror_each_other_come_to_rest() -> None:
    """A push at either is one import there, one echo, and nothing more."""
    at = world(rules(*MIRRORED))
    await at.tell(await at.stage.push(FIRST))
    await at.work()
    assert (at.stage.tag(), at.told_by_registries, len(at.records()), echoes(at.records())) == (FIRST.root, 1, 2, 1)
    await at.tell(await at.stage.push(SECOND, to=TARGET))
    await at.work()
    assert (at.stage.tag(at=SOURCE), at.told_by_registries, echoes(at.records())) == (SECOND.root, 2, 2)
    assert {record.status for record in at.records()} == {Status.SUCCEEDED}


async def test_a_smaller_index_does_not_go_back_over_its_original() -> None:
    """Chosen platforms make another digest; that it came from there is known by the note, not by the digest."""
    at = world(rules(*MIRRORED, options="{platforms: [linux/amd64]}"))
    await at.tell(await at.stage.push(BOTH))
    await at.work()
    assert at.stage.tag(at=SOURCE) == BOTH.root
    assert at.stage.tag(at=TARGET) not in {BOTH.root, None}
    assert echoes(at.records()) == 1


async def test_what_somebody_puts_back_by_hand_is_no_echo() -> None:
    """The target gets another image by hand, and then again the one that this app had put there: both are followed."""
    at = world(rules(*MIRRORED))
    await at.tell(await at.stage.push(FIRST))
    await at.work()
    for content in (SECOND, FIRST, THIRD):
        await at.tell(await at.stage.push(content, to=TARGET))
        await at.work()
        assert at.stage.tag(at=SOURCE) == content.root


async def test_a_chain_is_no_circle() -> None:
    """From the source to the target, and inside the target from one repository to another."""
    chain = rules((SOURCE, f"{TARGET}/staging/{{repository}}:{{tag}}"))
    chain += (
        f"\n- {{name: last, on: {{registry: {TARGET}, repository: staging/*}}, to: '{TARGET}/prod/{{name}}:{{tag}}'}}"
    )
    at = world(chain)
    await at.tell(await at.stage.push(FIRST))
    await at.work()
    assert (at.stage.tag(repository="staging/app"), at.stage.tag(repository="prod/app")) == (FIRST.root, FIRST.root)
    assert echoes(at.records()) == 0


async def test_names_that_grow_at_each_turn_come_to_an_end() -> None:
    """No reference comes twice, so nothing is an echo: after eight rules the image goes no further, and it is said."""
    at = world(
        rules(*((here, f"{there}/m/{{repository}}:{{tag}}") for here, there in ((SOURCE, TARGET), (TARGET, SOURCE))))
    )
    await at.tell(await at.stage.push(FIRST))
    await at.work()
    *done, last = at.records()
    assert ([record.status for record in done], last.status) == ([Status.SUCCEEDED] * 8, Status.FAILED)
    assert last.error is not None
    assert last.error.code == "endless_rules"


async def test_of_several_targets_only_the_one_that_it_came_from_is_left_out() -> None:
    """The others get the image."""
    both_ways = rules(MIRRORED[0])
    both_ways += (
        f"\n- {{name: back, on: {{registry: {TARGET}, repository: app}}, to: ['{MIRRORED[1][1]}', '{SOURCE}/more:1']}}"
    )
    at = world(both_ways)
    await at.tell(await at.stage.push(FIRST))
    await at.work()
    assert (at.stage.tag(repository="more", at=SOURCE), echoes(at.records())) == (FIRST.root, 1)
