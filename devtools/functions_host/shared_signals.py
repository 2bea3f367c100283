"""An event loop on which the host and the app can both listen to one signal.

The real worker gets SIGTERM from its platform, and an app may install its own handler through
`loop.add_signal_handler`. asyncio keeps one handler for each signal: the app's would replace the host's, and the
process would never drain. On this loop a further handler is called besides those before it.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")


class SharedSignalsLoop(asyncio.SelectorEventLoop):
    """`add_signal_handler` adds; `remove_signal_handler` removes all handlers of that signal."""

    def __init__(self) -> None:
        super().__init__()
        self._listeners: dict[int, list[Callable[[], object]]] = {}

    def add_signal_handler(self, sig: int, callback: Callable[[*_Arguments], object], *args: *_Arguments) -> None:
        """Call `callback(*args)`, besides what is called already, when the signal comes."""
        self._listeners.setdefault(sig, []).append(partial(callback, *args))
        super().add_signal_handler(sig, self._notify, sig)

    def remove_signal_handler(self, sig: int) -> bool:
        """Remove every handler of a signal."""
        self._listeners.pop(sig, None)
        return super().remove_signal_handler(sig)

    def _notify(self, sig: int) -> None:
        for listener in self._listeners.get(sig, []):
            self.call_soon(listener)
