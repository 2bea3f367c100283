"""For unit tests: no network, and a clock that jumps over every wait."""

import asyncio
import selectors
from collections.abc import Callable, Iterator, Mapping

import pytest
from pytest_socket import disable_socket, enable_socket


class _SkippingSelector(selectors.SelectSelector):
    """Where the loop would wait for a timer, nothing waits: the skipped seconds are only counted."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self.skipped += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer, so that a wait of ten minutes takes no time."""

    def __init__(self) -> None:
        self._skipping = _SkippingSelector()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Seconds on the loop's clock, with those that were skipped."""
        return super().time() + self._skipping.skipped


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run every async unit test on virtual time."""
    return {"virtual_time": VirtualTimeLoop}


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)  # the loop's own wake-up is a pair of unix sockets
    yield
    enable_socket()
