"""`python -m devtools up`: runs the local stack until SIGTERM or SIGINT.

Prints one JSON line when everything is ready; everything else goes to stderr and to the logs in the data directory,
whose `processes.json` always tells the current process ids.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence

from devtools.stack.local_stack import running_stack
from devtools.stack.options import StackOptions, parse_options


async def run(options: StackOptions) -> None:
    """Run until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_stack(options, dict(os.environ)) as ready:
        print(json.dumps(ready), flush=True)
        await stop.wait()


def main(arguments: Sequence[str]) -> int:
    """Run the command; its exit status."""
    try:
        asyncio.run(run(parse_options(arguments)))
    except RuntimeError as error:
        print(f"The local stack cannot run: {error}", file=sys.stderr)
        return 1
    return 0
