"""`python -m devtools.emulator`: serves one emulated registry until SIGTERM or SIGINT.

When it is ready it prints one JSON line: {"registry": "127.0.0.1:PORT", "data": "127.0.0.1:PORT" or null, "pid": PID}.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

from devtools.emulator.config import EmulatorConfig, StateCheck
from devtools.emulator.emulator import create_emulator
from devtools.emulator.identities import Identities, User
from devtools.serving import reserve_port, serving


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devtools.emulator", description="An ACR on one machine")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    content = parser.add_mutually_exclusive_group()
    content.add_argument("--data", type=Path, help="keep content in this directory")
    content.add_argument("--memory", action="store_true", help="keep content in memory (default)")
    parser.add_argument("--auth", choices=["acr", "none"], default="none")
    parser.add_argument("--host-name", help="service name in challenges and tokens; default: the request's Host")
    parser.add_argument("--bytes-per-second", type=int, help="throughput in each direction")
    parser.add_argument("--certfile", type=Path, help="serve https with this certificate chain (PEM)")
    parser.add_argument("--keyfile", type=Path)
    parser.add_argument("--data-port", type=int, help="redirect blob GETs to a data endpoint on this port (0: free)")
    parser.add_argument("--anonymous-pull", action="store_true")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:PASSWORD", help="may do everything")
    parser.add_argument("--tenant", help="exchange only tokens of this Entra tenant")
    parser.add_argument("--access-token-seconds", type=float, default=EmulatorConfig().access_token_seconds)
    parser.add_argument("--largest-chunk", type=int, help="answer 413 to larger upload bodies")
    parser.add_argument("--state-check", type=StateCheck, choices=list(StateCheck), default=StateCheck.WRITES)
    return parser.parse_args()


def _config(arguments: argparse.Namespace) -> EmulatorConfig:
    pairs = [text.partition(":") for text in arguments.user]
    return EmulatorConfig(
        auth=arguments.auth,
        data_dir=arguments.data,
        host_name=arguments.host_name,
        identities=Identities(users=tuple(User(name, password) for name, _, password in pairs)),
        anonymous_pull=arguments.anonymous_pull,
        tenant=arguments.tenant,
        access_token_seconds=arguments.access_token_seconds,
        bytes_per_second=arguments.bytes_per_second,
        largest_chunk=arguments.largest_chunk,
        state_check=arguments.state_check,
    )


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = _config(arguments)
    tls = {"certfile": arguments.certfile, "keyfile": arguments.keyfile}
    async with contextlib.AsyncExitStack() as stack:
        data_address = None
        data_port = arguments.data_port
        if data_port is not None:
            data_port = data_port or reserve_port()
            data_address = f"127.0.0.1:{data_port}"
            scheme = "https" if arguments.certfile else "http"
            config = replace(config, data_url=f"{scheme}://{data_address}")
        emulator = create_emulator(config)
        stack.callback(emulator.close)
        stack.push_async_callback(emulator.announcements.aclose)
        port = await stack.enter_async_context(serving(emulator.app, arguments.port, **tls))
        if data_port is not None:
            await stack.enter_async_context(serving(emulator.app, data_port, **tls))
        print(json.dumps({"registry": f"127.0.0.1:{port}", "data": data_address, "pid": os.getpid()}), flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(_arguments()))
