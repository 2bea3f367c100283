"""`python -m devtools.functions_host --app DIR`: runs a function app until SIGTERM or SIGINT.

The environment carries the app settings. When it is ready it prints one JSON line:
{"url": "http://127.0.0.1:PORT" or null, "pid": PID, "functions": [NAME, ...]}. Logs go to stderr. Exit status: 0 after
a drain, 2 when the app cannot be run, 124 when an invocation exceeded functionTimeout.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

from devtools.functions_host.app_settings import AppSettings
from devtools.functions_host.groups import FunctionGroup
from devtools.functions_host.host import Host, HostOptions
from devtools.functions_host.host_json import HostJson, load_host_json
from devtools.functions_host.indexing import IndexingError
from devtools.functions_host.shared_signals import SharedSignalsLoop

_EXIT_CANNOT_RUN = 2
_LEVELS = {"trace": "DEBUG", "information": "INFO", "none": "CRITICAL"}  # .NET's names that are not Python's
_TALKATIVE = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity", "uvicorn")


def _arguments() -> HostOptions:
    parser = argparse.ArgumentParser(prog="python -m devtools.functions_host", description="A local Functions host")
    parser.add_argument("--app", type=Path, default=Path(), help="directory of function_app.py and host.json")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--functions", type=FunctionGroup, choices=list(FunctionGroup), default=FunctionGroup.ALL)
    parser.add_argument("--enable-auth", action="store_true", help="ask for function keys")
    arguments = parser.parse_args()
    return HostOptions(arguments.app.resolve(), arguments.port, arguments.functions, arguments.enable_auth)


def _log_to_stderr(host_json: HostJson) -> None:
    level = host_json.logging.log_level.default.lower()
    logging.basicConfig(
        level=_LEVELS.get(level, level.upper()),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


async def run(options: HostOptions) -> None:
    """Run until a signal comes, then drain; what a drain has given up ends with the process, here and now."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host_json = load_host_json(options.app, os.environ)
    _log_to_stderr(host_json)
    host = Host(options, host_json, AppSettings(dict(os.environ)))
    async with host.running(stop) as running:
        print(json.dumps({"url": running.url, "pid": os.getpid(), "functions": running.functions}), flush=True)
        await stop.wait()
    if not host.drained:
        os._exit(0)  # no cancellation, no waiting for threads: user code must not notice


def main() -> None:
    """Run the command."""
    options = _arguments()
    try:
        with asyncio.Runner(loop_factory=SharedSignalsLoop) as runner:
            runner.run(run(options))
    except (IndexingError, LookupError, ValueError) as error:
        print(f"The function app cannot be run: {error}", file=sys.stderr)
        sys.exit(_EXIT_CANNOT_RUN)


if __name__ == "__main__":
    main()
