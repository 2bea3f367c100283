"""How long a run may go on: the time slice of one invocation, and the wish of the platform to stop it earlier."""

import asyncio


class OutOfTime(Exception):  # noqa: N818 (it is not an error: the run hands over and another goes on)
    """Raised at a point where stopping loses nothing; the run then hands its lease over."""


class Deadline:
    """Ends after `seconds`, or at once when `stop` is called (the process was asked to end).

    A run asks `check` wherever it can stop without loss: between chunks, blobs and manifests.
    """

    def __init__(self, seconds: float) -> None:
        self._end = asyncio.get_running_loop().time() + seconds
        self._stopped = asyncio.Event()

    @property
    def remaining(self) -> float:
        """Seconds left; never negative."""
        if self._stopped.is_set():
            return 0.0
        return max(0.0, self._end - asyncio.get_running_loop().time())

    @property
    def stopped(self) -> bool:
        """Whether the process was asked to end: then even a chunk under way is given up."""
        return self._stopped.is_set()

    def check(self) -> None:
        """Raise `OutOfTime` when the slice is over."""
        if self.remaining <= 0.0:
            raise OutOfTime

    def stop(self) -> None:
        """End now; called when the process got SIGTERM."""
        self._stopped.set()

    async def wait_stopped(self) -> None:
        """Wait until `stop` is called."""
        await self._stopped.wait()
