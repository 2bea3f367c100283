"""What is counted: no permanent error is tried again, waits have bounds, and standing still has an end."""

import re

import pytest

from devtools.emulator.faults import Delay, FaultRule
from tests.integration.faults.voyage import NAME, Voyage, refusal, rule

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(60)]

PERMANENT: dict[str, tuple[str, FaultRule, str]] = {
    "manifest forbidden": ("source", rule(refusal(403), "GET", "/manifests/", times=None), "access_denied"),
    "manifest absent": ("source", rule(refusal(404), "GET", "/manifests/", times=None), "not_found"),
    "blob forbidden": ("source", rule(refusal(403), "GET", NAME, times=None), "access_denied"),
    "blob absent": ("source", rule(refusal(404), "GET", NAME, times=None), "not_found"),
    "upload forbidden": ("target", rule(refusal(403), "POST", "/uploads/", times=None), "access_denied"),
    "chunk forbidden": ("target", rule(refusal(403), "PATCH", "/uploads/", times=None), "access_denied"),
    "manifest refused": ("target", rule(refusal(400), "PUT", "/manifests/", times=None), "registry_error"),
    "tag forbidden": ("target", rule(refusal(403), "PUT", "/manifests/1$", times=None), "access_denied"),
}
WAITING = re.compile(r"registry_unavailable; again in (\d+) s")
FIRST_WAIT, LONGEST_WAIT, RETRIES = 15.0, 900.0, 8


@pytest.mark.parametrize(("side", "fault", "code"), PERMANENT.values(), ids=PERMANENT)
async def test_what_cannot_pass_is_asked_once(storage: str, side: str, fault: FaultRule, code: str) -> None:
    """One request, one run, the true reason, and no upload left open."""
    async with Voyage.begun(storage) as voyage:
        there = voyage.source if side == "source" else voyage.target
        there.faults.add(fault)
        record = await voyage.ended()
        await voyage.require_nothing_tagged(record, code)
        assert there.faults.fired() == [1]
        assert (record["attempts"], record["resumptions"]) == (1, 0)
        assert record["error"]["side"] == side


async def test_waits_double_within_bounds_and_end(storage: str) -> None:
    """A source that stays ill is asked eight times more, each time later; the last answer is the reason."""
    async with Voyage.begun(storage) as voyage:
        voyage.source.faults.add(rule(refusal(503, Retry_After="11"), "GET", "/manifests/", times=None))
        record = await voyage.ended()
        await voyage.require_nothing_tagged(record, "registry_unavailable")
        said = [WAITING.fullmatch(event.get("detail") or "") for event in record["history"]]
        waits = [float(found[1]) for found in said if found]
        longest = [min(LONGEST_WAIT, FIRST_WAIT * 2**retry) for retry in range(RETRIES)]
        assert len(waits) == RETRIES
        assert all(
            max(11, most / 2) - 1 <= wait <= max(11, most) + 1 for wait, most in zip(waits, longest, strict=True)
        )
        assert (record["attempts"], record["resumptions"]) == (RETRIES + 1, RETRIES)
        assert voyage.source.faults.fired() == [RETRIES + 1]


async def test_two_slices_in_which_nothing_moves_end_the_import(storage: str) -> None:
    """The first run brings the plan; two more use up their time on answers that come, and come too late."""
    async with Voyage.begun(storage, TRANSLOAD_SLICE_SECONDS="1", TRANSLOAD_IDLE_SECONDS="5") as voyage:
        voyage.target.faults.add(rule(Delay(seconds=1.1), "HEAD", "/blobs/", times=None))
        record = await voyage.ended()
        await voyage.require_nothing_tagged(record, "no_progress")
        assert [event["event"] for event in record["history"]].count("HandedOver") == 2
        assert (record["attempts"], record["resumptions"]) == (3, 2)


async def test_a_slice_that_ends_over_trouble_names_the_trouble(storage: str) -> None:
    """What the registry said is the reason, not that the time was over; and the import sleeps."""
    async with Voyage.begun(storage, TRANSLOAD_SLICE_SECONDS="1") as voyage:
        voyage.target.faults.add(rule(refusal(503), "PATCH", times=None))
        import_id = await voyage.submitted()
        for _ in range(2):
            record = await voyage.run_once(import_id)
            assert record["error"]["code"] == "registry_unavailable"
            assert record["history"][-1]["event"] == "Waiting"
