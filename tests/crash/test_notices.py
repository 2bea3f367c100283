"""Whatever exchange a worker dies at around the end of an import: whoever asked is told, and the record says so."""

import asyncio

import pytest

from devtools.notice_stage import CALLBACK_URL, KEY, SOURCE, TARGET, NoticeStage
from devtools.rehearsal import Moment, Mortality
from importcore.state.notice import Channel, NoticeStatus
from importcore.state.record import ImportRecord, Status

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


async def play(stage: NoticeStage, tag: str, mortality: Mortality) -> ImportRecord:
    """One import with a callback, by a worker that is mortal once the import was accepted."""
    await stage.set_up()
    import_id = await stage.submitted(source=f"{SOURCE}/app:{tag}", callbackUrl=CALLBACK_URL)
    await stage.run_imports(mortality)
    await stage.send_notices(mortality)
    return await stage.kept(import_id)


def what_is_wrong(stage: NoticeStage, record: ImportRecord, wanted: Status) -> str | None:
    """Name the first broken promise; None when all were kept."""
    notice = record.notice(Channel.CALLBACK)
    if record.status is not wanted or notice is None:
        return f"ended {record.status}: {record.error}"
    if notice.status is not NoticeStatus.DELIVERED or notice.sealed_url is not None:
        return f"the notice stands at {notice}"
    told = {(d.headers["webhook-id"], d.event["data"]["status"]) for d in stage.receiver.deliveries}
    if told != {(record.id, wanted.value)}:
        return f"told {told}"
    if not all(each.is_signed_with(KEY) and each.query == "token=hush" for each in stage.receiver.deliveries):
        return "a delivery is not signed"
    return None


@pytest.mark.parametrize(("tag", "wanted"), [("1", Status.SUCCEEDED), ("missing", Status.FAILED)])
async def test_a_notice_survives_death_at_every_exchange(storage: str, tag: str, wanted: Status) -> None:
    """From the end of the import to the delivery: told at least once, with one id, signed; nothing is left to tell."""
    whole, undisturbed = NoticeStage(storage), Mortality()
    assert what_is_wrong(whole, await play(whole, tag, undisturbed), wanted) is None
    assert len(whole.receiver.deliveries) == 1
    # What comes before the last word with a registry is test_death_at_every_exchange.py's.
    first = max(i for i, seen in enumerate(undisturbed.seen) if TARGET in seen or SOURCE in seen)
    cases = [(number, moment) for number in range(first, len(undisturbed.seen)) for moment in Moment]
    assert len(cases) > 12

    async def die_at(number: int, moment: Moment) -> tuple[bool, str | None]:
        stage, fate = NoticeStage(storage), Mortality(number, moment)
        problem = what_is_wrong(stage, await play(stage, tag, fate), wanted)
        return fate.dead, problem

    ends = await asyncio.gather(*(die_at(number, moment) for number, moment in cases))
    told = zip(cases, ends, strict=True)
    assert [f"{case} {undisturbed.seen[case[0]]}: {problem}" for case, (_, problem) in told if problem] == []
    assert sum(died for died, _ in ends) > 0.8 * len(cases)
