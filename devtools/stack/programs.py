"""How each process of the stack is run."""

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import httpx

from devtools.azurite import azurite_command, until_listening
from devtools.functions_host.groups import FunctionGroup
from devtools.stack.child import ChildSpec
from devtools.stack.data_folder import DataFolder, StackPorts
from devtools.stack.options import REPOSITORY_ROOT, HostKind, RegistryKind, StackOptions

_HOST_STOP_SECONDS = 15.0
_USER = "transload"


class MissingProgramError(RuntimeError):
    """A program that an option asks for is not on PATH."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Makes the specifications of all processes of one stack."""

    options: StackOptions
    folder: DataFolder
    ports: StackPorts
    caller: Mapping[str, str]

    def azurite(self) -> ChildSpec:
        """Azurite, which keeps its data."""
        command = azurite_command(self.ports.azurite, self.folder.part("azurite"))
        return replace(self._spec("azurite", *command), ready=lambda: until_listening(self.ports.azurite))

    def identity(self, header: str) -> ChildSpec:
        """The managed identity endpoint."""
        port = str(self.ports.identity)
        return self._module("identity", "devtools.identity_endpoint", "--port", port, "--header-secret", header)

    def registry(self, name: str, port: int) -> ChildSpec:
        """A registry, "source" or "target".

        Raises:
            MissingProgramError: `docker-registry` is asked for and not installed.
        """
        if self.options.registries is RegistryKind.DISTRIBUTION:
            return self._distribution(name, port)
        throttle = self.options.bytes_per_second if name == "target" else None
        return self._module(
            name,
            "devtools.emulator",
            *("--port", str(port), "--data", str(self.folder.part(name)), "--auth", "acr"),
            *("--user", f"{_USER}:{self.folder.registry_password()}"),
            *(() if throttle is None else ("--bytes-per-second", str(throttle))),
        )

    def registry_user(self) -> dict[str, str] | None:
        """Name and password that the emulated registries accept besides Entra tokens; None where all may do all."""
        if self.options.registries is RegistryKind.DISTRIBUTION:
            return None
        return {"name": _USER, "password": self.folder.registry_password()}

    def host(self, name: str, group: FunctionGroup, port: int, settings: Mapping[str, str]) -> ChildSpec:
        """A Functions host.

        Raises:
            MissingProgramError: `func` is asked for and not installed.
        """
        if self.options.host is HostKind.FUNC:
            return self._core_tools(name, port, settings)
        spec = self._module(
            name,
            "devtools.functions_host",
            *("--app", str(self.options.app.resolve()), "--functions", group, "--port", str(port)),
        )
        environment = {**settings, "PYTHONPATH": str(REPOSITORY_ROOT)}
        return replace(
            spec, environment=environment, folder=self.options.app.resolve(), stop_seconds=_HOST_STOP_SECONDS
        )

    def _core_tools(self, name: str, port: int, settings: Mapping[str, str]) -> ChildSpec:
        func = shutil.which("func")
        if func is None:
            raise MissingProgramError("func is not on PATH: install azure-functions-core-tools, or use --host local")

        async def ready() -> None:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                while True:
                    try:
                        await client.get("/")
                    except httpx.TransportError:
                        await asyncio.sleep(0.1)
                    else:
                        return

        python = {"languageWorkers__python__defaultExecutablePath": sys.executable}
        return replace(
            self._spec(name, func, "start", "--port", str(port)),
            environment={**settings, **python},
            folder=self.options.app.resolve(),
            stop_seconds=_HOST_STOP_SECONDS,
            ready=ready,
        )

    def _distribution(self, name: str, port: int) -> ChildSpec:
        program = shutil.which("docker-registry")
        if program is None:
            raise MissingProgramError("docker-registry is not on PATH; on Debian: apt-get install docker-registry")
        content = self.folder.part(name)
        config = {
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(content)}, "delete": {"enabled": True}},
            "http": {"addr": f"127.0.0.1:{port}", "secret": self.folder.registry_password()},
        }
        self.folder.write(f"{name}.yml", json.dumps(config))  # YAML holds JSON

        async def ready() -> None:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

        return replace(self._spec(name, program, "serve", str(self.folder.path / f"{name}.yml")), ready=ready)

    def _module(self, name: str, module: str, *arguments: str) -> ChildSpec:
        return self._spec(name, sys.executable, "-m", module, *arguments)

    def _spec(self, name: str, *command: str) -> ChildSpec:
        return ChildSpec(
            name=name,
            command=tuple(command),
            log=self.folder.log(name),
            environment=self.caller,
            folder=REPOSITORY_ROOT,
        )
