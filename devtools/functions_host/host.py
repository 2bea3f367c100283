"""One host process: builds the listeners of an app, runs them until it is told to stop, and drains."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools.functions_host.app_settings import AppSettings
from devtools.functions_host.event_grid import EventGridWebhook
from devtools.functions_host.groups import FunctionGroup
from devtools.functions_host.host_json import HostJson
from devtools.functions_host.http_front import HttpFront
from devtools.functions_host.indexing import (
    EventGridTrigger,
    HttpTrigger,
    IndexedFunction,
    QueueTrigger,
    TimerTrigger,
    index_app,
)
from devtools.functions_host.invocation import Invoker
from devtools.functions_host.keys import Keys
from devtools.functions_host.queue_listener import QueueListener
from devtools.functions_host.queue_processor import QueueProcessor, poison_queue_name
from devtools.functions_host.timer_listener import TimerListener
from devtools.serving import serving

FIRST_VISIBILITY_SETTING = "LOCALHOST_FIRST_VISIBILITY_SECONDS"
DRAIN_SETTING = "LOCALHOST_DRAIN_SECONDS"
_FIRST_VISIBILITY_SECONDS = 600.0
_DRAIN_SECONDS = 30.0
_LOG = logging.getLogger("host")


def belongs(group: FunctionGroup, function: IndexedFunction) -> bool:
    """Tell whether a function belongs to a group."""
    return group is FunctionGroup.ALL or (group is FunctionGroup.QUEUE) == isinstance(function.trigger, QueueTrigger)


@dataclass(frozen=True, slots=True)
class HostOptions:
    """What a host process is started with; `port` 0 takes a free one."""

    app: Path
    port: int = 0
    group: FunctionGroup = FunctionGroup.ALL
    enable_auth: bool = False


@dataclass(frozen=True, slots=True)
class RunningHost:
    """A host that is ready: its address, None where no function needs HTTP, and the functions it runs."""

    url: str | None
    functions: tuple[str, ...]


class Host:
    """Runs one function app."""

    def __init__(self, options: HostOptions, host_json: HostJson, settings: AppSettings) -> None:
        """Index the app.

        Raises:
            IndexingError: The app cannot be run here.
            LookupError: A setting is missing that a binding or `--enable-auth` needs.
        """
        self._options = options
        self._host_json = host_json
        self._settings = settings
        self._functions = tuple(
            function for function in index_app(options.app, settings) if belongs(options.group, function)
        )
        self._drained = True
        self._keys = Keys.from_settings(settings.values) if options.enable_auth else None

    @property
    def drained(self) -> bool:
        """Whether every invocation ended before the drain limit."""
        return self._drained

    @asynccontextmanager
    async def running(self, stop: asyncio.Event) -> AsyncIterator[RunningHost]:
        """Run until the context ends; leaving it drains.

        Args:
            stop: When it is set, nothing new is fetched or accepted; set it before leaving the context.

        Raises:
            ExceptionGroup: A listener failed: better no host than a deaf one.
        """
        invoker = Invoker(self._host_json.function_timeout)
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            listeners = [await self._listener(function, invoker, stack) for function in self._functions]
            url = await self._serve(invoker, stop, stack)
            tasks = [group.create_task(listener.listen(stop)) for listener in listeners if listener is not None]
            yield RunningHost(url, tuple(function.name for function in self._functions))
            await self._drain(invoker, tasks)

    async def _serve(self, invoker: Invoker, stop: asyncio.Event, stack: contextlib.AsyncExitStack) -> str | None:
        if not any(isinstance(function.trigger, HttpTrigger | EventGridTrigger) for function in self._functions):
            return None
        webhook = EventGridWebhook(self._functions, invoker, self._keys)
        prefix = self._host_json.extensions.http.route_prefix
        front = HttpFront(
            self._functions, route_prefix=prefix, invoker=invoker, keys=self._keys, webhook=webhook, stop=stop
        )
        port = await stack.enter_async_context(serving(front, self._options.port))
        return f"http://127.0.0.1:{port}"

    async def _listener(
        self, function: IndexedFunction, invoker: Invoker, stack: contextlib.AsyncExitStack
    ) -> QueueListener | TimerListener | None:
        match function.trigger:
            case TimerTrigger():
                return TimerListener(function, function.trigger, invoker)
            case QueueTrigger():
                service = await stack.enter_async_context(self._settings.queue_service(function.trigger.connection))
                section = self._host_json.extensions.queues
                visibility = self._settings.seconds(FIRST_VISIBILITY_SETTING, _FIRST_VISIBILITY_SECONDS)
                queue = service.get_queue_client(function.trigger.queue)
                poison_name = poison_queue_name(function.trigger.queue)
                poison = service.get_queue_client(poison_name) if poison_name else None
                processor = QueueProcessor(
                    function, queue, poison, section, invoker=invoker, first_visibility=visibility
                )
                return QueueListener(queue, processor, section, visibility)
            case _:
                return None

    async def _drain(self, invoker: Invoker, tasks: list["asyncio.Task[None]"]) -> None:
        limit = self._settings.seconds(DRAIN_SETTING, _DRAIN_SECONDS)
        try:
            async with asyncio.timeout(limit):
                await asyncio.gather(*tasks)
                await invoker.idle()
        except TimeoutError:  # the tasks were cancelled by it
            self._drained = False
            _LOG.warning("Invocations still ran after %s s of draining: they end with the process", limit)
