"""Starts and stops the whole stack, in order."""

import asyncio
import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from devtools.azurite import Azurite, until_listening
from devtools.functions_host.groups import FunctionGroup
from devtools.serving import reserve_port
from devtools.stack.app_settings import app_settings
from devtools.stack.data_folder import DataFolder
from devtools.stack.options import HostKind, StackOptions
from devtools.stack.programs import Programs
from devtools.stack.supervisor import SupervisedProcess
from devtools.storage_setup import make_storage

PROCESSES_FILE = "processes.json"


class LocalStack:
    """The processes of one stack, and what is told about them."""

    def __init__(self, options: StackOptions, folder: DataFolder, caller: Mapping[str, str]) -> None:
        self._options = options
        self._folder = folder
        self._ports = folder.ports(of_sample=options.sample_ports)
        self._programs = Programs(options, folder, self._ports, caller)
        self._caller = caller
        self._header = secrets.token_hex(16)
        self._parts: dict[str, SupervisedProcess] = {}
        self._workers: list[SupervisedProcess] = []

    async def start(self) -> dict[str, Any]:
        """Start everything.

        Returns:
            What `python -m devtools up` prints.

        Raises:
            RuntimeError: A program is missing, or a process did not get ready (ChildError, AzuriteError,
                MissingProgramError).
        """
        programs, ports = self._programs, self._ports
        source, target = f"127.0.0.1:{ports.source}", f"127.0.0.1:{ports.target}"
        azurite = Azurite.at(ports.azurite)
        identity = {"endpoint": f"http://127.0.0.1:{ports.identity}/msi/token", "header": self._header}
        settings = app_settings(
            self._options,
            storage=azurite.connection_string,
            source=source,
            target=target,
            sealing_key=self._folder.sealing_key(),
            identity_endpoint=identity["endpoint"],
            identity_header=identity["header"],
            caller=self._caller,
        )
        backing = {
            "azurite": programs.azurite(),
            "identity": programs.identity(self._header),
            "source": programs.registry("source", ports.source),
            "target": programs.registry("target", ports.target),
        }
        self._parts = {name: SupervisedProcess(spec, self._write_processes) for name, spec in backing.items()}
        api = self._add_hosts(settings)
        await self._start_all(azurite)
        return {
            "api": api,
            "source": source,
            "target": target,
            "registryUser": programs.registry_user(),
            "azurite": {
                "blob": azurite.blob,
                "queue": azurite.queue,
                "table": azurite.table,
                "connectionString": azurite.connection_string,
            },
            "identity": identity,
            "processes": self.processes(),
            "data": str(self._folder.path),
        }

    async def stop(self) -> None:
        """Stop everything: the hosts first, so that they can still hand over what runs."""
        api = self._parts.pop("api", None)
        hosts = [*self._workers, *([api] if api else [])]
        await asyncio.gather(*(host.stop() for host in hosts))
        await asyncio.gather(*(part.stop() for part in self._parts.values()))

    def processes(self) -> dict[str, Any]:
        """Give every process id; null for a process that is being started again."""
        parts = {name: process.pid for name, process in self._parts.items()}
        return {"stack": os.getpid(), **parts, "workers": [worker.pid for worker in self._workers]}

    def _add_hosts(self, settings: Mapping[str, str]) -> str | None:
        """Add the API's host and the workers'; `func` runs all functions in each of its processes."""
        if self._options.host is HostKind.NONE:
            return None
        port = self._options.api_port or reserve_port()
        is_local = self._options.host is HostKind.LOCAL
        self._parts["api"] = self._supervised(
            "api", FunctionGroup.HTTP if is_local else FunctionGroup.ALL, port, settings
        )
        for number in range(1, self._options.hosts + (1 if is_local else 0)):
            worker_port = 0 if is_local else reserve_port()
            group = FunctionGroup.QUEUE if is_local else FunctionGroup.ALL
            self._workers.append(self._supervised(f"worker-{number}", group, worker_port, settings))
        return f"http://127.0.0.1:{port}"

    async def _start_all(self, azurite: Azurite) -> None:
        """Start everything at once, and make the storage account's content as soon as it answers.

        When one part fails, those that are still starting are stopped, and its error is raised.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for process in (*self._parts.values(), *self._workers):
                    group.create_task(process.start())
                await until_listening(self._ports.azurite)
                await make_storage(azurite.connection_string)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def _supervised(self, name: str, group: FunctionGroup, port: int, settings: Mapping[str, str]) -> SupervisedProcess:
        return SupervisedProcess(self._programs.host(name, group, port, settings), self._write_processes)

    def _write_processes(self) -> None:
        self._folder.write(PROCESSES_FILE, json.dumps(self.processes()))


@asynccontextmanager
async def running_stack(options: StackOptions, caller: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    """Run a stack as long as the context lasts.

    Args:
        options: What to start.
        caller: The environment to pass on.

    Yields:
        What `python -m devtools up` prints.

    Raises:
        RuntimeError: It could not be started; what had been started is stopped.
    """
    async with contextlib.AsyncExitStack() as cleanup:
        path = options.data
        if path is None:
            path = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="transload-")))
        stack = LocalStack(options, DataFolder(path.resolve()), caller)
        cleanup.push_async_callback(stack.stop)
        yield await stack.start()
