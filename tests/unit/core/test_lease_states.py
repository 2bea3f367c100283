"""The lease, tried in every order: claims, heartbeats, deaths, sleepers, steals, redeliveries, lost answers, cancels.

A state machine drives real claims and heartbeats against a storage account whose clock it turns, and holds them to what
the design promises: one owner at a time, always a message that can act until the import has ended, and no checkpoint
forgotten that a heartbeat has kept.
"""

import asyncio
import base64
import contextlib
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from devtools.claiming import claimed
from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.caller import Caller
from importcore.errors import LeaseLostError
from importcore.request.model import read_import_request
from importcore.run.running import CancelRequested, RunningImport
from importcore.state.message import Handover
from importcore.state.record import ImportRecord, Status
from importcore.storage.records import _record
from importcore.wiring import Services, build
from tests.unit.core.lease_worker import HOST_SECONDS, LEASE_SECONDS, upload_at

CLAIMS_BEFORE_AN_END = 3
"""An import that ends at its second step teaches nothing."""


class Lease(RuleBasedStateMachine):
    """One import, any number of workers."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.account = ClockworkAccount()
        self.loses_next = ""
        self.lost = False
        environment = app_settings(CONNECTION_STRING, "target.test", {}, TRANSLOAD_LEASE_SECONDS=str(LEASE_SECONDS))
        self.services: Services = self.do(self._built(environment))
        self.taken: list[tuple[str, str, bytes]] = []
        self.runs: list[RunningImport] = []
        self.claimed = 0
        self.offset = self.kept = 0
        self.id: str = self.do(self._submitted())

    async def _built(self, environment: dict[str, str]) -> Services:
        return build(environment, storage_options={"transport": ClockworkTransport(self.account, self._loses)})

    def _loses(self, method: str) -> bool:
        """Lose the answer to the next write of this kind."""
        if method != self.loses_next:
            return False
        self.loses_next, self.lost = "", True
        return True

    async def _submitted(self) -> str:
        body = json.dumps({"source": "docker.io/library/a:1", "target": "target.test/a:1"}).encode()
        request = read_import_request(body, default_target=None)
        return (await self.services.intake.submit(request, Caller.by_key())).id

    def do(self, work: Any) -> Any:  # noqa: ANN401 (a coroutine and what it gives)
        """Run something to its end."""
        self.lost = False
        return self.loop.run_until_complete(work)

    @property
    def record(self) -> ImportRecord:
        """The record now, as the table holds it."""
        values = self.account.entities["imports", self.id].values
        return _record({name: value for name, value in values.items() if "@" not in name})

    # -- what may happen -----------------------------------------------------------------------------------------------

    @initialize()
    def the_import_begins(self) -> None:
        """A first worker has it."""
        self.the_host_takes_a_message()
        self._claim(self.taken[-1])

    @rule(seconds=st.sampled_from([1, LEASE_SECONDS // 3, LEASE_SECONDS + 1, HOST_SECONDS + 1]))
    def time_passes(self, seconds: int) -> None:
        """Leases end by the clock alone."""
        self.account.now += seconds

    @rule(method=st.sampled_from(["PUT", "POST", "DELETE"]))
    def an_answer_will_be_lost(self, method: str) -> None:
        """The next write of a kind has its effect, and nobody hears of it."""
        self.loses_next = method

    @rule()
    def the_host_takes_a_message(self) -> None:
        """The trigger receives one, if one is visible, and hides it for ten minutes."""
        message = self.account.get(HOST_SECONDS)
        if message:
            self.taken.append((message.id, message.receipt, base64.b64decode(message.text)))

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def a_worker_claims(self, data: st.DataObject) -> None:
        """A worker gets a message that the host took, perhaps long ago, perhaps for the second time."""
        self._claim(data.draw(st.sampled_from(self.taken)))

    @precondition(lambda self: len(self.runs) in {1, 2})
    @rule()
    def a_worker_sleeps_past_its_lease_and_another_takes_over(self) -> None:
        """The sleeper does not know; both go on."""
        self.account.now += LEASE_SECONDS + 1
        before = len(self.taken)
        self.the_host_takes_a_message()
        for taken in self.taken[before:]:
            self._claim(taken)

    def _claim(self, taken: tuple[str, str, bytes]) -> None:
        message_id, _, body = taken
        before = self.record
        run = self.do(claimed(self.services, body, message_id))
        allowed = not before.status.is_final and before.lease_id in {None, message_id}
        assert (run is not None) == allowed
        if run is not None:
            self.claimed += 1
            self.runs.append(run)
            assert [each.offset for each in run.uploads] == ([self.kept] if self.kept else [])

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def the_host_deletes_a_message(self, data: st.DataObject) -> None:
        """The function returned; a receipt that is old is refused, and that is all."""
        taken = data.draw(st.sampled_from(self.taken))
        self.taken.remove(taken)
        message = self.account.messages.get(taken[0])
        if message and message.receipt == taken[1] and self._was_run(taken[0]):
            del self.account.messages[taken[0]]

    def _was_run(self, message_id: str) -> bool:
        """Whether a function can have returned that had this message: it was claimed or stale by then."""
        return self.record.lease_id not in {None, message_id} or self.record.status.is_final

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def a_worker_beats(self, data: st.DataObject) -> None:
        """A heartbeat with a new checkpoint succeeds for the owner alone; a sleeper that was replaced is refused."""
        run = data.draw(st.sampled_from(self.runs))
        self._beat(run)

    @precondition(lambda self: len(self.runs) > 1)
    @rule(data=st.data())
    def all_workers_beat(self, data: st.DataObject) -> None:
        """In any order, and all but one of them stop."""
        for run in data.draw(st.permutations(self.runs)):
            self._beat(run)
        assert len(self.runs) <= 1

    def _beat(self, run: RunningImport) -> None:
        is_owner, before = run is self._owner(), self._message_text()
        self.offset += 1
        try:
            self.do(run.note(upload_at(self.offset), at_once=True))
        except CancelRequested:
            assert self.record.cancel_requested
        except LeaseLostError:
            assert not is_owner or self.lost
            assert self.lost or self._message_text() == before
            self.runs.remove(run)
        else:
            assert is_owner
            assert not self.record.status.is_final
        if is_owner:
            self.kept = self.offset

    def _message_text(self) -> str:
        """What the message that may act holds."""
        message = self.account.messages.get(self.record.lease_id or "")
        return message.text if message else ""

    @precondition(lambda self: self.runs)
    @rule(
        data=st.data(), handover=st.sampled_from([Handover.CONTINUE, Handover.RETRY]), pause=st.sampled_from([0, 100])
    )
    def a_worker_hands_over(self, data: st.DataObject, handover: Handover, pause: int) -> None:
        """It lets go; another run can go on."""
        run = data.draw(st.sampled_from(self.runs))
        is_owner = run is self._owner()
        try:
            self.do(run.hand_over(handover, pause, lambda record: record))
        except LeaseLostError:
            assert not is_owner or self.lost
        else:
            assert is_owner
        self.runs.remove(run)

    @precondition(lambda self: self.runs and self.claimed >= CLAIMS_BEFORE_AN_END)
    @rule(data=st.data(), status=st.sampled_from([Status.SUCCEEDED, Status.FAILED]))
    def a_worker_finishes(self, data: st.DataObject, status: Status) -> None:
        """Only the owner can end the import."""
        run = data.draw(st.sampled_from(self.runs))
        is_owner, ended = run is self._owner(), self.record.status.is_final
        try:
            self.do(run.finish(lambda record: record.finished(status)))
        except LeaseLostError:
            assert not is_owner or ended
        else:
            assert not ended
            assert self.record.status is status
        self.runs.remove(run)

    @precondition(lambda self: len(self.runs) == 1 and self.claimed >= CLAIMS_BEFORE_AN_END)
    @rule()
    def a_sleeper_finishes_while_its_message_is_in_another_hand(self) -> None:
        """Whoever received it finds that the import has ended."""
        (run,) = self.runs
        self.account.now += LEASE_SECONDS + 1
        before = len(self.taken)
        self.the_host_takes_a_message()
        with contextlib.suppress(LeaseLostError):
            self.do(run.finish(lambda record: record.finished(Status.SUCCEEDED)))
        self.runs.remove(run)
        for taken in self.taken[before:]:
            self._claim(taken)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        """Nothing is done."""
        self.runs.remove(data.draw(st.sampled_from(self.runs)))

    @precondition(lambda self: self.claimed >= CLAIMS_BEFORE_AN_END and not self.record.status.is_final)
    @rule()
    def the_user_cancels(self) -> None:
        """The owner learns of it at its next heartbeat."""
        self.do(self.services.intake.cancel(self.id, Caller.by_key()))
        assert self.record.cancel_requested

    # -- what must always hold -----------------------------------------------------------------------------------------

    def _owner(self) -> RunningImport | None:
        """The run that owns the import: it holds the message that the record names, with the latest receipt."""
        message = self.account.messages.get(self.record.lease_id or "")
        owners = [
            run for run in self.runs if message and (run._lease.id, run._lease.receipt) == (message.id, message.receipt)
        ]
        assert len(owners) <= 1
        return owners[0] if owners else None

    @invariant()
    def at_most_one_run_owns_the_import(self) -> None:
        """However many there are."""
        self._owner()

    @invariant()
    def a_message_can_act_until_the_end(self) -> None:
        """There always is one, visible or not, that the record names, or any at all before the first claim."""
        record = self.record
        if record.status.is_final:
            return
        if record.lease_id is None:
            assert self.account.messages
        else:
            assert record.lease_id in self.account.messages

    def teardown(self) -> None:
        """From every state, a healthy worker brings the import to its end."""
        try:
            self._bring_to_its_end()
        finally:
            self.do(self.services.aclose())
            self.loop.close()

    def _bring_to_its_end(self) -> None:
        self.loses_next = ""
        for _ in range(20):
            if self.record.status.is_final:
                break
            self.account.now += HOST_SECONDS + LEASE_SECONDS
            message = self.account.get(HOST_SECONDS)
            if message is None:
                continue
            run = self.do(claimed(self.services, base64.b64decode(message.text), message.id))
            if run is not None:
                self.do(run.finish(lambda record: record.finished(Status.SUCCEEDED)))
        assert self.record.status.is_final


TestLease = Lease.TestCase
TestLease.settings = settings(max_examples=120, stateful_step_count=30)
