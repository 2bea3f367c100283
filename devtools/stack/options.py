"""The options of `python -m devtools up`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

REPOSITORY_ROOT = Path(__file__).parent.parent.parent


class RegistryKind(StrEnum):
    """What the two registries are: our ACR emulator, or Debian's `docker-registry` (distribution)."""

    EMULATOR = "emulator"
    DISTRIBUTION = "distribution"


class HostKind(StrEnum):
    """What runs the function app: our local host, Azure Functions Core Tools' `func`, or something else beside us."""

    LOCAL = "local"
    FUNC = "func"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to start. Times are in seconds; 0 as a port takes a free one; None leaves a setting to the product."""

    app: Path = REPOSITORY_ROOT
    registries: RegistryKind = RegistryKind.EMULATOR
    host: HostKind = HostKind.LOCAL
    hosts: int = 1
    api_port: int = 0
    sample_ports: bool = False
    data: Path | None = None
    slice_seconds: float | None = None
    lease_seconds: float | None = None
    chunk_bytes: int | None = None
    bytes_per_second: int | None = None


def parse_options(arguments: Sequence[str]) -> StackOptions:
    """Parse the command line after `up`; ends the process with a usage message where it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m devtools up", description="Start the local stack")
    parser.add_argument("--app", type=Path, default=REPOSITORY_ROOT, help="directory of function_app.py")
    parser.add_argument("--registries", type=RegistryKind, choices=list(RegistryKind), default=RegistryKind.EMULATOR)
    parser.add_argument("--host", type=HostKind, choices=list(HostKind), default=HostKind.LOCAL)
    parser.add_argument("--hosts", type=int, default=1, help="worker processes on the same queue")
    parser.add_argument("--api-port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--sample-ports", action="store_true", help="the ports of local.settings.sample.json")
    parser.add_argument("--data", type=Path, help="keep everything here; default: a directory removed at the end")
    parser.add_argument("--slice-seconds", type=float)
    parser.add_argument("--lease-seconds", type=float)
    parser.add_argument("--chunk-bytes", type=int)
    parser.add_argument("--bytes-per-second", type=int, help="throughput of the emulated target registry")
    options = StackOptions(**vars(parser.parse_args(arguments)))
    if options.hosts < 1:
        parser.error("--hosts must be at least 1")
    if options.bytes_per_second is not None and options.registries is RegistryKind.DISTRIBUTION:
        parser.error("--bytes-per-second is only for --registries emulator")
    return options
