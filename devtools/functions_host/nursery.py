"""`python -m devtools.functions_host.nursery --app DIR`: brings hosts into the world quickly, for tests that kill many.

Starting a host costs a second, nearly all of it imports. This process imports everything once and then forks a child
for each line of JSON on its standard input, `{"environment": {…}, "log": PATH}`; the child is a host of its own, for
the queue functions, in a process of its own. It answers `{"born": PID}`, and `{"dead": PID}` whenever one has ended.
It ends with its standard input, and its children with it.
"""

import argparse
import asyncio
import ctypes
import importlib
import json
import os
import signal
import sys
from pathlib import Path
from select import select

from devtools.functions_host.__main__ import run
from devtools.functions_host.groups import FunctionGroup
from devtools.functions_host.host import HostOptions
from devtools.functions_host.shared_signals import SharedSignalsLoop

_PR_SET_PDEATHSIG = 1


def _say(what: dict[str, int]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _live(app: Path, environment: dict[str, str], log: str) -> None:
    """Be a host until killed; runs in the child."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    with asyncio.Runner(loop_factory=SharedSignalsLoop) as runner:
        runner.run(run(HostOptions(app, group=FunctionGroup.QUEUE)))


def _reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _say({"dead": pid})


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m devtools.functions_host.nursery")
    parser.add_argument("--app", type=Path, required=True)
    app = parser.parse_args().app.resolve()
    sys.path.insert(0, str(app))
    importlib.import_module("function_app")  # for what it imports: each child indexes the app anew
    importlib.import_module("azure.storage.blob.aio")
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    rest = b""
    while True:
        ready, _, _ = select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap()
        if 0 not in ready:
            continue
        piece = os.read(0, 65536)
        if not piece:
            return
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                try:
                    _live(app, order["environment"], order["log"])
                finally:
                    os._exit(1)
            _say({"born": pid})


if __name__ == "__main__":
    main()
