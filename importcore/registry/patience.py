"""How long to wait for a registry: to connect, for the next byte in either direction, for the answer to a write.

One number decides (`TRANSLOAD_IDLE_SECONDS`): how long nothing at all may move. Answers to writes may take longer than
that, because a registry works before it answers: it stores a chunk, or reads a whole blob once more to verify it.
"""

from dataclasses import dataclass
from typing import Self

import httpx

_CONNECT_AT_MOST = 15.0
_POOL_AT_MOST = 30.0
_CHUNK_ANSWER = 5
_CLOSING_ANSWER = 15


@dataclass(frozen=True, slots=True)
class Patience:
    """The time-outs of one process, in the form that requests carry them."""

    ordinary: httpx.Timeout
    chunk: httpx.Timeout
    """For a chunk: its answer comes when it is stored."""
    closing: httpx.Timeout
    """For the end of an upload: a registry that kept no hash state reads the whole blob once more."""

    @classmethod
    def of(cls, idle: float) -> Self:
        """Make the time-outs; `idle` is how many seconds nothing may move."""

        def limits(answer: float) -> httpx.Timeout:
            connect = min(_CONNECT_AT_MOST, idle)
            return httpx.Timeout(connect=connect, read=answer, write=idle, pool=_POOL_AT_MOST)

        return cls(limits(idle), limits(_CHUNK_ANSWER * idle), limits(_CLOSING_ANSWER * idle))


ORDINARY = Patience.of(60.0)
