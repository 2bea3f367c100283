"""For tests: events, hosts, deaths and pushes in any order, by chance and yet the same for the same seed.

Everything happens in one process on virtual time: the registries are emulated, the storage account is in memory, and
every exchange takes a random time on its way there and back. A host that dies sends nothing any more; its messages come
back when their leases end.
"""

import asyncio
import base64
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from pydantic import TypeAdapter

from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import Died
from devtools.rule_stage import TARGET, RuleStage
from importcore.caller import Caller
from importcore.hooks.push_event import PushEvent
from importcore.reception.taken import EventNotTakenError
from importcore.registry.origin import netloc_of
from importcore.state.record import ImportRecord
from importcore.wiring import Services, build

_HOST_SECONDS = 600.0
_TAG_PUT = re.compile(r"PUT (?P<registry>\S+) /v2/(?P<repository>\S+)/manifests/(?P<tag>[^:\s]+)")
_RECORD = TypeAdapter(ImportRecord)
_CALLER = Caller.by_hook("test")


@dataclass
class Fate:
    """Whether a host lives."""

    dead: bool = False


@dataclass
class AnyOrder:
    """A world in which whatever can overtake something else does so now and then.

    Attributes:
        chance: Decides everything.
        stage: The registries and the rules.
        account: The storage account.
        longest: How long an exchange may take on each way, in seconds.
        lost_answers: How many of the answers of storage are lost, from 0 to 1.
        after: What happens when a request was answered that begins with this text, "METHOD host path"; once.
        written: What the tag `1` of `app` at the target was written to, in that order.
        registries_tell: Whether the registries tell of what the app itself pushes, as real ones do.
        told_by_registries: How often they did.
    """

    chance: random.Random
    stage: RuleStage = field(default_factory=lambda: RuleStage(CONNECTION_STRING))
    account: ClockworkAccount = field(default_factory=ClockworkAccount)
    longest: float = 3.0
    lost_answers: float = 0.0
    after: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    registries_tell: bool = False
    told_by_registries: int = 0
    still_to_come: int = 0
    _telling: set[asyncio.Task[None]] = field(default_factory=set)

    def host(self, fate: Fate) -> Services:
        """A host process."""
        stage, pause = self.stage, self._pause_of(fate)

        def carried(gate: object, tls: object) -> httpx.AsyncBaseTransport:  # noqa: ARG001 (the factory's form)
            return _Carrier(self, pause)

        transport = ClockworkTransport(self.account, self._loses, pause=pause)
        return build(stage.environment, transport=carried, storage_options={"transport": transport})

    def _loses(self, method: str) -> bool:  # noqa: ARG002 (the transport's form)
        """Whether the answer of storage to a request is lost, so that the SDK asks again."""
        return self.chance.random() < self.lost_answers

    def _pause_of(self, fate: Fate) -> Callable[[], Awaitable[None]]:
        async def pause() -> None:
            if fate.dead:
                raise Died
            few = (0.0, self.longest / 100, self.longest / 10, self.chance.uniform(0.0, self.longest))
            await asyncio.sleep(self.chance.choice(few))
            if fate.dead:
                raise Died
            self.account.now = asyncio.get_running_loop().time()

        return pause

    def records(self) -> list[ImportRecord]:
        """All records, in the order in which they were made."""
        kept = [entity.values for (partition, _), entity in self.account.entities.items() if partition == "imports"]
        return [_RECORD.validate_json(values["Record0"]) for values in kept]

    async def tell(self, event: PushEvent, after: float = 0.0) -> None:
        """Deliver an event after a while, and again until it is taken."""
        self.still_to_come += 1
        await asyncio.sleep(after)
        app = self.host(Fate())
        while True:
            try:
                await app.reception.take(event, caller=_CALLER)
            except EventNotTakenError:
                await asyncio.sleep(1.0)
                continue
            break
        self.still_to_come -= 1

    async def cancel(self, import_id: str) -> None:
        """A user cancels an import."""
        await self.host(Fate()).intake.cancel(import_id, Caller.by_key())

    async def work_once(self) -> None:
        """A host takes one message, if one is visible."""
        await self._take(self.host(Fate()), Fate())

    async def work(self, *, dies_after: float | None = None) -> None:
        """One instance that takes messages until there are none and none will come; a dead host is replaced."""
        while self.still_to_come or self.account.messages:
            fate = Fate()
            life = asyncio.create_task(self._live(fate))
            try:
                async with asyncio.timeout(dies_after):
                    await asyncio.shield(life)
            except TimeoutError:
                fate.dead, dies_after = True, None
                life.cancel()
                await asyncio.gather(life, return_exceptions=True)

    async def _live(self, fate: Fate) -> None:
        app = self.host(fate)
        while self.still_to_come or self.account.messages:
            if not await self._take(app, fate):
                await asyncio.sleep(1.0)

    async def _take(self, app: Services, fate: Fate) -> bool:
        """Deliver a message as the Functions host does; false where none is visible."""
        self.account.now = asyncio.get_running_loop().time()
        message = self.account.get(_HOST_SECONDS)
        if message is None:
            return False
        taken, receipt = message.id, message.receipt
        await app.importer.run(base64.b64decode(message.text), taken)
        if not fate.dead and taken in self.account.messages and self.account.messages[taken].receipt == receipt:
            self.account.delete(taken, receipt)
        return True

    def tells(self, event: PushEvent) -> None:
        """A registry tells of a push that this app made itself, where the registries do that."""
        if self.registries_tell:
            self.told_by_registries += 1
            telling = asyncio.create_task(self.tell(event, 0.5))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)


class _Carrier(httpx.AsyncBaseTransport):
    """Carries requests to the emulated registries, slowly."""

    def __init__(self, world: AnyOrder, pause: Callable[[], Awaitable[None]]) -> None:
        self._world = world
        self._pause = pause
        self._apps = {host: httpx.ASGITransport(app) for host, app in world.stage.apps.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        await self._pause()
        response = await self._apps[netloc_of(request.url)].handle_async_request(request)
        what = f"{request.method} {netloc_of(request.url)} {request.url.path}"
        if what == f"PUT {TARGET} /v2/app/manifests/1" and response.is_success:
            self._world.written.append(response.headers["docker-content-digest"])
        if response.is_success and (pushed := _TAG_PUT.fullmatch(what)):
            digest = response.headers["docker-content-digest"]
            now = datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)
            self._world.tells(PushEvent(pushed["registry"], pushed["repository"], pushed["tag"], digest, now))
        for beginning in [each for each in self._world.after if what.startswith(each)]:
            await self._world.after.pop(beginning)()
        await self._pause()
        return response
