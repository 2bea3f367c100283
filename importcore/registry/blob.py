"""Reading a blob: where a range really begins, and that it is exactly as long as its descriptor says."""

import re
from collections.abc import AsyncIterator

import httpx

from importcore.descriptors import Descriptor
from importcore.errors import RegistryUnavailableError, Side, SizeMismatchError, printable
from importcore.registry.answers import unavailable
from importcore.registry.numbers import whole_number

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_STEP = "read blob"


class BlobReader:
    """The bytes of a blob from `offset` on, in pieces as the network gives them.

    Iterating raises `SizeMismatchError` when the source holds more or fewer bytes than the descriptor says, and
    `RegistryUnavailableError` (retryable) when the connection broke.
    """

    def __init__(
        self, response: httpx.Response, blob: Descriptor, offset: int, *, registry: str, reference: str
    ) -> None:
        self._response = response
        self._registry = registry
        self._reference = reference
        self._expected = blob.size - offset
        self._to_skip = self._beginning(blob, offset)

    @property
    def encoding(self) -> str:
        """The Content-Encoding that the answer has, to tell why its bytes are wrong; empty for none.

        It alone proves nothing: storage services label layers that are gzip files with it, and serve them as they are.
        """
        said: str = self._response.headers.get("content-encoding", "")
        return "" if said.lower() == "identity" else printable(said, 40)

    def _beginning(self, blob: Descriptor, offset: int) -> int:
        """Find how many bytes come before `offset`: all of them, when the server ignored the range (200, not 206)."""
        if self._response.status_code == httpx.codes.PARTIAL_CONTENT:
            found = _CONTENT_RANGE.fullmatch(self._response.headers.get("content-range", ""))
            first = whole_number(found[1]) if found else None
            if found is None or first is None or first > offset:
                raise self._broken("answered a range that was not asked for")
            total = whole_number(found[3])
            if found[3] != "*" and total != blob.size:
                raise self._wrong_size(total, blob.size)
            return offset - first
        length = whole_number(self._response.headers.get("content-length"))
        if length is not None and length != blob.size:
            raise self._wrong_size(length, blob.size)
        return offset

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the bytes.

        Raises:
            SizeMismatchError: More came than the descriptor says.
            RegistryUnavailableError: The connection broke, or ended early.
        """
        left = self._expected
        try:
            async for piece in self._response.aiter_raw():
                data = piece
                if self._to_skip:
                    skipped = min(self._to_skip, len(data))
                    self._to_skip -= skipped
                    data = data[skipped:]
                if not data:
                    continue
                left -= len(data)
                if left < 0:
                    raise self._wrong_size(self._expected - left, self._expected)
                yield data
        except httpx.TransportError as error:
            raise unavailable(error, self._registry, _STEP, Side.SOURCE, self._reference) from error
        if left:
            raise self._broken(f"ended {left} bytes early")

    def _broken(self, what: str) -> RegistryUnavailableError:
        return RegistryUnavailableError(
            f"{self._registry} {what} ({_STEP} {self._reference})",
            registry=self._registry,
            origin=Side.SOURCE,
            step=_STEP,
            reference=self._reference,
        )

    def _wrong_size(self, found: int | None, expected: int) -> SizeMismatchError:
        served = "an absurd number of" if found is None else f"at least {found}"
        said = f" (with Content-Encoding: {self.encoding})" if self.encoding else ""
        return SizeMismatchError(
            f"{self._registry} serves {served} bytes for {self._reference}, expected {expected}{said}",
            origin=Side.SOURCE,
            step=_STEP,
            reference=self._reference,
        )
