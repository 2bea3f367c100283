"""The lease, tried in every order: claims, heartbeats, deaths, sleepers, steals, redeliveries, lost answers, cancels.

A state machine drives real claims and heartbeats against a storage account whose clock it turns, and holds them to what
the design promises: one owner at a time, and always a message that can act until the import has ended.
"""

import asyncio
import base64
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from devtools.clockwork import ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.caller import Caller
from importcore.errors import LeaseLostError
from importcore.request.model import read_import_request
from importcore.run.claim import Claims
from importcore.run.running import CancelRequested, RunningImport
from importcore.sealing import Sealer
from importcore.state.message import Handover, ImportMessage
from importcore.state.record import ImportRecord, Status
from importcore.wiring import Services, build

LEASE_SECONDS = 60
HOST_SECONDS = 600
STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1/a;"
    "QueueEndpoint=http://127.0.0.1/a;TableEndpoint=http://127.0.0.1/a;"
)


class Lease(RuleBasedStateMachine):
    """One import, any number of workers."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.account = ClockworkAccount()
        self.lose_answer_to = ""
        environment = app_settings(STORAGE, "target.test", {}, TRANSLOAD_LEASE_SECONDS=str(LEASE_SECONDS))
        self.services: Services = self.loop.run_until_complete(self._built(environment))
        self.sealer = Sealer(self.services.settings.sealing_keys)
        self.claims = Claims(
            self.services.records, self.services.queue, self.sealer, self.services.outbox,
            lease_seconds=LEASE_SECONDS, worker="w/1",
        )  # fmt: skip
        self.taken: list[tuple[str, str, bytes]] = []
        self.runs: list[RunningImport] = []
        self.id = self.loop.run_until_complete(self._submitted())

    async def _built(self, environment: dict[str, str]) -> Services:
        return build(environment, storage_options={"transport": ClockworkTransport(self.account)})

    async def _submitted(self) -> str:
        body = json.dumps({"source": "docker.io/library/a:1", "target": "target.test/a:1"}).encode()
        request = read_import_request(body, default_target=None)
        return (await self.services.intake.submit(request, Caller.by_key())).id

    def do(self, work: Any) -> Any:  # noqa: ANN401 (a coroutine and what it gives)
        """Run something to its end."""
        return self.loop.run_until_complete(work)

    @property
    def record(self) -> ImportRecord:
        """The record now."""
        stored = self.do(self.services.records.get(self.id))
        assert stored is not None
        found: ImportRecord = stored.record
        return found

    # -- what may happen -----------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, LEASE_SECONDS // 3, LEASE_SECONDS + 1, HOST_SECONDS + 1]))
    def time_passes(self, seconds: int) -> None:
        """Leases end by the clock alone."""
        self.account.now += seconds

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
        message_id, _, body = data.draw(st.sampled_from(self.taken))
        before = self.record
        run = self.do(self.claims.claim(ImportMessage.decode(body, self.sealer), message_id))
        allowed = not before.status.is_final and before.lease_id in {None, message_id}
        assert (run is not None) == allowed
        if run is not None:
            self.runs.append(run)

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
        """A heartbeat succeeds for the owner alone; a sleeper that was replaced is refused."""
        run = data.draw(st.sampled_from(self.runs))
        owner = self._owner()
        try:
            self.do(run.beat())
        except CancelRequested:
            assert self.record.cancel_requested
        except LeaseLostError:
            assert run is not owner
            self.runs.remove(run)
        else:
            assert run is owner
            assert not self.record.status.is_final

    @precondition(lambda self: self.runs)
    @rule(
        data=st.data(), handover=st.sampled_from([Handover.CONTINUE, Handover.RETRY]), pause=st.sampled_from([0, 100])
    )
    def a_worker_hands_over(self, data: st.DataObject, handover: Handover, pause: int) -> None:
        """It lets go; another run can go on."""
        run = data.draw(st.sampled_from(self.runs))
        owner = self._owner()
        try:
            self.do(run.hand_over(handover, pause, lambda record: record))
        except LeaseLostError:
            assert run is not owner
        self.runs.remove(run)

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), status=st.sampled_from([Status.SUCCEEDED, Status.FAILED]))
    def a_worker_finishes(self, data: st.DataObject, status: Status) -> None:
        """Only the owner can end the import."""
        run = data.draw(st.sampled_from(self.runs))
        owner, ended = self._owner(), self.record.status.is_final
        try:
            self.do(run.finish(lambda record: record.finished(status)))
        except LeaseLostError:
            assert run is not owner or ended
        else:
            assert not ended
            assert self.record.status is status
        self.runs.remove(run)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def a_worker_dies(self, data: st.DataObject) -> None:
        """Nothing is done."""
        self.runs.remove(data.draw(st.sampled_from(self.runs)))

    @precondition(lambda self: not self.record.status.is_final)
    @rule()
    def the_user_cancels(self) -> None:
        """At once where nobody has begun it, else the owner learns of it."""
        begun = self.record.lease_id is not None
        self.do(self.services.intake.cancel(self.id, Caller.by_key()))
        assert self.record.status.is_final != begun

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
        for _ in range(20):
            if self.record.status.is_final:
                break
            self.account.now += HOST_SECONDS + LEASE_SECONDS
            message = self.account.get(HOST_SECONDS)
            if message is None:
                continue
            decoded = ImportMessage.decode(base64.b64decode(message.text), self.sealer)
            run = self.do(self.claims.claim(decoded, message.id))
            if run is not None:
                self.do(run.finish(lambda record: record.finished(Status.SUCCEEDED)))
        assert self.record.status.is_final
        self.do(self.services.aclose())
        self.loop.close()


TestLease = Lease.TestCase
TestLease.settings = settings(max_examples=150, stateful_step_count=40)
